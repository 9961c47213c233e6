"""Takeover: the colleague whom an event names, and whether they become the owner of its contact."""

from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import ColumnElement, Executable, Select, case, func, or_, select

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, param
from crm_graph.domain.contacts.lead import Colleague
from crm_graph.domain.contacts.rows import ContactRow
from crm_graph.models import Activity, ActivityType, Contact, Owner, OwnerMailbox, OwnerSource, table


class Named(Protocol):
    """The colleague who is named (`is_named`), or else the default owner; and whether the present owner is active."""

    @property
    def colleague_id(self) -> Any: ...
    @property
    def is_named(self) -> bool | None: ...
    @property
    def owner_is_active(self) -> bool | None: ...


class _Meeting(NamedTuple):
    occurred_at: datetime | None


async def new_owner(
    transaction: Transaction, contact: ContactRow, named: Named, colleague: Colleague, arranged_at: datetime | None
) -> dict[str, object]:
    """The columns of a contact's new owner; none when it keeps its own.

    A mailbox's owner or an organiser takes over a contact whose owner nobody chose, or whose owner is inactive. An
    organiser who arranged a meeting (`arranged_at`) also takes over from the organiser of an earlier one.
    """
    if not named.is_named or named.colleague_id == contact.owner_id:
        return {}
    is_chosen = contact.owner_id is not None and contact.owner_source != OwnerSource.DEFAULT
    if is_chosen and named.owner_is_active:
        is_organisers = contact.owner_source == colleague.source == OwnerSource.ORGANISER
        if not (is_organisers and arranged_at) or await _has_later_meeting(transaction, contact, arranged_at):
            return {}
    return {"owner_id": named.colleague_id, "owner_source": colleague.source}


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
