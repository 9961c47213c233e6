"""Applies a contact event: calls the domain's verbs inside the caller's transaction."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from crm_graph.domain.contacts import erasure, ingest
from crm_graph.domain.contacts.ingest import Erased, LockedContact
from crm_graph.domain.contacts.lead import Colleague
from crm_graph.domain.contacts.rows import ContactRow
from crm_graph.domain.deals import members, moves, of_contact
from crm_graph.domain.deals import records as deals
from crm_graph.domain.deals.of_contact import OpenDeal
from crm_graph.domain.deals.records import NewDeal
from crm_graph.domain.pipelines import records as pipelines
from crm_graph.domain.pipelines.records import PipelineRow
from crm_graph.domain.timeline import activities, follow_ups
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.models import ActivityType, ReplyStatus, ReplyStatusSource, StageKind
from crm_graph.values import clean_line
from webhooks.provider import Applied, ContactEvent, DealEffect

QUALIFIED, MEETING_SCHEDULED = "qualified", "meeting_scheduled"
TITLE_MAX = 200


async def apply(
    work: UnitOfWork, event: ContactEvent, received_at: datetime, *, default_currency: str
) -> Applied | None:
    """Apply an event. Returns None when the contact does not exist and the event may not create it.

    Raises Erased, and NoSuchStage when the deal's pipeline lacks the stage that the deal should go to.
    """
    locked = await _lock_contact(work, event)
    if locked is None:
        return None
    contact_id = locked.contact.id
    deal = await of_contact.lock_newest_open(work.transaction, contact_id)
    deal_id = deal.id if deal else None
    pipeline = await pipelines.find_pipeline(work.transaction, event.pipeline) if event.pipeline else None
    is_sent = event.type is ActivityType.EMAIL_OUT
    recorded = await ingest.record(
        work,
        locked,
        _entry_params(work, event, pipeline, contact_id, deal_id),
        verdict=event.verdict,
        latest_email_sent_at=event.occurred_at if is_sent else None,
    )
    if recorded.entry_id is not None and recorded.contact.deleted_at is None:
        effects = _Effects(work, event, recorded.contact, received_at, pipeline, default_currency)
        deal_id = await effects.change_deal(deal)
        await effects.change_follow_ups(deal_id)
        if deal_id is not None and event.arranges_meeting and locked.colleague_id is not None:
            await members.add_host(work, deal_id, locked.colleague_id)
        if deal_id is not None and deal is None:
            await activities.attach_to_deal(work.transaction, recorded.entry_id, deal_id)
    return Applied(contact_id, deal_id, _own_addresses(locked, event))


async def _lock_contact(work: UnitOfWork, event: ContactEvent) -> LockedContact | None:
    lead = event.lead
    if event.contact_id is not None:
        if await erasure.find_suppressed(work.transaction, {lead.email}):
            raise Erased
        address = await ingest.find_address(work.transaction, event.contact_id, unless_known=lead.email)
        lead = replace(lead, email=address or lead.email)
    colleague = Colleague(event.colleague, event.colleague_source)
    arranged_at = event.occurred_at if event.arranges_meeting else None
    return await ingest.lock_or_create(work, lead, colleague, creates=event.creates_contact, arranged_at=arranged_at)


def _own_addresses(locked: LockedContact, event: ContactEvent) -> frozenset[str | None]:
    by_address = event.lead.email if event.contact_id is None else None
    return frozenset({locked.contact.email, by_address, event.colleague})


def _entry_params(
    work: UnitOfWork,
    event: ContactEvent,
    pipeline: PipelineRow | None,
    contact_id: uuid.UUID,
    deal_id: uuid.UUID | None,
) -> dict[str, object]:
    note = ""
    if event.pipeline is not None and pipeline is None:
        note = f"\nThere is no pipeline {event.pipeline!r}, which the booking names: the default one counts."
    return activities.entry_params(
        work,
        type=event.type,
        content=event.content + note,
        occurred_at=event.occurred_at,
        contact_id=contact_id,
        deal_id=deal_id,
        meta={**event.meta, **({follow_ups.ARRANGES: True} if event.arranges_meeting else {})},
        effect_key=event.effect_key,
    )


@dataclass(frozen=True, slots=True)
class _Effects:
    """What an event does besides its entry: to the contact's deals and follow-ups."""

    work: UnitOfWork
    event: ContactEvent
    contact: ContactRow
    received_at: datetime  # an event that waited for a retry has no newer information than it had then
    pipeline: PipelineRow | None
    default_currency: str

    async def change_deal(self, deal: OpenDeal | None) -> uuid.UUID | None:
        """Move the open deal, or open one, as the event says; returns the deal's id."""
        effect = self.event.deal
        if deal is not None:
            await self._move(deal.id, deal.pipeline_id)
            return deal.id
        qualifies = effect is DealEffect.QUALIFY and not self._is_overruled()
        if not qualifies and effect is not DealEffect.MEET:
            return None
        if await of_contact.are_all_won(self.work.transaction, self.contact.id):
            return None
        return await self._open_deal(QUALIFIED if qualifies else MEETING_SCHEDULED)

    async def change_follow_ups(self, deal_id: uuid.UUID | None) -> None:
        """Open the event's follow-up, and complete those that a meeting makes unnecessary."""
        event, contact_id = self.event, self.contact.id
        if (task := event.follow_up) is not None:
            await follow_ups.open(
                self.work,
                content=task.content,
                key=task.key,
                contact_id=contact_id,
                deal_id=deal_id,
                occurred_at=event.occurred_at,
            )
        if event.arranges_meeting:
            await follow_ups.complete(
                self.work,
                outcome=event.content,
                contact_id=contact_id,
                deal_id=deal_id,
                occurred_at=event.occurred_at,
            )

    async def _move(self, deal_id: uuid.UUID, pipeline_id: uuid.UUID) -> None:
        transaction, effect = self.work.transaction, self.event.deal
        if effect in (DealEffect.MEET, DealEffect.ADVANCE):
            stage = await pipelines.stage_by_key(transaction, pipeline_id, MEETING_SCHEDULED)
        elif effect is DealEffect.WIN:
            stage = await pipelines.stage_by_kind(transaction, pipeline_id, StageKind.WON)
        else:
            return
        await moves.advance(
            self.work, deal_id, stage.id, occurred_at=self.event.occurred_at, received_at=self.received_at
        )

    async def _open_deal(self, stage_key: str) -> uuid.UUID:
        contact, event = self.contact, self.event
        pipeline = self.pipeline or await pipelines.default_pipeline(self.work.transaction)
        stage = await pipelines.stage_by_key(self.work.transaction, pipeline.id, stage_key)
        title = " · ".join(part for part in (contact.full_name or contact.email, event.subject) if part)
        deal = NewDeal(
            title=clean_line(title, TITLE_MAX) or contact.email,
            contact_id=contact.id,
            stage_id=stage.id,
            source=self.work.principal.source,
            campaign_id=event.campaign_id,
        )
        return await deals.create(
            self.work, deal, default_currency=self.default_currency, occurred_at=event.occurred_at
        )

    def _is_overruled(self) -> bool:
        """Whether a person, or what the contact wrote later, says that there is no interest.

        A provider's older verdict may keep its status, but it doesn't stop a deal from being opened for what the
        contact writes now.
        """
        contact = self.contact
        if contact.reply_status == ReplyStatus.INTERESTED:
            return False
        is_newer = contact.reply_status_at is not None and contact.reply_status_at > self.event.occurred_at
        return bool(is_newer or contact.reply_status_source == ReplyStatusSource.PERSON)
