"""Tasks about a contact or a deal. They are on its timeline, and as visible as that."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Executable, and_, exists, or_, select, true, update
from sqlalchemy.sql.dml import Update

from crm_graph.database.statements import Query, Statement, combined, json_object, param
from crm_graph.domain import references
from crm_graph.domain.locking import RowLock
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Forbidden, ValidationFailed
from crm_graph.identity.access import caller, visible
from crm_graph.identity.principal import Principal
from crm_graph.models import Activity, ActivityType, Owner, Role, table
from crm_graph.models.sales import OPEN_TASK
from crm_graph.values import check_prose

HEADLINE_MAX = 200
_EDITED = ("content", "due_at", "assignee_id", "completed_at", "meta_json")


class Task(NamedTuple):
    """A locked task."""

    id: uuid.UUID
    contact_id: uuid.UUID | None
    deal_id: uuid.UUID | None
    company_id: uuid.UUID | None
    content: str
    due_at: datetime | None
    assignee_id: uuid.UUID | None
    completed_at: datetime | None
    meta_json: dict[str, Any]


class _Assignee(NamedTuple):
    id: uuid.UUID


async def create(
    work: UnitOfWork,
    *,
    content: str,
    contact_id: uuid.UUID | None = None,
    deal_id: uuid.UUID | None = None,
    due_at: datetime | None = None,
    assignee_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Create a task about a contact, a deal or both, by default for the caller; returns its id.

    Raises ValidationFailed, NotFound or Forbidden naming the field; then nothing was changed.
    """
    work.principal.must_write()
    about = {"contact_id": contact_id, "deal_id": deal_id}
    if not any(about.values()):
        message = "say what the task is about: contactId or dealId"
        raise ValidationFailed(message, field="contact_id")
    check_prose(content, field="content")
    await references.check(work, about)
    assignee = assignee_id or work.principal.owner_id
    await _check_assignee(work, assignee, about)
    id_ = uuid.uuid4()
    entry = activities.entry_params(
        work,
        id=id_,
        type=ActivityType.TASK,
        content=content,
        contact_id=contact_id,
        deal_id=deal_id,
        due_at=due_at,
        assignee_id=assignee,
    )
    await activities.add_entry(work.transaction, entry)
    return id_


async def edit(work: UnitOfWork, *, task_id: uuid.UUID, changes: Mapping[str, Any]) -> uuid.UUID:
    """Change content, due_at (None: no date) or assignee_id of a task, with an entry that has the old and new values.

    Raises NotFound, ValidationFailed or Forbidden naming the field; then nothing was changed.
    """
    for name in ("content", "assignee_id"):
        if name in changes and changes[name] is None:
            raise ValidationFailed(f"{name} can't be cleared", field=name)
    if "content" in changes:
        check_prose(changes["content"], field="content")
    task = await _LOCK.one(work, task_id)
    new = activities.differences(task, changes)
    if "assignee_id" in new:
        about = {"contact_id": task.contact_id, "deal_id": task.deal_id}
        await _check_assignee(work, new["assignee_id"], about)
    if new:
        meta = {"changes": activities.old_and_new(task, new)}
        await _update(work, task, new, "Task changed: " + ", ".join(new), meta)
    return task_id


async def complete(work: UnitOfWork, *, task_id: uuid.UUID, outcome: str | None = None) -> uuid.UUID:
    """Complete a task, with the `outcome` in its meta. A completed task stays as it is."""
    if outcome is not None:
        check_prose(outcome, field="outcome")
    task = await _LOCK.one(work, task_id)
    if task.completed_at is None:
        result = {} if outcome is None else {"outcome": outcome}
        new = {"completed_at": work.now, "meta_json": task.meta_json | result}
        await _update(work, task, new, f"Task completed: {_headline(task)}", result)
    return task_id


async def reopen(work: UnitOfWork, *, task_id: uuid.UUID) -> uuid.UUID:
    """Reopen a completed task. An open task stays as it is."""
    task = await _LOCK.one(work, task_id)
    if task.completed_at is not None:
        meta = {name: value for name, value in task.meta_json.items() if name != "outcome"}
        new = {"completed_at": None, "meta_json": meta}
        await _update(work, task, new, f"Task reopened: {_headline(task)}", {})
    return task_id


def reassign_open_tasks(is_affected: ColumnElement[bool], owner_id: ColumnElement[uuid.UUID]) -> Update:
    """The UPDATE that gives the open tasks of a deal or contact to its new owner, because their assignees may no longer
    see it. Admins, who see everything, keep their tasks."""
    tasks, owners = table(Activity), table(Owner)
    is_an_admins = exists(select(1).where(owners.c.id == tasks.c.assignee_id, owners.c.role == Role.ADMIN))
    return update(tasks).where(is_affected, OPEN_TASK, ~is_an_admins).values(assignee_id=owner_id)


def is_contact_task(contact_id: ColumnElement[uuid.UUID]) -> ColumnElement[bool]:
    """Whether a task is about the contact only: one about a deal as well belongs to the deal."""
    c = table(Activity).c
    return and_(c.contact_id == contact_id, c.deal_id.is_(None))


def task_entry_meta(task_id: ColumnElement[uuid.UUID], **details: ColumnElement[Any]) -> ColumnElement[Any]:
    """The meta of an entry about a task that the same statement finds: the entry's own, the task's id, the details."""
    return param(Activity, "meta_json", "entry_meta_json").op("||")(json_object(task_id=task_id, **details))


async def _check_assignee(
    work: UnitOfWork, assignee_id: uuid.UUID | None, about: Mapping[str, uuid.UUID | None]
) -> None:
    """Raises ValidationFailed for an assignee who could not do the task, and Forbidden for a salesperson's colleague:
    whether that colleague sees what the task is about would reveal whose it is."""
    if assignee_id == work.principal.owner_id:
        return
    if work.principal.role is not Role.ADMIN:
        raise Forbidden("only an admin may assign a task to somebody else", field="assignee_id")
    if await _FIND_ASSIGNEE.one(work.transaction, caller=assignee_id, **about) is None:
        message = "assignee_id must be active, not readonly, and see what the task is about (as owner, member or admin)"
        raise ValidationFailed(message, field="assignee_id")


async def _update(
    work: UnitOfWork, task: Task, new: Mapping[str, object], content: str, meta: Mapping[str, object]
) -> None:
    """Set new values of a locked task, with an entry in the same statement."""
    values = activities.with_changes(task, _EDITED, new)
    entry = activities.entry_params(
        work,
        content=content,
        contact_id=task.contact_id,
        deal_id=task.deal_id,
        company_id=task.company_id,
        meta={"task_id": str(task.id), **meta},
    )
    await _UPDATE.run(work.transaction, id=task.id, **values, **entry)


def _headline(task: Task) -> str:
    return task.content.strip().splitlines()[0][:HEADLINE_MAX]


def _find_assignee() -> Executable:
    """The owner `caller`, if that owner may see what a task is about and their role lets them do it."""
    owners = table(Owner)
    about = select(*(param(Activity, name).label(name) for name in ("contact_id", "deal_id"))).subquery("about")
    sees = or_(owners.c.role == Role.ADMIN, visible(Activity, Principal(None, Role.SALES), about))
    may_do = and_(owners.c.active, owners.c.role != Role.READONLY, sees)
    rows = owners.join(about, true())
    return select(owners.c.id).select_from(rows).where(owners.c.id == caller(Principal(None, Role.SALES)), may_do)


def _update_task() -> Executable:
    tasks = table(Activity)
    values = {name: param(Activity, name) for name in _EDITED}
    return combined(update(tasks).where(tasks.c.id == param(Activity, "id")).values(values), activities.insert_entry())


_LOCK = RowLock(Task, Activity, "task", only=table(Activity).c.type == ActivityType.TASK)
_FIND_ASSIGNEE = Query(_Assignee, _find_assignee)
_UPDATE = Statement(_update_task)
