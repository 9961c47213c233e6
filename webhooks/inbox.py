"""The inbox: every verified event is stored once and applied once, in one transaction; what failed can be replayed."""

import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import psycopg
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from crm_graph.database.engine import LOST_A_RACE, Database, Transaction, is_disconnect, sqlstate
from crm_graph.domain.contacts.ingest import Erased
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import BadRequest, Conflict, CrmError, LostRace, NotFound, ValidationFailed
from crm_graph.identity.principal import machine
from crm_graph.models import WebhookLog, WebhookStatus, table
from crm_graph.settings import Settings
from crm_graph.web.json import parse_json
from webhooks import event_log
from webhooks.apply import Applied, apply
from webhooks.event_log import DONE, Stored
from webhooks.provider import Context, Event, Ignored, Provider
from webhooks.registry import PROVIDERS

log = logging.getLogger(__name__)

ATTEMPTS = 4  # of one event that loses races, the one that writes down its failure included
DatabaseError = (DBAPIError, psycopg.Error)  # as SQLAlchemy raises it, and the driver
REPLAY_MAX = 1_000
RETRIES, RETRIED_AT_ONCE = 12, 100
UNKNOWN = "it doesn't say its event type (CALCOM_EVENT_TYPES), and nobody in it is known"


class Result(StrEnum):
    """What became of an event."""

    APPLIED = "ok"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    FAILED = "error"
    DUPLICATE = "duplicate"
    KEY_REUSED = "key_reused"


RESULTS = {
    WebhookStatus.IGNORED: Result.IGNORED,
    WebhookStatus.QUARANTINED: Result.QUARANTINED,
    WebhookStatus.ERROR: Result.FAILED,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event, and what it touched."""

    webhook_id: uuid.UUID
    result: Result
    contact_id: uuid.UUID | None = None
    deal_id: uuid.UUID | None = None
    reason: str | None = None


def read_event(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises BadRequest for anything else, and for a key that is there twice."""
    payload = parse_json(body, unique_keys=True)
    if not isinstance(payload, dict):
        raise BadRequest("the request body must be a JSON object")
    return payload


async def receive(
    database: Database,
    settings: Settings,
    provider: Provider,
    event: Event,
    body: bytes,
    *,
    key: str | None,
    now: datetime,
) -> Outcome:
    """Store an event unless it is there already, and apply it unless that was done; one transaction.

    What can't be applied is undone, and the event stored with the reason. `key` is the caller's own name for the event,
    if it gave one. Raises Unavailable when nothing could be stored.
    """
    new: dict[str, Any] = {"source": provider.name, "event_type": event.type, "body": body, "received_at": now}
    new |= {"dedupe_key": event.dedupe_key, "idempotency_key": key, "id": uuid.uuid4()}

    async def receive_it(transaction: Transaction, failure: _NotApplied | None) -> Outcome:
        if await event_log.store(transaction, new):
            found = Stored(new["id"], provider, event.type, parse_json(body), now)
            return await _apply_or_conclude(transaction, settings, found, failure, now)
        # The other one is committed by now: the insert has waited for it.
        known = await event_log.known(transaction, provider.name, event, key)
        if known.dedupe_key != event.dedupe_key:
            return await _keep_apart(transaction, provider, new, event)
        if known.status in DONE:
            return Outcome(known.id, Result.DUPLICATE, known.contact_id, known.deal_id)
        return await _apply_or_conclude(transaction, settings, event_log.read(known, provider), failure, now)

    return await _run(database, receive_it, provider.name)


async def replay(database: Database, settings: Settings, webhook_id: uuid.UUID, now: datetime) -> Outcome:
    """Apply a stored event again, unless it was processed: then nothing changes and the outcome is a duplicate.

    Raises NotFound for an unknown id, and Conflict for an event whose body was erased.
    """

    async def replay_it(transaction: Transaction, failure: _NotApplied | None) -> Outcome:
        row = await event_log.by_id(transaction, webhook_id)
        if row is None:
            raise NotFound("webhook not found", field="webhook_id")
        if not row.body:
            raise Conflict("the event's body was erased, with a person whom it mentioned", field="webhook_id")
        if row.status == WebhookStatus.PROCESSED:
            return Outcome(row.id, Result.DUPLICATE, row.contact_id, row.deal_id, "processed already")
        provider = PROVIDERS.get(row.source)
        if provider is None:
            raise NotFound(f"the event's provider {row.source!r} is not known any more", field="webhook_id")
        await transaction.set_source(provider.name)
        return await _apply_or_conclude(transaction, settings, event_log.read(row, provider), failure, now)

    return await _run(database, replay_it)


async def replay_since(
    database: Database, settings: Settings, status: WebhookStatus, since: datetime, now: datetime, limit: int
) -> list[Outcome]:
    """Replay the events of one status received since then, oldest first, each in a transaction of its own.

    Those whose bodies were erased are passed over.
    """
    columns = table(WebhookLog).c
    query = (
        select(columns.id)
        .where(columns.status == status, columns.received_at >= since, columns.body != b"")
        .order_by(columns.received_at, columns.id)
        .limit(min(limit, REPLAY_MAX))
    )
    async with database.read() as connection:
        found = (await connection.scalars(query)).all()
    return [await replay(database, settings, webhook_id, now) for webhook_id in found]


async def retry_failed(database: Database, settings: Settings, now: datetime) -> list[Outcome]:
    """Replay the events that could not be applied, each 2, 4, 8, ... minutes after it came, for three days."""
    c = table(WebhookLog).c
    is_due = c.received_at + func.power(2, c.attempts) * timedelta(minutes=1) <= now
    is_failed = c.status == WebhookStatus.ERROR, c.attempts <= RETRIES, c.body != b""
    query = select(c.id).where(*is_failed, is_due).order_by(c.received_at, c.id).limit(RETRIED_AT_ONCE)
    async with database.read() as connection:
        found = (await connection.scalars(query)).all()
    return [await replay(database, settings, webhook_id, now) for webhook_id in found]


class _NotApplied(Exception):
    """What an event did has to be undone; why, in words that an admin may read."""

    def __init__(self, status: WebhookStatus, reason: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(reason)


Work = Callable[[Transaction, _NotApplied | None], Awaitable[Outcome]]


async def _run(database: Database, work: Work, source: str | None = None) -> Outcome:
    """Run `work` in a transaction; if it could not apply the event, undo it and run it again to write that down."""
    failure: _NotApplied | None = None
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with database.transaction(source=source) as transaction:
                return await work(transaction, failure)
        except _NotApplied as error:
            failure = error
        except LostRace:
            if attempt == ATTEMPTS:
                raise
            if attempt == ATTEMPTS - 1:  # to be stored at least: not every sender sends again
                failure = _NotApplied(WebhookStatus.ERROR, "other changes kept getting in its way; replay it")
    raise AssertionError("what was written down is an outcome")


async def _apply_or_conclude(
    transaction: Transaction, settings: Settings, event: Stored, failure: _NotApplied | None, now: datetime
) -> Outcome:
    if failure is None:
        return await _apply(transaction, settings, event, now)
    status, reason = await event_log.conclude(transaction, event, failure.status, now, reason=failure.reason)
    return Outcome(event.id, RESULTS[status], reason=reason)


async def _apply(transaction: Transaction, settings: Settings, event: Stored, now: datetime) -> Outcome:
    """Apply a stored event and write down what became of it. Raises _NotApplied."""
    try:
        applied = await _carry_out(transaction, settings, event, now)
    except ValidationFailed as error:
        log.warning("event quarantined", extra={"details": {"webhook_id": event.id, "reason": error.message}})
        raise _NotApplied(WebhookStatus.QUARANTINED, error.message) from error
    except Exception as error:
        if sqlstate(error) in LOST_A_RACE or is_disconnect(error):
            raise  # to be run again, or for the sender to hear that nothing was stored
        reason = _reason(error)
        _log_failure(event.id, reason, error)
        raise _NotApplied(WebhookStatus.ERROR, reason) from error
    if isinstance(applied, Ignored):
        if applied.needs_attention:
            log.warning("event needs attention", extra={"details": {"webhook_id": event.id, "reason": applied.reason}})
        _, said = await event_log.conclude(transaction, event, WebhookStatus.IGNORED, now, reason=applied.reason)
        return Outcome(event.id, Result.IGNORED, reason=said)
    await event_log.conclude(transaction, event, WebhookStatus.PROCESSED, now, applied=applied)
    return Outcome(event.id, Result.APPLIED, applied.contact_id, applied.deal_id)


async def _carry_out(transaction: Transaction, settings: Settings, event: Stored, now: datetime) -> Applied | Ignored:
    """Translate, then carry out; raises ValidationFailed for an event that doesn't say whom it is about."""
    context = Context(
        received_at=event.received_at,
        internal_domains=frozenset(domain.lower() for domain in settings.internal_domains),
        event_types=frozenset(settings.calcom_event_types),
    )
    translation = event.provider.translate(event.payload, event.type, context)
    if isinstance(translation, Ignored):
        return translation
    work = UnitOfWork(transaction, machine(event.provider.name), now)
    touched: Applied | None = None
    otherwise = UNKNOWN
    for happening in translation:
        try:
            applied = await apply(work, happening, event.received_at, default_currency=settings.default_currency)
            touched = touched or applied
        except Erased:
            otherwise = event_log.ERASED
        except ValidationFailed as error:
            # The translator accepted the event: what is wrong here is a setting or ours, not the sender's.
            raise CrmError(error.message) from error
    return touched or Ignored(otherwise)


async def _keep_apart(transaction: Transaction, provider: Provider, new: dict[str, Any], event: Event) -> Outcome:
    """Keep the second body under one key, for a person to look at: which of the two is meant nobody can tell."""
    reason = "its idempotency key belongs to an event with another body"
    if not await event_log.store(transaction, new | {"idempotency_key": None}):
        columns = table(WebhookLog).c
        known = select(columns.id).where(columns.source == new["source"], columns.dedupe_key == event.dedupe_key)
        # Not locked: the row of the key is, and two requests with their keys crossed would wait for each other.
        return Outcome((await transaction.scalars(known)).one(), Result.KEY_REUSED, reason=reason)
    apart = Stored(new["id"], provider, event.type, parse_json(new["body"]), new["received_at"])
    await event_log.conclude(transaction, apart, WebhookStatus.QUARANTINED, new["received_at"], reason=reason)
    return Outcome(new["id"], Result.KEY_REUSED, reason=reason)


def _log_failure(webhook_id: uuid.UUID, reason: str, error: Exception) -> None:
    details: dict[str, Any] = {"webhook_id": webhook_id, "reason": reason}
    if isinstance(error, DatabaseError):
        # Not its text: PostgreSQL's DETAIL quotes the row, and that is what somebody wrote to us.
        diagnosis = getattr(getattr(error, "orig", None) or error, "diag", None)
        details |= {"sqlstate": sqlstate(error), "constraint": getattr(diagnosis, "constraint_name", None)}
        log.error("event not applied", extra={"details": details})
    else:
        log.error("event not applied", exc_info=error, extra={"details": details})


def _reason(error: Exception) -> str:
    """What an admin may read about a failure: our own words, never SQL, values or paths."""
    if isinstance(error, CrmError):
        return error.message
    if isinstance(error, DatabaseError):
        return f"database error {sqlstate(error) or type(error).__name__}; the log has the cause"
    return f"{type(error).__name__}; the log has the cause under this webhook's id"
