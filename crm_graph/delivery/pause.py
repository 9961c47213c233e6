"""The pause of deliveries: a restored or staging copy of a database must not send what the original sends."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Executable, func, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, Statement, param
from crm_graph.delivery.notifications import notify_senders
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.models import Deployment, table

HINT = "if this is the original and it moved on purpose, run `crm-graph deliveries resume`"
_DEPLOYMENT = table(Deployment)


class DeploymentState(NamedTuple):
    """Where the database was last served, and since when and why its deliveries are paused; None while they are not."""

    public_url: str | None
    database_identity: str | None
    paused_at: datetime | None
    paused_reason: str | None
    present_identity: str


async def find_state(transaction: Transaction) -> DeploymentState | None:
    """The state of the deployment; None for a database that was never served."""
    return await _FIND_STATE.one(transaction)


async def find_reason(transaction: Transaction) -> str | None:
    """Why deliveries are paused; None while they are not."""
    state = await find_state(transaction)
    return state.paused_reason if state and state.paused_at else None


async def pause_if_moved(transaction: Transaction, public_url: str | None) -> str | None:
    """Record where the database is served, by a server or a worker. Returns why deliveries are paused, or None.

    They are paused, until they are resumed, when the database was served under another PUBLIC_URL before, or when it is
    another database now. What was not recorded before pauses nothing.
    """
    await _RECORD.run(transaction, public_url=public_url)
    state = await find_state(transaction)
    assert state is not None, "it was created if it was missing"
    if state.paused_at is not None:
        return state.paused_reason
    differences = _differences(state, public_url)
    if not differences:
        return None
    reason = f"{' and '.join(differences)}: {HINT}"
    await _PAUSE.run(transaction, reason=reason)
    return reason


async def resume(work: UnitOfWork, public_url: str | None) -> None:
    """Resume deliveries, from now on here and under `public_url`. Raises Forbidden for anyone but an admin."""
    work.principal.must_be_admin()
    await _RESUME.run(work.transaction, public_url=public_url)
    await notify_senders(work.transaction)


def _differences(state: DeploymentState, public_url: str | None) -> list[str]:
    differences = []
    if state.public_url != public_url:
        now = public_url or "not set"
        differences.append(
            f"it was started with PUBLIC_URL {now}, and this database was served under {state.public_url}"
        )
    if state.database_identity != state.present_identity:
        before, now = state.database_identity, state.present_identity
        differences.append(
            f"it was started as database {now} (cluster/database), and its content was served as {before}"
        )
    return differences


def _record() -> Executable:
    """Record what is not recorded yet."""
    url, identity = param(Deployment, "public_url"), func.crm_database_identity()
    new = insert(_DEPLOYMENT).values(id=True, public_url=url, database_identity=identity)
    values = {
        "public_url": func.coalesce(_DEPLOYMENT.c.public_url, new.excluded.public_url),
        "database_identity": func.coalesce(_DEPLOYMENT.c.database_identity, new.excluded.database_identity),
    }
    return new.on_conflict_do_update(index_elements=[_DEPLOYMENT.c.id], set_=values)


def _find_state() -> Executable:
    names = DeploymentState._fields[:-1]
    present = func.crm_database_identity().label("present_identity")
    return select(*(_DEPLOYMENT.c[name] for name in names), present)


def _resume() -> Executable:
    here = {"public_url": param(Deployment, "public_url"), "database_identity": func.crm_database_identity()}
    values = here | {"paused_at": None, "paused_reason": None}
    new = insert(_DEPLOYMENT).values(id=True, **values)
    return new.on_conflict_do_update(index_elements=[_DEPLOYMENT.c.id], set_=values)


_RECORD = Statement(_record)
_FIND_STATE = Query(DeploymentState, _find_state)
_PAUSE = Statement(
    lambda: update(_DEPLOYMENT).values(paused_at=func.now(), paused_reason=param(Deployment, "paused_reason", "reason"))
)
_RESUME = Statement(_resume)
