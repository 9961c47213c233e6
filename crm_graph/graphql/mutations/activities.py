"""Mutations of timelines and tasks."""

from __future__ import annotations

import uuid
from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from crm_graph.domain.timeline import activities, tasks
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.graphql.engine.bindings import graphql_type
from crm_graph.graphql.execution.mutation import Info, Payload, Result, given_fields, perform, perform_on
from crm_graph.graphql.mutations.fields import idempotency_key, mutation, optional, or_none, payload_type
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import Activity


@strawberry.input(
    description="An entry on the timeline of a contact, a deal or a company. At least one of them is required."
)
class LogActivityInput:
    type: enums.LoggedType
    content: str = strawberry.field(
        description="1 to 100,000 characters. Line breaks are allowed, other control characters are not."
    )
    contact_id: uuid.UUID | None = optional("Default for a call or an e-mail about a deal: the deal's contact.")
    deal_id: uuid.UUID | None = optional()
    company_id: uuid.UUID | None = optional("Everybody sees an entry that is about a company alone.")
    occurred_at: datetime | None = optional("Default: now. Must not be in the future.")
    meta: JSON | None = optional(
        "An object with your own details: at most 500 keys, 50 levels and 65,536 bytes of JSON, a key at most 200 "
        "characters. The key `source` is reserved."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A task about a contact, a deal or both.")
class CreateTaskInput:
    content: str = strawberry.field(description="What to do: 1 to 100,000 characters.")
    contact_id: uuid.UUID | None = optional()
    deal_id: uuid.UUID | None = optional()
    due_at: datetime | None = optional()
    assignee_id: uuid.UUID | None = optional(
        "Default: you. Only an admin can name somebody else: an active owner who can see what the task is about."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a task.")
class UpdateTaskInput:
    task_id: uuid.UUID
    content: str | None = optional("Can't be cleared.")
    due_at: datetime | None = optional()
    assignee_id: uuid.UUID | None = optional("Can't be cleared. Only an admin can name somebody else.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A task to complete.")
class CompleteTaskInput:
    task_id: uuid.UUID
    outcome: str | None = optional("The result, up to 100,000 characters. Stored in the task's meta.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A completed task to reopen.")
class ReopenTaskInput:
    task_id: uuid.UUID
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class ActivityMutations:
    """Mutations of timelines and tasks."""

    @mutation(
        payload_type("LogActivityPayload", "The new entry.", activity=Activity),
        "Log a note, a call or a sent e-mail on a timeline. An e-mail also sets the contact's latestEmailSentAt, "
        "unless a later e-mail is known.",
    )
    async def log_activity(self, info: Info, input: LogActivityInput) -> Payload:
        """See activities.log_activity."""

        async def act(work: UnitOfWork) -> Result:
            activity_id = await activities.log_activity(
                work,
                type=input.type,
                content=input.content,
                contact_id=or_none(input.contact_id),
                deal_id=or_none(input.deal_id),
                company_id=or_none(input.company_id),
                occurred_at=or_none(input.occurred_at),
                meta=or_none(input.meta),
            )
            return {"activity": activity_id}

        return await perform(info, input, act)

    @mutation(
        payload_type("CreateTaskPayload", "The new task.", task=Activity),
        "Create a task on the timeline of what it is about.",
    )
    async def create_task(self, info: Info, input: CreateTaskInput) -> Payload:
        """See tasks.create."""

        async def act(work: UnitOfWork) -> Result:
            task_id = await tasks.create(
                work,
                content=input.content,
                contact_id=or_none(input.contact_id),
                deal_id=or_none(input.deal_id),
                due_at=or_none(input.due_at),
                assignee_id=or_none(input.assignee_id),
            )
            return {"task": task_id}

        return await perform(info, input, act)

    @mutation(
        payload_type("UpdateTaskPayload", "The changed task.", task=Activity),
        "Change the text, due date or assignee of a task. An entry on the timeline keeps the old and new values.",
    )
    async def update_task(self, info: Info, input: UpdateTaskInput) -> Payload:
        """See tasks.edit."""
        return await perform_on(
            info,
            input,
            lambda work: tasks.edit(work, task_id=input.task_id, changes=given_fields(input, "task_id")),
            task=input.task_id,
        )

    @mutation(
        payload_type("CompleteTaskPayload", "The task, completed.", task=Activity),
        "Complete a task. Succeeds without a change when it is already completed.",
    )
    async def complete_task(self, info: Info, input: CompleteTaskInput) -> Payload:
        """See tasks.complete."""
        return await perform_on(
            info,
            input,
            lambda work: tasks.complete(work, task_id=input.task_id, outcome=or_none(input.outcome)),
            task=input.task_id,
        )

    @mutation(
        payload_type("ReopenTaskPayload", "The task, open.", task=Activity),
        "Reopen a completed task. Succeeds without a change when it is already open.",
    )
    async def reopen_task(self, info: Info, input: ReopenTaskInput) -> Payload:
        """See tasks.reopen."""
        return await perform_on(info, input, lambda work: tasks.reopen(work, task_id=input.task_id), task=input.task_id)
