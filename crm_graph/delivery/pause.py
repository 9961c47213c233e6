"""The pause of deliveries: a restored or staging copy of a database must not send what the original sends."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Executable, func, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, Statement, columns_of, param
from crm_graph.delivery.notifications import notify_senders
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import SetupError
from crm_graph.models import Deployment, table

HINT = "if this is the original and it moved on purpose, run `crm-graph deliveries resume`"
_DEPLOYMENT = table(Deployment)


class DeploymentState(NamedTuple):
    """Where the database was last served, and since when and why its deliveries are paused; None while they are not."""

    public_url: str | None
    paused_at: datetime | None
    paused_reason: str | None


async def find_state(transaction: Transaction) -> DeploymentState | None:
    """The state of the deployment; None for a database that was never served."""
    return await _FIND_STATE.one(transaction)


async def pause_if_moved(transaction: Transaction, public_url: str | None) -> str | None:
    """Record that the database is served under this PUBLIC_URL. Returns why deliveries are paused, or None.

    They are paused when the database was served under another PUBLIC_URL before, until they are resumed.
    """
    state = await _create_state(transaction, public_url)
    if state.public_url == public_url or state.paused_at is not None:
        return state.paused_reason
    before = state.public_url or "none"
    reason = f"PUBLIC_URL is {public_url or 'not set'}, but this database was last served under {before}: {HINT}"
    await _PAUSE.run(transaction, reason=reason)
    return reason


async def check_public_url(transaction: Transaction, public_url: str | None) -> None:
    """Raises SetupError when the server has another PUBLIC_URL: a worker elsewhere must not send."""
    state = await _create_state(transaction, public_url)
    if state.public_url != public_url:
        difference = f"PUBLIC_URL is {public_url or 'not set'}, but the server has {state.public_url or 'none'}"
        raise SetupError(f"{difference}: set the same value; {HINT}")


async def resume(work: UnitOfWork, public_url: str | None) -> None:
    """Resume deliveries, from now on under `public_url`. Raises Forbidden for anyone but an admin."""
    work.principal.must_be_admin()
    await _RESUME.run(work.transaction, public_url=public_url)
    await notify_senders(work.transaction)


async def _create_state(transaction: Transaction, public_url: str | None) -> DeploymentState:
    await _CREATE_STATE.run(transaction, public_url=public_url)
    state = await find_state(transaction)
    assert state is not None, "it was created if it was missing"
    return state


def _resume() -> Executable:
    values = {"public_url": param(Deployment, "public_url"), "paused_at": None, "paused_reason": None}
    new = insert(_DEPLOYMENT).values(id=True, **values)
    return new.on_conflict_do_update(index_elements=[_DEPLOYMENT.c.id], set_=values)


_FIND_STATE = Query(DeploymentState, lambda: select(*columns_of(DeploymentState, _DEPLOYMENT)))
_CREATE_STATE = Statement(
    lambda: insert(_DEPLOYMENT).values(id=True, public_url=param(Deployment, "public_url")).on_conflict_do_nothing()
)
_PAUSE = Statement(
    lambda: update(_DEPLOYMENT).values(paused_at=func.now(), paused_reason=param(Deployment, "paused_reason", "reason"))
)
_RESUME = Statement(_resume)
