"""Deliveries and pauses as GraphQL lists them."""

import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.delivery import pause
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Forbidden
from crm_graph.identity.principal import Principal, machine
from crm_graph.models import Deployment, Role, WebhookAttempt
from crm_graph.values import utc_now
from tests.support.api import ask
from tests.support.database import rows
from tests.support.endpoints import add_delivery, add_endpoint, add_event, deliveries_of
from tests.support.factories import ADA, BOB, READER, ROOT, START, World, add

LATER = START + timedelta(days=1)
MINUTE = timedelta(minutes=1)


LIST = """query ($filter: WebhookDeliveryFilter, $first: Int!, $after: String) {
    webhookDeliveries(filter: $filter, first: $first, after: $after) { totalCount pageInfo { endCursor hasNextPage }
        nodes { id status dueAt settledAt attemptCount endpoint { id } event { id type occurredAt source payload }
            attempts { attemptedAt durationMs statusCode answer error } } } }"""


async def test_a_delivery_is_shown_with_its_event_and_every_attempt(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner)
    event = await add_event(sql, world.ada.owner)
    delivery = await add_delivery(sql, endpoint, event, "failed")
    tried: dict[str, Any] = {"delivery_id": delivery, "duration_ms": 12, "is_internal": False}
    await add(sql, WebhookAttempt, **tried, attempted_at=START, error="no response within 15 s")
    await add(sql, WebhookAttempt, **tried, attempted_at=LATER, status_code=500, answer="<ö>", error="answered 500")

    page = (await ask(client, ADA, LIST, first=10))["webhookDeliveries"]

    [node] = page["nodes"]
    assert node["attempts"] == [
        {
            "attemptedAt": "2026-01-06T09:00:00+00:00",
            "durationMs": 12,
            "statusCode": 500,
            "answer": "<ö>",
            "error": "answered 500",
        },
        {
            "attemptedAt": "2026-01-05T09:00:00+00:00",
            "durationMs": 12,
            "statusCode": None,
            "answer": None,
            "error": "no response within 15 s",
        },
    ]
    assert node["event"] == {
        "id": str(event),
        "type": "DEAL_CREATED",
        "occurredAt": "2026-01-05T09:00:00+00:00",
        "source": "test",
        "payload": {"id": str(event), "type": "deal_created", "data": {}},
    }
    assert (node["status"], node["attemptCount"], node["endpoint"]["id"]) == ("FAILED", 1, str(endpoint))


async def test_deliveries_are_filtered_and_paged_newest_first(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    one, two = await add_endpoint(sql, world.ada.owner), await add_endpoint(sql, world.ada.owner, "https://1.1.1.1/2")
    kinds = [(one, "deal_created", "pending"), (one, "test", "failed"), (two, "deal_created", "failed")]
    ids = []
    for minutes, (endpoint, type_, status) in enumerate(kinds):
        event = await add_event(sql, world.ada.owner, type=type_)
        at = START + minutes * MINUTE
        ids.append(str(await add_delivery(sql, endpoint, event, status, created_at=at)))

    async def found(**filter_: Any) -> list[int]:
        page = (await ask(client, ADA, LIST, first=10, filter=filter_))["webhookDeliveries"]
        assert page["totalCount"] == len(page["nodes"])
        return [ids.index(node["id"]) for node in page["nodes"]]

    assert await found() == [2, 1, 0]
    assert await found(endpointId=str(one)) == [1, 0]
    assert await found(status="FAILED") == [2, 1]
    assert await found(eventType="DEAL_CREATED") == [2, 0]
    assert await found(since=(START + MINUTE).isoformat()) == [2, 1]
    assert await found(endpointId=str(one), status="FAILED", eventType="TEST", since=START.isoformat()) == [1]
    assert await found(endpointId=str(uuid.uuid4())) == []

    first = (await ask(client, ADA, LIST, first=2))["webhookDeliveries"]
    rest = (await ask(client, ADA, LIST, first=2, after=first["pageInfo"]["endCursor"]))["webhookDeliveries"]
    assert [node["id"] for node in first["nodes"] + rest["nodes"]] == ids[::-1]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)


async def test_a_colleagues_part_of_a_payload_is_shown_only_to_admins(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    bobs = {"contact": {"email": "secret@acme.example", "owner_id": str(world.bob.owner)}}
    deal = {"owner_id": str(world.ada.owner)}
    payload = {"id": "e", "data": {"deal": deal} | bobs}
    endpoint = await add_endpoint(sql, world.ada.owner)
    await add_delivery(sql, endpoint, await add_event(sql, world.ada.owner, payload=payload))

    async def shown(who: str) -> Any:
        nodes = (await ask(client, who, LIST, first=10))["webhookDeliveries"]["nodes"]
        return [node["event"]["payload"] for node in nodes]

    assert await shown(ADA) == [{"id": "e", "data": {"deal": deal, "contact": None}}]
    assert await shown(ROOT) == [payload]
    assert await shown(BOB) == await shown(READER) == []


async def test_a_pause_is_shown_to_everybody_until_it_ends(
    client: httpx.AsyncClient, database: Database, world: World, sql: AsyncConnection
) -> None:
    document = "{ deliveriesPaused { pausedAt reason } }"
    assert await ask(client, ADA, document) == {"deliveriesPaused": None}
    why = {"paused_at": START, "paused_reason": "served under another PUBLIC_URL"}
    await add(sql, Deployment, public_url="https://old.example", **why)

    paused = (await ask(client, READER, document))["deliveriesPaused"]
    assert paused == {"pausedAt": "2026-01-05T09:00:00+00:00", "reason": why["paused_reason"]}
    with pytest.raises(Forbidden):
        async with database.transaction() as session:
            await pause.resume(
                UnitOfWork(session, Principal(world.ada.owner, Role.SALES), utc_now()), "https://new.example"
            )
    async with database.transaction() as session:
        await pause.resume(UnitOfWork(session, machine("crm-graph"), utc_now()), "https://new.example")

    assert await ask(client, ADA, document) == {"deliveriesPaused": None}
    [stored] = await rows(sql, Deployment)
    assert (stored.public_url, stored.paused_at, stored.paused_reason) == ("https://new.example", None, None)


async def test_a_test_event_says_that_deliveries_are_paused(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner)
    await add(sql, Deployment, paused_at=START, paused_reason="served elsewhere")
    document = "mutation ($id: UUID!) { testWebhookEndpoint(input: {endpointId: $id}) { pausedReason } }"

    answer = await ask(client, ADA, document, id=str(endpoint))

    assert answer["testWebhookEndpoint"] == {"pausedReason": "served elsewhere"}
    assert len(await deliveries_of(sql, endpoint)) == 1  # it waits


@pytest.mark.parametrize("is_internal", [True, None])
async def test_an_internal_services_answer_is_shown_to_admins_only(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, is_internal: bool | None
) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner)
    delivery = await add_delivery(sql, endpoint, await add_event(sql, world.ada.owner), "failed")
    answer = {"status_code": 403, "answer": "metadata", "is_internal": is_internal}
    await add(sql, WebhookAttempt, delivery_id=delivery, attempted_at=START, duration_ms=12, **answer)

    query = "{ webhookDeliveries { nodes { attempts { statusCode answer } } } }"
    for who, shown in ((ADA, (None, None)), (ROOT, (403, "metadata"))):
        [node] = (await ask(client, who, query))["webhookDeliveries"]["nodes"]
        assert node["attempts"] == [dict(zip(("statusCode", "answer"), shown, strict=True))]
