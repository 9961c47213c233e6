"""Offboarding: deactivating an owner, and giving their contacts, deals, tasks and mailboxes to somebody else."""

import uuid
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Executable,
    Text,
    case,
    cast,
    delete,
    func,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import array

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, Statement, json_object, param
from crm_graph.domain.team import owners
from crm_graph.domain.team.owners import OwnerRow
from crm_graph.domain.timeline import activities, tasks
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.identity.access import visible
from crm_graph.identity.principal import Principal
from crm_graph.models import Activity, Contact, Deal, Owner, OwnerMailbox, OwnerSource, Role, table
from crm_graph.models.sales import OPEN_TASK

AT_ONCE = 20_000  # contacts, deals and tasks, in the seconds that a request has


class OwnedRows(NamedTuple):
    """How many rows an owner has: contacts and deals, deleted ones included, and open tasks."""

    contacts: int
    deals: int
    tasks: int


class _Count(NamedTuple):
    handed_over: int


async def deactivate(
    work: UnitOfWork, *, owner_id: uuid.UUID, hand_over_to: uuid.UUID | None = None, at_most: int | None = None
) -> OwnedRows:
    """Deactivate an owner; all that they own goes to another owner, or to the unassigned pool. Returns how much it was.

    The new owner also gets the mailboxes and becomes the default owner, if the old one was; for the pool, mailboxes are
    freed. A task is unassigned if the new owner doesn't see what it is about. An owner who is inactive already is
    offboarded in the same way. Raises NotFound, ValidationFailed, and Conflict for the last active admin, or for an
    owner who has more than `at_most` contacts, deals and tasks, naming the field.
    """
    await owners.deactivate(work, owner_id=owner_id)
    leaver, heir = await _get_parties(work.transaction, owner_id, hand_over_to)
    if at_most is not None:
        await _check_size(work.transaction, leaver, at_most)
    handed_over = await _hand_over_rows(work, leaver, heir)
    await _hand_over_mailboxes(work.transaction, owner_id, hand_over_to)
    if leaver.is_default:
        await owners.set_default(work.transaction, hand_over_to or owner_id, is_default=heir is not None)
    return handed_over


async def count_owned(transaction: Transaction, owner_id: uuid.UUID) -> OwnedRows:
    """How many rows an owner has."""
    found = await _COUNT_OWNED.one(transaction, owner_id=owner_id)
    assert found is not None, "a count is one row"
    return found


async def _check_size(transaction: Transaction, leaver: OwnerRow, at_most: int) -> None:
    count = sum(await count_owned(transaction, leaver.id))
    if count > at_most:
        command = f"crm-graph owner update --email {leaver.email} --inactive --hand-over-to EMAIL"
        message = f"they have {count} contacts, deals and tasks, and one call hands over {at_most}; use {command}"
        raise Conflict(message, field="owner_id")


async def _get_parties(
    transaction: Transaction, owner_id: uuid.UUID, hand_over_to: uuid.UUID | None
) -> tuple[OwnerRow, OwnerRow | None]:
    """The owner who leaves, and the one who takes over, if any."""
    if hand_over_to == owner_id:
        raise ValidationFailed("hand_over_to must be somebody else", field="hand_over_to")
    found = await owners.get_by_ids(transaction, [id_ for id_ in (owner_id, hand_over_to) if id_ is not None])
    if hand_over_to is None:
        return found[owner_id], None
    heir = found.get(hand_over_to)
    if heir is None or not heir.active:
        raise NotFound("owner not found, or not active", field="hand_over_to")
    if heir.role == Role.READONLY:
        raise ValidationFailed(f"{heir.email} has the role readonly and can't work on deals", field="hand_over_to")
    return found[owner_id], heir


async def _hand_over_rows(work: UnitOfWork, leaver: OwnerRow, heir: OwnerRow | None) -> OwnedRows:
    content = f"Owner changed: {leaver.name} -> {heir.name if heir else 'the unassigned pool'}, hand-over"
    change = {"old": str(leaver.id), "new": str(heir.id) if heir else None}
    params = {
        "from_id": leaver.id,
        "to_id": heir.id if heir else None,
        "caller": heir.id if heir else None,  # for whom tasks have to be visible
        "owner_source": OwnerSource.PERSON,
        "now": work.now,
        **activities.entry_params(work, content=content, meta={"changes": {"owner_id": change}}),
    }
    [contacts] = await _HAND_OVER_CONTACTS.rows(work.transaction, **params)
    [deals] = await _HAND_OVER_DEALS.rows(work.transaction, **params)
    await _LEAVE_DEALS.run(work.transaction, **params)
    [to_do] = await _hand_over_tasks(heir.role if heir else None).rows(work.transaction, **params)
    return OwnedRows(contacts.handed_over, deals.handed_over, to_do.handed_over)


async def _hand_over_mailboxes(transaction: Transaction, owner_id: uuid.UUID, hand_over_to: uuid.UUID | None) -> None:
    mailboxes = table(OwnerMailbox)
    is_leavers = mailboxes.c.owner_id == owner_id
    if hand_over_to is None:
        await transaction.execute(delete(mailboxes).where(is_leavers))
    else:
        await transaction.execute(update(mailboxes).where(is_leavers).values(owner_id=hand_over_to))


def _count_owned() -> Executable:
    owner_id = param(Owner, "id", "owner_id")
    counts = {
        "contacts": select(func.count()).where(table(Contact).c.owner_id == owner_id),
        "deals": select(func.count()).where(table(Deal).c.owner_id == owner_id),
        "tasks": select(func.count()).where(table(Activity).c.assignee_id == owner_id, OPEN_TASK),
    }
    return select(*(count.scalar_subquery().label(name) for name, count in counts.items()))


def _hand_over(model: type[Contact] | type[Deal], subject: str) -> Executable:
    """All contacts, or all deals, of an owner to another one, each with an entry on its timeline."""
    rows = table(model)
    owned = select(rows.c.id).where(rows.c.owner_id == param(model, "owner_id", "from_id"))
    locked = owned.order_by(rows.c.id).with_for_update(key_share=True).cte("locked")
    values = {
        "owner_id": param(model, "owner_id", "to_id"),
        "version": rows.c.version + 1,
        "updated_at": param(model, "updated_at", "now"),
    }
    if model is Contact:
        values["owner_source"] = param(Contact, "owner_source")
    changed = update(rows).where(rows.c.id == locked.c.id).values(values).returning(rows.c.id).cte("changed")
    return _count_with_entries(changed, **{subject: changed.c.id})


def _leave_deals() -> Executable:
    """End an owner's memberships, each with an entry on the deal's timeline."""
    rows, leaver = table(Deal), param(Owner, "id", "from_id")
    is_member = rows.c.member_ids.contains(array([leaver]))
    locked = select(rows.c.id).where(is_member).order_by(rows.c.id).with_for_update(key_share=True).cte("locked")
    others = func.nullif(func.array_remove(rows.c.member_ids, leaver), literal_column("'{}'"))
    left = {"member_ids": others, "version": rows.c.version + 1}
    left["updated_at"] = param(Deal, "updated_at", "now")
    changed = update(rows).where(rows.c.id == locked.c.id).values(left).returning(rows.c.id).cte("changed")
    content: ColumnElement[object] = cast(literal_column("'Member removed, hand-over'"), Text)
    return _count_with_entries(changed, deal_id=changed.c.id, content=content)


@cache
def _hand_over_tasks(role: str | None) -> Query[_Count]:
    """The open tasks of an owner to another one with this role, or (None) to the pool."""

    def make() -> Executable:
        rows, about = table(Activity), ("contact_id", "deal_id", "company_id")
        old = param(Activity, "assignee_id", "from_id")
        owned = select(rows.c.id).where(rows.c.assignee_id == old, OPEN_TASK)
        locked = owned.order_by(rows.c.id).with_for_update(key_share=True).cte("locked")
        to: ColumnElement[Any] = null()
        if role is not None:
            is_seen = visible(Activity, Principal(None, Role(role)), rows)
            to = case((is_seen, param(Activity, "assignee_id", "to_id")))
        update_tasks = update(rows).where(rows.c.id == locked.c.id).values(assignee_id=to)
        changed = update_tasks.returning(*(rows.c[name] for name in ("id", "assignee_id", *about))).cte("changed")
        change = json_object(assignee_id=json_object(old=old, new=changed.c.assignee_id))
        return _count_with_entries(
            changed,
            content=cast(literal_column("'Task changed: assignee_id, hand-over'"), Text),
            meta_json=tasks.task_entry_meta(changed.c.id, changes=change),
            **{name: changed.c[name] for name in about},
        )

    return Query(_Count, make)


def _count_with_entries(changed: CTE, **computed: ColumnElement[object]) -> Executable:
    """How many rows were changed, each with an entry that has `computed` columns."""
    entries = activities.insert_entry(for_each=changed, id=func.gen_random_uuid(), **computed)
    return select(func.count().label("handed_over")).select_from(changed).add_cte(entries.cte("entries"))


_COUNT_OWNED = Query(OwnedRows, _count_owned)
_HAND_OVER_CONTACTS = Query(_Count, lambda: _hand_over(Contact, "contact_id"))
_HAND_OVER_DEALS = Query(_Count, lambda: _hand_over(Deal, "deal_id"))
_LEAVE_DEALS = Statement(_leave_deals)
