"""The stages of a pipeline: added, changed and put in order. How one is deleted is the matter of `stage_deletion`."""

import re
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, Uuid, column, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.engine import Transaction
from crm_graph.domain import config_lock
from crm_graph.domain.deals.ranks import column_lock
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.models import Deal, Pipeline, PipelineStage, StageKind, table
from crm_graph.values import check_name

STAGES_MAX = 50  # of one pipeline: more columns than anybody can read
_KEY = re.compile(r"[a-z][a-z0-9_]{0,99}")
_STAGES = table(PipelineStage)
IS_LIVE = _STAGES.c.deleted_at.is_(None)


async def create(
    work: UnitOfWork,
    *,
    pipeline_id: uuid.UUID,
    after_stage_id: uuid.UUID | None = None,
    **values: Any,
) -> uuid.UUID:
    """Add a stage to a pipeline from `key`, `name`, `kind` and `probability`, last of all or after another one.

    Returns its id. Raises NotFound, ValidationFailed or Conflict (the key, or the number of stages) naming the field.
    """
    await config_lock.begin(work)
    stages = await in_order(work.transaction, pipeline_id)
    if len(stages) >= STAGES_MAX:
        raise Conflict(f"a pipeline has at most {STAGES_MAX} stages: delete one before", field="pipeline_id")
    order = [stage.id for stage in stages]
    if after_stage_id is not None and after_stage_id not in order:
        raise NotFound("stage not found", field="after_stage_id")
    place = len(order) if after_stage_id is None else order.index(after_stage_id) + 1
    last = stages[-1].order_index if stages else 0
    row = _new(values) | {"pipeline_id": pipeline_id, "order_index": last + 1}
    made = (
        insert(_STAGES)
        .values(row)
        .on_conflict_do_nothing(index_elements=[_STAGES.c.pipeline_id, _STAGES.c.key], index_where=IS_LIVE)
    )
    stage_id: uuid.UUID | None = (await work.transaction.execute(made.returning(_STAGES.c.id))).scalar_one_or_none()
    if stage_id is None:
        raise Conflict(f"the pipeline has a stage with the key {row['key']} already", field="key")
    await _put_in_order(work.transaction, [*order[:place], stage_id, *order[place:]])
    return stage_id


async def edit(work: UnitOfWork, *, stage_id: uuid.UUID, **changes: Any) -> uuid.UUID:
    """Change `name`, `probability` or `kind` of a stage; returns its id. Its key stays what it is.

    Raises NotFound or ValidationFailed naming the field, and Conflict for another kind while a deal is in the stage,
    or when it is the pipeline's last open one.
    """
    await config_lock.begin(work)
    stage = await find(work.transaction, stage_id)
    changed = activities.differences(stage, _checked(changes))
    if "kind" in changed:
        await check_open_is_left(work.transaction, stage, field="kind")
        await work.transaction.execute(select(column_lock(literal(stage_id, Uuid))))
        if count := await deal_count(work.transaction, _STAGES.c.id == stage_id):
            message = f"{count} deals, deleted ones included, are in the stage, and their status is its kind: move them"
            raise Conflict(message, field="kind", details={"dealCount": count})
    if changed:
        await work.transaction.execute(update(_STAGES).where(_STAGES.c.id == stage_id).values(changed))
    return stage_id


async def reorder(work: UnitOfWork, *, pipeline_id: uuid.UUID, stage_ids: Sequence[uuid.UUID]) -> uuid.UUID:
    """Put all stages of a pipeline in this order; returns the pipeline's id. Raises NotFound or ValidationFailed."""
    await config_lock.begin(work)
    stages = await in_order(work.transaction, pipeline_id)
    if sorted(stage_ids) != sorted(stage.id for stage in stages):
        message = f"stage_ids must name each of the pipeline's {len(stages)} stages once"
        raise ValidationFailed(message, field="stage_ids")
    await _put_in_order(work.transaction, stage_ids)
    return pipeline_id


async def add_all(transaction: Transaction, pipeline_id: uuid.UUID, stages: Sequence[Mapping[str, Any]]) -> None:
    """Give a new pipeline its stages, in this order. Raises ValidationFailed naming `stages`."""
    if not 0 < len(stages) <= STAGES_MAX:
        raise ValidationFailed(f"stages must be a list of 1 to {STAGES_MAX} stages", field="stages")
    rows = []
    for place, values in enumerate(stages, start=1):
        try:
            rows.append(_new(values) | {"pipeline_id": pipeline_id, "order_index": place})
        except ValidationFailed as error:
            raise ValidationFailed(f"stage {place}: {error.message}", field="stages") from error
    if len({row["key"] for row in rows}) < len(rows):
        raise ValidationFailed("two stages have the same key", field="stages")
    if all(row["kind"] is not StageKind.OPEN for row in rows):
        raise ValidationFailed("one stage at least must be of kind OPEN: new deals start there", field="stages")
    await transaction.execute(insert(_STAGES).values(rows))


def _new(values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a new stage. By default it is open, and a deal is won there for sure or not at all."""
    meant = {name: value for name, value in values.items() if value is not None}
    kind = meant.get("kind", StageKind.OPEN)
    is_sure = {"probability": 1 if kind is StageKind.WON else 0}
    return {"id": uuid.uuid4(), "kind": kind} | _checked({"key": None, "name": None, **is_sure, **meant})


async def find(transaction: Transaction, stage_id: uuid.UUID, field: str = "stage_id") -> Any:
    """A stage that is not deleted. Raises NotFound naming `field`."""
    stage = (await transaction.execute(select(_STAGES).where(_STAGES.c.id == stage_id, IS_LIVE))).one_or_none()
    if stage is None:
        raise NotFound("stage not found", field=field)
    return stage


async def in_order(transaction: Transaction, pipeline_id: uuid.UUID) -> list[Any]:
    """The stages of a pipeline that are not deleted, in the order of the board. Raises NotFound."""
    pipelines = table(Pipeline)
    rows = pipelines.outerjoin(_STAGES, (_STAGES.c.pipeline_id == pipelines.c.id) & IS_LIVE)
    query = select(_STAGES).select_from(rows).where(pipelines.c.id == pipeline_id).order_by(_STAGES.c.order_index)
    found = (await transaction.execute(query)).all()
    if not found:
        raise NotFound("pipeline not found", field="pipeline_id")
    return [stage for stage in found if stage.id is not None]


async def deal_count(transaction: Transaction, *are_meant: Any) -> int:
    """How many deals, deleted ones included, are in the stages that meet the conditions."""
    deals = table(Deal)
    rows = deals.join(_STAGES, _STAGES.c.id == deals.c.stage_id)
    count: int = (await transaction.execute(select(func.count()).select_from(rows).where(*are_meant))).scalar_one()
    return count


async def check_open_is_left(transaction: Transaction, stage: Any, *, field: str) -> None:
    """Raises Conflict when this is the pipeline's last open stage."""
    c = _STAGES.c
    others = select(c.id).where(c.pipeline_id == stage.pipeline_id, c.id != stage.id, c.kind == StageKind.OPEN, IS_LIVE)
    if stage.kind is StageKind.OPEN and (await transaction.execute(others.limit(1))).one_or_none() is None:
        raise Conflict("it is the pipeline's last stage of kind OPEN, where new deals start: add another", field=field)


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a stage, if they may be stored. Raises ValidationFailed naming the field."""
    found = dict(values)
    for name in ("probability", "kind"):
        if name in found and found[name] is None:
            raise ValidationFailed(f"{name} can't be cleared", field=name)
    if "name" in found:
        found["name"] = check_name(found["name"])
    if "key" in found and not _KEY.fullmatch(found["key"] or ""):
        message = "key must be up to 100 of a-z, 0-9 and _, and begin with a letter, such as proposal_sent"
        raise ValidationFailed(message, field="key")
    if "probability" in found:
        probability = found["probability"]
        if not 0 <= probability <= 1 or round(probability, 3) != probability:
            raise ValidationFailed("probability must be 0 to 1, with at most 3 decimals", field="probability")
        found["probability"] = Decimal(str(probability))
    return found


async def _put_in_order(transaction: Transaction, stage_ids: Sequence[uuid.UUID]) -> None:
    # One statement: the constraint on the order is judged when it ends.
    ids = func.unnest(literal(list(stage_ids), ARRAY(Uuid)))
    order = ids.table_valued(column("id", Uuid), with_ordinality="place").render_derived("in_order")
    placed = update(_STAGES).where(_STAGES.c.id == order.c.id).values(order_index=order.c.place)
    await transaction.execute(placed)
