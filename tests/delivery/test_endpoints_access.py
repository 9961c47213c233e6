"""Endpoints are visible to their owner and to admins; why one is disabled is known to SQL and Python alike."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.sql_files import read_sql
from crm_graph.delivery import disabled_reasons
from tests.support.api import ask
from tests.support.endpoints import add_delivery, add_endpoint, add_event
from tests.support.factories import ADA, BOB, READER, ROOT, World


@pytest.mark.parametrize(("who", "seen"), [(ADA, {ADA}), (BOB, {BOB}), (READER, set()), (ROOT, {ADA, BOB})])
async def test_endpoints_are_visible_to_their_owner_and_admins(
    who: str, seen: set[str], client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    for side in (world.ada, world.bob):
        endpoint = await add_endpoint(sql, side.owner)
        await add_delivery(sql, endpoint, await add_event(sql, side.owner))
    document = """{ webhookEndpoints { totalCount nodes { owner { email } pendingCount } }
        webhookDeliveries { totalCount nodes { endpoint { owner { email } } event { id } attempts { id } } } }"""

    answer = await ask(client, who, document)

    assert {node["owner"]["email"] for node in answer["webhookEndpoints"]["nodes"]} == seen
    found = [node["endpoint"]["owner"]["email"] for node in answer["webhookDeliveries"]["nodes"]]
    assert sorted(found) == sorted(seen)
    assert answer["webhookEndpoints"]["totalCount"] == answer["webhookDeliveries"]["totalCount"] == len(seen)


def test_the_trigger_knows_the_reason_that_needs_no_event() -> None:
    assert f"NEW.disabled_reason <> '{disabled_reasons.BY_OWNER}'" in read_sql("events/endpoint_disabled.sql")
