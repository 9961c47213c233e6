"""The e-mails that we sent to a contact: its replies quote them, and not always with a mark."""

from typing import NamedTuple

from sqlalchemy import Executable, select

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, param
from crm_graph.domain.contacts import records as contacts
from crm_graph.models import Activity, ActivityType, Contact, table

NEWEST = 5


class _Sent(NamedTuple):
    content: str


async def find_sent(transaction: Transaction, address: str) -> tuple[str, ...]:
    """The texts of the newest e-mails to the contact that has an address. For events, which see every contact."""
    return tuple(row.content for row in await _SENT.rows(transaction, address=address))


def _sent() -> Executable:
    entries, people = table(Activity), table(Contact)
    has_address = contacts.has_address(param(Contact, "email", "address"))
    to_it = entries.join(people, people.c.id == entries.c.contact_id)
    found = select(entries.c.content).select_from(to_it).where(has_address, entries.c.type == ActivityType.EMAIL_OUT)
    return found.order_by(entries.c.occurred_at.desc()).limit(NEWEST)


_SENT = Query(_Sent, _sent)
