"""A contact's deals as events need them: the open one that an event is about, and whether all of them are won."""

import uuid
from typing import NamedTuple

from sqlalchemy import Executable, and_, func, select

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, columns_of, param
from crm_graph.models import Deal, DealStatus, table


class OpenDeal(NamedTuple):
    """A contact's newest open deal."""

    id: uuid.UUID
    pipeline_id: uuid.UUID


class _AllWon(NamedTuple):
    all_won: bool | None


async def lock_newest_open(transaction: Transaction, contact_id: uuid.UUID) -> OpenDeal | None:
    """The contact's newest open deal of any owner, locked: for events."""
    return await _LOCK_NEWEST_OPEN.one(transaction, contact_id=contact_id)


async def are_all_won(transaction: Transaction, contact_id: uuid.UUID) -> bool:
    """Whether the contact has deals and all of them are won: events open no new deal for such a customer."""
    found = await _ARE_ALL_WON.one(transaction, contact_id=contact_id)
    return bool(found and found.all_won)


def _lock_newest_open() -> Executable:
    deals = table(Deal)
    is_open = and_(deals.c.status == DealStatus.OPEN, deals.c.deleted_at.is_(None))
    found = select(*columns_of(OpenDeal, deals)).where(deals.c.contact_id == param(Deal, "contact_id"), is_open)
    return found.order_by(deals.c.created_at.desc(), deals.c.id.desc()).limit(1).with_for_update(key_share=True)


def _are_all_won() -> Executable:
    deals = table(Deal)
    is_of_contact = and_(deals.c.contact_id == param(Deal, "contact_id"), deals.c.deleted_at.is_(None))
    return select(func.bool_and(deals.c.status == DealStatus.WON).label("all_won")).where(is_of_contact)


_LOCK_NEWEST_OPEN = Query(OpenDeal, _lock_newest_open)
_ARE_ALL_WON = Query(_AllWon, _are_all_won)
