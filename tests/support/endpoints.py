"""Endpoints, events and deliveries as they are stored, for tests that start from some."""

import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Event, WebhookDelivery, WebhookEndpoint, table
from tests.support.factories import START, add

SECRET = "whsec_c3RvcmVkIHNlY3JldA=="


async def add_endpoint(sql: AsyncConnection, owner: Any, url: str | None = None, **columns: Any) -> Any:
    """An endpoint of that owner; returns its id."""
    values = {"url": url or f"https://1.1.1.1/{owner}", "secret": SECRET} | columns
    return await add(sql, WebhookEndpoint, owner_id=owner, **values)


async def add_event(sql: AsyncConnection, *owners: Any, type: str = "deal_created", **columns: Any) -> Any:
    """An event about rows of those owners, created at START unless `created_at` says otherwise; returns its id."""
    id_ = uuid.uuid4()
    payload = {"id": str(id_), "type": type, "data": {}}
    defaults = {"occurred_at": START, "created_at": START, "source": "test", "payload": payload}
    return await add(sql, Event, id=id_, type=type, owner_ids=list(owners), **defaults | columns)


async def add_delivery(
    sql: AsyncConnection, endpoint: Any, event: Any, status: str = "delivered", **columns: Any
) -> Any:
    """A delivery of that event, settled unless it is pending; returns its id."""
    position = await sql.scalar(select(table(Event).c.position).where(table(Event).c.id == event))
    settled = {} if status == "pending" else {"settled_at": START, "attempts": 1}
    values = {"position": position, "status": status, "created_at": START, "due_at": START} | settled | columns
    return await add(sql, WebhookDelivery, endpoint_id=endpoint, event_id=event, **values)


async def deliveries_of(sql: AsyncConnection, endpoint: Any) -> list[Any]:
    """What is stored of an endpoint's deliveries, in the order of their events."""
    c = table(WebhookDelivery).c
    found = await sql.execute(select(table(WebhookDelivery)).where(c.endpoint_id == endpoint).order_by(c.position))
    return list(found)


async def endpoint_of(sql: AsyncConnection, endpoint: Any) -> Any:
    """What is stored of an endpoint."""
    c = table(WebhookEndpoint).c
    return (await sql.execute(select(table(WebhookEndpoint)).where(c.id == endpoint))).one()
