"""Pipelines, shared by the whole team: set up by admins, looked up by events."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from crm_graph.database.engine import Transaction
from crm_graph.domain import config_lock
from crm_graph.domain.deals.ranks import column_lock
from crm_graph.domain.pipelines.stages import IS_LIVE, add_all, deal_count
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, CrmError, NotFound
from crm_graph.models import Pipeline, PipelineStage, StageKind, table
from crm_graph.models.default_stages import DEFAULT_STAGES
from crm_graph.values import check_name

PIPELINES_MAX = 100
_PIPELINES, _STAGES = table(Pipeline), table(PipelineStage)


class NoSuchStage(CrmError):
    """the pipeline has no such stage"""


async def create(
    work: UnitOfWork, *, name: str, is_default: bool | None = False, stages: Sequence[Mapping[str, Any]] | None = None
) -> uuid.UUID:
    """Create a pipeline with its stages, in this order; without any, with the contract's seven. Returns its id.

    Raises ValidationFailed, or Conflict (the name, or the number of pipelines) naming the field.
    """
    await config_lock.begin(work)
    if (await work.transaction.execute(select(func.count()).select_from(_PIPELINES))).scalar_one() >= PIPELINES_MAX:
        raise Conflict(f"there are {PIPELINES_MAX} pipelines already; delete one that has no deals")
    id_, checked = uuid.uuid4(), check_name(name)
    row = {"id": id_, "name": checked, "is_default": False, "created_at": work.now}
    made = insert(_PIPELINES).values(row).on_conflict_do_nothing(index_elements=[_PIPELINES.c.name])
    if (await work.transaction.execute(made.returning(_PIPELINES.c.id))).scalar_one_or_none() is None:
        raise _taken(checked)
    await add_all(work.transaction, id_, DEFAULT_STAGES if stages is None else stages)
    if is_default:
        await config_lock.make_default(work.transaction, Pipeline, id_)
    return id_


async def edit(work: UnitOfWork, *, pipeline_id: uuid.UUID, **changes: Any) -> uuid.UUID:
    """Change the `name` of a pipeline, or make it the default in place of the one that is; returns its id.

    Raises NotFound or Conflict naming the field.
    """
    await config_lock.begin(work)
    pipeline = await _find(work.transaction, pipeline_id)
    if "is_default" in changes and not changes["is_default"] and pipeline.is_default:
        raise Conflict("one pipeline is always the default: make another one that instead", field="is_default")
    if "name" in changes:
        await _rename(work.transaction, pipeline_id, check_name(changes["name"]))
    if changes.get("is_default"):
        await config_lock.make_default(work.transaction, Pipeline, pipeline_id)
    return pipeline_id


async def delete(work: UnitOfWork, *, pipeline_id: uuid.UUID) -> uuid.UUID:
    """Remove a pipeline that no deal, deleted ones included, is in; returns its id.

    Raises NotFound, and Conflict for one that has deals, or is the default.
    """
    await config_lock.begin(work)
    pipeline = await _find(work.transaction, pipeline_id)
    if pipeline.is_default:
        raise Conflict("it is the default pipeline: make another one that first", field="pipeline_id")
    own = _STAGES.c.pipeline_id == pipeline_id
    await work.transaction.execute(select(column_lock(_STAGES.c.id)).where(own).order_by(_STAGES.c.id))
    if count := await deal_count(work.transaction, own):
        message = f"{count} deals, deleted ones included, are in the pipeline, and its history is theirs"
        raise Conflict(message, field="pipeline_id", details={"dealCount": count})
    await work.transaction.execute(delete_from(_STAGES).where(own))
    await work.transaction.execute(delete_from(_PIPELINES).where(_PIPELINES.c.id == pipeline_id))
    return pipeline_id


async def default_pipeline(transaction: Transaction) -> Any:
    """The pipeline that new deals go to unless they say otherwise."""
    return (await transaction.execute(select(_PIPELINES).where(_PIPELINES.c.is_default))).one()


async def find_pipeline(transaction: Transaction, name: str) -> Any | None:
    """A pipeline by its exact name."""
    return (await transaction.execute(select(_PIPELINES).where(_PIPELINES.c.name == name))).one_or_none()


async def stage_by_key(transaction: Transaction, pipeline_id: uuid.UUID, key: str) -> Any:
    """A stage by its immutable key; raises NoSuchStage when the pipeline was set up without it."""
    query = select(PipelineStage).where(
        IS_LIVE, col(PipelineStage.pipeline_id) == pipeline_id, col(PipelineStage.key) == key
    )
    stage = (await transaction.execute(query)).one_or_none()
    if stage is None:
        raise NoSuchStage(f"pipeline {pipeline_id} has no stage with the key {key!r}: add it, then replay")
    return stage


async def stage_by_kind(transaction: Transaction, pipeline_id: uuid.UUID, kind: StageKind) -> Any:
    """The first stage of a pipeline that is won or lost; raises NoSuchStage when it has none."""
    query = (
        select(PipelineStage)
        .where(IS_LIVE, col(PipelineStage.pipeline_id) == pipeline_id, col(PipelineStage.kind) == kind)
        .order_by(col(PipelineStage.order_index))
        .limit(1)
    )
    stage = (await transaction.execute(query)).one_or_none()
    if stage is None:
        raise NoSuchStage(f"pipeline {pipeline_id} has no stage of the kind {kind.value}: add one, then replay")
    return stage


async def _find(transaction: Transaction, pipeline_id: uuid.UUID) -> Any:
    pipeline = (await transaction.execute(select(_PIPELINES).where(_PIPELINES.c.id == pipeline_id))).one_or_none()
    if pipeline is None:
        raise NotFound("pipeline not found", field="pipeline_id")
    return pipeline


async def _rename(transaction: Transaction, pipeline_id: uuid.UUID, name: str) -> None:
    others = _PIPELINES.alias()
    is_taken = select(1).where(others.c.name == name, others.c.id != pipeline_id).exists()
    renamed = update(_PIPELINES).where(_PIPELINES.c.id == pipeline_id, ~is_taken).values(name=name)
    if (await transaction.execute(renamed.returning(_PIPELINES.c.id))).scalar_one_or_none() is None:
        raise _taken(name)


def _taken(name: str) -> Conflict:
    return Conflict(f"there is a pipeline {name!r} already", field="name")
