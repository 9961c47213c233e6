"""Pipelines and their stages: shared by the whole team."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from crm_graph.errors import CrmError
from crm_graph.models import Pipeline, PipelineStage, StageKind


class NoSuchStage(CrmError):
    """the pipeline has no such stage"""


is_live = col(PipelineStage.deleted_at).is_(None)


async def default_pipeline(session: AsyncSession) -> Pipeline:
    """The pipeline that new deals go to unless they say otherwise."""
    return (await session.scalars(select(Pipeline).where(col(Pipeline.is_default)))).one()


async def find_pipeline(session: AsyncSession, name: str) -> Pipeline | None:
    """A pipeline by its exact name."""
    return (await session.scalars(select(Pipeline).where(col(Pipeline.name) == name))).one_or_none()


async def stage_by_key(session: AsyncSession, pipeline_id: uuid.UUID, key: str) -> PipelineStage:
    """A stage by its immutable key; raises NoSuchStage when the pipeline was set up without it."""
    query = select(PipelineStage).where(
        is_live, col(PipelineStage.pipeline_id) == pipeline_id, col(PipelineStage.key) == key
    )
    stage = (await session.scalars(query)).one_or_none()
    if stage is None:
        raise NoSuchStage(f"pipeline {pipeline_id} has no stage with the key {key!r}: add it, then replay")
    return stage


async def stage_by_kind(session: AsyncSession, pipeline_id: uuid.UUID, kind: StageKind) -> PipelineStage:
    """The first stage of a pipeline that is won or lost; raises NoSuchStage when it has none."""
    query = (
        select(PipelineStage)
        .where(is_live, col(PipelineStage.pipeline_id) == pipeline_id, col(PipelineStage.kind) == kind)
        .order_by(col(PipelineStage.order_index))
        .limit(1)
    )
    stage = (await session.scalars(query)).one_or_none()
    if stage is None:
        raise NoSuchStage(f"pipeline {pipeline_id} has no stage of the kind {kind.value}: add one, then replay")
    return stage
