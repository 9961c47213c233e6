"""What can be done with timelines and tasks."""

from __future__ import annotations

import uuid
from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from crm_graph.domain.timeline import activities, tasks
from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import Info, doing, idempotency_key, optional, perform, replayed
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import Activity


@strawberry.input(description="An entry on the timeline of a contact, a deal or a company; one of them is needed.")
class LogActivityInput:
    type: enums.LoggedType
    content: str = strawberry.field(
        description="1 to 100,000 characters, with line breaks but no other control characters."
    )
    contact_id: uuid.UUID | None = optional("Default, for a call or an e-mail about a deal: the deal's contact.")
    deal_id: uuid.UUID | None = optional()
    company_id: uuid.UUID | None = optional("Of an entry about a company alone, everybody sees it.")
    occurred_at: datetime | None = optional("Default: now. Not in the future.")
    meta: JSON | None = optional(
        "An object with details of your own: up to 200 keys, 50 levels, 100,000 characters. The key `source` is ours."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A task about a contact, a deal or both.")
class CreateTaskInput:
    content: str = strawberry.field(description="What is to be done: 1 to 100,000 characters.")
    contact_id: uuid.UUID | None = optional()
    deal_id: uuid.UUID | None = optional()
    due_at: datetime | None = optional()
    assignee_id: uuid.UUID | None = optional(
        "Default: you. Only an admin may name another: someone active who sees what the task is about."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a task.")
class UpdateTaskInput:
    task_id: uuid.UUID
    content: str | None = optional("Can't be cleared.")
    due_at: datetime | None = optional()
    assignee_id: uuid.UUID | None = optional("Can't be cleared. Only an admin may name anyone but themselves.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A task that is done.")
class CompleteTaskInput:
    task_id: uuid.UUID
    outcome: str | None = optional("What came of it, up to 100,000 characters; kept in the task's meta.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A task that is to be done after all.")
class ReopenTaskInput:
    task_id: uuid.UUID
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class LogActivityPayload:
    """The new entry."""

    activity: Activity = payload_row()
    replayed: bool = replayed()


@graphql_type()
class CreateTaskPayload:
    """The new task."""

    task: Activity = payload_row()
    replayed: bool = replayed()


@graphql_type()
class UpdateTaskPayload:
    """The changed task."""

    task: Activity = payload_row()
    replayed: bool = replayed()


@graphql_type()
class CompleteTaskPayload:
    """The task, completed."""

    task: Activity = payload_row()
    replayed: bool = replayed()


@graphql_type()
class ReopenTaskPayload:
    """The task, open."""

    task: Activity = payload_row()
    replayed: bool = replayed()


@graphql_type()
class ActivityMutations:
    """The part of Mutation that is about timelines and tasks."""

    @strawberry.mutation(
        description="Put a note, a call or a sent e-mail on a timeline. An e-mail also sets the contact's "
        "latestEmailSentAt, unless a later one is known."
    )
    async def log_activity(self, info: Info, input: LogActivityInput) -> LogActivityPayload:
        """See activities.log_activity."""
        return await perform(info, input, doing(activities.log_activity, "activity"))

    @strawberry.mutation(description="Create a task. It stands on the timeline of what it is about.")
    async def create_task(self, info: Info, input: CreateTaskInput) -> CreateTaskPayload:
        """See tasks.create."""
        return await perform(info, input, doing(tasks.create, "task"))

    @strawberry.mutation(
        description="Change what a task says, its date or its assignee; an entry keeps the old and new values."
    )
    async def update_task(self, info: Info, input: UpdateTaskInput) -> UpdateTaskPayload:
        """See tasks.edit."""
        return await perform(info, input, doing(tasks.edit, "task", of="task_id"))

    @strawberry.mutation(description="Complete a task. To be completed already is success, and changes nothing.")
    async def complete_task(self, info: Info, input: CompleteTaskInput) -> CompleteTaskPayload:
        """See tasks.complete."""
        return await perform(info, input, doing(tasks.complete, "task", of="task_id"))

    @strawberry.mutation(description="Open a completed task again. To be open already is success, and changes nothing.")
    async def reopen_task(self, info: Info, input: ReopenTaskInput) -> ReopenTaskPayload:
        """See tasks.reopen."""
        return await perform(info, input, doing(tasks.reopen, "task", of="task_id"))
