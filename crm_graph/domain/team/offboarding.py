"""Hand-over: what becomes of the contacts, deals, tasks and mailboxes of a member of the team who leaves."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import CTE, Text, case, cast, delete, func, literal_column, null, select, update
from sqlmodel import SQLModel

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, param
from crm_graph.domain.team import owners
from crm_graph.domain.timeline import activities, tasks
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.identity.access import visible
from crm_graph.identity.principal import Principal
from crm_graph.models import Activity, ActivityType, Contact, Deal, Owner, OwnerMailbox, OwnerSource, Role, table
from crm_graph.models.sales import OPEN_TASK

AT_ONCE = 20_000  # contacts, deals and tasks, in the seconds that a request has


@dataclass(frozen=True, slots=True)
class Belongings:
    """How many rows are an owner's: contacts and deals, deleted ones included, and tasks that are not completed."""

    contacts: int
    deals: int
    tasks: int


async def deactivate(
    work: UnitOfWork, *, owner_id: uuid.UUID, hand_over_to: uuid.UUID | None = None, at_most: int | None = None
) -> Belongings:
    """Deactivate an owner; all that is theirs goes to another one, or to the unassigned pool. Returns how much it was.

    Another owner also takes over the mailboxes and being the default; for the pool, mailboxes are freed. A task goes to
    nobody when the new owner doesn't see what it is about. What an inactive owner still has is handed over just the
    same. Raises NotFound, ValidationFailed, and Conflict for the last active admin, or for somebody who has more than
    `at_most` contacts, deals and tasks, naming the field.
    """
    await owners.deactivate(work, owner_id=owner_id)
    leaver, heir = await _parties(work.transaction, owner_id, hand_over_to)
    if at_most is not None:
        await _check_size(work.transaction, leaver, at_most)
    ids = {"from_id": owner_id, "to_id": hand_over_to}
    told = _entry(work.principal, leaver, heir, work.now)
    [contacts] = await _CONTACTS.rows(work.transaction, **ids, now=work.now, owner_source=OwnerSource.PERSON, **told)
    [deals] = await _DEALS.rows(work.transaction, **ids, now=work.now, **told)
    [to_do] = await _tasks(heir and heir.role).rows(work.transaction, **ids, caller=hand_over_to, **told)
    await _hand_over_mailboxes(work.transaction, owner_id, hand_over_to)
    if leaver.is_default:
        await owners.set_default(work.transaction, hand_over_to or owner_id, is_default=heir is not None)
    return Belongings(contacts.handed_over, deals.handed_over, to_do.handed_over)


async def belongings(transaction: Transaction, owner_id: uuid.UUID) -> Belongings:
    """What is an owner's."""
    counts = {
        "contacts": select(func.count()).where(table(Contact).c.owner_id == owner_id),
        "deals": select(func.count()).where(table(Deal).c.owner_id == owner_id),
        "tasks": select(func.count()).where(table(Activity).c.assignee_id == owner_id, OPEN_TASK),
    }
    query = select(*(count.scalar_subquery().label(name) for name, count in counts.items()))
    return Belongings(**(await transaction.execute(query)).mappings().one())


async def _check_size(transaction: Transaction, leaver: Any, at_most: int) -> None:
    had = await belongings(transaction, leaver.id)
    if (count := had.contacts + had.deals + had.tasks) > at_most:
        command = f"crm-graph owner update --email {leaver.email} --inactive --hand-over-to EMAIL"
        message = f"{count} contacts, deals and tasks are theirs, and one call hands over {at_most}: {command}"
        raise Conflict(message, field="owner_id")


async def _parties(transaction: Transaction, owner_id: uuid.UUID, hand_over_to: uuid.UUID | None) -> tuple[Any, Any]:
    """Who leaves, and who takes over, if anybody does."""
    if hand_over_to == owner_id:
        raise ValidationFailed("hand_over_to must be somebody else", field="hand_over_to")
    both = select(table(Owner)).where(table(Owner).c.id.in_((owner_id, hand_over_to)))
    found = {row.id: row for row in await transaction.execute(both)}
    heir = found.get(hand_over_to)
    if hand_over_to is not None and (heir is None or not heir.active):
        raise NotFound("owner not found, or not active", field="hand_over_to")
    if heir is not None and heir.role is Role.READONLY:
        raise ValidationFailed(f"{heir.email} has the role readonly and can't work on deals", field="hand_over_to")
    return found[owner_id], heir


async def _hand_over_mailboxes(transaction: Transaction, owner_id: uuid.UUID, hand_over_to: uuid.UUID | None) -> None:
    boxes = table(OwnerMailbox)
    theirs = boxes.c.owner_id == owner_id
    if hand_over_to is None:
        await transaction.execute(delete(boxes).where(theirs))
    else:
        await transaction.execute(update(boxes).where(theirs).values(owner_id=hand_over_to))


def _entry(principal: Principal, leaver: Any, heir: Any, now: datetime) -> dict[str, Any]:
    content = f"Owner changed: {leaver.name} -> {heir.name if heir else 'the unassigned pool'}, hand-over"
    change = {"old": str(leaver.id), "new": str(heir.id) if heir else None}
    meta = {"changes": {"owner_id": change}}
    return activities.entry_params(principal, type=ActivityType.SYSTEM, content=content, occurred_at=now, meta=meta)


def _handed_over(model: type[SQLModel], subject: str) -> Any:
    """All contacts, or all deals, of one owner; each with an entry on its timeline."""
    rows = table(model)
    theirs = select(rows.c.id).where(rows.c.owner_id == param(model, "owner_id", "from_id"))
    held = theirs.order_by(rows.c.id).with_for_update(key_share=True).cte("held")
    values = {
        "owner_id": param(model, "owner_id", "to_id"),
        "version": rows.c.version + 1,
        "updated_at": param(model, "updated_at", "now"),
    }
    if model is Contact:
        values["owner_source"] = param(Contact, "owner_source")
    changed = update(rows).where(rows.c.id == held.c.id).values(values).returning(rows.c.id).cte("changed")
    return _counted(changed, **{subject: changed.c.id})


@cache
def _tasks(role: Role | None) -> Statement:
    """The open tasks of one owner, for a new one with this role, or for nobody."""

    def make() -> Any:
        rows, about = table(Activity), ("contact_id", "deal_id", "company_id")
        old = param(Activity, "assignee_id", "from_id")
        theirs = select(rows.c.id).where(rows.c.assignee_id == old, OPEN_TASK)
        held = theirs.order_by(rows.c.id).with_for_update(key_share=True).cte("held")
        to: Any = null()
        if role is not None:
            to = case((visible(Activity, Principal(None, role), rows), param(Activity, "assignee_id", "to_id")))
        changed = update(rows).where(rows.c.id == held.c.id).values(assignee_id=to)
        done = changed.returning(*(rows.c[name] for name in ("id", "assignee_id", *about))).cte("changed")
        content = cast(literal_column("'Task changed: assignee_id, hand-over'"), Text)
        change = tasks.json_object(assignee_id=tasks.json_object(old=old, new=done.c.assignee_id))
        subject = {name: done.c[name] for name in about}
        return _counted(done, content=content, meta_json=tasks.task_entry_meta(done.c.id, changes=change), **subject)

    return Statement(make)


def _counted(changed: CTE, **told: Any) -> Any:
    """How many rows were changed, each with an entry that is `told` beside it."""
    entries = activities.insert_entry(for_each=changed, id=func.gen_random_uuid(), **told)
    return select(func.count().label("handed_over")).select_from(changed).add_cte(entries.cte("told"))


_CONTACTS = Statement(lambda: _handed_over(Contact, "contact_id"))
_DEALS = Statement(lambda: _handed_over(Deal, "deal_id"))
