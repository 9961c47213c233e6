"""Leads: what events say of a person, and how far that may change the contact. Every write here is a machine's."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
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
)
from crm_graph.values import company_domain


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
