"""Subscriptions whose payload is larger than an answer may be."""

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from tests.support.api import ask
from tests.support.factories import ADA, World
from tests.support.subscriptions import DEALS, listening, serving, streaming

UPDATE = "mutation ($in: UpdateDealInput!) { updateDeal(input: $in) { deal { id } } }"


@pytest.fixture
async def host(settings: Settings, database: Database, world: World) -> AsyncIterator[str]:
    async with serving(create_app(settings, database)) as host:
        yield host


async def test_a_change_whose_payload_is_too_large_ends_its_subscription_and_no_other(
    host: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    notes = " ".join(f"a{number}: notes" for number in range(70))
    large = f"subscription {{ dealChanged {{ refetch deal {{ title {notes} }} }} }}"
    await sql.execute(text("UPDATE deals SET notes = repeat('x', 100000) WHERE id = :id"), {"id": world.ada.deal})
    async with listening(host, ADA) as ada, streaming(host, ADA, large) as stream:
        await ada.subscribe(large, "large")
        await ada.subscribe(DEALS, "small")
        await stream.started()

        await ask(client, ADA, UPDATE, **{"in": {"dealId": str(world.ada.deal), "title": "Renamed"}})

        messages = {message["id"]: message for message in (await ada.receive(), await ada.receive())}
        kind, event = await stream.event()
        while kind == "comment":
            kind, event = await stream.event()
    assert messages["small"]["payload"]["data"]["dealChanged"]["deal"]["title"] == "Renamed"
    assert messages["large"]["type"] == "error"
    for [error] in (messages["large"]["payload"], event["errors"]):
        assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX"
