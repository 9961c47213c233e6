"""Ownership of contacts, and of the open deals and tasks that go with them."""

import uuid
from functools import cache

from sqlalchemy import Boolean, bindparam, or_, select
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.sql.dml import Update

from crm_graph.database.statements import Statement, combined, param
from crm_graph.domain import references
from crm_graph.domain.contacts import records as contacts
from crm_graph.domain.contacts.rows import ContactRow
from crm_graph.domain.deals import cascade
from crm_graph.domain.timeline import activities, tasks
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict
from crm_graph.models import Activity, Contact, Deal, DealStatus, OwnerSource, table


async def assign(
    work: UnitOfWork,
    *,
    contact_id: uuid.UUID,
    owner_id: uuid.UUID | None,
    include_deals: bool = True,
    expected_version: int | None = None,
) -> uuid.UUID:
    """Give a contact to an owner or, with None, to the unassigned pool.

    Its open deals that have the same owner go with it. The new owner gets the open tasks of both, except an admin's.
    Raises NotFound, VersionConflict, or Forbidden when anyone but an admin names somebody else.
    """
    contact = await contacts.LOCK.one(work, contact_id, expected_version)
    await references.check(work, {"owner_id": owner_id})
    await _assign(work, contact, owner_id, include_deals=include_deals)
    return contact_id


async def claim(work: UnitOfWork, *, contact_id: uuid.UUID, expected_version: int | None = None) -> uuid.UUID:
    """Take a contact out of the unassigned pool, with its open deals there; of two callers, only one gets it.

    The caller's own contact stays as it is. Raises Conflict when it belongs to somebody else (only admins see those).
    """
    contact = await contacts.LOCK.one(work, contact_id, expected_version)
    if contact.owner_id not in (None, work.principal.owner_id):
        message = "the contact is not in the unassigned pool; use assignContact to give it to another owner"
        raise Conflict(message, field="contact_id")
    await _assign(work, contact, work.principal.owner_id, include_deals=True)
    return contact_id


async def _assign(work: UnitOfWork, contact: ContactRow, owner_id: uuid.UUID | None, *, include_deals: bool) -> None:
    changed = activities.differences(contact, {"owner_id": owner_id, "owner_source": OwnerSource.PERSON})
    if not changed:
        return
    meta = {"changes": activities.old_and_new(contact, changed)}
    entry = activities.entry_params(
        work, content="Contact changed: " + ", ".join(changed), contact_id=contact.id, meta=meta
    )
    await _update_owner(to_pool=owner_id is None).run(
        work.transaction,
        **_cascade_params(work, contact, owner_id, with_deals=include_deals and "owner_id" in changed),
        **entry,
    )


async def reassign_deals_and_tasks(work: UnitOfWork, contact: ContactRow, owner_id: uuid.UUID) -> None:
    """Give a contact's open deals and tasks to its new owner, after an event changed the contact's own.

    `contact` is as it was before.
    """
    entry = activities.entry_params(work, content="", contact_id=contact.id)
    await _CASCADE.run(work.transaction, **_cascade_params(work, contact, owner_id, with_deals=True), **entry)


def _cascade_params(
    work: UnitOfWork, contact: ContactRow, owner_id: uuid.UUID | None, *, with_deals: bool
) -> dict[str, object]:
    changes = activities.old_and_new(contact, {"owner_id": owner_id})
    return {
        "id": contact.id,
        "now": work.now,
        "old_owner_id": contact.owner_id,
        "new_owner_id": owner_id,
        "with_deals": with_deals,
        "deal_meta": {"source": work.principal.source, "changes": changes},
    }


@cache
def _update_owner(*, to_pool: bool) -> Statement:
    owner = {"owner_id": param(Contact, "owner_id", "new_owner_id"), "owner_source": OwnerSource.PERSON}
    return Statement(lambda: activities.update_with_entry(Contact, **owner, also=_cascade(to_pool=to_pool)))


def _cascade(*, to_pool: bool) -> list[Insert | Update]:
    """The writes that give a contact's open deals of the same owner, and the open tasks of both, to the new owner.

    In the pool, tasks keep their assignees.
    """
    deals, contact_id, new_owner = table(Deal), param(Contact, "id"), param(Contact, "owner_id", "new_owner_id")
    locked = cascade.lock_deals(
        bindparam("_with_deals", type_=Boolean, required=True),
        deals.c.contact_id == contact_id,
        deals.c.owner_id.is_not_distinct_from(param(Contact, "owner_id", "old_owner_id")),
        deals.c.status == DealStatus.OPEN,
        deals.c.deleted_at.is_(None),
    )
    writes: list[Insert | Update] = [
        cascade.update_deals(locked, owner_id=new_owner),
        cascade.insert_deal_entries(locked, "Deal changed: owner_id"),
    ]
    if not to_pool:
        is_deal_task = table(Activity).c.deal_id.in_(select(locked.c.id))
        writes.append(tasks.reassign_open_tasks(or_(is_deal_task, tasks.is_contact_task(contact_id)), new_owner))
    return writes


_CASCADE = Statement(lambda: combined(*_cascade(to_pool=False)))
