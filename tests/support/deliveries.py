"""Endpoints, the events sent to them, and the results."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import httpx
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import WebhookDelivery, WebhookEndpoint, table
from crm_graph.web.signatures import new_webhook_secret
from tests.support.api import bearer

CREATE = "mutation ($title: String!) { createDeal(input: {title: $title}) { deal { id version } } }"
RENAME = "mutation ($id: UUID!, $title: String!) { updateDeal(input: {dealId: $id, title: $title}) { deal { id } } }"


async def subscribe(sql: AsyncConnection, owner_id: uuid.UUID, url: str, **columns: Any) -> uuid.UUID:
    endpoint = {"id": uuid.uuid4(), "owner_id": owner_id, "url": url, "secret": new_webhook_secret(), "headers": {}}
    await sql.execute(insert(table(WebhookEndpoint)).values(endpoint | columns))
    return uuid.UUID(str(endpoint["id"]))


async def call(client: httpx.AsyncClient, owner: object, query: str, **variables: Any) -> Any:
    answer = await client.post("/graphql", json={"query": query, "variables": variables}, headers=bearer(owner))
    body = answer.json()
    assert "errors" not in body, body
    return body["data"]


async def create(client: httpx.AsyncClient, owner: object, title: str) -> str:
    return str((await call(client, owner, CREATE, title=title))["createDeal"]["deal"]["id"])


async def until(check: Callable[[], Any], seconds: float = 20) -> Any:
    """What `check` returns, once it is something."""
    async with asyncio.timeout(seconds):
        while not (found := await check()):  # noqa: ASYNC110 - `check` is any condition
            await asyncio.sleep(0.02)
    return found


async def row(sql: AsyncConnection, model: Any) -> Any:
    return (await sql.execute(select(table(model)))).one()


async def settled(sql: AsyncConnection, count: int, seconds: float = 20) -> list[Any]:
    """The deliveries, once so many are delivered, failed or cancelled."""

    async def enough() -> list[Any]:
        found = list(await sql.execute(select(table(WebhookDelivery)).order_by(table(WebhookDelivery).c.position)))
        return found if sum(one.settled_at is not None for one in found) >= count else []

    found: list[Any] = await until(enough, seconds)
    return found
