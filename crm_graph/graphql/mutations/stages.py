"""What admins can do with the stages of a pipeline."""

from __future__ import annotations

import uuid
from typing import Any

import strawberry

from crm_graph.domain.pipelines import stage_deletion, stages
from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import Info, Write, doing, idempotency_key, optional, perform, replayed
from crm_graph.graphql.mutations.pipelines import NewStageInput
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import Pipeline, PipelineStage


@strawberry.input(description="A stage to add to a pipeline; at most 50 are in one.")
class CreateStageInput(NewStageInput):
    pipeline_id: uuid.UUID
    after_stage_id: uuid.UUID | None = optional("It comes directly after this stage. Default: last of all.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a stage; nothing can be cleared, and the key stays what it is.")
class UpdateStageInput:
    stage_id: uuid.UUID
    name: str | None = optional("1 to 500 characters in one line.")
    kind: enums.StageKind | None = optional(
        "CONFLICT while a deal, deleted ones included, is in the stage, and for the pipeline's last one of kind OPEN."
    )
    probability: float | None = optional("0 to 1, at most 3 decimals; forecasts change with it at once.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="An order for the stages of a pipeline.")
class ReorderStagesInput:
    pipeline_id: uuid.UUID
    stage_ids: list[uuid.UUID] = strawberry.field(description="All of the pipeline's stages, each once.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A stage to delete, and where its deals go.")
class DeleteStageInput:
    stage_id: uuid.UUID
    target_stage_id: uuid.UUID | None = optional(
        "A stage of the same pipeline. Without it: CONFLICT when a deal, deleted ones included, is in the stage. More "
        "than 10,000 are CONFLICT, too."
    )
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class CreateStagePayload:
    """The new stage."""

    stage: PipelineStage = payload_row()
    replayed: bool = replayed()


@graphql_type()
class UpdateStagePayload:
    """The changed stage."""

    stage: PipelineStage = payload_row()
    replayed: bool = replayed()


@graphql_type()
class ReorderStagesPayload:
    """The pipeline with its stages in their new order."""

    pipeline: Pipeline = payload_row()
    replayed: bool = replayed()


@graphql_type()
class DeleteStagePayload:
    """The id of the stage that is no longer on the board, and how many deals went to the other one."""

    deleted_stage_id: uuid.UUID = strawberry.field()
    moved_deal_count: int = strawberry.field(description="Deleted deals included.")
    replayed: bool = replayed()


@graphql_type()
class StageMutations:
    """The part of Mutation that is about stages."""

    @strawberry.mutation(description="For admins: add a stage to a pipeline. CONFLICT when another one has its key.")
    async def create_stage(self, info: Info, input: CreateStageInput) -> CreateStagePayload:
        """See stages.create."""
        return await perform(info, input, doing(stages.create, "stage"))

    @strawberry.mutation(description="For admins: change the name, the probability or the kind of a stage.")
    async def update_stage(self, info: Info, input: UpdateStageInput) -> UpdateStagePayload:
        """See stages.edit."""
        return await perform(info, input, doing(stages.edit, "stage", of="stage_id"))

    @strawberry.mutation(description="For admins: put the stages of a pipeline in order.")
    async def reorder_stages(self, info: Info, input: ReorderStagesInput) -> ReorderStagesPayload:
        """See stages.reorder."""
        return await perform(info, input, doing(stages.reorder, "pipeline", of="pipeline_id"))

    @strawberry.mutation(
        description="For admins: take a stage off the board. Its deals go to the top of the target's column in the "
        "order that they have, take its status, and keep their history, which still names the deleted stage. CONFLICT "
        "for the pipeline's last stage of kind OPEN."
    )
    async def delete_stage(self, info: Info, input: DeleteStageInput) -> DeleteStagePayload:
        """See stage_deletion.delete."""

        async def act(write: Write) -> dict[str, Any]:
            moved = await stage_deletion.delete(write.work, **write.given)
            return {"deleted_stage_id": write.given["stage_id"], "moved_deal_count": moved}

        return await perform(info, input, act)
