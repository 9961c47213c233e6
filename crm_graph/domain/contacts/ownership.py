"""Ownership: whose a contact is, and its open deals and tasks with it."""

import uuid
from functools import cache
from typing import Any

from sqlalchemy import Boolean, bindparam, or_, select

from crm_graph.database.statements import Statement, combined, param
from crm_graph.domain import references
from crm_graph.domain.contacts import records as contacts
from crm_graph.domain.deals import cascade
from crm_graph.domain.timeline import activities, tasks
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict
from crm_graph.identity.principal import Principal
from crm_graph.models import Activity, Contact, Deal, DealStatus, OwnerSource, table


async def assign(
    work: UnitOfWork,
    *,
    contact_id: uuid.UUID,
    owner_id: uuid.UUID | None,
    include_deals: bool = True,
    expected_version: int | None = None,
) -> uuid.UUID:
    """Give a contact to an owner or, with None, to the pool; its open deals that had the same owner follow, and whose
    it becomes gets the open tasks of both, but for an admin's.

    Raises NotFound, VersionConflict, or Forbidden when anyone but an admin names somebody else.
    """
    contact = await contacts.lock_visible(work, contact_id, expected_version)
    await references.check(work, {"owner_id": owner_id})
    await _give(work, contact, owner_id, include_deals=include_deals)
    return contact_id


async def claim(work: UnitOfWork, *, contact_id: uuid.UUID, expected_version: int | None = None) -> uuid.UUID:
    """Take a contact out of the unassigned pool, with its open deals there; of two who try, one gets it.

    To have it already is success. Raises Conflict when it is somebody else's, which only an admin can see.
    """
    contact = await contacts.lock_visible(work, contact_id, expected_version)
    if contact.owner_id not in (None, work.principal.owner_id):
        message = "the contact is not in the unassigned pool; assignContact gives it to another owner"
        raise Conflict(message, field="contact_id")
    await _give(work, contact, work.principal.owner_id, include_deals=True)
    return contact_id


async def _give(work: UnitOfWork, contact: Any, owner_id: uuid.UUID | None, *, include_deals: bool) -> None:
    changed = activities.differences(contact, {"owner_id": owner_id, "owner_source": OwnerSource.PERSON})
    if not changed:
        return
    told = activities.old_and_new(contact, changed)
    entry = activities.entry_params(
        work, content="Contact changed: " + ", ".join(changed), contact_id=contact.id, meta={"changes": told}
    )
    await _giving(to_somebody=owner_id is not None).run(
        work.transaction,
        id=contact.id,
        now=work.now,
        **_given(work.principal, contact, owner_id),
        **entry,
        with_deals=include_deals and "owner_id" in changed,
    )


async def follow(work: UnitOfWork, contact: Any, owner_id: uuid.UUID) -> None:
    """Give a contact's open deals and tasks to its new owner, because an event has given it the contact; `contact` is
    as it was before.
    """
    entry = activities.entry_params(work, content="", contact_id=contact.id)
    await _FOLLOW.run(
        work.transaction,
        id=contact.id,
        now=work.now,
        with_deals=True,
        **_given(work.principal, contact, owner_id),
        **entry,
    )


def _given(principal: Principal, contact: Any, owner_id: uuid.UUID | None) -> dict[str, Any]:
    """The parameters of `_following`."""
    told = activities.old_and_new(contact, {"owner_id": owner_id})
    return {
        "old_owner_id": contact.owner_id,
        "new_owner_id": owner_id,
        "deal_meta": {"source": principal.source, "changes": told},
    }


@cache
def _giving(*, to_somebody: bool) -> Statement:
    def make() -> Any:
        owner = {"owner_id": param(Contact, "owner_id", "new_owner_id"), "owner_source": OwnerSource.PERSON}
        return activities.update_with_entry(Contact, **owner, also=_following(to_somebody=to_somebody))

    return Statement(make)


def _following(*, to_somebody: bool = True) -> list[Any]:
    """The writes by which a contact's open deals that had the same owner follow it, and the open tasks of both."""
    deals, contact_id, new_owner = table(Deal), param(Contact, "id"), param(Contact, "owner_id", "new_owner_id")
    held = cascade.lock_deals(
        bindparam("_with_deals", type_=Boolean, required=True),
        deals.c.contact_id == contact_id,
        deals.c.owner_id.is_not_distinct_from(param(Contact, "owner_id", "old_owner_id")),
        deals.c.status == DealStatus.OPEN,
        deals.c.deleted_at.is_(None),
    )
    is_of_deals = table(Activity).c.deal_id.in_(select(held.c.id))
    tasks_follow = tasks.reassign_open_tasks(or_(is_of_deals, tasks.is_contact_task(contact_id)), new_owner)
    return [
        cascade.update_deals(held, owner_id=new_owner),
        cascade.insert_deal_entries(held, "Deal changed: owner_id"),
        *[tasks_follow] * to_somebody,
    ]


_FOLLOW = Statement(lambda: combined(*_following()))
