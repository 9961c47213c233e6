"""The configuration lock: admins change pipelines, stages and owners one at a time."""

import uuid

from sqlalchemy import func, literal_column, select, update

from crm_graph.database import locks
from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.models import Owner, Pipeline, table


async def begin(work: UnitOfWork) -> None:
    """Start a change of the configuration: until the transaction ends, there is no other one.

    So a rule of the whole configuration (one default pipeline, an active admin, stages in one order) can be checked
    before a change. Take this lock before any other. Raises Forbidden for anyone but an admin.
    """
    work.principal.must_be_admin()
    await _LOCK.run(work.transaction)


async def make_default(transaction: Transaction, model: type[Owner] | type[Pipeline], id_: uuid.UUID) -> None:
    """Make a row the default instead of the present one."""
    rows = table(model)
    # In two statements: a unique index allows one default at any moment.
    await transaction.execute(update(rows).where(rows.c.is_default).values(is_default=False))
    await transaction.execute(update(rows).where(rows.c.id == id_).values(is_default=True))


_LOCK = Statement(
    lambda: select(func.pg_advisory_xact_lock(literal_column(str(locks.CONFIGURATION)), literal_column("0")))
)
