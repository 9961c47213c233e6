"""Wakes the workers up when something is due."""

from sqlalchemy import ColumnElement, func, literal, select

from crm_graph.database import channels
from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement


async def notify_senders(transaction: Transaction) -> None:
    """Notify all workers, once the transaction is committed, that deliveries may be due."""
    await _NOTIFY.run(transaction)


def notification() -> ColumnElement[None]:
    """The same as an expression, for statements that notify only under a condition."""
    return func.pg_notify(literal(channels.DELIVERIES), literal(""))


_NOTIFY = Statement(lambda: select(notification()))
