"""How a stage is deleted: it disappears from the board, its deals move on, and their history still names it."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    Boolean,
    Insert,
    Text,
    Uuid,
    bindparam,
    case,
    column,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from crm_graph import activities, ranks, setup, stages
from crm_graph.auth import Principal
from crm_graph.errors import Conflict, ValidationFailed
from crm_graph.models import ActivityType, Deal, DealStageHistory, DealStatus, PipelineStage, StageKind, table
from crm_graph.prepared import Prepared, given, given_ids
from crm_graph.ranks import column_lock

DEALS_MAX = 10_000  # of one stage: they move in one transaction, which lasts seconds at most


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
    deals = table(Deal)
    here = select(deals.c.id, deals.c.rank).where(deals.c.stage_id == stage_id)
    held = here.order_by(deals.c.id).with_for_update(key_share=True).cte("held")
    # Deals are locked before their column, as everywhere; then those that came in between the two.
    early = select(func.count().label("deals")).select_from(held).subquery("early")
    await session.execute(select(early.c.deals, column_lock(literal(stage_id, Uuid))))
    return list(await session.scalars(select(held.c.id).order_by(held.c.rank, held.c.id)))


async def _move(
    session: AsyncSession, principal: Principal, stage: Any, target: Any, found: list[uuid.UUID], now: datetime
) -> None:
    """Move deals that are locked, with their history and entries, in one statement however many they are."""
    await session.execute(select(column_lock(literal(target.id, Uuid))))
    told = activities.entry_values(
        principal,
        type=ActivityType.SYSTEM,
        content=f"{stage.name} -> {target.name}, because the stage was deleted",
        occurred_at=now,
        meta={"from_stage": stage.key, "to_stage": target.key},
    )
    await _MOVE.run(
        session,
        ids=found,
        ranks=await ranks.ranks(session, target.id, found),
        from_stage_id=stage.id,
        stage_id=target.id,
        status=DealStatus(target.kind),
        is_lost=target.kind is StageKind.LOST,
        moved_by=principal.owner_id,
        source=principal.source,
        now=now,
        **told,
    )


def _moved() -> Any:
    deals, is_lost = table(Deal), bindparam("_is_lost", type_=Boolean, required=True)
    both = func.unnest(given_ids("ids"), bindparam("_ranks", type_=ARRAY(Text), required=True))
    new = both.table_valued(column("id", Uuid), column("rank", Text)).render_derived("new")
    values = {
        "stage_id": given(Deal, "stage_id"),
        "status": given(Deal, "status"),
        "lost_reason": case((is_lost, deals.c.lost_reason)),
        "rank": new.c.rank,
        "version": deals.c.version + 1,
        "updated_at": given(Deal, "updated_at", "now"),
    }
    moved = update(deals).where(deals.c.id == new.c.id).values(values).returning(deals.c.id).cte("moved")
    told = activities.entry(only_with=moved, id=func.gen_random_uuid(), deal_id=moved.c.id)
    return select(literal(1)).add_cte(_history(moved).cte("history"), told.cte("told"))


def _history(moved: CTE) -> Insert:
    moves = table(DealStageHistory)
    latest = select(func.max(moves.c.moved_at) + timedelta(microseconds=1)).where(moves.c.deal_id == moved.c.id)
    columns = {
        "id": func.gen_random_uuid(),
        "deal_id": moved.c.id,
        "from_stage_id": given(DealStageHistory, "from_stage_id"),
        "to_stage_id": given(Deal, "stage_id"),
        "moved_at": func.greatest(given(DealStageHistory, "moved_at", "now"), latest.scalar_subquery()),
        "moved_by": given(DealStageHistory, "moved_by"),
        "source": given(DealStageHistory, "source"),
    }
    return insert(moves).from_select(list(columns), select(*columns.values()), include_defaults=False)


_MOVE = Prepared(_moved)
