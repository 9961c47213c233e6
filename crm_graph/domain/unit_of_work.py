"""UnitOfWork: the first argument of every verb of the domain."""

from dataclasses import dataclass
from datetime import datetime

from crm_graph.database.engine import Transaction
from crm_graph.identity.principal import Principal


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """A change of the CRM: the transaction that it is part of, who makes it, and when.

    The caller of the domain (a mutation field, the inbox, a command) opens the transaction and reads the clock, once.
    """

    transaction: Transaction
    principal: Principal
    now: datetime
