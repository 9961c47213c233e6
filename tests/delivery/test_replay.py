"""Deliveries: listed for their owners, replayed from the stored events, but never about erased persons."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.delivery import pause
from crm_graph.delivery import replay as deliveries
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Forbidden
from crm_graph.identity.principal import Principal, machine
from crm_graph.models import Deployment, Role, WebhookAttempt
from crm_graph.values import utc_now
from tests.support.api import ask, reason, refusal
from tests.support.database import rows, unchanged
from tests.support.endpoints import add_delivery, add_endpoint, add_event, deliveries_of
from tests.support.factories import ADA, BOB, READER, ROOT, START, World, add

REPLAY = "mutation ($in: ReplayDeliveryInput!) { replayDelivery(input: $in) { delivery { status attemptCount } } }"
REPLAY_ALL = """mutation ($in: ReplayDeliveriesInput!) { replayDeliveries(input: $in) {
    queuedCount nextSince endpoint { pendingCount } } }"""
LATER = START + timedelta(days=1)
MINUTE = timedelta(minutes=1)
ERASED: list[dict[str, Any]] = [{"id": "e", "erased": True}, {"id": "e", "data": {}, "erased": True}, {"id": "e"}]


@pytest.fixture
async def world(world: World, sql: AsyncConnection) -> World:
    """The world without the events of its creation."""
    await sql.execute(text("DELETE FROM events"))
    return world


async def replay(client: httpx.AsyncClient, who: str, delivery: Any) -> Any:
    """The delivery as replayDelivery shows it."""
    answer = await ask(client, who, REPLAY, **{"in": {"deliveryId": str(delivery)}})
    return answer["replayDelivery"]["delivery"]


async def replay_all(client: httpx.AsyncClient, who: str, endpoint: Any, since: datetime = START) -> Any:
    """The result of replayDeliveries."""
    given = {"endpointId": str(endpoint), "since": since.isoformat()}
    return (await ask(client, who, REPLAY_ALL, **{"in": given}))["replayDeliveries"]


@pytest.mark.parametrize("status", ["delivered", "failed", "cancelled"])
async def test_a_settled_delivery_is_pending_again_and_due_now(
    status: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner)
    event = await add_event(sql, world.ada.owner)
    delivery = await add_delivery(sql, endpoint, event, status, attempts=9)
    before = await sql.scalar(text("SELECT now()"))

    assert await replay(client, ADA, delivery) == {"status": "PENDING", "attemptCount": 0}

    [stored] = await deliveries_of(sql, endpoint)
    assert (stored.id, stored.event_id, stored.settled_at, stored.leased_until) == (delivery, event, None, None)
    assert stored.due_at >= before - MINUTE
    assert stored.created_at == START


async def test_a_pending_delivery_stays_unchanged(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner)
    event = await add_event(sql, world.ada.owner)
    delivery = await add_delivery(sql, endpoint, event, "pending", attempts=3, due_at=LATER, leased_until=LATER)

    async with unchanged(sql):
        assert await replay(client, ADA, delivery) == {"status": "PENDING", "attemptCount": 3}
        assert (await replay_all(client, ADA, endpoint))["queuedCount"] == 0


@pytest.mark.parametrize("payload", ERASED)
async def test_events_about_an_erased_person_are_not_replayed(
    payload: dict[str, Any], client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner)
    event = await add_event(sql, world.ada.owner, payload=payload)
    delivery = await add_delivery(sql, endpoint, event, "cancelled")
    await add_event(sql, world.ada.owner, payload=payload)

    async with unchanged(sql):
        error = await refusal(client, ADA, REPLAY, **{"in": {"deliveryId": str(delivery)}})
        assert reason(error) == ("CONFLICT", "deliveryId")
        assert (await replay_all(client, ADA, endpoint))["queuedCount"] == 0


async def test_a_demoted_admins_endpoint_does_not_get_others_events_again(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner)
    delivery = await add_delivery(sql, endpoint, await add_event(sql, world.bob.owner))

    async with unchanged(sql):
        error = await refusal(client, ADA, REPLAY, **{"in": {"deliveryId": str(delivery)}})
        assert reason(error) == ("CONFLICT", "deliveryId")
        assert (await replay_all(client, ADA, endpoint))["queuedCount"] == 0


@pytest.mark.parametrize("off", ["disabled", "inactive"])
async def test_nothing_is_queued_for_an_endpoint_that_is_off(
    off: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    disabled: Any = {"disabled_at": START, "disabled_reason": "410"} if off == "disabled" else {}
    endpoint = await add_endpoint(sql, world.ada.owner, **disabled)
    delivery = await add_delivery(sql, endpoint, await add_event(sql, world.ada.owner))
    if off == "inactive":
        await sql.execute(text("UPDATE owners SET active = false WHERE id = :id"), {"id": world.ada.owner})

    async with unchanged(sql):
        error = await refusal(client, ROOT, REPLAY, **{"in": {"deliveryId": str(delivery)}})
        assert reason(error) == ("CONFLICT", "endpointId")
        given = {"endpointId": str(endpoint), "since": START.isoformat()}
        error = await refusal(client, ROOT, REPLAY_ALL, **{"in": given})
        assert reason(error) == ("CONFLICT", "endpointId")


async def test_a_replay_queues_settled_and_missed_events(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    me, deal = world.ada.owner, world.ada.deal
    endpoint = await add_endpoint(sql, me, event_types=["deal_created", "deal_updated"])
    too_old = await add_event(sql, me, created_at=START - MINUTE)
    settled, missed = await add_event(sql, me, world.bob.owner), await add_event(sql, me, deal_id=deal)
    await add_delivery(sql, endpoint, too_old)
    await add_delivery(sql, endpoint, settled, "failed")
    for others in ({"type": "test"}, {"type": "contact_created"}):
        await add_event(sql, me, **others)
    await add_event(sql, world.bob.owner)
    await add_event(sql)

    answer = await replay_all(client, ADA, endpoint)

    assert answer == {"queuedCount": 2, "nextSince": None, "endpoint": {"pendingCount": 2}}
    old, one, two = await deliveries_of(sql, endpoint)
    assert (old.event_id, old.status) == (too_old, "delivered")
    assert [(d.event_id, d.status, d.attempts, d.settled_at) for d in (one, two)] == [
        (settled, "pending", 0, None),
        (missed, "pending", 0, None),
    ]
    assert two.order_key == deal
    position = await sql.scalar(text("SELECT position FROM events WHERE id = :id"), {"id": missed})
    assert two.position == position


async def test_an_admins_endpoint_gets_everybodys_events_again(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    root = await sql.scalar(text("SELECT id FROM owners WHERE email = :email"), {"email": ROOT})
    endpoint = await add_endpoint(sql, root)
    events = [await add_event(sql, world.bob.owner), await add_event(sql)]

    await replay_all(client, ROOT, endpoint)

    assert [d.event_id for d in await deliveries_of(sql, endpoint)] == events


async def test_the_next_call_continues_where_the_first_one_ended(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "EVENTS_MAX", 3)
    endpoint = await add_endpoint(sql, world.ada.owner)
    for minutes in (0, 1, 2, 2, 2, 3, 4):  # those of one transaction have one time
        await add_event(sql, world.ada.owner, created_at=START + minutes * MINUTE)

    counts, since = [], START
    while True:
        answer = await replay_all(client, ADA, endpoint, since)
        await sql.execute(text("UPDATE webhook_deliveries SET status = 'delivered', settled_at = now()"))
        counts.append(answer["queuedCount"])
        if answer["nextSince"] is None:
            break
        since = datetime.fromisoformat(answer["nextSince"])

    assert counts == [5, 2]


async def test_senders_are_notified(
    admin_url: URL, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner)
    delivery = await add_delivery(sql, endpoint, await add_event(sql, world.ada.owner))
    dsn = admin_url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as listener:
        await listener.execute("LISTEN crm_deliveries")

        async def heard() -> int:
            return len([note async for note in listener.notifies(timeout=0.3)])

        await replay(client, ADA, delivery)
        assert await heard() == 1
        assert (await replay_all(client, ADA, endpoint))["queuedCount"] == 0
        assert await heard() == 0
        await add_event(sql, world.ada.owner)
        assert (await replay_all(client, ADA, endpoint))["queuedCount"] == 1
        assert await heard() == 1


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
    tried: dict[str, Any] = {"delivery_id": delivery, "duration_ms": 12}
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
    payload = {"id": "e", "data": {"deal": {"owner_id": str(world.ada.owner)}} | bobs}
    endpoint = await add_endpoint(sql, world.ada.owner)
    await add_delivery(sql, endpoint, await add_event(sql, world.ada.owner, payload=payload))

    async def shown(who: str) -> Any:
        nodes = (await ask(client, who, LIST, first=10))["webhookDeliveries"]["nodes"]
        return [node["event"]["payload"] for node in nodes]

    assert await shown(ADA) == [{"id": "e", "data": {"deal": payload["data"]["deal"], "contact": None}}]  # type: ignore[index]
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


async def test_a_long_queue_does_not_slow_a_replay_down(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner)
    many = """INSERT INTO events (type, occurred_at, created_at, owner_ids, source, payload)
        SELECT 'deal_created', now(), CAST(:start AS timestamptz) + i * interval '1 second', ARRAY[CAST(:me AS uuid)],
            'test', '{"data": {}}' FROM generate_series(1, 20000) AS i"""
    await sql.execute(text(many), {"start": START, "me": world.ada.owner})

    first = await replay_all(client, ADA, endpoint)
    second = await replay_all(client, ADA, endpoint, datetime.fromisoformat(first["nextSince"]))

    assert (first["queuedCount"], second["queuedCount"]) == (10_000, 10_000)
    assert second["endpoint"]["pendingCount"] == 20_000
