"""UnitOfWork: what every verb of the domain is given."""

from dataclasses import dataclass
from datetime import datetime

from crm_graph.database.engine import Transaction
from crm_graph.identity.principal import Principal


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """One change of the CRM: the transaction that it commits in, on whose behalf, and when.

    The edge (a mutation field, the inbox, a command) opens the transaction and reads the clock, once.
    """

    transaction: Transaction
    principal: Principal
    now: datetime
