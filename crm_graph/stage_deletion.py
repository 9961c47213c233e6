"""How a stage is deleted: it disappears from the board, its deals move on, and their history still names it."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, CTE, Insert, Text, Uuid, column, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm_graph import activities, ranks, setup, stages
from crm_graph.auth import Principal
from crm_graph.errors import Conflict, ValidationFailed
from crm_graph.models import Deal, DealStageHistory, DealStatus, PipelineStage, StageKind, table
from crm_graph.models.columns import Time
from crm_graph.ranks import column_lock

DEALS_MAX = 10_000  # of one stage: they move in one transaction, which lasts seconds at most
_DEALS, _MOVES = table(Deal), table(DealStageHistory)


async def delete(
    session: AsyncSession,
    principal: Principal,
    *,
    stage_id: uuid.UUID,
    now: datetime,
    target_stage_id: uuid.UUID | None = None,
) -> int:
    """Delete a stage; its deals go to the top of the target's column, in the order that they have. Returns how many.

    Raises NotFound or ValidationFailed naming the field, and Conflict when deals are in it (deleted ones count, because
    they can be restored) and no target is given, or more than DEALS_MAX, or when it is the pipeline's last open one.
    """
    await setup.begin(session, principal)
    stage = await stages.find(session, stage_id)
    await stages.check_open_is_left(session, stage, field="stage_id")
    target = await _target(session, stage, target_stage_id)
    found = await _hold(session, stage_id)
    if found and target is None:
        message = f"{len(found)} deals, deleted ones included, are in the stage: name the stage that they go to"
        raise Conflict(message, field="target_stage_id", details={"dealCount": len(found)})
    if len(found) > DEALS_MAX:
        message = f"{len(found)} deals are in the stage; at most {DEALS_MAX} move with it: move some of them before"
        raise Conflict(message, field="stage_id", details={"dealCount": len(found)})
    if found:
        await _move(session, principal, stage, target, found, now)
    c = table(PipelineStage).c
    await session.execute(update(table(PipelineStage)).where(c.id == stage_id).values(deleted_at=now))
    return len(found)


async def _target(session: AsyncSession, stage: Any, target_stage_id: uuid.UUID | None) -> Any:
    if target_stage_id is None:
        return None
    target = await stages.find(session, target_stage_id, "target_stage_id")
    if target.id == stage.id or target.pipeline_id != stage.pipeline_id:
        raise ValidationFailed("the deals go to another stage of the same pipeline", field="target_stage_id")
    return target


async def _hold(session: AsyncSession, stage_id: uuid.UUID) -> list[uuid.UUID]:
    """The deals of a stage in their order; they are locked, and no other one can come in any more."""
    here = select(_DEALS.c.id, _DEALS.c.rank).where(_DEALS.c.stage_id == stage_id)
    held = here.order_by(_DEALS.c.id).with_for_update(key_share=True).cte("held")
    # Deals are locked before their column, as everywhere; then those that came in between the two.
    early = select(func.count().label("deals")).select_from(held).subquery("early")
    await session.execute(select(early.c.deals, column_lock(literal(stage_id, Uuid))))
    return list(await session.scalars(select(held.c.id).order_by(held.c.rank, held.c.id)))


async def _move(
    session: AsyncSession, principal: Principal, stage: Any, target: Any, found: list[uuid.UUID], now: datetime
) -> None:
    """Move deals that are locked, with their history and entries, in one statement however many they are."""
    await session.execute(select(column_lock(literal(target.id, Uuid))))
    places = await ranks.ranks(session, target.id, found)
    both = func.unnest(literal(found, ARRAY(Uuid)), literal(places, ARRAY(Text)))
    new = both.table_valued(column("id", Uuid), column("rank", Text)).render_derived("new")
    values = {
        "stage_id": target.id,
        "status": DealStatus(target.kind),
        "rank": new.c.rank,
        "version": _DEALS.c.version + 1,
        "updated_at": now,
    }
    if target.kind is not StageKind.LOST:
        values["lost_reason"] = None
    deals = update(_DEALS).where(_DEALS.c.id == new.c.id).values(values)
    moved = deals.returning(_DEALS.c.id).cte("moved")
    told = activities.entries(
        principal,
        moved,
        content=f"{stage.name} -> {target.name}, because the stage was deleted",
        occurred_at=now,
        meta={"from_stage": stage.key, "to_stage": target.key},
        deal_id=moved.c.id,
    )
    history = _history(principal, moved, stage.id, target.id, now)
    await session.execute(select(literal(1)).add_cte(history.cte("history"), told.cte("told")))


def _history(principal: Principal, moved: CTE, from_id: uuid.UUID, to_id: uuid.UUID, now: datetime) -> Insert:
    latest = select(func.max(_MOVES.c.moved_at) + timedelta(microseconds=1)).where(_MOVES.c.deal_id == moved.c.id)
    columns = {
        "id": func.gen_random_uuid(),
        "deal_id": moved.c.id,
        "from_stage_id": literal(from_id, Uuid),
        "to_stage_id": literal(to_id, Uuid),
        "moved_at": func.greatest(literal(now, Time), latest.scalar_subquery()),
        "moved_by": literal(principal.owner_id, Uuid),
        "source": literal(principal.source),
    }
    return insert(_MOVES).from_select(list(columns), select(*columns.values()), include_defaults=False)
