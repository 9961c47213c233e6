"""Leads: what events say of a person, and how far that may change the contact. Every write here is a machine's."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import case, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from crm_graph import activities, companies, contacts
from crm_graph.contacts import CUSTOM_MAX_KEYS
from crm_graph.errors import Conflict
from crm_graph.models import (
    Contact,
    Deal,
    DealStatus,
    Owner,
    OwnerMailbox,
    OwnerSource,
    ReplyStatus,
    ReplyStatusSource,
)
from crm_graph.values import company_domain

# Design: person > provider > model > rules.
STRENGTH = {
    ReplyStatusSource.RULES: 1,
    ReplyStatusSource.MODEL: 2,
    ReplyStatusSource.PROVIDER: 3,
    ReplyStatusSource.PERSON: 4,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody or something made of a contact's reply, and when the contact wrote it."""

    status: ReplyStatus
    source: ReplyStatusSource
    occurred_at: datetime
    summary: str | None = None
    is_sure: bool = True
    absent_until: date | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """Whose a contact is, and who says so."""

    owner_id: uuid.UUID | None
    source: OwnerSource | None


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


async def record_lead(
    session: AsyncSession, lead: Lead, *, assignment: Assignment, now: datetime
) -> tuple[Contact, bool]:
    """The contact that an event speaks of, locked, made if missing, and whether it is new.

    An event only fills what is empty: it may be older than what a person typed since. Further addresses find the
    contact they belong to; a deleted contact stays deleted.
    """
    domain = company_domain(lead.email)
    company_id = await companies.find_or_create(session, name=lead.company_name, domain=domain)
    said: dict[str, Any] = {
        "full_name": lead.full_name,
        "title": lead.title,
        "phone": lead.phone,
        "website": lead.website,
        "linkedin_url": lead.linkedin_url,
        "company_id": company_id,
    }
    owned = {"owner_id": assignment.owner_id, "owner_source": assignment.source}
    custom = dict(list(lead.custom.items())[:CUSTOM_MAX_KEYS])
    created = await contacts.insert_new(session, lead.email, said | owned | {"custom": custom}, now)
    if created is not None:
        return created, True
    contact = await contacts.lock(session, contacts.has_address(lead.email))
    if contact is None:  # it was there a moment ago, and contacts are never removed while the server runs
        raise Conflict(f"the contact {lead.email} vanished while its event was applied")
    missing = {name: value for name, value in said.items() if value is not None and getattr(contact, name) is None}
    merged = custom | contact.custom
    if len(merged) <= CUSTOM_MAX_KEYS and merged != contact.custom:
        missing["custom"] = merged
    if activities.apply_changes(contact, missing):
        contact.version += 1
        contact.updated_at = now
    await _reassign(session, contact, assignment, now)
    return contact, False


async def find(session: AsyncSession, contact_id: uuid.UUID) -> Contact | None:
    """A contact by id, locked. For events: it sees every owner's contacts."""
    return await contacts.lock(session, col(Contact.id) == contact_id)


async def assignment_for(session: AsyncSession, address: str | None, source: OwnerSource) -> Assignment:
    """Whose a new contact is: the active owner with this address or mailbox, else the default owner, else nobody."""
    mailbox = select(col(OwnerMailbox.owner_id)).where(col(OwnerMailbox.email) == address).scalar_subquery()
    is_theirs = or_(col(Owner.email) == address, col(Owner.id) == mailbox)
    strongest = case((is_theirs, 0), else_=1)
    query = (
        select(col(Owner.id), is_theirs.label("is_theirs"))
        .where(col(Owner.active), or_(is_theirs, col(Owner.is_default)))
        .order_by(strongest)
        .limit(1)
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return Assignment(None, None)
    return Assignment(row.id, source if row.is_theirs else OwnerSource.DEFAULT)


async def judge(session: AsyncSession, contact: Contact, verdict: Verdict, *, now: datetime) -> bool:
    """Let a verdict set the reply status of a locked contact; returns whether it did.

    A weaker source never replaces a stronger one, nor an older reply a newer one. out_of_office never replaces a
    status: it only says until when the contact is away. unsubscribed also closes the contact to outreach, which
    only a person undoes.
    """
    if verdict.status is ReplyStatus.UNSUBSCRIBED and contact.do_not_contact_at is None:
        contact.do_not_contact_at = verdict.occurred_at
        contact.do_not_contact_reason = verdict.summary or "unsubscribed"
    if verdict.absent_until is not None and verdict.absent_until > (contact.ooo_until or date.min):
        contact.ooo_until = verdict.absent_until
    holds = _replaces(verdict, contact)
    if holds:
        contact.reply_status = verdict.status
        contact.reply_status_source = verdict.source
        contact.reply_status_at = verdict.occurred_at
        contact.reply_summary = verdict.summary
        contact.needs_review = not verdict.is_sure
        contact.version += 1
    contact.updated_at = now
    await session.flush()
    return holds


def _replaces(verdict: Verdict, contact: Contact) -> bool:
    if contact.reply_status is None or contact.reply_status_source is None:
        return True
    if verdict.status is ReplyStatus.OUT_OF_OFFICE:
        return False
    if (
        contact.reply_status is ReplyStatus.OUT_OF_OFFICE
        and contact.reply_status_source is not ReplyStatusSource.PERSON
    ):
        return True  # an absence is no opinion: whatever the contact wrote, before or after it, says more
    is_older = contact.reply_status_at is not None and verdict.occurred_at < contact.reply_status_at
    return STRENGTH[verdict.source] >= STRENGTH[contact.reply_status_source] and not is_older


async def _reassign(session: AsyncSession, contact: Contact, assignment: Assignment, now: datetime) -> None:
    """A mailbox or organiser takes over a contact that nobody chose an owner for, with its open deals."""
    if assignment.source not in (OwnerSource.MAILBOX, OwnerSource.ORGANISER) or assignment.owner_id == contact.owner_id:
        return
    if contact.owner_id is not None and contact.owner_source is not OwnerSource.DEFAULT:
        owner = await session.get(Owner, contact.owner_id)
        if owner is not None and owner.active:
            return
    follow = (
        update(Deal)
        .where(
            col(Deal.contact_id) == contact.id,
            col(Deal.owner_id).is_not_distinct_from(contact.owner_id),
            col(Deal.status) == DealStatus.OPEN,
        )
        .values(owner_id=assignment.owner_id, updated_at=now)
    )
    contact.owner_id, contact.owner_source = assignment.owner_id, assignment.source
    contact.updated_at = now
    await session.flush()
    await session.execute(follow)
