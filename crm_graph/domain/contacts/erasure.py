"""Erasure: a person's data gone for good, and never taken in again (GDPR, article 17; KVKK, article 7)."""

import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import any_, delete, func, or_, select

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, combined, from_file, param
from crm_graph.domain.contacts import erasure_rules
from crm_graph.domain.contacts import records as contacts
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import NotFound, ValidationFailed
from crm_graph.models import Contact, ContactEmail, Deal, Suppression, table
from crm_graph.values import normal_email


async def erase(work: UnitOfWork, *, contact_id: uuid.UUID | None = None, email: str | None = None) -> uuid.UUID | None:
    """Erase the person with this contact or address, in deleted and merged contacts too, and suppress its addresses.

    Returns the contact's id; None when there was none, and only the address is suppressed. To be erased already is
    success. Raises Forbidden for anyone but an admin, NotFound, or ValidationFailed naming the field.
    """
    work.principal.must_be_admin()
    if (contact_id is None) == (email is None):
        raise ValidationFailed("give one of contactId and email", field="contact_id")
    address = normal_email(email) if email is not None else None
    await _LOCK_WEBHOOKS.run(work.transaction)
    person = await _PERSON.rows(work.transaction, contact_id=contact_id, address=address)
    if not person and address is None:
        raise NotFound("contact not found", field="contact_id")
    root: uuid.UUID | None = next((row.id for row in person if row.merged_into_id is None), None)
    if person and all(row.erased_at is not None for row in person):
        return root
    ids = [row.id for row in person]
    known = {known for row in person for known in (row.email, *row.further, erasure_rules.placeholder(row.id))}
    await _ERASE.run(
        work.transaction,
        ids=ids,
        deal_ids=[row.id for row in await _DEALS.rows(work.transaction, ids=ids)],
        addresses=sorted(known | ({address} if address else set())),
        now=work.now,
        root=root,
        deal_meta={"source": work.principal.source},
        **activities.entry_params(work, content="Contact erased", contact_id=root),
    )
    return root


async def lift(work: UnitOfWork, *, email: str) -> bool:
    """Let a person who was erased be known again, on its own wish; returns whether the address was suppressed."""
    work.principal.must_be_admin()
    return bool(await _LIFT.run(work.transaction, address=normal_email(email)))


async def suppressed(transaction: Transaction, addresses: Iterable[str]) -> set[str]:
    """Those of the addresses (in normal form) whose persons were erased."""
    asked = list(addresses)
    return {row.address for row in await _SUPPRESSED.rows(transaction, addresses=asked)} if asked else set()


def _person() -> Any:
    """The contact that is meant, and all that were merged into it, locked, with their further addresses."""
    people, emails = table(Contact), table(ContactEmail).c
    asked = people.alias("asked")
    is_it = or_(
        asked.c.id == param(Contact, "id", "contact_id"),
        contacts.has_address(param(Contact, "email", "address"), asked),
    )
    root = select(func.coalesce(asked.c.merged_into_id, asked.c.id)).where(is_it).limit(1).scalar_subquery()
    further = func.array(select(emails.email).where(emails.contact_id == people.c.id).scalar_subquery())
    columns = [people.c[name] for name in ("id", "email", "merged_into_id", "erased_at")]
    theirs = select(*columns, further.label("further")).where(or_(people.c.id == root, people.c.merged_into_id == root))
    return theirs.order_by(people.c.id).with_for_update()


def _erased() -> Any:
    root = param(Contact, "id", "root")
    told = activities.insert_entry(select(root.label("id")).where(root.is_not(None)).subquery())
    return combined(*(statement() for statement in erasure_rules.ERASED), *erasure_rules.deals(), told)


def _suppressed() -> Any:
    address = func.unnest(erasure_rules.ADDRESSES).column_valued("address")
    return select(address).where(contacts.is_suppressed(address))


def _lifted() -> Any:
    hmac = func.crm_address_hmac(param(Contact, "email", "address"))
    return delete(table(Suppression)).where(table(Suppression).c.address_hmac == hmac)


_LOCK_WEBHOOKS = Statement(from_file("lock_webhooks_log.sql"))
_PERSON = Statement(_person)
_DEALS = Statement(
    lambda: (
        select(table(Deal).c.id)
        .where(table(Deal).c.contact_id == any_(erasure_rules.IDS))
        .order_by(table(Deal).c.id)
        .with_for_update()
    )
)
_ERASE = Statement(_erased)
_SUPPRESSED = Statement(_suppressed)
_LIFT = Statement(_lifted)
