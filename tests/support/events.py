"""The events that a test emits. Each is checked against the schema."""

import copy
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.delivery import redaction, schemas
from crm_graph.delivery.payloads import ANY_EVENT
from crm_graph.models import Event, EventType, Role, WebhookDelivery, WebhookEndpoint, table
from tests.support.api import Json
from tests.support.factories import add


async def all_events(sql: AsyncConnection) -> list[Any]:
    """Every event, in order."""
    found = await sql.execute(select(table(Event)).order_by(table(Event).c.position))
    return list(found)


@asynccontextmanager
async def new_events(sql: AsyncConnection) -> AsyncIterator[list[Any]]:
    """The events that are emitted inside the block, in order, each checked against the schema."""
    last = await sql.scalar(text("SELECT coalesce(max(position), 0) FROM events"))
    events: list[Any] = []
    yield events
    events += [event for event in await all_events(sql) if event.position > last]
    for event in events:
        check(event)


def types(events: list[Any]) -> list[str]:
    return [str(event.type) for event in events]


def check(event: Any) -> None:
    """Check an event against its schema, also redacted for a colleague, and against its row."""
    body: Json = event.payload
    validate(body)
    validate(redaction.redact(body, uuid.uuid4(), Role.SALES))
    as_read = ANY_EVENT.validate_json(json.dumps(body))  # times, whose format jsonschema leaves unread
    assert as_read.occurred_at == event.occurred_at
    assert (body["id"], body["idempotency_key"]) == (str(event.id), str(event.id))
    assert (body["type"], body["source"]) == (event.type, event.source)
    for column in ("deal_id", "contact_id", "activity_id"):
        assert body.get(column) in (None, str(getattr(event, column)))


def validate(body: Json) -> None:
    """Check the body of an event against its schemas, which here allow only the fields that they name."""
    for type_ in (EventType(body["type"]), None):
        _validator(type_).validate(body)


@cache
def _validator(type: EventType | None) -> Draft202012Validator:
    schema = copy.deepcopy(schemas.document() if type is None else schemas.document_of(type))
    for part in schema["$defs"].values():
        _close(part)
    _close(schema)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def _close(part: Json) -> None:
    if "properties" in part:
        part["additionalProperties"] = False


async def subscribe(sql: AsyncConnection, owner: Any, *event_types: str, **columns: Any) -> Any:
    """An endpoint of an owner; returns its id."""
    given: Json = {"url": f"https://n8n.example/{uuid.uuid4()}", "secret": "whsec_x", "event_types": list(event_types)}
    return await add(sql, WebhookEndpoint, owner_id=owner, **given | columns)


async def deliveries(sql: AsyncConnection, endpoint: Any) -> list[str]:
    """The types of the events that are queued for an endpoint, in order."""
    events, sent = table(Event).c, table(WebhookDelivery).c
    query = select(events.type).join_from(table(WebhookDelivery), table(Event)).where(sent.endpoint_id == endpoint)
    return [str(type_) for type_ in await sql.scalars(query.order_by(sent.position))]
