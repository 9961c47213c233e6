"""Follow-ups: tasks that events open, and that a meeting arranged later completes."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import (
    Executable,
    ScalarSelect,
    Text,
    and_,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from crm_graph.database.statements import Statement, json_object, param
from crm_graph.domain.timeline import activities, tasks
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.models import Activity, ActivityType, Contact, Deal, Owner, Role, table
from crm_graph.models.sales import OPEN_TASK

DUE_AFTER = timedelta(days=1)
ARRANGES = "arranges"  # the key in the meta of an event's entry which says that a meeting was arranged


async def open(
    work: UnitOfWork,
    *,
    content: str,
    key: str | None,
    contact_id: uuid.UUID,
    deal_id: uuid.UUID | None,
    occurred_at: datetime,
) -> None:
    """Open a task on a deal, else on its contact, because of what happened at `occurred_at`; only one for each key.

    It is due one day from now and assigned to the owner of the deal or contact, if that owner can do it. No task is
    opened if the contact has arranged a meeting since then: events can arrive out of order.
    """
    task = activities.entry_params(
        work,
        type=ActivityType.TASK,
        content=content,
        occurred_at=occurred_at,
        contact_id=None if deal_id else contact_id,
        deal_id=deal_id,
        due_at=work.now + DUE_AFTER,
        effect_key=f"task:{key or uuid.uuid4()}",
    )
    await _INSERT_FOLLOW_UP.run(work.transaction, contact_id=contact_id, **task)


async def complete(
    work: UnitOfWork, *, contact_id: uuid.UUID, deal_id: uuid.UUID | None, outcome: str, occurred_at: datetime
) -> None:
    """Complete the open follow-ups of a deal and its contact, because a meeting was arranged at `occurred_at`.

    Follow-ups of later events stay open.
    """
    await _COMPLETE_FOLLOW_UPS.run(
        work.transaction,
        contact_id=contact_id,
        deal_id=deal_id,
        occurred_at=occurred_at,
        outcome=outcome,
        completed_at=work.now,
        **activities.entry_params(work, content=""),
    )


def _insert_follow_up() -> Executable:
    others = table(Activity).alias("others")
    is_meeting_since = and_(
        others.c.contact_id == param(Activity, "contact_id"),
        others.c.type == ActivityType.MEETING,
        others.c.occurred_at > param(Activity, "occurred_at", "entry_occurred_at"),
        others.c.meta_json.has_key(ARRANGES),
    )
    has_meeting = exists(select(1).select_from(others).where(is_meeting_since))
    due = select(literal(1).label("one")).where(~has_meeting).subquery("due")
    task = activities.insert_entry(for_each=due, assignee_id=_assignee_id())
    return task.on_conflict_do_nothing(index_elements=[table(Activity).c.effect_key])


def _assignee_id() -> ScalarSelect[uuid.UUID]:
    """The owner of the entry's subject, whom the event may just have changed, if that owner can do a task."""
    owners, deals, contacts = table(Owner), table(Deal), table(Contact)
    of_deal = select(deals.c.owner_id).where(deals.c.id == param(Activity, "deal_id", "entry_deal_id"))
    of_contact = select(contacts.c.owner_id).where(contacts.c.id == param(Activity, "contact_id", "entry_contact_id"))
    is_owner = owners.c.id.in_([of_deal.scalar_subquery(), of_contact.scalar_subquery()])
    return select(owners.c.id).where(is_owner, owners.c.active, owners.c.role != Role.READONLY).scalar_subquery()


def _complete_follow_ups() -> Executable:
    rows = table(Activity)
    outcome = cast(param(Activity, "content", "outcome"), Text)
    is_of = or_(rows.c.deal_id == param(Activity, "deal_id"), tasks.is_contact_task(param(Activity, "contact_id")))
    is_follow_up = and_(rows.c.effect_key.is_not(None), rows.c.occurred_at < param(Activity, "occurred_at"))
    meta = rows.c.meta_json.op("||")(json_object(outcome=outcome))
    completed = (
        update(rows)
        .where(is_of, OPEN_TASK, is_follow_up)
        .values(completed_at=param(Activity, "completed_at"), meta_json=meta)
        .returning(rows.c.id, rows.c.contact_id, rows.c.deal_id, rows.c.content)
        .cte("completed")
    )
    headline = func.left(completed.c.content, tasks.HEADLINE_MAX)
    return activities.insert_entry(
        for_each=completed,
        id=func.gen_random_uuid(),
        contact_id=completed.c.contact_id,
        deal_id=completed.c.deal_id,
        content=func.concat(literal_column("'Task completed: '"), headline),
        meta_json=tasks.task_entry_meta(completed.c.id, outcome=outcome),
    )


_INSERT_FOLLOW_UP = Statement(_insert_follow_up)
_COMPLETE_FOLLOW_UPS = Statement(_complete_follow_ups)
