"""How many endpoints an owner may have."""

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.delivery import endpoints
from crm_graph.models import WebhookEndpoint
from tests.support.api import ask, reason, refusal
from tests.support.database import rows, unchanged
from tests.support.endpoints import add_endpoint, endpoint_of
from tests.support.factories import ADA, BOB, World

URL = "https://1.1.1.1/hook"
CREATE = "mutation ($in: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $in) { created } }"
UPDATE = "mutation ($in: UpdateWebhookEndpointInput!) { updateWebhookEndpoint(input: $in) { endpoint { id } } }"


async def is_created(client: httpx.AsyncClient, who: str, url: str) -> bool:
    answer = await ask(client, who, CREATE, **{"in": {"url": url}})
    return bool(answer["createWebhookEndpoint"]["created"])


@pytest.mark.parametrize(("role", "limit"), [("sales", 20), ("admin", 100)])
async def test_an_owner_has_at_most_20_endpoints_and_an_admin_100(
    role: str, limit: int, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await sql.execute(text("UPDATE owners SET role = :role WHERE id = :id"), {"role": role, "id": world.ada.owner})
    for i in range(limit - 1):
        await add_endpoint(sql, world.ada.owner, f"https://1.1.1.1/{i}")
    assert await is_created(client, ADA, "https://1.1.1.1/last")

    async with unchanged(sql):
        error = await refusal(client, ADA, CREATE, **{"in": {"url": URL}})
        assert reason(error) == ("CONFLICT", "url")
        assert f"may have {limit}:" in error["message"]
        assert not await is_created(client, ADA, "https://1.1.1.1/7")
    assert await is_created(client, BOB, URL)


async def test_endpoints_above_the_limit_stay_and_can_be_changed(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    ids = [await add_endpoint(sql, world.ada.owner, f"https://1.1.1.1/{i}") for i in range(endpoints.ENDPOINTS_MAX + 1)]
    await ask(client, ADA, UPDATE, **{"in": {"endpointId": str(ids[0]), "url": URL}})
    assert (await endpoint_of(sql, ids[0])).url == URL
    assert len(await rows(sql, WebhookEndpoint)) == len(ids)
