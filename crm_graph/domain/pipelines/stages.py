"""The stages of a pipeline: adding, changing and reordering them. `stage_deletion` deletes them."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, ColumnElement, Executable, Uuid, column, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, columns_of, param
from crm_graph.domain import config_lock
from crm_graph.domain.deals.ranks import lock_column
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.models import Deal, Pipeline, PipelineStage, StageKind, table
from crm_graph.values import check_name

STAGES_MAX = 50  # of one pipeline: more columns than anybody can read
_KEY = re.compile(r"[a-z][a-z0-9_]{0,99}")
_STAGES = table(PipelineStage)
IS_LIVE = _STAGES.c.deleted_at.is_(None)


class StageRow(NamedTuple):
    """A stage that is not deleted."""

    id: uuid.UUID
    pipeline_id: uuid.UUID
    key: str
    name: str
    kind: str
    order_index: int
    probability: Decimal


@dataclass(frozen=True, slots=True)
class NewStage:
    """A stage to add. By default its kind is open, and its probability is 1 for the kind won, else 0."""

    key: str
    name: str
    kind: StageKind | None = None
    probability: float | None = None


async def create(
    work: UnitOfWork, *, pipeline_id: uuid.UUID, stage: NewStage, after_stage_id: uuid.UUID | None = None
) -> uuid.UUID:
    """Add a stage to a pipeline, at the end or after another stage.

    Returns its id. Raises NotFound, ValidationFailed or Conflict (the key, or the number of stages) naming the field.
    """
    await config_lock.begin(work)
    stages = await list_in_order(work.transaction, pipeline_id)
    if len(stages) >= STAGES_MAX:
        raise Conflict(f"a pipeline has at most {STAGES_MAX} stages: delete one first", field="pipeline_id")
    order = [stage.id for stage in stages]
    if after_stage_id is not None and after_stage_id not in order:
        raise NotFound("stage not found", field="after_stage_id")
    place = len(order) if after_stage_id is None else order.index(after_stage_id) + 1
    last = stages[-1].order_index if stages else 0
    row = _new_row(stage) | {"pipeline_id": pipeline_id, "order_index": last + 1}
    identity = [_STAGES.c.pipeline_id, _STAGES.c.key]
    new = insert(_STAGES).values(row).on_conflict_do_nothing(index_elements=identity, index_where=IS_LIVE)
    stage_id: uuid.UUID | None = await work.transaction.scalar(new.returning(_STAGES.c.id))
    if stage_id is None:
        raise Conflict(f"the pipeline already has a stage with the key {row['key']}", field="key")
    await _put_in_order(work.transaction, [*order[:place], stage_id, *order[place:]])
    return stage_id


async def edit(work: UnitOfWork, *, stage_id: uuid.UUID, changes: Mapping[str, Any]) -> uuid.UUID:
    """Change `name`, `probability` or `kind` of a stage (never its key); returns its id.

    Raises NotFound or ValidationFailed naming the field. Raises Conflict when the kind of a stage that has deals, or of
    the pipeline's last open stage, would change.
    """
    await config_lock.begin(work)
    stage = await get(work.transaction, stage_id)
    new = activities.differences(stage, _check(changes))
    if "kind" in new:
        await check_open_is_left(work.transaction, stage, field="kind")
        await work.transaction.execute(select(lock_column(literal(stage_id, Uuid))))
        if count := await count_deals(work.transaction, _STAGES.c.id == stage_id):
            message = f"{count} deals, deleted ones included, are in the stage and have its kind as status: move them"
            raise Conflict(message, field="kind", details={"dealCount": count})
    if new:
        await work.transaction.execute(update(_STAGES).where(_STAGES.c.id == stage_id).values(new))
    return stage_id


async def reorder(work: UnitOfWork, *, pipeline_id: uuid.UUID, stage_ids: Sequence[uuid.UUID]) -> uuid.UUID:
    """Put all stages of a pipeline in this order; returns the pipeline's id. Raises NotFound or ValidationFailed."""
    await config_lock.begin(work)
    stages = await list_in_order(work.transaction, pipeline_id)
    if sorted(stage_ids) != sorted(stage.id for stage in stages):
        message = f"stage_ids must name each of the pipeline's {len(stages)} stages exactly once"
        raise ValidationFailed(message, field="stage_ids")
    await _put_in_order(work.transaction, stage_ids)
    return pipeline_id


async def add_all(transaction: Transaction, pipeline_id: uuid.UUID, stages: Sequence[NewStage]) -> None:
    """Give a new pipeline its stages, in this order. Raises ValidationFailed naming `stages`."""
    if not 0 < len(stages) <= STAGES_MAX:
        raise ValidationFailed(f"stages must be a list of 1 to {STAGES_MAX} stages", field="stages")
    rows = []
    for place, stage in enumerate(stages, start=1):
        try:
            rows.append(_new_row(stage) | {"pipeline_id": pipeline_id, "order_index": place})
        except ValidationFailed as error:
            raise ValidationFailed(f"stage {place}: {error.message}", field="stages") from error
    if len({row["key"] for row in rows}) < len(rows):
        raise ValidationFailed("two stages have the same key", field="stages")
    if all(row["kind"] is not StageKind.OPEN for row in rows):
        raise ValidationFailed("at least one stage must be of kind OPEN: new deals start there", field="stages")
    await transaction.execute(insert(_STAGES).values(rows))


def _new_row(stage: NewStage) -> dict[str, Any]:
    """The columns of a new stage."""
    kind = StageKind.OPEN if stage.kind is None else stage.kind
    certain = 1 if kind is StageKind.WON else 0
    probability = certain if stage.probability is None else stage.probability
    values = {"key": stage.key, "name": stage.name, "kind": kind, "probability": probability}
    return {"id": uuid.uuid4()} | _check(values)


async def get(transaction: Transaction, stage_id: uuid.UUID, field: str = "stage_id") -> StageRow:
    """A stage that is not deleted. Raises NotFound naming `field`."""
    stage = await _BY_ID.one(transaction, id=stage_id)
    if stage is None:
        raise NotFound("stage not found", field=field)
    return stage


async def list_in_order(transaction: Transaction, pipeline_id: uuid.UUID) -> list[StageRow]:
    """The stages of a pipeline that are not deleted, in the order of the board. Raises NotFound."""
    stages = await _OF_PIPELINE.rows(transaction, pipeline_id=pipeline_id)
    pipelines = table(Pipeline)
    is_there = select(pipelines.c.id).where(pipelines.c.id == pipeline_id)
    if not stages and await transaction.scalar(is_there) is None:
        raise NotFound("pipeline not found", field="pipeline_id")
    return stages


async def count_deals(transaction: Transaction, *conditions: ColumnElement[bool]) -> int:
    """How many deals, deleted ones included, are in the stages that meet the conditions."""
    deals = table(Deal)
    rows = deals.join(_STAGES, _STAGES.c.id == deals.c.stage_id)
    count: int = await transaction.scalar(select(func.count()).select_from(rows).where(*conditions))
    return count


async def check_open_is_left(transaction: Transaction, stage: StageRow, *, field: str) -> None:
    """Raises Conflict when this is the pipeline's last open stage."""
    c = _STAGES.c
    others = select(c.id).where(c.pipeline_id == stage.pipeline_id, c.id != stage.id, c.kind == StageKind.OPEN, IS_LIVE)
    if stage.kind == StageKind.OPEN and await transaction.scalar(others.limit(1)) is None:
        raise Conflict("it is the pipeline's last stage of kind OPEN, where new deals start: add another", field=field)


def _check(values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a stage, if they may be stored. Raises ValidationFailed naming the field."""
    found = dict(values)
    for name in ("probability", "kind"):
        if name in found and found[name] is None:
            raise ValidationFailed(f"{name} can't be cleared", field=name)
    if "name" in found:
        found["name"] = check_name(found["name"])
    if "key" in found and not _KEY.fullmatch(found["key"] or ""):
        message = "key must be 1 to 100 of a-z, 0-9 and _ and begin with a letter, such as proposal_sent"
        raise ValidationFailed(message, field="key")
    if "probability" in found:
        probability = found["probability"]
        if not 0 <= probability <= 1 or round(probability, 3) != probability:
            raise ValidationFailed("probability must be 0 to 1, with at most 3 decimals", field="probability")
        found["probability"] = Decimal(str(probability))
    return found


async def _put_in_order(transaction: Transaction, stage_ids: Sequence[uuid.UUID]) -> None:
    # In one statement: the constraint on the order is checked when it ends.
    ids = func.unnest(literal(list(stage_ids), ARRAY(Uuid)))
    order = ids.table_valued(column("id", Uuid), with_ordinality="place").render_derived("in_order")
    placed = update(_STAGES).where(_STAGES.c.id == order.c.id).values(order_index=order.c.place)
    await transaction.execute(placed)


def _select(condition: ColumnElement[bool]) -> Executable:
    found = select(*columns_of(StageRow, _STAGES)).where(condition, IS_LIVE)
    return found.order_by(_STAGES.c.order_index)


_BY_ID = Query(StageRow, lambda: _select(_STAGES.c.id == param(PipelineStage, "id")))
_OF_PIPELINE = Query(StageRow, lambda: _select(_STAGES.c.pipeline_id == param(PipelineStage, "pipeline_id")))
