"""The inbox stores each verified event once and applies it once, in one transaction. Failed events can be replayed."""

import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from sqlalchemy import Select, func, select

from crm_graph.database.engine import LOST_A_RACE, Database, Transaction, is_disconnect, sqlstate
from crm_graph.database.retries import retry_on_conflict
from crm_graph.domain.contacts.ingest import Erased
from crm_graph.domain.contacts.sent_emails import find_sent
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, CrmError, LostRace, NotFound, ValidationFailed
from crm_graph.identity.principal import machine
from crm_graph.models import WebhookLog, WebhookStatus, table
from crm_graph.settings import Settings
from webhooks import event_log
from webhooks.apply import apply
from webhooks.background import TooSlow, in_thread
from webhooks.event_log import NewEvent, StoredEvent
from webhooks.failures import NotApplied, not_applied
from webhooks.provider import Applied, ContactEvent, Context, EventIdentity, Ignored, Provider, Translation
from webhooks.registry import PROVIDERS

log = logging.getLogger(__name__)

REPLAY_MAX = 1_000
TRANSLATE_SECONDS = 3  # less than a transaction may idle; 1 MB of the worst text takes a fraction of a second
RETRIES, RETRY_BATCH = 12, 100
LOST_RACES = "it kept conflicting with other changes; replay it"
KEY_REUSED = "its idempotency key belongs to an event with another body"
UNKNOWN = "it has no event type to compare with CALCOM_EVENT_TYPES, and no known contact"


class ResultStatus(StrEnum):
    """What happened to an event in this call, as the sender reads it."""

    APPLIED = "ok"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    FAILED = "error"
    DUPLICATE = "duplicate"
    KEY_REUSED = "key_reused"


_RESULT_OF = {
    WebhookStatus.IGNORED: ResultStatus.IGNORED,
    WebhookStatus.QUARANTINED: ResultStatus.QUARANTINED,
    WebhookStatus.ERROR: ResultStatus.FAILED,
}


@dataclass(frozen=True, slots=True)
class EventResult:
    """The result of receiving or replaying one event."""

    webhook_id: uuid.UUID
    status: ResultStatus
    contact_id: uuid.UUID | None = None
    deal_id: uuid.UUID | None = None
    reason: str | None = None


# Locks an event's row. Returns the event, or the result when there is nothing to apply.
Claim = Callable[[Transaction], Awaitable[StoredEvent | EventResult]]


async def receive(
    database: Database,
    settings: Settings,
    provider: Provider,
    identity: EventIdentity,
    body: bytes,
    *,
    key: str | None,
    now: datetime,
) -> EventResult:
    """Store an event unless it is stored already, and apply it unless it was applied already; one transaction.

    When applying fails, the event is stored with the reason. `key` is the idempotency key that the caller gave.
    Raises Unavailable when the event could not be stored.
    """
    new = NewEvent(uuid.uuid4(), provider.name, identity.type, identity.dedupe_key, key, body, now)
    return await _apply(database, settings, partial(_store_or_lock, provider, new), now, source=provider.name)


async def replay(database: Database, settings: Settings, webhook_id: uuid.UUID, now: datetime) -> EventResult:
    """Apply a stored event again. An event that was applied stays unchanged, and the result is DUPLICATE.

    Raises NotFound for an unknown id, Conflict for an event whose body was erased, and Unavailable.
    """
    return await _apply(database, settings, partial(_lock_for_replay, webhook_id), now)


async def replay_since(
    database: Database, settings: Settings, status: WebhookStatus, since: datetime, now: datetime, limit: int
) -> list[EventResult]:
    """Replay the events in `status` received at or after `since`, oldest first, each in its own transaction.

    Skips events whose body was erased.
    """
    c = table(WebhookLog).c
    query = select(c.id).where(c.status == status, c.received_at >= since).limit(min(limit, REPLAY_MAX))
    return await _replay_all(database, settings, query, now)


async def retry_failed(database: Database, settings: Settings, now: datetime) -> list[EventResult]:
    """Replay the events that failed, each 2, 4, 8, ... minutes after it was received, for three days."""
    c = table(WebhookLog).c
    is_due = c.received_at + func.power(2, c.attempts) * timedelta(minutes=1) <= now
    failed = select(c.id).where(c.status == WebhookStatus.ERROR, c.attempts <= RETRIES, is_due)
    return await _replay_all(database, settings, failed.limit(RETRY_BATCH), now)


async def _replay_all(
    database: Database, settings: Settings, query: Select[uuid.UUID], now: datetime
) -> list[EventResult]:
    c = table(WebhookLog).c
    async with database.read() as connection:
        found = (await connection.scalars(query.where(c.body != b"").order_by(c.received_at, c.id))).all()
    return [await replay(database, settings, webhook_id, now) for webhook_id in found]


async def _apply(
    database: Database, settings: Settings, claim: Claim, now: datetime, source: str | None = None
) -> EventResult:
    """Apply the event that `claim` locks; when that fails, record the failure in a second transaction."""
    try:
        return await retry_on_conflict(partial(apply_once, database, settings, claim, now, source))
    except NotApplied as error:
        failure = error
    except LostRace:  # store it all the same: not every sender sends again
        failure = NotApplied(WebhookStatus.ERROR, LOST_RACES)
    return await retry_on_conflict(partial(record_failure, database, claim, failure, now, source))


async def apply_once(
    database: Database, settings: Settings, claim: Claim, now: datetime, source: str | None
) -> EventResult:
    """Claim an event, apply it and record the result, in one transaction. Raises NotApplied and LostRace."""
    async with database.transaction(source=source) as transaction:
        event = await claim(transaction)
        if isinstance(event, EventResult):
            return event
        applied = await _translate_and_apply(
            UnitOfWork(transaction, machine(event.provider.name), now), settings, event
        )
        if isinstance(applied, Ignored):
            _, reason = await event_log.record_result(
                transaction, event, WebhookStatus.IGNORED, now, reason=applied.reason
            )
            return EventResult(event.id, ResultStatus.IGNORED, reason=reason)
        await event_log.record_result(transaction, event, WebhookStatus.PROCESSED, now, applied=applied)
        return EventResult(event.id, ResultStatus.APPLIED, applied.contact_id, applied.deal_id)


async def record_failure(
    database: Database, claim: Claim, failure: NotApplied, now: datetime, source: str | None
) -> EventResult:
    """Claim an event again and record why it was not applied, unless another request has applied it meanwhile."""
    async with database.transaction(source=source) as transaction:
        event = await claim(transaction)
        if isinstance(event, EventResult):
            return event
        status, reason = await event_log.record_result(transaction, event, failure.status, now, reason=failure.reason)
        return EventResult(event.id, _RESULT_OF[status], reason=reason)


async def _store_or_lock(provider: Provider, new: NewEvent, transaction: Transaction) -> StoredEvent | EventResult:
    if await event_log.store(transaction, new):
        return event_log.stored_event(new, provider)
    # The other event is committed by now: the insert has waited for it.
    known = await event_log.lock_known(transaction, new)
    if known.dedupe_key != new.dedupe_key:
        return await _quarantine_reused_key(transaction, provider, new)
    if known.status in event_log.FINAL:
        return EventResult(known.id, ResultStatus.DUPLICATE, known.contact_id, known.deal_id)
    return event_log.stored_event(known, provider)


async def _quarantine_reused_key(transaction: Transaction, provider: Provider, new: NewEvent) -> EventResult:
    """Keep the second body under one key for a person to look at: which of the two is right is unknown."""
    new = new._replace(idempotency_key=None)
    if await event_log.store(transaction, new):
        event = event_log.stored_event(new, provider)
        await event_log.record_result(transaction, event, WebhookStatus.QUARANTINED, new.received_at, reason=KEY_REUSED)
        return EventResult(new.id, ResultStatus.KEY_REUSED, reason=KEY_REUSED)
    # Not locked: the row of the key is, and two requests with their keys crossed would wait for each other.
    return EventResult(await event_log.id_by_body(transaction, new), ResultStatus.KEY_REUSED, reason=KEY_REUSED)


async def _lock_for_replay(webhook_id: uuid.UUID, transaction: Transaction) -> StoredEvent | EventResult:
    row = await event_log.lock(transaction, webhook_id)
    if row is None:
        raise NotFound("webhook not found", field="webhook_id")
    if not row.body:
        raise Conflict("the event's body was erased with a person whom it mentions", field="webhook_id")
    if row.status == WebhookStatus.PROCESSED:
        return EventResult(row.id, ResultStatus.DUPLICATE, row.contact_id, row.deal_id, "already processed")
    provider = PROVIDERS.get(row.source)
    if provider is None:
        raise NotFound(f"there is no provider {row.source!r} any more", field="webhook_id")
    await transaction.set_source(provider.name)
    return event_log.stored_event(row, provider)


async def _translate_and_apply(work: UnitOfWork, settings: Settings, event: StoredEvent) -> Applied | Ignored:
    """Translate an event and apply it. Raises NotApplied, except for lost races and lost connections."""
    try:
        translation = await _translate(event, await _context(work, settings, event))
        if not isinstance(translation, Ignored):
            return await _apply_all(work, translation, event.received_at, settings.default_currency)
    except Exception as error:
        if sqlstate(error) in LOST_A_RACE or is_disconnect(error):
            raise
        raise not_applied(event.id, error) from error
    if translation.needs_attention:
        details = {"webhook_id": event.id, "reason": translation.reason}
        log.warning("event needs attention", extra={"details": details})
    return translation


async def _translate(event: StoredEvent, context: Context) -> Translation:
    """Raises ValidationFailed, and CrmError for an event that takes too long."""
    try:
        translate = partial(event.provider.translate, event.payload, event.type, context)
        return await in_thread(translate, TRANSLATE_SECONDS)
    except TooSlow:
        raise CrmError(f"reading it took more than {TRANSLATE_SECONDS} s") from None


async def _apply_all(
    work: UnitOfWork, contact_events: Sequence[ContactEvent], received_at: datetime, default_currency: str
) -> Applied | Ignored:
    """Apply each part; the result is the first part's that had an effect."""
    first: Applied | None = None
    reason = UNKNOWN
    for contact_event in contact_events:
        try:
            applied = await apply(work, contact_event, received_at, default_currency=default_currency)
            first = first or applied
        except Erased:
            reason = event_log.ERASED
        except ValidationFailed as error:
            # The translator accepted the event: a setting is wrong or we are, not the sender.
            raise CrmError(error.message) from error
    return first or Ignored(reason)


async def _context(work: UnitOfWork, settings: Settings, event: StoredEvent) -> Context:
    lead = event.provider.lead_of_reply(event.payload, event.type)
    return Context(
        received_at=event.received_at,
        internal_domains=frozenset(domain.lower() for domain in settings.internal_domains),
        event_types=frozenset(settings.calcom_event_types),
        sent=await find_sent(work.transaction, lead) if lead else (),
    )
