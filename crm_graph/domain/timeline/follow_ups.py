"""Follow-ups: tasks that events leave, and that a meeting arranged afterwards settles."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Select,
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

from crm_graph.database.statements import Statement, param
from crm_graph.domain.timeline import activities, tasks
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.models import Activity, ActivityType, Contact, Deal, Owner, Role, table
from crm_graph.models.sales import OPEN_TASK

DUE_AFTER = timedelta(days=1)
ARRANGES = "arranges"  # marks, in the meta of an event's entry, that a meeting was arranged


async def open(
    work: UnitOfWork,
    *,
    content: str,
    key: str | None,
    contact_id: uuid.UUID,
    deal_id: uuid.UUID | None,
    occurred_at: datetime,
) -> None:
    """Leave an open task on a deal, else on its contact, because of what happened at `occurred_at`; once for a key.

    It is due a day from now, and is given to the deal's or contact's owner if that one can do it. None is left where
    the contact has arranged a meeting since: events may come out of order.
    """
    values = activities.entry_params(
        work.principal,
        type=ActivityType.TASK,
        content=content,
        occurred_at=occurred_at,
        contact_id=None if deal_id else contact_id,
        deal_id=deal_id,
        due_at=work.now + DUE_AFTER,
        effect_key=f"task:{key or uuid.uuid4()}",
    )
    await _LEAVE.run(work.transaction, contact_id=contact_id, **values)


async def complete(
    work: UnitOfWork, *, contact_id: uuid.UUID, deal_id: uuid.UUID | None, outcome: str, occurred_at: datetime
) -> None:
    """Complete the open follow-ups of a deal and of its contact, because a meeting was arranged at `occurred_at`; those
    of what happened later stay open."""
    told = activities.entry_params(work.principal, type=ActivityType.SYSTEM, content="", occurred_at=work.now)
    subject = {"contact_id": contact_id, "deal_id": deal_id, "occurred_at": occurred_at}
    await _SETTLE.run(work.transaction, **subject, outcome=outcome, completed_at=work.now, **told)


def _left() -> Any:
    others = table(Activity).alias("others")
    arranged = and_(
        others.c.contact_id == param(Activity, "contact_id"),
        others.c.type == ActivityType.MEETING,
        others.c.occurred_at > param(Activity, "occurred_at", "entry_occurred_at"),
        others.c.meta_json.has_key(ARRANGES),
    )
    due = select(literal(1).label("one")).where(~exists(select(1).select_from(others).where(arranged))).subquery("due")
    task = activities.insert_entry(for_each=due, assignee_id=_owner().scalar_subquery())
    return task.on_conflict_do_nothing(index_elements=[table(Activity).c.effect_key])


def _owner() -> Select[Any]:
    """The owner of what the entry is about, as the event may just have changed it, if that one can do a task."""
    owners, deals, contacts = table(Owner), table(Deal), table(Contact)
    of_deal = select(deals.c.owner_id).where(deals.c.id == param(Activity, "deal_id", "entry_deal_id"))
    of_contact = select(contacts.c.owner_id).where(contacts.c.id == param(Activity, "contact_id", "entry_contact_id"))
    is_theirs = owners.c.id.in_([of_deal.scalar_subquery(), of_contact.scalar_subquery()])
    return select(owners.c.id).where(is_theirs, owners.c.active, owners.c.role != Role.READONLY)


def _settled() -> Any:
    rows = table(Activity)
    outcome = cast(param(Activity, "content", "outcome"), Text)
    is_of = or_(rows.c.deal_id == param(Activity, "deal_id"), tasks.is_contact_task(param(Activity, "contact_id")))
    is_follow_up = and_(rows.c.effect_key.is_not(None), rows.c.occurred_at < param(Activity, "occurred_at"))
    meta = rows.c.meta_json.op("||")(tasks.json_object(outcome=outcome))
    done = (
        update(rows)
        .where(is_of, OPEN_TASK, is_follow_up)
        .values(completed_at=param(Activity, "completed_at"), meta_json=meta)
        .returning(rows.c.id, rows.c.contact_id, rows.c.deal_id, rows.c.content)
        .cte("done")
    )
    return activities.insert_entry(
        for_each=done,
        id=func.gen_random_uuid(),
        contact_id=done.c.contact_id,
        deal_id=done.c.deal_id,
        content=func.concat(literal_column("'Task completed: '"), func.left(done.c.content, tasks.HEADLINE_MAX)),
        meta_json=tasks.task_entry_meta(done.c.id, outcome=outcome),
    )


_LEAVE = Statement(_left)
_SETTLE = Statement(_settled)
