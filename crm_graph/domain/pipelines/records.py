"""Pipelines, which the whole team shares: admins set them up, and events look them up."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Executable, func, select, update
from sqlalchemy import delete as delete_from
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, columns_of, param
from crm_graph.domain import config_lock
from crm_graph.domain.deals.ranks import lock_column
from crm_graph.domain.pipelines.stages import IS_LIVE, NewStage, StageRow, add_all, count_deals
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, CrmError, NotFound
from crm_graph.models import Pipeline, PipelineStage, StageKind, table
from crm_graph.models.default_stages import DEFAULT_STAGES
from crm_graph.values import check_name

PIPELINES_MAX = 100
_PIPELINES, _STAGES = table(Pipeline), table(PipelineStage)


class NoSuchStage(CrmError):
    """the pipeline has no such stage"""


class PipelineRow(NamedTuple):
    """A pipeline."""

    id: uuid.UUID
    name: str
    is_default: bool


async def create(
    work: UnitOfWork, *, name: str, is_default: bool = False, stages: Sequence[NewStage] | None = None
) -> uuid.UUID:
    """Create a pipeline with stages in this order, by default the contract's seven. Returns its id.

    Raises ValidationFailed naming the field, and Conflict for a name that is taken or for too many pipelines.
    """
    await config_lock.begin(work)
    if await work.transaction.scalar(select(func.count()).select_from(_PIPELINES)) >= PIPELINES_MAX:
        raise Conflict(f"there already are {PIPELINES_MAX} pipelines; delete one that has no deals")
    id_, checked = uuid.uuid4(), check_name(name)
    row = {"id": id_, "name": checked, "is_default": False, "created_at": work.now}
    new = insert(_PIPELINES).values(row).on_conflict_do_nothing(index_elements=[_PIPELINES.c.name])
    if await work.transaction.scalar(new.returning(_PIPELINES.c.id)) is None:
        raise _taken(checked)
    default_stages = [NewStage(**stage) for stage in DEFAULT_STAGES]
    await add_all(work.transaction, id_, default_stages if stages is None else stages)
    if is_default:
        await config_lock.make_default(work.transaction, Pipeline, id_)
    return id_


async def edit(work: UnitOfWork, *, pipeline_id: uuid.UUID, changes: Mapping[str, Any]) -> uuid.UUID:
    """Change the `name` of a pipeline, or make it the default instead of the present one; returns its id.

    Raises NotFound or Conflict naming the field.
    """
    await config_lock.begin(work)
    pipeline = await _get(work.transaction, pipeline_id)
    if "is_default" in changes and not changes["is_default"] and pipeline.is_default:
        raise Conflict("one pipeline is always the default: make another one the default instead", field="is_default")
    if "name" in changes:
        await _rename(work.transaction, pipeline_id, check_name(changes["name"]))
    if changes.get("is_default"):
        await config_lock.make_default(work.transaction, Pipeline, pipeline_id)
    return pipeline_id


async def delete(work: UnitOfWork, *, pipeline_id: uuid.UUID) -> uuid.UUID:
    """Delete a pipeline without deals (deleted ones count); returns its id.

    Raises NotFound, and Conflict for one that has deals or is the default.
    """
    await config_lock.begin(work)
    pipeline = await _get(work.transaction, pipeline_id)
    if pipeline.is_default:
        raise Conflict("it is the default pipeline: make another one the default first", field="pipeline_id")
    is_own = _STAGES.c.pipeline_id == pipeline_id
    await work.transaction.execute(select(lock_column(_STAGES.c.id)).where(is_own).order_by(_STAGES.c.id))
    if count := await count_deals(work.transaction, is_own):
        message = f"{count} deals, deleted ones included, are in the pipeline, and their history needs it"
        raise Conflict(message, field="pipeline_id", details={"dealCount": count})
    await work.transaction.execute(delete_from(_STAGES).where(is_own))
    await work.transaction.execute(delete_from(_PIPELINES).where(_PIPELINES.c.id == pipeline_id))
    return pipeline_id


async def default_pipeline(transaction: Transaction) -> PipelineRow:
    """The pipeline of new deals that name no other."""
    pipeline = await _DEFAULT.one(transaction)
    assert pipeline is not None, "one pipeline is always the default"
    return pipeline


async def find_pipeline(transaction: Transaction, name: str) -> PipelineRow | None:
    """A pipeline by its exact name."""
    return await _BY_NAME.one(transaction, name=name)


async def stage_by_key(transaction: Transaction, pipeline_id: uuid.UUID, key: str) -> StageRow:
    """A stage by its key, which never changes. Raises NoSuchStage when the pipeline has no stage with it."""
    stage = await _STAGE_BY_KEY.one(transaction, pipeline_id=pipeline_id, key=key)
    if stage is None:
        raise NoSuchStage(f"pipeline {pipeline_id} has no stage with the key {key!r}: add it, then replay")
    return stage


async def stage_by_kind(transaction: Transaction, pipeline_id: uuid.UUID, kind: StageKind) -> StageRow:
    """The first stage of a kind in a pipeline. Raises NoSuchStage when it has none."""
    stage = await _STAGE_BY_KIND.one(transaction, pipeline_id=pipeline_id, kind=kind)
    if stage is None:
        raise NoSuchStage(f"pipeline {pipeline_id} has no stage of the kind {kind.value}: add one, then replay")
    return stage


async def _get(transaction: Transaction, pipeline_id: uuid.UUID) -> PipelineRow:
    pipeline = await _BY_ID.one(transaction, id=pipeline_id)
    if pipeline is None:
        raise NotFound("pipeline not found", field="pipeline_id")
    return pipeline


async def _rename(transaction: Transaction, pipeline_id: uuid.UUID, name: str) -> None:
    others = _PIPELINES.alias()
    is_taken = select(1).where(others.c.name == name, others.c.id != pipeline_id).exists()
    renamed = update(_PIPELINES).where(_PIPELINES.c.id == pipeline_id, ~is_taken).values(name=name)
    if await transaction.scalar(renamed.returning(_PIPELINES.c.id)) is None:
        raise _taken(name)


def _taken(name: str) -> Conflict:
    return Conflict(f"a pipeline named {name!r} already exists", field="name")


def _select(condition: ColumnElement[bool]) -> Executable:
    return select(*columns_of(PipelineRow, _PIPELINES)).where(condition)


def _select_stage(*conditions: ColumnElement[bool]) -> Executable:
    is_own = _STAGES.c.pipeline_id == param(PipelineStage, "pipeline_id")
    found = select(*columns_of(StageRow, _STAGES)).where(is_own, IS_LIVE, *conditions)
    return found.order_by(_STAGES.c.order_index).limit(1)


_BY_ID = Query(PipelineRow, lambda: _select(_PIPELINES.c.id == param(Pipeline, "id")))
_BY_NAME = Query(PipelineRow, lambda: _select(_PIPELINES.c.name == param(Pipeline, "name")))
_DEFAULT = Query(PipelineRow, lambda: _select(_PIPELINES.c.is_default))
_STAGE_BY_KEY = Query(StageRow, lambda: _select_stage(_STAGES.c.key == param(PipelineStage, "key")))
_STAGE_BY_KIND = Query(StageRow, lambda: _select_stage(_STAGES.c.kind == param(PipelineStage, "kind")))
