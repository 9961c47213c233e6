"""The inbox: every verified event is stored once and applied once, in one transaction; what failed can be replayed."""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import psycopg
from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from crm_graph.auth import machine
from crm_graph.db import LOST_A_RACE, Database, sqlstate
from crm_graph.errors import BadRequest, CrmError, NotFound, ValidationFailed
from crm_graph.http import parse_json
from crm_graph.models import WebhookLog, WebhookStatus, table
from crm_graph.settings import Settings
from webhooks.apply import Applied, Clock, apply
from webhooks.provider import Context, Event, Ignored, Provider
from webhooks.registry import PROVIDERS

log = logging.getLogger(__name__)

ATTEMPTS = 3  # of one event that loses a deadlock
DatabaseError = (DBAPIError, psycopg.Error)  # as SQLAlchemy raises it, and the driver
REASON_MAX = 500
REPLAY_MAX = 1_000
DONE = (WebhookStatus.PROCESSED, WebhookStatus.IGNORED)


class Result(StrEnum):
    """What became of an event."""

    APPLIED = "ok"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    FAILED = "error"
    DUPLICATE = "duplicate"
    KEY_REUSED = "key_reused"


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

    `key` is the caller's own name for the event, if it gave one. Raises Unavailable when nothing could be stored.
    """
    async with database.transaction() as session:
        new = {"source": provider.name, "event_type": event.type, "body": body, "received_at": now}
        stored = await _insert(session, new | {"dedupe_key": event.dedupe_key, "idempotency_key": key})
        if stored is not None:
            return await _apply(session, settings, provider, stored, now)
        # The other one is committed by now: the insert has waited for it.
        known = await _lock_known(session, provider.name, event, key)
        if known.dedupe_key != event.dedupe_key:
            return await _keep_apart(session, new, event)
        if known.status in DONE:
            return Outcome(known.id, Result.DUPLICATE, known.contact_id, known.deal_id)
        return await _apply(session, settings, provider, known, now)


async def replay(database: Database, settings: Settings, webhook_id: uuid.UUID, now: datetime) -> Outcome:
    """Apply a stored event again, unless it was processed: then nothing changes and the outcome is a duplicate.

    Raises NotFound for an unknown id.
    """
    async with database.transaction() as session:
        row = await _lock(session, table(WebhookLog).c.id == webhook_id)
        if row is None:
            raise NotFound("webhook not found", field="webhook_id")
        if row.status is WebhookStatus.PROCESSED:
            return Outcome(row.id, Result.DUPLICATE, row.contact_id, row.deal_id, "processed already")
        provider = PROVIDERS.get(row.source)
        if provider is None:
            raise NotFound(f"the event's provider {row.source!r} is not known any more", field="webhook_id")
        return await _apply(session, settings, provider, row, now)


async def replay_since(
    database: Database, settings: Settings, status: WebhookStatus, since: datetime, now: datetime, limit: int
) -> list[Outcome]:
    """Replay the events of one status received since then, oldest first, each in a transaction of its own."""
    columns = table(WebhookLog).c
    query = (
        select(columns.id)
        .where(columns.status == status, columns.received_at >= since)
        .order_by(columns.received_at, columns.id)
        .limit(min(limit, REPLAY_MAX))
    )
    async with database.read() as connection:
        found = (await connection.scalars(query)).all()
    return [await replay(database, settings, webhook_id, now) for webhook_id in found]


async def _insert(session: AsyncSession, values: dict[str, Any]) -> Row[Any] | None:
    """Insert unless one of the two keys is known; of two at once, the second waits here and inserts nothing."""
    new = insert(table(WebhookLog)).values(id=uuid.uuid4(), status=WebhookStatus.RECEIVED, **values)
    return (await session.execute(new.on_conflict_do_nothing().returning(*table(WebhookLog).c))).one_or_none()


async def _lock(session: AsyncSession, *conditions: Any) -> Row[Any] | None:
    query = select(*table(WebhookLog).c).where(*conditions).with_for_update()
    return (await session.execute(query)).one_or_none()


async def _lock_known(session: AsyncSession, source: str, event: Event, key: str | None) -> Row[Any]:
    """The row that has the caller's key, else the one that has the body's."""
    columns = table(WebhookLog).c
    by_key = await _lock(session, columns.source == source, columns.idempotency_key == key) if key else None
    if by_key is not None:
        return by_key
    by_body = await _lock(session, columns.source == source, columns.dedupe_key == event.dedupe_key)
    assert by_body is not None, "the server never deletes from webhooks_log"
    return by_body


async def _keep_apart(session: AsyncSession, new: dict[str, Any], event: Event) -> Outcome:
    """Keep the second body under one key, for a person to look at: which of the two is meant nobody can tell."""
    reason = "its idempotency key belongs to an event with another body"
    apart = new | {"dedupe_key": event.dedupe_key, "idempotency_key": None}
    row = await _insert(session, apart)
    if row is None:
        columns = table(WebhookLog).c
        known = select(columns.id).where(columns.source == new["source"], columns.dedupe_key == event.dedupe_key)
        # Not locked: the row of the key is, and two requests with their keys crossed would wait for each other.
        return Outcome((await session.scalars(known)).one(), Result.KEY_REUSED, reason=reason)
    await _conclude(session, row.id, WebhookStatus.QUARANTINED, reason=reason)
    return Outcome(row.id, Result.KEY_REUSED, reason=reason)


async def _apply(
    session: AsyncSession, settings: Settings, provider: Provider, row: Row[Any], now: datetime
) -> Outcome:
    """Apply a stored event inside a savepoint and write down what became of it."""
    try:
        applied = await _try(session, settings, provider, row, now)
    except ValidationFailed as error:
        log.warning("event quarantined", extra={"details": {"webhook_id": row.id, "reason": error.message}})
        await _conclude(session, row.id, WebhookStatus.QUARANTINED, reason=error.message)
        return Outcome(row.id, Result.QUARANTINED, reason=error.message)
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise  # nothing can be written down any more; the sender hears that nothing was stored
        reason = _reason(error)
        _log_failure(row.id, reason, error)
        await _conclude(session, row.id, WebhookStatus.ERROR, reason=reason)
        return Outcome(row.id, Result.FAILED, reason=reason)
    if isinstance(applied, Ignored):
        if applied.needs_attention:
            log.warning("event needs attention", extra={"details": {"webhook_id": row.id, "reason": applied.reason}})
        await _conclude(session, row.id, WebhookStatus.IGNORED, reason=applied.reason, at=now)
        return Outcome(row.id, Result.IGNORED, reason=applied.reason)
    await _conclude(session, row.id, WebhookStatus.PROCESSED, at=now, applied=applied)
    return Outcome(row.id, Result.APPLIED, applied.contact_id, applied.deal_id)


async def _try(
    session: AsyncSession, settings: Settings, provider: Provider, row: Row[Any], now: datetime
) -> Applied | Ignored:
    """Translate, then carry out; raises ValidationFailed for an event that doesn't say whom it is about."""
    context = Context(
        received_at=row.received_at,
        internal_domains=frozenset(domain.lower() for domain in settings.internal_domains),
        event_types=frozenset(settings.calcom_event_types),
    )
    translation = provider.translate(parse_json(row.body), row.event_type, context)
    if isinstance(translation, Ignored):
        return translation
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with session.begin_nested():
                clock, principal = Clock(row.received_at, now), machine(provider.name)
                done = [
                    await apply(session, principal, happening, clock, default_currency=settings.default_currency)
                    for happening in translation
                ]
        except DatabaseError as error:
            if attempt == ATTEMPTS or sqlstate(error) not in LOST_A_RACE:
                raise
            continue
        except ValidationFailed as error:
            # The translator accepted the event: what is wrong here is a setting or ours, not the sender's.
            raise CrmError(error.message) from error
        touched = next((applied for applied in done if applied is not None), None)
        return touched or Ignored("it doesn't say its event type (CALCOM_EVENT_TYPES), and nobody in it is known")
    raise AssertionError("the last attempt returns or raises")


async def _conclude(
    session: AsyncSession,
    webhook_id: uuid.UUID,
    status: WebhookStatus,
    *,
    reason: str | None = None,
    at: datetime | None = None,
    applied: Applied | None = None,
) -> None:
    columns = table(WebhookLog).c
    values: dict[str, Any] = {
        "status": status,
        "error": reason[:REASON_MAX] if reason else None,
        "processed_at": at,
        "attempts": columns.attempts + 1,
        "contact_id": applied.contact_id if applied else None,
        "deal_id": applied.deal_id if applied else None,
    }
    await session.execute(update(table(WebhookLog)).where(columns.id == webhook_id).values(values))


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
