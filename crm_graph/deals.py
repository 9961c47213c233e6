"""Deals: what the team is selling to whom, and how far it has come."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fractional_indexing import generate_key_between
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from crm_graph import activities, companies, pipelines
from crm_graph.auth import Principal, visible
from crm_graph.contacts import check_new_owner
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.models import (
    ActivityType,
    Contact,
    Deal,
    DealStageHistory,
    DealStatus,
    PipelineStage,
    Role,
    StageKind,
)
from crm_graph.values import CLOCK_SKEW, TEXT_MAX, check_money, check_text


async def create(
    session: AsyncSession,
    principal: Principal,
    *,
    now: datetime,
    default_currency: str,
    values: Mapping[str, Any],
    occurred_at: datetime | None = None,
) -> Deal:
    """Create a deal from column values; only `title` is required.

    It starts in the first open stage of the default pipeline, belongs to the salesperson who creates it, else to
    its contact's owner, else to the admin, and takes its company from the contact. Raises NotFound, ValidationFailed
    or Forbidden naming the field.
    """
    principal.must_write()
    given = {name: value for name, value in values.items() if value is not None}
    deal = Deal(**{"currency": default_currency, **given, "rank": ""})
    contact = await _check(session, principal, given, deal)
    deal.company_id = deal.company_id or (contact.company_id if contact else None)
    if "owner_id" not in given:
        inherits = contact is not None and principal.role is not Role.SALES
        deal.owner_id = contact.owner_id if contact and inherits else principal.owner_id
    stage = await _starting_stage(session, given)
    deal.pipeline_id, deal.stage_id, deal.status = stage.pipeline_id, stage.id, DealStatus(stage.kind)
    deal.rank = await _top_rank(session, stage.id)
    deal.created_at = deal.updated_at = now
    session.add(deal)
    await session.flush()
    await _record_move(session, principal, deal, None, stage, occurred_at or now)
    await _note(session, principal, deal, f"Deal created in {stage.name}", occurred_at or now, {"to_stage": stage.key})
    return deal


async def update(
    session: AsyncSession, principal: Principal, *, deal_id: uuid.UUID, now: datetime, changes: Mapping[str, Any]
) -> Deal:
    """Change columns of a deal (not its stage) and leave an entry with the old and new values.

    Raises NotFound, ValidationFailed or Forbidden naming the field; then nothing was changed.
    """
    principal.must_write()
    deal = await _lock(session, principal, deal_id)
    for name in ("title", "currency"):
        if name in changes and changes[name] is None:
            raise ValidationFailed(f"{name} can't be cleared", field=name)
    await _check(session, principal, changes, deal)
    changed = activities.apply_changes(deal, changes)
    if changed:
        deal.version += 1
        deal.updated_at = now
        await session.flush()
        await _note(session, principal, deal, "Deal changed: " + ", ".join(changed), now, {"changes": changed})
    return deal


async def move_stage(
    session: AsyncSession,
    principal: Principal,
    *,
    deal_id: uuid.UUID,
    stage_id: uuid.UUID,
    now: datetime,
    occurred_at: datetime | None = None,
) -> Deal:
    """Move a deal to another stage of its pipeline; a stage of kind won or lost sets the status, an open one reopens.

    To be where it is already is success and leaves no trace. `occurred_at` (default: now) is when it happened:
    raises ValidationFailed when that lies ahead, and Conflict when the deal has moved since, because a late report
    must not overwrite a newer state. Raises NotFound or ValidationFailed for a stage that isn't the pipeline's.
    """
    principal.must_write()
    deal = await _lock(session, principal, deal_id)
    stage = await pipelines.get_stage(session, stage_id, field="stage_id")
    if stage.pipeline_id != deal.pipeline_id:
        raise ValidationFailed("the stage belongs to another pipeline than the deal", field="stage_id")
    if stage.id == deal.stage_id:
        return deal
    if occurred_at is not None and occurred_at > now + CLOCK_SKEW:
        raise ValidationFailed("occurredAt lies in the future", field="occurred_at")
    last = await _last_move(session, deal.id)
    if occurred_at is not None and last is not None and occurred_at < last.moved_at:
        raise Conflict(f"the deal was moved at {last.moved_at.isoformat()}, after this", field="occurred_at")
    await _move(session, principal, deal, stage, at=min(occurred_at or now, now), last=last, now=now)
    return deal


async def newest_open(session: AsyncSession, contact_id: uuid.UUID) -> Deal | None:
    """The contact's newest open deal, locked. For events: it sees every owner's deals."""
    query = (
        select(Deal)
        .where(col(Deal.contact_id) == contact_id, col(Deal.status) == DealStatus.OPEN, col(Deal.deleted_at).is_(None))
        .order_by(col(Deal.created_at).desc(), col(Deal.id).desc())
        .limit(1)
        .with_for_update(key_share=True)
    )
    return (await session.scalars(query)).one_or_none()


async def are_all_won(session: AsyncSession, contact_id: uuid.UUID) -> bool:
    """Whether the contact has deals and every one is won: a customer, for whom events open no new deal."""
    won = func.bool_and(col(Deal.status) == DealStatus.WON)
    query = select(won).where(col(Deal.contact_id) == contact_id, col(Deal.deleted_at).is_(None))
    return bool(await session.scalar(query))


async def advance(
    session: AsyncSession,
    principal: Principal,
    deal: Deal,
    stage: PipelineStage,
    *,
    occurred_at: datetime,
    received_at: datetime,
    now: datetime,
) -> bool:
    """Move a locked deal because of an event; returns whether it moved.

    Events only move a deal forward by `order_index`, never out of won or lost, and never after a person has moved
    it since the event reached us (an event that waited for a retry knows less than that person).
    """
    present = await pipelines.get_stage(session, deal.stage_id, field="stage_id")
    if deal.status is not DealStatus.OPEN or stage.pipeline_id != deal.pipeline_id:
        return False
    if stage.kind is StageKind.OPEN and stage.order_index <= present.order_index:
        return False
    last = await _last_move(session, deal.id)
    if last is not None and last.moved_by is not None and last.moved_at > received_at:
        return False
    await _move(session, principal, deal, stage, at=occurred_at, last=last, now=now)
    return True


async def _lock(session: AsyncSession, principal: Principal, deal_id: uuid.UUID) -> Deal:
    query = select(Deal).where(col(Deal.id) == deal_id, visible(Deal, principal)).with_for_update(key_share=True)
    deal = (await session.scalars(query)).one_or_none()
    if deal is None:
        raise NotFound("deal not found", field="deal_id")
    return deal


async def _check(session: AsyncSession, principal: Principal, values: Mapping[str, Any], deal: Deal) -> Contact | None:
    """Refuse values that `deal` may not take; returns the contact that they name."""
    for name in ("title", "source", "campaign_id", "notes"):
        if values.get(name) is not None:
            check_text(values[name], field=name, max_length=TEXT_MAX if name == "notes" else 500)
    if "title" in values and not values["title"].strip():
        raise ValidationFailed("title is empty", field="title")
    if "amount" in values or "currency" in values:
        check_money(values.get("amount", deal.amount), values.get("currency", deal.currency))
    if values.get("company_id") is not None:
        await companies.check_exists(session, values["company_id"], field="company_id")
    if "owner_id" in values:
        await check_new_owner(session, principal, values["owner_id"])
    if values.get("contact_id") is None:
        return None
    query = select(Contact).where(col(Contact.id) == values["contact_id"], visible(Contact, principal))
    contact = (await session.scalars(query)).one_or_none()
    if contact is None:
        raise NotFound("contact not found", field="contact_id")
    return contact


async def _starting_stage(session: AsyncSession, values: Mapping[str, Any]) -> PipelineStage:
    pipeline_id = values.get("pipeline_id")
    if "stage_id" in values:
        stage = await pipelines.get_stage(session, values["stage_id"], field="stage_id")
        if pipeline_id is not None and stage.pipeline_id != pipeline_id:
            raise ValidationFailed("the stage belongs to another pipeline than pipelineId", field="stage_id")
        return stage
    if pipeline_id is None:
        pipeline_id = (await pipelines.default_pipeline(session)).id
    return await pipelines.first_stage(session, pipeline_id, field="pipeline_id")


async def _top_rank(session: AsyncSession, stage_id: uuid.UUID) -> str:
    """A rank above every deal of the column; two deals that arrive at once may share it, and their ids decide."""
    query = select(func.min(col(Deal.rank))).where(col(Deal.stage_id) == stage_id, col(Deal.deleted_at).is_(None))
    rank: str = generate_key_between(None, await session.scalar(query))
    return rank


async def _last_move(session: AsyncSession, deal_id: uuid.UUID) -> DealStageHistory | None:
    moves = select(DealStageHistory).where(col(DealStageHistory.deal_id) == deal_id)
    return (await session.scalars(moves.order_by(col(DealStageHistory.moved_at).desc()).limit(1))).one_or_none()


async def _move(
    session: AsyncSession,
    principal: Principal,
    deal: Deal,
    stage: PipelineStage,
    *,
    at: datetime,
    last: DealStageHistory | None,
    now: datetime,
) -> None:
    before = await pipelines.get_stage(session, deal.stage_id, field="stage_id")
    deal.stage_id, deal.status = stage.id, DealStatus(stage.kind)
    deal.lost_reason = deal.lost_reason if stage.kind is StageKind.LOST else None
    deal.rank = await _top_rank(session, stage.id)
    deal.version += 1
    deal.updated_at = now
    await session.flush()
    # Two servers' clocks differ, and the order of moves is that of the deal's lock: time always runs forward here.
    at = max(at, last.moved_at + timedelta(microseconds=1)) if last else at
    await _record_move(session, principal, deal, before, stage, at)
    stages = {"from_stage": before.key, "to_stage": stage.key}
    await _note(session, principal, deal, f"{before.name} -> {stage.name}", at, stages)


async def _record_move(
    session: AsyncSession,
    principal: Principal,
    deal: Deal,
    before: PipelineStage | None,
    stage: PipelineStage,
    at: datetime,
) -> None:
    session.add(
        DealStageHistory(
            deal_id=deal.id,
            from_stage_id=before.id if before else None,
            to_stage_id=stage.id,
            moved_at=at,
            moved_by=principal.owner_id,
            source=principal.source,
        )
    )
    await session.flush()


async def _note(
    session: AsyncSession, principal: Principal, deal: Deal, content: str, at: datetime, meta: Mapping[str, Any]
) -> None:
    # On the deal's timeline alone: whoever sees its contact may not see this deal.
    await activities.log(
        session, principal, type=ActivityType.SYSTEM, content=content, occurred_at=at, deal_id=deal.id, meta=meta
    )
