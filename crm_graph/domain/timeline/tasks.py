"""Tasks: what somebody is to do about a contact or a deal. They stand on its timeline, and are as visible as it is."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, literal_column, or_, select, true, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.dml import Update

from crm_graph.database.statements import Statement, combined, param
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
_CHANGED = ("content", "due_at", "assignee_id", "completed_at", "meta_json")


class Task(NamedTuple):
    """A task that is being changed."""

    id: uuid.UUID
    contact_id: uuid.UUID | None
    deal_id: uuid.UUID | None
    company_id: uuid.UUID | None
    content: str
    due_at: datetime | None
    assignee_id: uuid.UUID | None
    completed_at: datetime | None
    meta_json: dict[str, Any]


async def create(
    work: UnitOfWork,
    *,
    content: str,
    contact_id: uuid.UUID | None = None,
    deal_id: uuid.UUID | None = None,
    due_at: datetime | None = None,
    assignee_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Create a task about a contact, a deal or both, by default the caller's own; returns its id.

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
    what = {"type": ActivityType.TASK, "content": content, "occurred_at": work.now, "due_at": due_at}
    made = await activities.add_entry(work, **what, **about, assignee_id=assignee)
    assert made is not None, "a task of a person has no effect key"
    return made


async def edit(work: UnitOfWork, *, task_id: uuid.UUID, **changes: Any) -> uuid.UUID:
    """Change content, due_at (None: no date) or assignee_id of a task; an entry keeps the old and new values.

    Raises NotFound, ValidationFailed or Forbidden naming the field; then nothing was changed.
    """
    for name in ("content", "assignee_id"):
        if name in changes and changes[name] is None:
            raise ValidationFailed(f"{name} can't be cleared", field=name)
    if "content" in changes:
        check_prose(changes["content"], field="content")
    task = await _LOCK.one(work, task_id)
    changed = activities.differences(task, changes)
    if "assignee_id" in changed:
        about = {"contact_id": task.contact_id, "deal_id": task.deal_id}
        await _check_assignee(work, changed["assignee_id"], about)
    if changed:
        told = {"changes": activities.old_and_new(task, changed)}
        await _change(work, task, changed, "Task changed: " + ", ".join(changed), told)
    return task_id


async def complete(work: UnitOfWork, *, task_id: uuid.UUID, outcome: str | None = None) -> uuid.UUID:
    """Complete a task, and keep what came of it as `outcome` in its meta. One that is completed stays as it is."""
    if outcome is not None:
        check_prose(outcome, field="outcome")
    task = await _LOCK.one(work, task_id)
    if task.completed_at is None:
        kept = {} if outcome is None else {"outcome": outcome}
        changed = {"completed_at": work.now, "meta_json": task.meta_json | kept}
        await _change(work, task, changed, f"Task completed: {_headline(task)}", kept)
    return task_id


async def reopen(work: UnitOfWork, *, task_id: uuid.UUID) -> uuid.UUID:
    """Open a completed task again. One that is open stays as it is."""
    task = await _LOCK.one(work, task_id)
    if task.completed_at is not None:
        meta = {name: value for name, value in task.meta_json.items() if name != "outcome"}
        changed = {"completed_at": None, "meta_json": meta}
        await _change(work, task, changed, f"Task reopened: {_headline(task)}", {})
    return task_id


def reassign_open_tasks(is_theirs: ColumnElement[bool], owner_id: ColumnElement[Any]) -> Update:
    """The UPDATE by which the open tasks of a deal or contact go to its new owner, because whoever had them may not see
    it any more. An admin, who sees everything, keeps theirs."""
    tasks, owners = table(Activity), table(Owner)
    is_an_admins = exists(select(1).where(owners.c.id == tasks.c.assignee_id, owners.c.role == Role.ADMIN))
    return update(tasks).where(is_theirs, OPEN_TASK, ~is_an_admins).values(assignee_id=owner_id)


def is_contact_task(contact_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """The contact's own tasks; those that are about a deal too are the deal's."""
    c = table(Activity).c
    return and_(c.contact_id == contact_id, c.deal_id.is_(None))


def task_entry_meta(task_id: ColumnElement[Any], **details: Any) -> ColumnElement[Any]:
    """The meta of an entry on a task that is found in the same statement: the entry's own, the task and the details."""
    return param(Activity, "meta_json", "entry_meta_json").op("||")(json_object(task_id=task_id, **details))


def json_object(**values: Any) -> ColumnElement[Any]:
    """A JSON object of expressions."""
    parts: list[Any] = []
    for name, value in values.items():
        parts += literal_column(f"'{name}'"), value
    return func.jsonb_build_object(*parts, type_=JSONB)


async def _check_assignee(work: UnitOfWork, assignee_id: uuid.UUID | None, about: Mapping[str, Any]) -> None:
    """Refuse whoever could not do the task. A salesperson's own tasks are the only ones they hand out: whether a
    colleague sees what a task is about would tell whose it is."""
    if assignee_id == work.principal.owner_id:
        return
    if work.principal.role is not Role.ADMIN:
        raise Forbidden("only an admin may give a task to somebody else", field="assignee_id")
    if await _ASSIGNABLE.one(work.transaction, caller=assignee_id, **about) is None:
        message = "assignee_id must be active, not readonly, and see what the task is about: its owner, or an admin"
        raise ValidationFailed(message, field="assignee_id")


async def _change(
    work: UnitOfWork, task: Task, changed: Mapping[str, Any], content: str, told: Mapping[str, Any]
) -> None:
    """Change a locked task, with an entry beside it."""
    values = {name: changed.get(name, getattr(task, name)) for name in _CHANGED}
    subject = {name: getattr(task, name) for name in ("contact_id", "deal_id", "company_id")}
    meta = {"task_id": str(task.id), **told}
    entry = activities.entry_params(
        work.principal, type=ActivityType.SYSTEM, content=content, occurred_at=work.now, meta=meta, **subject
    )
    await _CHANGE.run(work.transaction, id=task.id, **values, **entry)


def _headline(task: Task) -> str:
    return task.content.strip().splitlines()[0][:HEADLINE_MAX]


def _assignable() -> Any:
    """The owner `caller`, if the owner rule lets them see what a task is about, and their role lets them do it."""
    owners = table(Owner)
    about = select(*(param(Activity, name).label(name) for name in ("contact_id", "deal_id"))).subquery("about")
    sees = or_(owners.c.role == Role.ADMIN, visible(Activity, Principal(None, Role.SALES), about))
    may_do = and_(owners.c.active, owners.c.role != Role.READONLY, sees)
    rows = owners.join(about, true())
    return select(owners.c.id).select_from(rows).where(owners.c.id == caller(Principal(None, Role.SALES)), may_do)


def _changed() -> Any:
    tasks = table(Activity)
    values = {name: param(Activity, name) for name in _CHANGED}
    return combined(update(tasks).where(tasks.c.id == param(Activity, "id")).values(values), activities.insert_entry())


_LOCK = RowLock(Task, Activity, "task", only=table(Activity).c.type == ActivityType.TASK)
_ASSIGNABLE = Statement(_assignable)
_CHANGE = Statement(_changed)
