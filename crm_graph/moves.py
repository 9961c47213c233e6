"""How a deal moves through the stages of its pipeline, by people and by events, and where it then stands."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import and_, case, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm_graph import activities, ranks, references
from crm_graph.auth import Principal, visible
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.models import (
    ActivityType,
    Deal,
    DealStageHistory,
    DealStatus,
    PipelineStage,
    Role,
    StageKind,
    table,
)
from crm_graph.prepared import Prepared, given, together
from crm_graph.ranks import TOP, Place
from crm_graph.values import CLOCK_SKEW, check_text


@dataclass(frozen=True, slots=True)
class Target:
    """A stage by its id, or the one of a kind: for `open` the last open one that the deal was in, else the first."""

    stage_id: uuid.UUID | None = None
    kind: StageKind | None = None


async def move_stage(
    session: AsyncSession,
    principal: Principal,
    *,
    deal_id: uuid.UUID,
    stage_id: uuid.UUID,
    now: datetime,
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
    deal = await _lock(session, principal, deal_id, Target(stage_id), expected_version)
    if deal.to_pipeline_id != deal.pipeline_id:
        raise ValidationFailed("the stage belongs to another pipeline than the deal", field="stage_id")
    if deal.to_id == deal.stage_id:
        if not place.is_top:
            await ranks.put(session, principal, deal.stage_id, deal.id, deal.top, place)
        return deal_id
    if occurred_at is not None and occurred_at > now + CLOCK_SKEW:
        raise ValidationFailed("occurredAt lies in the future", field="occurred_at")
    last = await last_move(session, deal.id) if occurred_at else None
    if occurred_at is not None and last is not None and occurred_at < last.moved_at:
        raise Conflict(f"the deal was moved at {last.moved_at.isoformat()}, after this", field="occurred_at")
    await _move(session, principal, deal, at=min(occurred_at or now, now), now=now, place=place)
    return deal_id


async def mark(
    session: AsyncSession,
    principal: Principal,
    *,
    deal_id: uuid.UUID,
    kind: StageKind,
    now: datetime,
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
    deal = await _lock(session, principal, deal_id, Target(stage_id, kind), expected_version)
    if deal.to_pipeline_id != deal.pipeline_id:
        raise ValidationFailed("the stage belongs to another pipeline than the deal", field="stage_id")
    if deal.to_kind != kind:
        raise ValidationFailed(f"the stage {deal.to_name!r} is of kind {deal.to_kind}, not {kind}", field="stage_id")
    is_there = deal.status == kind and stage_id in (None, deal.stage_id)
    if not is_there:
        await _move(session, principal, deal, at=now, now=now, lost_reason=reason)
    elif deal.lost_reason != reason and kind is StageKind.LOST:
        entry = _entry(principal, deal, "Deal changed: lost_reason", now, _reasons(deal, reason))
        await _REASON.run(session, id=deal.id, lost_reason=reason, updated_at=now, **entry)
    return deal_id


async def advance(
    session: AsyncSession,
    principal: Principal,
    deal_id: uuid.UUID,
    stage_id: uuid.UUID,
    *,
    occurred_at: datetime,
    received_at: datetime,
    now: datetime,
) -> bool:
    """Move a deal because of an event; returns whether it moved.

    Events only move a deal forward by `order_index`, never out of won or lost, and never after a person has moved
    it since the event reached us (an event that waited for a retry knows less than that person).
    """
    locked = await _lock(session, principal, deal_id, Target(stage_id), None)
    if locked.status != DealStatus.OPEN or locked.to_pipeline_id != locked.pipeline_id:
        return False
    if locked.to_kind == StageKind.OPEN and locked.to_order_index <= locked.from_order_index:
        return False
    last = await last_move(session, locked.id)
    if last is not None and last.moved_by is not None and last.moved_at > received_at:
        return False
    await _move(session, principal, locked, at=occurred_at, now=now)
    return True


async def last_move(session: AsyncSession, deal_id: uuid.UUID) -> Any | None:
    """When a deal was moved last, and by whom (None: an event)."""
    return await _LAST.one(session, deal_id=deal_id)


def creation() -> Any:
    """The INSERT of a deal's first history row, to be run with `creation_values`."""
    names = ("deal_id", "to_stage_id", "moved_at", "moved_by", "source")
    values = {name: given(DealStageHistory, name, f"move_{name}") for name in names}
    return insert(table(DealStageHistory)).values(values | {"id": func.gen_random_uuid()})


def creation_values(principal: Principal, deal_id: uuid.UUID, stage_id: uuid.UUID, at: datetime) -> dict[str, Any]:
    """The parameters of `creation`."""
    values = {"deal_id": deal_id, "to_stage_id": stage_id, "moved_at": at}
    return {f"move_{name}": value for name, value in (values | _mover(principal)).items()}


def _mover(principal: Principal) -> dict[str, Any]:
    return {"moved_by": principal.owner_id, "source": principal.source}


async def _lock(
    session: AsyncSession, principal: Principal, deal_id: uuid.UUID, target: Target, expected_version: int | None
) -> Any:
    """The deal, then the column that it goes to; with the stage that it is in (`from_`), and that one (`to_`)."""
    principal.must_write()
    kind, by_id = target.kind, target.stage_id
    deal = await _locking(principal.role, by_id is None and kind is not None).one(
        session, caller=principal.owner_id, deal_id=deal_id, stage_id=by_id, kind=kind
    )
    if deal is None:
        raise NotFound("deal not found", field="deal_id")
    references.check_version(deal, expected_version)
    if deal.to_id is None and by_id is not None:
        raise NotFound("stage not found", field="stage_id")
    if deal.to_id is None:
        raise Conflict(f"the deal's pipeline has no stage of kind {kind}: an admin must add one", field="deal_id")
    return deal


async def _move(
    session: AsyncSession,
    principal: Principal,
    deal: Any,
    *,
    at: datetime,
    now: datetime,
    place: Place = TOP,
    lost_reason: str | None = None,
) -> None:
    """Move a locked deal to its `to_` stage, whose column is locked too; one statement changes and tells everything."""
    found = await ranks.rank(session, principal, deal.to_id, deal.id, deal.top, place)
    stages = {"from_stage": deal.from_key, "to_stage": deal.to_key}
    reason = {"lost_reason": lost_reason} if lost_reason else {}
    await _MOVE.run(
        session,
        id=deal.id,
        stage_id=deal.to_id,
        status=DealStatus(deal.to_kind),
        lost_reason=lost_reason,
        rank=found,
        updated_at=now,
        from_stage_id=deal.stage_id,
        moved_at=at,
        **_mover(principal),
        **_entry(principal, deal, f"{deal.from_name} -> {deal.to_name}", at, stages | reason),
    )


def _entry(principal: Principal, deal: Any, content: str, at: datetime, meta: Mapping[str, Any]) -> dict[str, Any]:
    # On the deal's timeline alone: whoever sees its contact may not see this deal.
    return activities.entry_values(
        principal, type=ActivityType.SYSTEM, content=content, occurred_at=at, deal_id=deal.id, meta=meta
    )


def _reasons(deal: Any, reason: str | None) -> dict[str, Any]:
    return {"changes": {"lost_reason": {"old": deal.lost_reason, "new": reason}}}


@cache
def _locking(role: Role, by_kind: bool) -> Prepared:
    def make() -> Any:
        deals, stages = table(Deal), table(PipelineStage)
        is_it = deals.c.id == given(Deal, "id", "deal_id")
        # The rule is read again once the lock is there: a deal that was given away meanwhile is not found.
        found = select(deals).where(is_it, visible(Deal, Principal(None, role))).with_for_update(key_share=True)
        deal = found.cte("deal")
        before, after = stages.alias("before"), stages.alias("after")
        wanted = _of_kind(deal) if by_kind else given(PipelineStage, "id", "stage_id")
        target = and_(after.c.id == wanted, after.c.deleted_at.is_(None))
        rows = deal.join(before, before.c.id == deal.c.stage_id).outerjoin(after, target)
        names = ("key", "name", "order_index")
        return select(
            deal,
            *(before.c[name].label(f"from_{name}") for name in names),
            *(after.c[name].label(f"to_{name}") for name in ("id", "pipeline_id", "kind", *names)),
            ranks.locked_top(after.c.id, deal.c.id).label("top"),
        ).select_from(rows)

    return Prepared(make)


def _of_kind(deal: Any) -> Any:
    """The id of the stage of a kind: the last one that the deal was in while it was open, else the pipeline's first."""
    stages, moves = table(PipelineStage).alias("of_kind"), table(DealStageHistory)
    last = select(func.max(moves.c.moved_at)).where(moves.c.deal_id == deal.c.id, moves.c.to_stage_id == stages.c.id)
    was_there = case((stages.c.kind == StageKind.OPEN, last.scalar_subquery()))
    return (
        select(stages.c.id)
        .where(stages.c.pipeline_id == deal.c.pipeline_id, stages.c.kind == given(PipelineStage, "kind"))
        .where(stages.c.deleted_at.is_(None))
        .order_by(was_there.desc().nulls_last(), stages.c.order_index)
        .limit(1)
        .scalar_subquery()
    )


def _moved() -> Any:
    deals, moves = table(Deal), table(DealStageHistory)
    is_it = deals.c.id == given(Deal, "id")
    names = ("stage_id", "status", "lost_reason", "rank", "updated_at")
    moved = (
        update(deals)
        .where(is_it)
        .values({name: given(Deal, name) for name in names} | {"version": deals.c.version + 1})
    )
    # Two servers' clocks differ, and the order of moves is that of the deal's lock: time always runs forward here.
    latest = select(func.max(moves.c.moved_at) + timedelta(microseconds=1)).where(moves.c.deal_id == given(Deal, "id"))
    history = insert(moves).values(
        id=func.gen_random_uuid(),
        deal_id=given(Deal, "id"),
        from_stage_id=given(DealStageHistory, "from_stage_id"),
        to_stage_id=given(Deal, "stage_id"),
        moved_at=func.greatest(given(DealStageHistory, "moved_at"), latest.scalar_subquery()),
        moved_by=given(DealStageHistory, "moved_by"),
        source=given(DealStageHistory, "source"),
    )
    return together(moved, history, activities.entry())


def _reason_changed() -> Any:
    deals = table(Deal)
    names = ("lost_reason", "updated_at")
    changed = update(deals).where(deals.c.id == given(Deal, "id"))
    return together(
        changed.values({name: given(Deal, name) for name in names} | {"version": deals.c.version + 1}),
        activities.entry(),
    )


_MOVE = Prepared(_moved)
_REASON = Prepared(_reason_changed)
_LAST = Prepared(
    lambda: (
        select(table(DealStageHistory).c.moved_at, table(DealStageHistory).c.moved_by)
        .where(table(DealStageHistory).c.deal_id == given(DealStageHistory, "deal_id"))
        .order_by(table(DealStageHistory).c.moved_at.desc())
        .limit(1)
    )
)
