"""What admins can do with pipelines."""

from __future__ import annotations

import uuid
from typing import Any

import strawberry

from crm_graph.domain.pipelines import records as pipelines
from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import (
    Info,
    Write,
    doing,
    given_of,
    idempotency_key,
    optional,
    perform,
    replayed,
)
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import Pipeline


@strawberry.input(description="A stage of a new pipeline.")
class NewStageInput:
    key: str = strawberry.field(
        description="Its name for machines, for ever: a-z, 0-9 and _, at most 100, the first one a letter. Events look "
        "for `qualified` and `meeting_scheduled`."
    )
    name: str = strawberry.field(description="1 to 500 characters in one line.")
    kind: enums.StageKind | None = optional("Default: OPEN.")
    probability: float | None = optional("0 to 1, at most 3 decimals. Default: 1 for WON, else 0.")


@strawberry.input(description="A new pipeline.")
class CreatePipelineInput:
    name: str = strawberry.field(description="1 to 500 characters in one line; CONFLICT when another one has it.")
    is_default: bool | None = optional("Whether it takes the place of the default pipeline. Default: false.")
    stages: list[NewStageInput] | None = optional(
        "In board order: 1 to 50, one of kind OPEN at least, each with a key of its own. Default: New, Contacted, "
        "Qualified, Meeting Scheduled, Proposal Sent, Won, Lost."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a pipeline.")
class UpdatePipelineInput:
    pipeline_id: uuid.UUID
    name: str | None = optional("Can't be cleared. CONFLICT when another pipeline has it.")
    is_default: bool | None = optional(
        "True: it takes the place of the default pipeline. False is CONFLICT for the default one: one always is."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A pipeline to remove.")
class DeletePipelineInput:
    pipeline_id: uuid.UUID
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class CreatePipelinePayload:
    """The new pipeline."""

    pipeline: Pipeline = payload_row()
    replayed: bool = replayed()


@graphql_type()
class UpdatePipelinePayload:
    """The changed pipeline."""

    pipeline: Pipeline = payload_row()
    replayed: bool = replayed()


@graphql_type()
class DeletePipelinePayload:
    """The id of the pipeline that is gone."""

    deleted_pipeline_id: uuid.UUID = strawberry.field()
    replayed: bool = replayed()


@graphql_type()
class PipelineMutations:
    """The part of Mutation that is about pipelines."""

    @strawberry.mutation(description="For admins: create a pipeline with its stages.")
    async def create_pipeline(self, info: Info, input: CreatePipelineInput) -> CreatePipelinePayload:
        """See pipelines.create."""

        async def act(write: Write) -> dict[str, Any]:
            given = dict(write.given)
            if given.get("stages") is not None:
                given["stages"] = [given_of(stage) for stage in given["stages"]]
            return {"pipeline": await pipelines.create(write.work, **given)}

        return await perform(info, input, act)

    @strawberry.mutation(description="For admins: rename a pipeline, or make it the default.")
    async def update_pipeline(self, info: Info, input: UpdatePipelineInput) -> UpdatePipelinePayload:
        """See pipelines.edit."""
        return await perform(info, input, doing(pipelines.edit, "pipeline", of="pipeline_id"))

    @strawberry.mutation(
        description="For admins: remove a pipeline. CONFLICT when a deal, deleted ones included, is in it, or when it "
        "is the default."
    )
    async def delete_pipeline(self, info: Info, input: DeletePipelineInput) -> DeletePipelinePayload:
        """See pipelines.delete."""
        return await perform(info, input, doing(pipelines.delete, "deleted_pipeline_id", of="pipeline_id"))
