"""The inbox: every verified event is stored once and applied once, in one transaction; what failed can be replayed."""

import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import psycopg
from sqlalchemy import and_, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from crm_graph.auth import machine
from crm_graph.db import LOST_A_RACE, Database, is_disconnect, sqlstate
from crm_graph.errors import BadRequest, CrmError, LostRace, NotFound, ValidationFailed
from crm_graph.http import parse_json
from crm_graph.leads import Erased
from crm_graph.models import WebhookLog, WebhookStatus, table
from crm_graph.prepared import Prepared, given
from crm_graph.settings import Settings
from webhooks.apply import Applied, Clock, apply
from webhooks.provider import Context, Event, Ignored, Provider
from webhooks.registry import PROVIDERS

log = logging.getLogger(__name__)

ATTEMPTS = 4  # of one event that loses a deadlock, the one that writes down its failure included
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

    What can't be applied is undone, and the event stored with the reason. `key` is the caller's own name for the event,
    if it gave one. Raises Unavailable when nothing could be stored.
    """
    new: dict[str, Any] = {"source": provider.name, "event_type": event.type, "body": body, "received_at": now}
    new |= {"dedupe_key": event.dedupe_key, "idempotency_key": key, "id": uuid.uuid4()}

    async def stored(session: AsyncSession, failure: _NotApplied | None) -> Outcome:
        if await _insert(session, new):
            found = Stored(new["id"], provider, event.type, body, now)
            return await _apply_or_conclude(session, settings, found, failure, now)
        # The other one is committed by now: the insert has waited for it.
        known = await _lock_known(session, provider.name, event, key)
        if known.dedupe_key != event.dedupe_key:
            return await _keep_apart(session, new, event)
        if known.status in DONE:
            return Outcome(known.id, Result.DUPLICATE, known.contact_id, known.deal_id)
        return await _apply_or_conclude(session, settings, _stored(known, provider), failure, now)

    return await _run(database, stored)


async def replay(database: Database, settings: Settings, webhook_id: uuid.UUID, now: datetime) -> Outcome:
    """Apply a stored event again, unless it was processed: then nothing changes and the outcome is a duplicate.

    Raises NotFound for an unknown id.
    """

    async def known(session: AsyncSession, failure: _NotApplied | None) -> Outcome:
        row = await _BY_ID.one(session, id=webhook_id)
        if row is None:
            raise NotFound("webhook not found", field="webhook_id")
        if row.status == WebhookStatus.PROCESSED:
            return Outcome(row.id, Result.DUPLICATE, row.contact_id, row.deal_id, "processed already")
        provider = PROVIDERS.get(row.source)
        if provider is None:
            raise NotFound(f"the event's provider {row.source!r} is not known any more", field="webhook_id")
        return await _apply_or_conclude(session, settings, _stored(row, provider), failure, now)

    return await _run(database, known)


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


@dataclass(frozen=True, slots=True)
class Stored:
    """An event that is stored, its row locked."""

    id: uuid.UUID
    provider: Provider
    type: str
    body: bytes
    received_at: datetime


class _NotApplied(Exception):
    """What an event did has to be undone; why, in words that an admin may read."""

    def __init__(self, status: WebhookStatus, reason: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(reason)


Work = Callable[[AsyncSession, _NotApplied | None], Awaitable[Outcome]]


async def _run(database: Database, work: Work) -> Outcome:
    """Run `work` in a transaction; if it could not apply the event, undo it and run it again to write that down."""
    failure: _NotApplied | None = None
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with database.transaction() as session:
                return await work(session, failure)
        except _NotApplied as error:
            failure = error
        except LostRace:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("what was written down is an outcome")


async def _apply_or_conclude(
    session: AsyncSession, settings: Settings, event: Stored, failure: _NotApplied | None, now: datetime
) -> Outcome:
    if failure is None:
        return await _apply(session, settings, event, now)
    await _conclude(session, event.id, failure.status, reason=failure.reason)
    result = Result.QUARANTINED if failure.status is WebhookStatus.QUARANTINED else Result.FAILED
    return Outcome(event.id, result, reason=failure.reason)


async def _apply(session: AsyncSession, settings: Settings, event: Stored, now: datetime) -> Outcome:
    """Apply a stored event and write down what became of it. Raises _NotApplied."""
    try:
        applied = await _carry_out(session, settings, event, now)
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
        await _conclude(session, event.id, WebhookStatus.IGNORED, reason=applied.reason, at=now)
        if applied.forgets:
            await _FORGET.run(session, id=event.id)
        return Outcome(event.id, Result.IGNORED, reason=applied.reason)
    await _conclude(session, event.id, WebhookStatus.PROCESSED, at=now, applied=applied)
    return Outcome(event.id, Result.APPLIED, applied.contact_id, applied.deal_id)


async def _carry_out(session: AsyncSession, settings: Settings, event: Stored, now: datetime) -> Applied | Ignored:
    """Translate, then carry out; raises ValidationFailed for an event that doesn't say whom it is about."""
    context = Context(
        received_at=event.received_at,
        internal_domains=frozenset(domain.lower() for domain in settings.internal_domains),
        event_types=frozenset(settings.calcom_event_types),
    )
    translation = event.provider.translate(parse_json(event.body), event.type, context)
    if isinstance(translation, Ignored):
        return translation
    clock, principal = Clock(event.received_at, now), machine(event.provider.name)
    try:
        done = [
            await apply(session, principal, happening, clock, default_currency=settings.default_currency)
            for happening in translation
        ]
    except Erased:
        return Ignored("the person was erased, and asked not to be known again", forgets=True)
    except ValidationFailed as error:
        # The translator accepted the event: what is wrong here is a setting or ours, not the sender's.
        raise CrmError(error.message) from error
    touched = next((applied for applied in done if applied is not None), None)
    return touched or Ignored("it doesn't say its event type (CALCOM_EVENT_TYPES), and nobody in it is known")


async def _insert(session: AsyncSession, values: dict[str, Any]) -> bool:
    """Insert unless one of the two keys is known; of two at once, the second waits here and inserts nothing."""
    return await _INSERT.run(session, status=WebhookStatus.RECEIVED, **values) == 1


async def _lock_known(session: AsyncSession, source: str, event: Event, key: str | None) -> Any:
    """The row that has the caller's key, else the one that has the body's."""
    by_key = await _BY_KEY.one(session, source=source, idempotency_key=key) if key else None
    if by_key is not None:
        return by_key
    by_body = await _BY_BODY.one(session, source=source, dedupe_key=event.dedupe_key)
    assert by_body is not None, "the server never deletes from webhooks_log"
    return by_body


def _stored(row: Any, provider: Provider) -> Stored:
    return Stored(row.id, provider, row.event_type, row.body, row.received_at)


async def _keep_apart(session: AsyncSession, new: dict[str, Any], event: Event) -> Outcome:
    """Keep the second body under one key, for a person to look at: which of the two is meant nobody can tell."""
    reason = "its idempotency key belongs to an event with another body"
    if not await _insert(session, new | {"idempotency_key": None}):
        columns = table(WebhookLog).c
        known = select(columns.id).where(columns.source == new["source"], columns.dedupe_key == event.dedupe_key)
        # Not locked: the row of the key is, and two requests with their keys crossed would wait for each other.
        return Outcome((await session.scalars(known)).one(), Result.KEY_REUSED, reason=reason)
    await _conclude(session, new["id"], WebhookStatus.QUARANTINED, reason=reason)
    return Outcome(new["id"], Result.KEY_REUSED, reason=reason)


async def _conclude(
    session: AsyncSession,
    webhook_id: uuid.UUID,
    status: WebhookStatus,
    *,
    reason: str | None = None,
    at: datetime | None = None,
    applied: Applied | None = None,
) -> None:
    await _CONCLUDE.run(
        session,
        id=webhook_id,
        status=status,
        error=reason[:REASON_MAX] if reason else None,
        processed_at=at,
        contact_id=applied.contact_id if applied else None,
        deal_id=applied.deal_id if applied else None,
    )


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


def _inserted() -> Any:
    names = ("id", "source", "event_type", "dedupe_key", "idempotency_key", "body", "status", "received_at")
    row: dict[str, Any] = {name: given(WebhookLog, name) for name in names} | {"attempts": literal_column("0")}
    return insert(table(WebhookLog)).values(row).on_conflict_do_nothing()


def _concluded() -> Any:
    c = table(WebhookLog).c
    names = ("status", "error", "processed_at", "contact_id", "deal_id")
    values: dict[str, Any] = {name: given(WebhookLog, name) for name in names} | {"attempts": c.attempts + 1}
    return update(table(WebhookLog)).where(c.id == given(WebhookLog, "id")).values(values)


def _locked_by(*names: str) -> Prepared:
    c = table(WebhookLog).c
    is_it = and_(*(c[name] == given(WebhookLog, name) for name in names))
    return Prepared(lambda: select(table(WebhookLog)).where(is_it).with_for_update())


_INSERT = Prepared(_inserted)
_CONCLUDE = Prepared(_concluded)
_FORGET = Prepared(
    lambda: update(table(WebhookLog)).where(table(WebhookLog).c.id == given(WebhookLog, "id")).values(body=b"")
)
_BY_ID = _locked_by("id")
_BY_KEY = _locked_by("source", "idempotency_key")
_BY_BODY = _locked_by("source", "dedupe_key")
