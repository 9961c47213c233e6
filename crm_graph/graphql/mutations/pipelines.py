"""Mutations of pipelines, for admins."""

from __future__ import annotations

import uuid

import strawberry

from crm_graph.domain.pipelines import records as pipelines
from crm_graph.domain.pipelines.stages import NewStage
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.graphql.engine.bindings import graphql_type
from crm_graph.graphql.execution.mutation import Info, Payload, Result, given_fields, perform, perform_on
from crm_graph.graphql.mutations.fields import idempotency_key, mutation, optional, or_none, payload_type
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import Pipeline


@strawberry.input(description="A stage of a new pipeline.")
class NewStageInput:
    key: str = strawberry.field(
        description="Identifies the stage and can't be changed later: a letter, then a-z, 0-9 and _, at most 100 "
        "characters, such as `proposal_sent`. Events move deals to `qualified` and `meeting_scheduled`."
    )
    name: str = strawberry.field(description="1 to 500 characters in one line.")
    kind: enums.StageKind | None = optional("Default: OPEN.")
    probability: float | None = optional("0 to 1, with at most 3 decimals. Default: 1 for WON, else 0.")


@strawberry.input(description="A new pipeline.")
class CreatePipelineInput:
    name: str = strawberry.field(description="1 to 500 characters in one line. CONFLICT if another pipeline has it.")
    is_default: bool | None = optional("Whether it becomes the default pipeline. Default: false.")
    stages: list[NewStageInput] | None = optional(
        "In board order: 1 to 50 stages with different keys, at least one of kind OPEN. Default: New, Contacted, "
        "Qualified, Meeting Scheduled, Proposal Sent, Won, Lost."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a pipeline.")
class UpdatePipelineInput:
    pipeline_id: uuid.UUID
    name: str | None = optional("Can't be cleared. CONFLICT if another pipeline has it.")
    is_default: bool | None = optional(
        "True: it becomes the default pipeline. False is CONFLICT for the default pipeline, since there must be one."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A pipeline to delete.")
class DeletePipelineInput:
    pipeline_id: uuid.UUID
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class PipelineMutations:
    """Mutations of pipelines."""

    @mutation(
        payload_type("CreatePipelinePayload", "The new pipeline.", pipeline=Pipeline),
        "For admins: create a pipeline with its stages.",
    )
    async def create_pipeline(self, info: Info, input: CreatePipelineInput) -> Payload:
        """See pipelines.create."""
        chosen = or_none(input.stages)
        new_stages = None if chosen is None else [new_stage(stage) for stage in chosen]

        async def act(work: UnitOfWork) -> Result:
            pipeline_id = await pipelines.create(
                work, name=input.name, is_default=bool(or_none(input.is_default)), stages=new_stages
            )
            return {"pipeline": pipeline_id}

        return await perform(info, input, act)

    @mutation(
        payload_type("UpdatePipelinePayload", "The changed pipeline.", pipeline=Pipeline),
        "For admins: rename a pipeline, or make it the default.",
    )
    async def update_pipeline(self, info: Info, input: UpdatePipelineInput) -> Payload:
        """See pipelines.edit."""
        return await perform_on(
            info,
            input,
            lambda work: pipelines.edit(
                work, pipeline_id=input.pipeline_id, changes=given_fields(input, "pipeline_id")
            ),
            pipeline=input.pipeline_id,
        )

    @mutation(
        payload_type("DeletePipelinePayload", "The id of the deleted pipeline.", deleted_pipeline_id=uuid.UUID),
        "For admins: delete a pipeline. CONFLICT if it is the default, or if a deal is in it, including deleted deals.",
    )
    async def delete_pipeline(self, info: Info, input: DeletePipelineInput) -> Payload:
        """See pipelines.delete."""
        return await perform_on(
            info,
            input,
            lambda work: pipelines.delete(work, pipeline_id=input.pipeline_id),
            deleted_pipeline_id=input.pipeline_id,
        )


def new_stage(input: NewStageInput) -> NewStage:
    """The stage that an input describes."""
    return NewStage(key=input.key, name=input.name, kind=or_none(input.kind), probability=or_none(input.probability))
