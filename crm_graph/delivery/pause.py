"""Where this database is served: a restored or staging copy must not send what the original sends."""

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, param
from crm_graph.errors import SetupError
from crm_graph.models import Deployment, table

HINT = "if this is the original, and moved on purpose: crm-graph deliveries resume"


async def served_under(transaction: Transaction, public_url: str | None) -> str | None:
    """Say that the database is served under this PUBLIC_URL; returns why nothing is delivered, or None.

    Deliveries are paused when it was served under another one before, until somebody resumes them.
    """
    reason = f"PUBLIC_URL is {public_url or 'not set'}, and this database was last served under {{}}: {HINT}"
    await _SERVED.run(transaction, public_url=public_url)
    row = await _STATE.one(transaction)
    assert row is not None, "the first statement makes it"
    if row.public_url != public_url and row.paused_at is None:
        told = reason.format(row.public_url or "none")
        await _PAUSE.run(transaction, reason=told)
        return told
    paused: str | None = row.paused_reason
    return paused


async def must_be(transaction: Transaction, public_url: str | None) -> None:
    """Raises SetupError when the database is served under another PUBLIC_URL: a worker elsewhere must not send."""
    await _SERVED.run(transaction, public_url=public_url)
    row = await _STATE.one(transaction)
    if row is not None and row.public_url != public_url:
        difference = f"PUBLIC_URL is {public_url or 'not set'}, and the server has {row.public_url or 'none'}"
        raise SetupError(f"{difference}: set the same; {HINT}")


_DEPLOYMENT = table(Deployment)
_SERVED = Statement(
    lambda: insert(_DEPLOYMENT).values(id=True, public_url=param(Deployment, "public_url")).on_conflict_do_nothing()
)
_STATE = Statement(lambda: select(_DEPLOYMENT.c.public_url, _DEPLOYMENT.c.paused_at, _DEPLOYMENT.c.paused_reason))
_PAUSE = Statement(
    lambda: update(_DEPLOYMENT).values(paused_at=func.now(), paused_reason=param(Deployment, "paused_reason", "reason"))
)
