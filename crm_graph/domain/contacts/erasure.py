"""Erasure: removes a person's data for good and keeps it from being stored again (GDPR art. 17, KVKK art. 7)."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Executable, any_, delete, func, or_, select

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import IdRow, Query, Statement, combined, from_file, param
from crm_graph.domain.contacts import erasure_rules, mentions
from crm_graph.domain.contacts import records as contacts
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import NotFound, ValidationFailed
from crm_graph.models import AnySelect, Contact, ContactEmail, Deal, Suppression, table
from crm_graph.values import normal_email


class _PersonContact(NamedTuple):
    """A contact of the person, with its further addresses. The others were merged into the one that is not merged."""

    id: uuid.UUID
    email: str
    merged_into_id: uuid.UUID | None
    erased_at: datetime | None
    further_emails: list[str]


class _Suppressed(NamedTuple):
    address: str


class Erased(NamedTuple):
    """The contact that was erased, if there was one, and the tables whose older rows were not searched for mentions."""

    contact_id: uuid.UUID | None
    not_searched: list[str]


async def erase(work: UnitOfWork, *, contact_id: uuid.UUID | None = None, email: str | None = None) -> Erased:
    """Erase the person with this contact or address, including deleted and merged contacts, and suppress its addresses.

    Without a contact, the address is suppressed, and erased where it is mentioned. A person who is erased already stays
    as it is. Raises Forbidden for anyone but an admin, NotFound, or ValidationFailed naming the field.
    """
    work.principal.must_be_admin()
    if (contact_id is None) == (email is None):
        raise ValidationFailed("give either contactId or email", field="contact_id")
    address = normal_email(email) if email is not None else None
    # Read before anything is locked, because it takes longest: what others write meanwhile is not searched.
    known = await _KNOWN_PERSON.rows(work.transaction, contact_id=contact_id, address=address)
    found = await mentions.find(work.transaction, [row.id for row in known], _addresses(known, address))
    await _LOCK_WEBHOOK_LOG.run(work.transaction)
    person = await _PERSON.rows(work.transaction, contact_id=contact_id, address=address)
    if not person and address is None:
        raise NotFound("contact not found", field="contact_id")
    root_id = next((row.id for row in person if row.merged_into_id is None), None)
    if person and all(row.erased_at is not None for row in person):
        return Erased(root_id, [])
    addresses = _addresses(person, address)
    await mentions.erase(work.transaction, found, addresses, work.now)
    ids = [row.id for row in person]
    deals = await _DEALS.rows(work.transaction, ids=ids)
    await _ERASE.run(
        work.transaction,
        ids=ids,
        deal_ids=[deal.id for deal in deals],
        addresses=addresses,
        **erasure_rules.spelled(addresses),
        now=work.now,
        root_id=root_id,
        deal_meta={"source": work.principal.source},
        **activities.entry_params(work, content="Contact erased", contact_id=root_id),
    )
    return Erased(root_id, found.not_searched)


def _addresses(person: Iterable[_PersonContact], address: str | None) -> list[str]:
    """Every address of the person: those of its contacts, their placeholders, and the one that was asked for."""
    addresses = {
        known for row in person for known in (row.email, *row.further_emails, erasure_rules.placeholder(row.id))
    }
    return sorted(addresses | ({address} if address else set()))


async def lift_suppression(work: UnitOfWork, *, email: str) -> bool:
    """Let an erased person be stored again, at the person's own request; returns whether the address was suppressed."""
    work.principal.must_be_admin()
    return bool(await _LIFT.run(work.transaction, address=normal_email(email)))


async def find_suppressed(transaction: Transaction, addresses: Iterable[str]) -> set[str]:
    """Those of the addresses (in normal form) whose persons were erased."""
    candidates = list(addresses)
    if not candidates:
        return set()
    return {row.address for row in await _SUPPRESSED.rows(transaction, addresses=candidates)}


def _person() -> AnySelect:
    """The contact that was named, and all that were merged into it, with their further addresses."""
    people, emails = table(Contact), table(ContactEmail).c
    named = people.alias("named")
    is_named = or_(
        named.c.id == param(Contact, "id", "contact_id"),
        contacts.has_address(param(Contact, "email", "address"), named),
    )
    root = select(func.coalesce(named.c.merged_into_id, named.c.id)).where(is_named).limit(1).scalar_subquery()
    further = func.array(select(emails.email).where(emails.contact_id == people.c.id).scalar_subquery())
    columns = (people.c.id, people.c.email, people.c.merged_into_id, people.c.erased_at)
    person = select(*columns, further.label("further_emails"))
    person = person.where(or_(people.c.id == root, people.c.merged_into_id == root))
    return person.order_by(people.c.id)


def _deals() -> Executable:
    deals = table(Deal).c
    return select(deals.id).where(deals.contact_id == any_(erasure_rules.IDS)).order_by(deals.id).with_for_update()


def _erase() -> Executable:
    root_id = param(Contact, "id", "root_id")
    root = select(root_id.label("id")).where(root_id.is_not(None)).subquery()
    return combined(*erasure_rules.erase_everywhere(), activities.insert_entry(for_each=root))


def _suppressed() -> Executable:
    address = func.unnest(erasure_rules.ADDRESSES).column_valued("address")
    return select(address).where(contacts.is_suppressed(address))


def _lift() -> Executable:
    hmac = func.crm_address_hmac(param(Contact, "email", "address"))
    return delete(table(Suppression)).where(table(Suppression).c.address_hmac == hmac)


_LOCK_WEBHOOK_LOG = Statement(from_file("lock_webhooks_log.sql"))
_KNOWN_PERSON = Query(_PersonContact, _person)
_PERSON = Query(_PersonContact, lambda: _person().with_for_update())
_DEALS = Query(IdRow, _deals)
_ERASE = Statement(_erase)
_SUPPRESSED = Query(_Suppressed, _suppressed)
_LIFT = Statement(_lift)
