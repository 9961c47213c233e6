"""Mutations of the stages of a pipeline, for admins."""

from __future__ import annotations

import uuid

import strawberry

from crm_graph.domain.pipelines import stage_deletion, stages
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.graphql.engine.bindings import graphql_type
from crm_graph.graphql.execution.mutation import Info, Payload, Result, given_fields, perform, perform_on
from crm_graph.graphql.mutations.fields import idempotency_key, mutation, optional, or_none, payload_type, replayed
from crm_graph.graphql.mutations.pipelines import NewStageInput, new_stage
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import Pipeline, PipelineStage


@strawberry.input(description="A stage to add to a pipeline, which has at most 50.")
class CreateStageInput(NewStageInput):
    pipeline_id: uuid.UUID
    after_stage_id: uuid.UUID | None = optional("Places it directly after this stage. Default: at the end.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a stage. No field can be cleared, and the key can't be changed.")
class UpdateStageInput:
    stage_id: uuid.UUID
    name: str | None = optional("1 to 500 characters in one line.")
    kind: enums.StageKind | None = optional(
        "CONFLICT while a deal is in the stage, including deleted deals, and for the pipeline's last stage of kind "
        "OPEN."
    )
    probability: float | None = optional("0 to 1, with at most 3 decimals. Forecasts use it at once.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A new order for the stages of a pipeline.")
class ReorderStagesInput:
    pipeline_id: uuid.UUID
    stage_ids: list[uuid.UUID] = strawberry.field(description="All of the pipeline's stages, each once.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A stage to delete, and where its deals go.")
class DeleteStageInput:
    stage_id: uuid.UUID
    target_stage_id: uuid.UUID | None = optional(
        "A stage of the same pipeline. Without it: CONFLICT if a deal is in the stage, including deleted deals. With "
        "it: CONFLICT for more than 10,000 deals."
    )
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class DeleteStagePayload:
    """The id of the deleted stage, and how many deals moved to the other stage."""

    deleted_stage_id: uuid.UUID = strawberry.field()
    moved_deal_count: int = strawberry.field(description="Includes deleted deals.")
    replayed: bool = replayed()


@graphql_type()
class StageMutations:
    """Mutations of stages."""

    @mutation(
        payload_type("CreateStagePayload", "The new stage.", stage=PipelineStage),
        "For admins: add a stage to a pipeline. CONFLICT if another stage has its key.",
    )
    async def create_stage(self, info: Info, input: CreateStageInput) -> Payload:
        """See stages.create."""

        async def act(work: UnitOfWork) -> Result:
            stage_id = await stages.create(
                work,
                pipeline_id=input.pipeline_id,
                stage=new_stage(input),
                after_stage_id=or_none(input.after_stage_id),
            )
            return {"stage": stage_id}

        return await perform(info, input, act)

    @mutation(
        payload_type("UpdateStagePayload", "The changed stage.", stage=PipelineStage),
        "For admins: change the name, probability or kind of a stage.",
    )
    async def update_stage(self, info: Info, input: UpdateStageInput) -> Payload:
        """See stages.edit."""
        return await perform_on(
            info,
            input,
            lambda work: stages.edit(work, stage_id=input.stage_id, changes=given_fields(input, "stage_id")),
            stage=input.stage_id,
        )

    @mutation(
        payload_type("ReorderStagesPayload", "The pipeline with its stages in their new order.", pipeline=Pipeline),
        "For admins: reorder the stages of a pipeline.",
    )
    async def reorder_stages(self, info: Info, input: ReorderStagesInput) -> Payload:
        """See stages.reorder."""
        return await perform_on(
            info,
            input,
            lambda work: stages.reorder(work, pipeline_id=input.pipeline_id, stage_ids=input.stage_ids),
            pipeline=input.pipeline_id,
        )

    @mutation(
        DeleteStagePayload,
        "For admins: delete a stage. Its deals move to the top of the target's column in their present order and get "
        "its status. Their history still names the deleted stage. CONFLICT for the pipeline's last stage of kind OPEN.",
    )
    async def delete_stage(self, info: Info, input: DeleteStageInput) -> Payload:
        """See stage_deletion.delete."""

        async def act(work: UnitOfWork) -> Result:
            deal_count = await stage_deletion.delete(
                work, stage_id=input.stage_id, target_stage_id=or_none(input.target_stage_id)
            )
            return {"deleted_stage_id": input.stage_id, "moved_deal_count": deal_count}

        return await perform(info, input, act)
