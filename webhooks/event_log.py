"""The event log: one row of webhooks_log for each event, inserted once and locked while the event is applied."""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

from sqlalchemy import Executable, and_, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import IdRow, Query, Statement, columns_of, param
from crm_graph.domain.contacts import erasure, erasure_rules, spellings
from crm_graph.domain.contacts.erasure_rules import MANY
from crm_graph.models import WebhookLog, WebhookStatus, table
from crm_graph.web.json import parse_json
from webhooks.background import in_thread
from webhooks.mentions import mentioned
from webhooks.provider import Applied, Payload, Provider

log = logging.getLogger(__name__)
REASON_MAX = 500
SMALL = 20_000  # bytes of a body in which addresses are found in a few milliseconds
FINAL = (WebhookStatus.PROCESSED, WebhookStatus.IGNORED)
ERASED = "it is about a person who was erased"
_LOG = table(WebhookLog)


class NewEvent(NamedTuple):
    """A verified event as it is inserted; `idempotency_key` is the caller's own."""

    id: uuid.UUID
    source: str
    event_type: str
    dedupe_key: str
    idempotency_key: str | None
    body: bytes
    received_at: datetime


class LogRow(NamedTuple):
    """A locked row."""

    id: uuid.UUID
    source: str
    event_type: str
    dedupe_key: str
    body: bytes
    status: str
    received_at: datetime
    contact_id: uuid.UUID | None
    deal_id: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event whose row is locked, ready to be applied."""

    id: uuid.UUID
    provider: Provider
    type: str
    payload: Payload
    received_at: datetime
    size: int  # of the body, in bytes


async def store(transaction: Transaction, event: NewEvent) -> bool:
    """Insert an event unless one of its two keys is known. Of two at once, the second waits and inserts nothing."""
    return await _INSERT.run(transaction, status=WebhookStatus.RECEIVED, **event._asdict()) == 1


async def lock(transaction: Transaction, webhook_id: uuid.UUID) -> LogRow | None:
    """Lock the row with this id."""
    return await _LOCK.one(transaction, id=webhook_id)


async def lock_known(transaction: Transaction, event: NewEvent) -> LogRow:
    """Lock the row that has the event's idempotency key, else the row that has its dedupe key."""
    key = event.idempotency_key
    by_key = await _LOCK_BY_KEY.one(transaction, source=event.source, idempotency_key=key) if key else None
    if by_key is not None:
        return by_key
    by_body = await _LOCK_BY_BODY.one(transaction, source=event.source, dedupe_key=event.dedupe_key)
    assert by_body is not None, "the server never deletes from webhooks_log"
    return by_body


async def id_by_body(transaction: Transaction, event: NewEvent) -> uuid.UUID:
    """The id of the row that has the event's dedupe key, which must exist. Does not lock it."""
    row = await _ID_BY_BODY.one(transaction, source=event.source, dedupe_key=event.dedupe_key)
    assert row is not None, "the server never deletes from webhooks_log"
    return row.id


def stored_event(row: LogRow | NewEvent, provider: Provider) -> StoredEvent:
    """Read the event from its locked or new row."""
    payload = parse_json(row.body, unique_keys=False)
    return StoredEvent(row.id, provider, row.event_type, payload, row.received_at, len(row.body))


async def record_result(
    transaction: Transaction,
    event: StoredEvent,
    status: WebhookStatus,
    now: datetime,
    *,
    reason: str | None = None,
    applied: Applied | None = None,
) -> tuple[WebhookStatus, str | None]:
    """Update an event's row with its result and the addresses that its payload mentions; return status and reason.

    An ignored or quarantined event that mentions an erased person becomes ignored, and its body is not kept.
    """
    own = filter(None, applied.own_addresses) if applied else ()
    others = await _mentioned(event) - set(spellings.with_untagged(own))
    erased = await erasure.find_suppressed(transaction, others)
    if erased and status in (WebhookStatus.IGNORED, WebhookStatus.QUARANTINED):
        status, reason = WebhookStatus.IGNORED, ERASED
    await _UPDATE_RESULT.run(
        transaction,
        id=event.id,
        status=status,
        error=reason[:REASON_MAX] if reason else None,
        processed_at=now if status in FINAL else None,
        contact_id=applied.contact_id if applied else None,
        deal_id=applied.deal_id if applied else None,
        mentions=sorted(others - erased) or None,
    )
    if erased and status in FINAL:
        await _EMPTY_BODY.run(transaction, id=event.id, **erasure_rules.spelled(sorted(erased)))
    return status, reason


async def _mentioned(event: StoredEvent) -> set[str]:
    find = partial(mentioned, event.payload)
    try:
        return find() if event.size < SMALL else await in_thread(find)
    except Exception:  # a payload that can't be read is no reason to lose the event: an erasure will search its body
        log.exception("the addresses in a webhook can't be read", extra={"details": {"webhook_id": str(event.id)}})
        return {MANY}


def _insert() -> Executable:
    row = {name: param(WebhookLog, name) for name in (*NewEvent._fields, "status")}
    return insert(_LOG).values(row | {"attempts": literal_column("0")}).on_conflict_do_nothing()


def _update_result() -> Executable:
    names = ("status", "error", "processed_at", "contact_id", "deal_id", "mentions")
    values = {name: param(WebhookLog, name) for name in names} | {"attempts": _LOG.c.attempts + 1}
    return update(_LOG).where(_LOG.c.id == param(WebhookLog, "id")).values(values)


def _empty_body() -> Executable:
    is_it = _LOG.c.id == param(WebhookLog, "id")
    return update(_LOG).where(is_it).values(erasure_rules.emptied_webhook())


def _lock_by(*names: str) -> Query[LogRow]:
    is_it = and_(*(_LOG.c[name] == param(WebhookLog, name) for name in names))
    return Query(LogRow, lambda: select(*columns_of(LogRow, _LOG)).where(is_it).with_for_update())


def _id_by_body() -> Executable:
    c = _LOG.c
    return select(c.id).where(c.source == param(WebhookLog, "source"), c.dedupe_key == param(WebhookLog, "dedupe_key"))


_INSERT = Statement(_insert)
_UPDATE_RESULT = Statement(_update_result)
_EMPTY_BODY = Statement(_empty_body)
_LOCK = _lock_by("id")
_LOCK_BY_KEY = _lock_by("source", "idempotency_key")
_LOCK_BY_BODY = _lock_by("source", "dedupe_key")
_ID_BY_BODY = Query(IdRow, _id_by_body)
