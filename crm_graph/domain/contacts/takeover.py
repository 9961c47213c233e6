"""Takeover: the colleague whom an event names, and whether they become the owner of its contact."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Executable, Select, case, func, or_, select

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, param
from crm_graph.domain.contacts.rows import ContactRow
from crm_graph.models import Activity, ActivityType, Contact, Owner, OwnerMailbox, OwnerSource, table


class _Meeting(NamedTuple):
    occurred_at: datetime | None


async def takes_over(
    transaction: Transaction, contact: ContactRow, source: OwnerSource, *, is_active: bool, arranged_at: datetime | None
) -> bool:
    """Whether the colleague whom an event names, as `source` says in which role, becomes a contact's owner.

    They take over a contact whose owner nobody chose, or whose owner is not active (`is_active`). An organiser who
    arranged a meeting (`arranged_at`) also takes over from the organiser of an earlier one.
    """
    is_chosen = contact.owner_id is not None and contact.owner_source != OwnerSource.DEFAULT
    if not (is_chosen and is_active):
        return True
    is_organisers = contact.owner_source == source == OwnerSource.ORGANISER
    if not is_organisers or arranged_at is None:
        return False
    return not await _has_later_meeting(transaction, contact, arranged_at)


async def _has_later_meeting(transaction: Transaction, contact: ContactRow, arranged_at: datetime) -> bool:
    """Whether a newer event than this one has named an organiser already: events can arrive late."""
    newest = await _NEWEST_MEETING.one(transaction, id=contact.id)
    return bool(newest and newest.occurred_at and newest.occurred_at > arranged_at)


def colleague() -> Select[Any]:
    """The active owner with an address or mailbox (the parameter `colleague`), else the default owner."""
    owners, boxes, address = table(Owner), table(OwnerMailbox), param(Owner, "email", "colleague")
    mailbox_owner = select(boxes.c.owner_id).where(boxes.c.email == address).scalar_subquery()
    is_named: ColumnElement[bool] = or_(owners.c.email == address, owners.c.id == mailbox_owner)
    either = select(owners.c.id, is_named.label("is_named")).where(owners.c.active, or_(is_named, owners.c.is_default))
    return either.order_by(case((is_named, 0), else_=1)).limit(1)


def _newest_meeting() -> Executable:
    c = table(Activity).c
    is_meeting = c.contact_id == param(Contact, "id"), c.type == ActivityType.MEETING
    return select(func.max(c.occurred_at).label("occurred_at")).where(*is_meeting)


_NEWEST_MEETING = Query(_Meeting, _newest_meeting)
