"""Leads: what events say of a person, and how far that may change the contact. Every write here is a machine's.

What an event changes is gathered first, from the contact as it is locked, and then written with the event's entry on
the timeline in one statement.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import case, exists, func, literal, literal_column, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, param
from crm_graph.domain.companies import match
from crm_graph.domain.contacts import ownership, verdicts
from crm_graph.domain.contacts import records as contacts
from crm_graph.domain.contacts.records import CUSTOM_MAX_KEYS
from crm_graph.domain.contacts.verdicts import Verdict
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict
from crm_graph.models import (
    Activity,
    Company,
    Contact,
    ContactEmail,
    LifecycleStage,
    Owner,
    OwnerMailbox,
    OwnerSource,
    table,
)
from crm_graph.values import company_domain

ATTEMPTS = 3  # to find a contact that somebody else makes or merges at the same moment


@dataclass(frozen=True, slots=True)
class Lead:
    """What an event says of a person; None and empty mean that it says nothing."""

    email: str
    full_name: str | None = None
    title: str | None = None
    phone: str | None = None
    website: str | None = None
    linkedin_url: str | None = None
    company_name: str | None = None
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Colleague:
    """Who of the team an event names, by an address or mailbox, and as what."""

    address: str | None
    source: OwnerSource


@dataclass(frozen=True, slots=True)
class Found:
    """A contact that is locked, and what the event changes in it."""

    contact: Any
    changes: dict[str, Any]

    @property
    def id(self) -> uuid.UUID:
        id_: uuid.UUID = self.contact.id
        return id_


@dataclass(frozen=True, slots=True)
class Recorded:
    """The contact as it is now, and its new entry: None when another event has announced this already."""

    contact: Any
    entry_id: uuid.UUID | None


class Erased(Exception):
    """The person was erased, and asked not to be known again."""


async def find(
    transaction: Transaction, lead: Lead, colleague: Colleague, *, creates: bool, now: datetime
) -> Found | None:
    """The contact that an event speaks of, locked, made if missing; None where the event may not make one.

    An event only fills what is empty: it may be older than what a person typed since. Further addresses find the
    contact they belong to; a deleted contact stays deleted. Raises Erased.
    """
    for _ in range(ATTEMPTS):
        seen = await _LOOK.one(transaction, address=lead.email, colleague=colleague.address)
        assert seen is not None
        if seen.is_suppressed:
            raise Erased
        if seen.id is not None:
            return Found(seen, await _missing(transaction, lead, seen) | _taken_over(seen, colleague))
        # Nobody has it, or whoever had it was merged while we waited: then the address is another one's by now.
        made = await _create(transaction, lead, colleague, seen, now) if creates else None
        if made is not None:
            return Found(made, {})
    if not creates:
        return None
    raise Conflict("the contact is being made or merged by somebody else; retry")


async def address_of(transaction: Transaction, contact_id: uuid.UUID) -> str | None:
    """The address of a contact that is not deleted, by its id or that of one that was merged into it.

    For events: they see every owner's contacts.
    """
    found = await _ADDRESS.one(transaction, id=contact_id)
    return found.email if found else None


async def record(
    work: UnitOfWork,
    found: Found,
    entry: Mapping[str, Any],
    *,
    verdict: Verdict | None,
    latest_email_sent_at: datetime | None,
) -> Recorded:
    """Write what an event changes in a contact, together with its entry (see activities.entry_params) and the verdict
    on the reply.
    """
    contact, changes = found.contact, dict(found.changes)
    if latest_email_sent_at is not None:
        latest = contact.latest_email_sent_at
        changes["latest_email_sent_at"] = max(latest or latest_email_sent_at, latest_email_sent_at)
    judged: dict[str, Any] = {}
    if verdict is not None:
        changes |= verdicts.consequences(contact, verdict)
        judged = verdicts.kept(contact.id, entry["entry_id"], verdict, None, work.now)
    changed = activities.differences(contact, changes)
    values = {name: changed.get(name, getattr(contact, name)) for name in Contact.FROM_EVENTS} if changed else {}
    statement = _recording(bool(changed), verdict is not None)
    told = await statement.one(work.transaction, id=contact.id, now=work.now, **values, **entry, **judged)
    if "owner_id" in changed:
        await ownership.follow(work, contact, changed["owner_id"])
    return Recorded(contact._replace(**changed), told.id if told else None)


async def _missing(transaction: Transaction, lead: Lead, contact: Any) -> dict[str, Any]:
    """What the lead says and the contact lacks."""
    said: dict[str, Any] = {name: getattr(lead, name) for name in Contact.DETAILS}
    if contact.company_id is None or (lead.company_name and contact.company_is_unnamed):
        said["company_id"] = await _company(transaction, lead)
    missing = {name: new for name, new in said.items() if new is not None and getattr(contact, name) is None}
    merged = {**_custom(lead), **contact.custom}
    return missing | ({"custom": merged} if len(merged) <= CUSTOM_MAX_KEYS else {})


def _taken_over(contact: Any, colleague: Colleague) -> dict[str, Any]:
    """A mailbox or organiser takes over a contact that nobody chose an owner for."""
    if not contact.colleague_is_theirs or contact.colleague_id == contact.owner_id:
        return {}
    is_chosen = contact.owner_id is not None and contact.owner_source != OwnerSource.DEFAULT
    if is_chosen and contact.owner_is_active:
        return {}
    return {"owner_id": contact.colleague_id, "owner_source": colleague.source}


async def _create(transaction: Transaction, lead: Lead, colleague: Colleague, seen: Any, now: datetime) -> Any | None:
    """A new contact: its colleague's, else the default owner's, else nobody's."""
    source = colleague.source if seen.colleague_is_theirs else OwnerSource.DEFAULT
    values = {name: getattr(lead, name) for name in Contact.DETAILS} | {
        "email": lead.email,
        "company_id": await _company(transaction, lead),
        "custom": _custom(lead),
        "owner_id": seen.colleague_id,
        "owner_source": source if seen.colleague_id else None,
    }
    return await _CREATE.one(transaction, id=uuid.uuid4(), now=now, **values)


async def _company(transaction: Transaction, lead: Lead) -> uuid.UUID | None:
    return await match.find_or_create(transaction, name=lead.company_name, domain=company_domain(lead.email))


def _custom(lead: Lead) -> dict[str, Any]:
    return dict(list(lead.custom.items())[:CUSTOM_MAX_KEYS])


def _look() -> Any:
    """The contact with an address, locked; beside it the colleague who would own a new one."""
    address = param(Contact, "email", "address")
    contact = select(table(Contact)).where(contacts.has_address(address)).limit(1)
    found = contact.with_for_update(key_share=True).cte("contact")
    colleague, owner, company = _colleague().subquery("colleague"), table(Owner).alias(), table(Company).alias()
    asked = select(contacts.is_suppressed(address).label("is_suppressed")).subquery("asked")
    rows = asked.outerjoin(found, true()).outerjoin(colleague, true())
    rows = rows.outerjoin(owner, owner.c.id == found.c.owner_id).outerjoin(company, company.c.id == found.c.company_id)
    return select(
        found,
        asked.c.is_suppressed,
        colleague.c.id.label("colleague_id"),
        colleague.c.is_theirs.label("colleague_is_theirs"),
        owner.c.active.label("owner_is_active"),
        (company.c.name == company.c.domain).label("company_is_unnamed"),
    ).select_from(rows)


def _colleague() -> Any:
    """The active owner with an address or mailbox, else the default one."""
    owners, boxes, address = table(Owner), table(OwnerMailbox), param(Owner, "email", "colleague")
    mailbox = select(boxes.c.owner_id).where(boxes.c.email == address).scalar_subquery()
    is_theirs = or_(owners.c.email == address, owners.c.id == mailbox)
    either = select(owners.c.id, is_theirs.label("is_theirs")).where(
        owners.c.active, or_(is_theirs, owners.c.is_default)
    )
    return either.order_by(case((is_theirs, 0), else_=1)).limit(1)


def _address() -> Any:
    c, asked = table(Contact).c, table(Contact).alias("asked").c
    meant = select(func.coalesce(asked.merged_into_id, asked.id)).where(asked.id == param(Contact, "id"))
    return select(c.email).where(c.id == meant.scalar_subquery(), c.deleted_at.is_(None))


def _created() -> Any:
    row: dict[str, Any] = {
        name: param(Contact, name) for name in ("id", "email", *Contact.PROFILE, "custom", *Contact.OWNERSHIP)
    }
    row |= {name: param(Contact, name, "now") for name in ("created_at", "updated_at")}
    row |= {"lifecycle_stage": literal(LifecycleStage.LEAD.value), "version": literal_column("1")}
    aliases = table(ContactEmail)
    is_alias = exists(select(1).where(aliases.c.email == param(Contact, "email")))
    new = insert(table(Contact)).from_select(list(row), select(*row.values()).where(~is_alias), include_defaults=False)
    return new.on_conflict_do_nothing(index_elements=[table(Contact).c.email]).returning(table(Contact))


@cache
def _recording(has_changes: bool, has_verdict: bool) -> Statement:
    def make() -> Any:
        entries = table(Activity)
        new = activities.insert_entry().on_conflict_do_nothing(index_elements=[entries.c.effect_key])
        entry = new.returning(entries.c.id).cte("entry")
        statement = select(entry.c.id)
        if has_changes:
            statement = statement.add_cte(_changes().cte("changed"))
        if has_verdict:
            statement = statement.add_cte(verdicts.keeping(only_with=entry).cte("judged"))
        return statement

    return Statement(make)


def _changes() -> Any:
    c = table(Contact).c
    values: dict[str, Any] = {name: param(Contact, name) for name in Contact.FROM_EVENTS}
    values |= {"version": c.version + 1, "updated_at": param(Contact, "updated_at", "now")}
    return update(table(Contact)).where(c.id == param(Contact, "id")).values(values)


_LOOK = Statement(_look)
_CREATE = Statement(_created)
_ADDRESS = Statement(_address)
