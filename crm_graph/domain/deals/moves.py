"""How a deal moves through the stages of its pipeline, by people and by events, and where it then stands."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import CTE, ColumnElement, FromClause, Select, and_, case, func, select, update

from crm_graph.database.statements import Statement, combined, param
from crm_graph.domain.deals import ranks
from crm_graph.domain.deals.ranks import TOP, Place
from crm_graph.domain.deals.stage_history import MOVE, entry, last_move, moved
from crm_graph.domain.locking import RowLock
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.models import (
    Deal,
    DealStageHistory,
    DealStatus,
    PipelineStage,
    StageKind,
    table,
)
from crm_graph.values import CLOCK_SKEW, check_text


@dataclass(frozen=True, slots=True)
class Target:
    """A stage by its id, or the one of a kind: for `open` the last open one that the deal was in, else the first."""

    stage_id: uuid.UUID | None = None
    kind: StageKind | None = None


class MovingDeal(NamedTuple):
    """A locked deal with the stage that it is in (`from_`), the one that it goes to (`to_`), and the rank on top there.

    `to_` is None when there is no such stage.
    """

    id: uuid.UUID
    version: int
    pipeline_id: uuid.UUID
    stage_id: uuid.UUID
    status: str
    lost_reason: str | None
    from_key: str
    from_name: str
    from_order_index: int
    to_id: uuid.UUID | None
    to_pipeline_id: uuid.UUID | None
    to_kind: str | None
    to_key: str | None
    to_name: str | None
    to_order_index: int | None
    top: str | None


async def move_stage(
    work: UnitOfWork,
    *,
    deal_id: uuid.UUID,
    stage_id: uuid.UUID,
    occurred_at: datetime | None = None,
    after_deal_id: uuid.UUID | None = None,
    before_deal_id: uuid.UUID | None = None,
    expected_version: int | None = None,
) -> uuid.UUID:
    """Move a deal to another stage of its pipeline; a stage of kind won or lost sets the status, an open one reopens.

    To be in the stage already is success: nothing changes, but for the place in the column where one is given.
    `occurred_at` (default: now) is when it happened: raises ValidationFailed when that lies ahead, and Conflict when
    the deal has moved since, because a late report must not overwrite a newer state. Raises NotFound or
    ValidationFailed for a stage that isn't the pipeline's, and what `ranks.rank` raises.
    """
    place = Place(after_deal_id, before_deal_id)
    deal = await _lock(work, deal_id, Target(stage_id), expected_version)
    check_pipeline(deal)
    if deal.to_id == deal.stage_id:
        if not place.is_top:
            await ranks.put(work, deal.stage_id, deal.id, deal.top, place)
        return deal_id
    if occurred_at is not None:
        last = await last_move(work.transaction, deal.id)
        check_time(occurred_at, last.moved_at if last else None, work.now)
    await _move(work, deal, at=min(occurred_at or work.now, work.now), place=place)
    return deal_id


async def mark(
    work: UnitOfWork,
    *,
    deal_id: uuid.UUID,
    kind: StageKind,
    reason: str | None = None,
    stage_id: uuid.UUID | None = None,
    expected_version: int | None = None,
) -> uuid.UUID:
    """Win, lose or reopen a deal: move it to a stage of that kind, by default the pipeline's first.

    Reopened, it goes back to the last open stage that it was in. To be won, lost or open already is success; a lost
    deal takes the new `reason`. Raises NotFound, ValidationFailed or Conflict naming the field.
    """
    if kind is StageKind.LOST and not check_text(reason or "", field="reason").strip():
        raise ValidationFailed("reason is empty: say why the deal was lost", field="reason")
    deal = await _lock(work, deal_id, Target(stage_id, kind), expected_version)
    check_pipeline(deal)
    if deal.to_kind != kind:
        raise ValidationFailed(f"the stage {deal.to_name!r} is of kind {deal.to_kind}, not {kind}", field="stage_id")
    is_there = deal.status == kind and stage_id in (None, deal.stage_id)
    if not is_there:
        await _move(work, deal, at=work.now, lost_reason=reason)
    elif deal.lost_reason != reason and kind is StageKind.LOST:
        told = entry(work.principal, deal.id, "Deal changed: lost_reason", work.now, _reasons(deal, reason))
        await _REASON.run(work.transaction, id=deal.id, lost_reason=reason, updated_at=work.now, **told)
    return deal_id


async def advance(
    work: UnitOfWork, deal_id: uuid.UUID, stage_id: uuid.UUID, *, occurred_at: datetime, received_at: datetime
) -> bool:
    """Move a deal because of an event; returns whether it moved.

    Events only move a deal forward by `order_index`, never out of won or lost, and never after a person has moved
    it since the event reached us (an event that waited for a retry knows less than that person).
    """
    locked = await _lock(work, deal_id, Target(stage_id), None)
    if locked.status != DealStatus.OPEN or locked.to_pipeline_id != locked.pipeline_id:
        return False
    if locked.to_kind == StageKind.OPEN and locked.to_order_index <= locked.from_order_index:
        return False
    last = await last_move(work.transaction, locked.id)
    if last is not None and last.moved_by is not None and last.moved_at > received_at:
        return False
    await _move(work, locked, at=occurred_at)
    return True


def check_pipeline(deal: Any) -> None:
    """Raises ValidationFailed when a locked deal's target is a stage of another pipeline."""
    if deal.to_pipeline_id != deal.pipeline_id:
        raise ValidationFailed("the stage belongs to another pipeline than the deal", field="stage_id")


def check_time(occurred_at: datetime, last: datetime | None, now: datetime) -> None:
    """Raises ValidationFailed for a move in the future, and Conflict for one from before the deal's `last`."""
    if occurred_at > now + CLOCK_SKEW:
        raise ValidationFailed("occurredAt lies in the future", field="occurred_at")
    if last is not None and occurred_at < last:
        raise Conflict(f"the deal was moved at {last.isoformat()}, after this", field="occurred_at")


async def _lock(work: UnitOfWork, deal_id: uuid.UUID, target: Target, expected_version: int | None) -> Any:
    """The deal, then the column that it goes to; with the stage that it is in (`from_`), and that one (`to_`)."""
    kind, by_id = target.kind, target.stage_id
    lock = _LOCK_FOR_KIND if by_id is None and kind is not None else _LOCK_FOR_STAGE
    deal = await lock.one(work, deal_id, expected_version, stage_id=by_id, kind=kind)
    if deal.to_id is None and by_id is not None:
        raise NotFound("stage not found", field="stage_id")
    if deal.to_id is None:
        raise Conflict(f"the deal's pipeline has no stage of kind {kind}: an admin must add one", field="deal_id")
    return deal


async def _move(
    work: UnitOfWork, deal: Any, *, at: datetime, place: Place = TOP, lost_reason: str | None = None
) -> None:
    """Move a locked deal to its `to_` stage, whose column is locked too; one statement changes and tells everything."""
    rank = await ranks.rank(work, deal.to_id, deal.id, deal.top, place)
    await MOVE.run(work.transaction, **moved(work.principal, deal, rank, at=at, now=work.now, lost_reason=lost_reason))


def _reasons(deal: Any, reason: str | None) -> dict[str, Any]:
    return {"changes": {"lost_reason": {"old": deal.lost_reason, "new": reason}}}


def _with_stages(deal: CTE, stage_id: ColumnElement[Any]) -> Select[Any]:
    rows, columns, after = between(deal, deal, stage_id)
    locked = (deal.c[name] for name in MovingDeal._fields if name in deal.c)
    return select(*locked, *columns, ranks.locked_top(after.c.id, deal.c.id).label("top")).select_from(rows)


def between(rows: FromClause, deal: FromClause, target_id: Any) -> tuple[FromClause, list[Any], FromClause]:
    """`rows` with two stages beside them: that of the deal (the columns `from_`), and the one that it goes to (`to_`),
    which comes last.
    """
    before, after = (table(PipelineStage).alias(name) for name in ("before", "after"))
    target = and_(after.c.id == target_id, after.c.deleted_at.is_(None))
    names = ("key", "name", "order_index")
    columns = [before.c[name].label(f"from_{name}") for name in names]
    columns += [after.c[name].label(f"to_{name}") for name in ("id", "pipeline_id", "kind", *names)]
    return rows.outerjoin(before, before.c.id == deal.c.stage_id).outerjoin(after, target), columns, after


def _of_kind(deal: Any) -> Any:
    """The id of the stage of a kind: the last one that the deal was in while it was open, else the pipeline's first."""
    stages, moves = table(PipelineStage).alias("of_kind"), table(DealStageHistory)
    last = select(func.max(moves.c.moved_at)).where(moves.c.deal_id == deal.c.id, moves.c.to_stage_id == stages.c.id)
    was_there = case((stages.c.kind == StageKind.OPEN, last.scalar_subquery()))
    return (
        select(stages.c.id)
        .where(stages.c.pipeline_id == deal.c.pipeline_id, stages.c.kind == param(PipelineStage, "kind"))
        .where(stages.c.deleted_at.is_(None))
        .order_by(was_there.desc().nulls_last(), stages.c.order_index)
        .limit(1)
        .scalar_subquery()
    )


def _reason_changed() -> Any:
    deals = table(Deal)
    names = ("lost_reason", "updated_at")
    changed = update(deals).where(deals.c.id == param(Deal, "id"))
    return combined(
        changed.values({name: param(Deal, name) for name in names} | {"version": deals.c.version + 1}),
        activities.insert_entry(),
    )


_LOCK_FOR_STAGE = RowLock(
    MovingDeal, Deal, "deal", read=lambda deal: _with_stages(deal, param(PipelineStage, "id", "stage_id"))
)
_LOCK_FOR_KIND = RowLock(MovingDeal, Deal, "deal", read=lambda deal: _with_stages(deal, _of_kind(deal)))
_REASON = Statement(_reason_changed)
