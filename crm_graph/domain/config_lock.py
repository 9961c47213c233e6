"""Set-up: the pipelines with their stages, and the team. Admins change it, one at a time."""

import uuid

from sqlalchemy import func, literal_column, select, update

from crm_graph.database import locks
from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.models import Owner, Pipeline, table


async def begin(work: UnitOfWork) -> None:
    """Start a change of the set-up, until the transaction ends: no other one is under way then.

    What holds for a set-up as a whole (one default pipeline, an admin who is active, stages in one order) can be looked
    at before it is changed. The lock comes before all others. Raises Forbidden for anyone but an admin.
    """
    work.principal.must_be_admin()
    await _LOCK.run(work.transaction)


async def make_default(transaction: Transaction, model: type[Owner] | type[Pipeline], id_: uuid.UUID) -> None:
    """Make one row the default in place of the one that is."""
    rows = table(model)
    # Two statements: at no moment may there be two.
    await transaction.execute(update(rows).where(rows.c.is_default).values(is_default=False))
    await transaction.execute(update(rows).where(rows.c.id == id_).values(is_default=True))


_LOCK = Statement(
    lambda: select(func.pg_advisory_xact_lock(literal_column(str(locks.CONFIGURATION)), literal_column("0")))
)
