"""Stored events: the rows of webhooks_log, inserted once, locked while they are applied, and concluded."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Text, and_, bindparam, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, param
from crm_graph.domain.contacts import erasure, erasure_rules
from crm_graph.models import WebhookLog, WebhookStatus, table
from crm_graph.web.json import parse_json
from webhooks.apply import Applied
from webhooks.mentions import mentioned
from webhooks.provider import Event, Provider

REASON_MAX = 500
DONE = (WebhookStatus.PROCESSED, WebhookStatus.IGNORED)
ERASED = "it is about a person who was erased"


@dataclass(frozen=True, slots=True)
class Stored:
    """An event that is stored, its row locked."""

    id: uuid.UUID
    provider: Provider
    type: str
    payload: Any
    received_at: datetime


async def store(transaction: Transaction, values: dict[str, Any]) -> bool:
    """Insert unless one of the two keys is known; of two at once, the second waits here and inserts nothing."""
    return await _INSERT.run(transaction, status=WebhookStatus.RECEIVED, **values) == 1


async def by_id(transaction: Transaction, webhook_id: uuid.UUID) -> Any | None:
    """The row with this id, locked."""
    return await _BY_ID.one(transaction, id=webhook_id)


async def known(transaction: Transaction, source: str, event: Event, key: str | None) -> Any:
    """The row that has the caller's key, else the one that has the body's; locked."""
    by_key = await _BY_KEY.one(transaction, source=source, idempotency_key=key) if key else None
    if by_key is not None:
        return by_key
    by_body = await _BY_BODY.one(transaction, source=source, dedupe_key=event.dedupe_key)
    assert by_body is not None, "the server never deletes from webhooks_log"
    return by_body


def read(row: Any, provider: Provider) -> Stored:
    """A locked row as the event that it is."""
    return Stored(row.id, provider, row.event_type, parse_json(row.body), row.received_at)


async def conclude(
    transaction: Transaction,
    event: Stored,
    status: WebhookStatus,
    now: datetime,
    *,
    reason: str | None = None,
    applied: Applied | None = None,
) -> tuple[WebhookStatus, str | None]:
    """Write down what became of an event, and whom it mentions besides its contact; returns the status and the reason.

    One that nobody can apply, or need apply again, is ignored and not kept when it mentions a person who was erased.
    """
    others = mentioned(event.payload) - (applied.known if applied else frozenset())
    gone = await erasure.suppressed(transaction, others)
    if gone and status in (WebhookStatus.IGNORED, WebhookStatus.QUARANTINED):
        status, reason = WebhookStatus.IGNORED, ERASED
    await _CONCLUDE.run(
        transaction,
        id=event.id,
        status=status,
        error=reason[:REASON_MAX] if reason else None,
        processed_at=now if status in DONE else None,
        contact_id=applied.contact_id if applied else None,
        deal_id=applied.deal_id if applied else None,
        mentions=sorted(others - gone) or None,
    )
    if gone and status in DONE:
        await _EMPTY.run(transaction, id=event.id, addresses=sorted(gone))
    return status, reason


def _inserted() -> Any:
    names = ("id", "source", "event_type", "dedupe_key", "idempotency_key", "body", "status", "received_at")
    row: dict[str, Any] = {name: param(WebhookLog, name) for name in names} | {"attempts": literal_column("0")}
    return insert(table(WebhookLog)).values(row).on_conflict_do_nothing()


def _concluded() -> Any:
    c = table(WebhookLog).c
    names = ("status", "error", "processed_at", "contact_id", "deal_id", "mentions")
    values: dict[str, Any] = {name: param(WebhookLog, name) for name in names} | {"attempts": c.attempts + 1}
    return update(table(WebhookLog)).where(c.id == param(WebhookLog, "id")).values(values)


def _emptied() -> Any:
    addresses = bindparam("_addresses", type_=ARRAY(Text), required=True)
    is_it = table(WebhookLog).c.id == param(WebhookLog, "id")
    return update(table(WebhookLog)).where(is_it).values(erasure_rules.emptied(addresses))


def _locked_by(*names: str) -> Statement:
    c = table(WebhookLog).c
    is_it = and_(*(c[name] == param(WebhookLog, name) for name in names))
    return Statement(lambda: select(table(WebhookLog)).where(is_it).with_for_update())


_INSERT = Statement(_inserted)
_CONCLUDE = Statement(_concluded)
_EMPTY = Statement(_emptied)
_BY_ID = _locked_by("id")
_BY_KEY = _locked_by("source", "idempotency_key")
_BY_BODY = _locked_by("source", "dedupe_key")
