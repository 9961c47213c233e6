"""Carrying out what happened, through the verbs and inside the caller's transaction."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from crm_graph.domain.contacts import erasure, ingest
from crm_graph.domain.contacts.ingest import Colleague, Erased, Found
from crm_graph.domain.deals import moves
from crm_graph.domain.deals import records as deals
from crm_graph.domain.pipelines import records as pipelines
from crm_graph.domain.timeline import activities, follow_ups
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.identity.principal import Principal
from crm_graph.models import (
    ActivityType,
    Pipeline,
    ReplyStatus,
    ReplyStatusSource,
    StageKind,
)
from crm_graph.values import clean_line
from webhooks.provider import DealEffect, Happening

QUALIFIED, MEETING_SCHEDULED = "qualified", "meeting_scheduled"
TITLE_MAX = 200


@dataclass(frozen=True, slots=True)
class Applied:
    """Whom and what an event touched; of the addresses in it, `known` are the contact's or ours."""

    contact_id: uuid.UUID
    deal_id: uuid.UUID | None
    known: frozenset[str | None]


async def apply(
    work: UnitOfWork, happening: Happening, received_at: datetime, *, default_currency: str
) -> Applied | None:
    """Carry out what happened; None when it is about a contact that this event may not create.

    Raises NoSuchStage when the pipeline lacks the stage that the deal should go to, and Erased.
    """
    found = await _find(work, happening)
    if found is None:
        return None
    deal = await deals.lock_newest_open(work.transaction, found.id)
    pipeline = await pipelines.find_pipeline(work.transaction, happening.pipeline) if happening.pipeline else None
    told = _entry(
        work.principal, happening, _unknown_pipeline(happening, pipeline), found.id, deal.id if deal else None
    )
    is_sent = happening.type is ActivityType.EMAIL_OUT
    recorded = await ingest.record(
        work,
        found,
        told,
        verdict=happening.verdict,
        latest_email_sent_at=happening.occurred_at if is_sent else None,
    )
    affected = deal.id if deal else None
    if recorded.entry_id is None or recorded.contact.deleted_at is not None:
        return Applied(found.id, affected, _known(found, happening))
    opening = _Opening(recorded.contact, happening, received_at, pipeline, default_currency)
    affected = await _change_deal(work, deal, opening)
    await _follow_up(work, opening, affected)
    if affected is not None and deal is None:
        await activities.attach_to_deal(work.transaction, recorded.entry_id, affected)
    return Applied(found.id, affected, _known(found, happening))


async def _find(work: UnitOfWork, happening: Happening) -> Found | None:
    lead = happening.lead
    if happening.contact_id is not None:
        if await erasure.suppressed(work.transaction, {lead.email}):
            raise Erased
        address = await ingest.address_of(work.transaction, happening.contact_id)
        lead = replace(lead, email=address or lead.email)
    colleague = Colleague(happening.colleague, happening.colleague_source)
    return await ingest.find(work.transaction, lead, colleague, creates=happening.creates_contact, now=work.now)


def _known(found: Found, happening: Happening) -> frozenset[str | None]:
    by_address = happening.lead.email if happening.contact_id is None else None
    return frozenset({found.contact.email, by_address, happening.colleague})


def _entry(
    principal: Principal, happening: Happening, note: str, contact_id: uuid.UUID, deal_id: uuid.UUID | None
) -> dict[str, Any]:
    arranges = {follow_ups.ARRANGES: True} if happening.arranges else {}
    return activities.entry_params(
        principal,
        type=happening.type,
        content=happening.content + note,
        occurred_at=happening.occurred_at,
        contact_id=contact_id,
        deal_id=deal_id,
        meta={**happening.meta, **arranges},
        effect_key=happening.effect_key,
    )


@dataclass(frozen=True, slots=True)
class _Opening:
    """What a deal is moved or opened with."""

    contact: Any
    happening: Happening
    received_at: datetime  # an event that waited for a retry knows no more than it did then
    pipeline: Pipeline | None
    default_currency: str


async def _change_deal(work: UnitOfWork, deal: Any | None, opening: _Opening) -> uuid.UUID | None:
    """The id of the deal that the event is about, moved or opened if the event says so."""
    effect = opening.happening.deal
    if deal is not None:
        if effect in (DealEffect.MEET, DealEffect.ADVANCE):
            stage = await pipelines.stage_by_key(work.transaction, deal.pipeline_id, MEETING_SCHEDULED)
            await _advance(work, deal, stage, opening)
        elif effect is DealEffect.WIN:
            stage = await pipelines.stage_by_kind(work.transaction, deal.pipeline_id, StageKind.WON)
            await _advance(work, deal, stage, opening)
        deal_id: uuid.UUID = deal.id
        return deal_id
    qualifies = effect is DealEffect.QUALIFY and not _is_overruled(opening)
    if not qualifies and effect is not DealEffect.MEET:
        return None
    if await deals.are_all_won(work.transaction, opening.contact.id):
        return None
    return await _open(work, QUALIFIED if qualifies else MEETING_SCHEDULED, opening)


async def _follow_up(work: UnitOfWork, opening: _Opening, deal_id: uuid.UUID | None) -> None:
    """What somebody has to do now, or need not do any more."""
    happening = opening.happening
    about: dict[str, Any] = {"contact_id": opening.contact.id, "deal_id": deal_id}
    about |= {"occurred_at": happening.occurred_at}
    if (task := happening.follow_up) is not None:
        await follow_ups.open(work, content=task.content, key=task.key, **about)
    if happening.arranges:
        await follow_ups.complete(work, outcome=happening.content, **about)


def _is_overruled(opening: _Opening) -> bool:
    """Whether a person, or what the contact wrote later, says that there is no interest. A provider's older verdict
    may keep its status; it doesn't keep a deal from being opened for what the contact writes now."""
    contact = opening.contact
    if contact.reply_status == ReplyStatus.INTERESTED:
        return False
    is_newer = contact.reply_status_at is not None and contact.reply_status_at > opening.happening.occurred_at
    return bool(is_newer or contact.reply_status_source == ReplyStatusSource.PERSON)


async def _advance(work: UnitOfWork, deal: Any, stage: Any, opening: _Opening) -> None:
    await moves.advance(
        work,
        deal.id,
        stage.id,
        occurred_at=opening.happening.occurred_at,
        received_at=opening.received_at,
    )


async def _open(work: UnitOfWork, stage_key: str, opening: _Opening) -> uuid.UUID:
    contact, happening = opening.contact, opening.happening
    pipeline = opening.pipeline or await pipelines.default_pipeline(work.transaction)
    stage = await pipelines.stage_by_key(work.transaction, pipeline.id, stage_key)
    title = " · ".join(part for part in (contact.full_name or contact.email, happening.about) if part)
    values: dict[str, Any] = {
        "title": clean_line(title, TITLE_MAX),
        "contact_id": contact.id,
        "stage_id": stage.id,
        "source": work.principal.source,
        "campaign_id": happening.campaign_id,
    }
    return await deals.create(
        work,
        default_currency=opening.default_currency,
        occurred_at=happening.occurred_at,
        **values,
    )


def _unknown_pipeline(happening: Happening, pipeline: Pipeline | None) -> str:
    if happening.pipeline is None or pipeline is not None:
        return ""
    return f"\nThere is no pipeline {happening.pipeline!r}, which the booking names: the default one counts."
