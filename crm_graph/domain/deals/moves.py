"""Moves of a deal through the stages of its pipeline, by people and by events."""

import uuid
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import CTE, ColumnElement, Executable, FromClause, Text, and_, case, func, null, select

from crm_graph.database.statements import Statement, param
from crm_graph.domain.deals import ranks
from crm_graph.domain.deals.ranks import TOP, Place
from crm_graph.domain.deals.stage_history import INSERT_MOVE, Stage, deal_entry_params, last_move, move_params
from crm_graph.domain.locking import RowLock
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.models import Deal, DealStageHistory, DealStatus, PipelineStage, StageKind, table
from crm_graph.values import CLOCK_SKEW, check_text


class MovingDeal(NamedTuple):
    """A locked deal with the stage that it is in (`from_`) and the one that it goes to (`to_`), if there is one.

    `top` is the rank on top of that stage's column, which is locked, too; None for an empty one, or when many deals
    move.
    """

    id: uuid.UUID
    version: int
    pipeline_id: uuid.UUID
    stage_id: uuid.UUID
    status: str
    lost_reason: str | None
    from_key: str
    from_name: str
    from_kind: str
    from_order_index: int
    to_id: uuid.UUID | None  # the other columns of the stage are null only together with it
    to_pipeline_id: uuid.UUID
    to_key: str
    to_name: str
    to_kind: str
    to_order_index: int
    top: str | None

    @property
    def source(self) -> Stage:
        return Stage(
            self.stage_id, self.pipeline_id, self.from_key, self.from_name, self.from_kind, self.from_order_index
        )

    @property
    def target(self) -> Stage | None:
        if self.to_id is None:
            return None
        return Stage(self.to_id, self.to_pipeline_id, self.to_key, self.to_name, self.to_kind, self.to_order_index)


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
    """Move a deal to another stage of its pipeline. A stage of kind won or lost sets the status, an open one reopens.

    Already in the stage: succeeds, and only its place in the column changes, if one is given. `occurred_at` (default:
    now) is when the move happened. Raises ValidationFailed if that is in the future, and Conflict if the deal has moved
    since, because a late report must not overwrite a newer state. Raises NotFound or ValidationFailed for a stage of
    another pipeline, and what `ranks.rank_at` raises.
    """
    place = Place(after_deal_id, before_deal_id)
    deal, target = await _lock(work, deal_id, expected_version, stage_id=stage_id)
    check_pipeline(deal, target)
    if target.id == deal.stage_id:
        if not place.is_top:
            await ranks.reposition(work, deal.stage_id, deal.id, deal.top, place)
        return deal_id
    if occurred_at is not None:
        last = await last_move(work.transaction, deal.id)
        check_time(occurred_at, last.moved_at if last else None, work.now)
    await _move(work, deal, target, at=min(occurred_at or work.now, work.now), place=place)
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

    A reopened deal goes back to the last open stage that it was in. Already won, lost or open: succeeds; a lost deal
    gets the new `reason`. Raises NotFound, ValidationFailed or Conflict naming the field.
    """
    if kind is StageKind.LOST and not check_text(reason or "", field="reason").strip():
        raise ValidationFailed("reason is empty: say why the deal was lost", field="reason")
    deal, target = await _lock(work, deal_id, expected_version, stage_id=stage_id, kind=kind)
    check_pipeline(deal, target)
    if target.kind != kind:
        raise ValidationFailed(f"the stage {target.name!r} is of kind {target.kind}, not {kind}", field="stage_id")
    is_there = deal.status == kind and stage_id in (None, deal.stage_id)
    if not is_there:
        await _move(work, deal, target, at=work.now, lost_reason=reason)
    elif deal.lost_reason != reason and kind is StageKind.LOST:
        await _set_lost_reason(work, deal, reason)
    return deal_id


async def advance(
    work: UnitOfWork, deal_id: uuid.UUID, stage_id: uuid.UUID, *, occurred_at: datetime, received_at: datetime
) -> bool:
    """Move a deal because of an event; returns whether it moved.

    Events only move a deal forward by `order_index`, never out of won or lost, and never if a person has moved it since
    the event was received: an event that waited for a retry is older than that person's decision.
    """
    deal, target = await _lock(work, deal_id, stage_id=stage_id)
    if deal.status != DealStatus.OPEN or target.pipeline_id != deal.pipeline_id:
        return False
    if target.kind == StageKind.OPEN and target.order_index <= deal.from_order_index:
        return False
    last = await last_move(work.transaction, deal.id)
    if last is not None and last.moved_by is not None and last.moved_at > received_at:
        return False
    await _move(work, deal, target, at=occurred_at)
    return True


def check_pipeline(deal: MovingDeal, target: Stage) -> None:
    """Raises ValidationFailed when a deal's target is a stage of another pipeline."""
    if target.pipeline_id != deal.pipeline_id:
        raise ValidationFailed("the stage belongs to a different pipeline than the deal", field="stage_id")


def check_time(occurred_at: datetime, last: datetime | None, now: datetime) -> None:
    """Raises ValidationFailed for a move in the future, and Conflict for one before the deal's `last` move."""
    if occurred_at > now + CLOCK_SKEW:
        raise ValidationFailed("occurredAt is in the future", field="occurred_at")
    if last is not None and occurred_at < last:
        raise Conflict(f"the deal was moved later, at {last.isoformat()}", field="occurred_at")


async def _lock(
    work: UnitOfWork,
    deal_id: uuid.UUID,
    expected_version: int | None = None,
    *,
    stage_id: uuid.UUID | None = None,
    kind: StageKind | None = None,
) -> tuple[MovingDeal, Stage]:
    """Lock a deal, then the column of the stage that it goes to: `stage_id`, else one of this kind (see `_of_kind`)."""
    lock = _LOCK_FOR_KIND if stage_id is None else _LOCK_FOR_STAGE
    deal = await lock.one(work, deal_id, expected_version, stage_id=stage_id, kind=kind)
    if deal.target is not None:
        return deal, deal.target
    if stage_id is not None:
        raise NotFound("stage not found", field="stage_id")
    raise Conflict(f"the deal's pipeline has no stage of kind {kind}: an admin must add one", field="deal_id")


async def _move(
    work: UnitOfWork,
    deal: MovingDeal,
    target: Stage,
    *,
    at: datetime,
    place: Place = TOP,
    lost_reason: str | None = None,
) -> None:
    """Move a locked deal to a stage whose column is locked too, with its history and its entry, in one statement."""
    rank = await ranks.rank_at(work, target.id, deal.id, deal.top, place)
    params = move_params(work, deal.id, deal.source, target, rank=rank, at=at, lost_reason=lost_reason)
    await INSERT_MOVE.run(work.transaction, **params)


async def _set_lost_reason(work: UnitOfWork, deal: MovingDeal, reason: str | None) -> None:
    meta = {"changes": activities.old_and_new(deal, {"lost_reason": reason})}
    entry = deal_entry_params(work, deal.id, "Deal changed: lost_reason", meta)
    await _UPDATE_REASON.run(work.transaction, id=deal.id, lost_reason=reason, now=work.now, **entry)


def select_moving(rows: FromClause, deal: CTE, stage_id: ColumnElement[uuid.UUID], *, locks_column: bool) -> Executable:
    """The columns of MovingDeal, from `rows` that include a locked deal and the id of the stage that it goes to."""
    before, after = (table(PipelineStage).alias(name) for name in ("before", "after"))
    is_target = and_(after.c.id == stage_id, after.c.deleted_at.is_(None))
    joined = rows.outerjoin(before, before.c.id == deal.c.stage_id).outerjoin(after, is_target)
    columns = [deal.c[name] for name in MovingDeal._fields if name in deal.c]
    columns += [before.c[name].label(f"from_{name}") for name in ("key", "name", "kind", "order_index")]
    columns += [after.c[name].label(f"to_{name}") for name in Stage._fields]
    top = ranks.lock_column(after.c.id, deal.c.id) if locks_column else null().cast(Text)
    return select(*columns, top.label("top")).select_from(joined)


def _of_kind(deal: CTE) -> ColumnElement[uuid.UUID]:
    """The id of a stage of the kind: the last open one that the deal was in, else the pipeline's first."""
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


def _with_stage(deal: CTE) -> Executable:
    return select_moving(deal, deal, param(PipelineStage, "id", "stage_id"), locks_column=True)


def _with_stage_of_kind(deal: CTE) -> Executable:
    return select_moving(deal, deal, _of_kind(deal), locks_column=True)


_LOCK_FOR_STAGE = RowLock(MovingDeal, Deal, "deal", read=_with_stage)
_LOCK_FOR_KIND = RowLock(MovingDeal, Deal, "deal", read=_with_stage_of_kind)
_UPDATE_REASON = Statement(lambda: activities.update_with_entry(Deal, "lost_reason"))
