"""Deliveries: listed for their owners, replayed from the stored events, but never about erased persons."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.delivery import replay as deliveries
from tests.support.api import ask, reason, refusal
from tests.support.database import unchanged
from tests.support.endpoints import add_delivery, add_endpoint, add_event, deliveries_of
from tests.support.factories import ADA, ROOT, START, World

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

        async def notified() -> int:
            return len([note async for note in listener.notifies(timeout=0.3)])

        await replay(client, ADA, delivery)
        assert await notified() == 1
        assert (await replay_all(client, ADA, endpoint))["queuedCount"] == 0
        assert await notified() == 0
        await add_event(sql, world.ada.owner)
        assert (await replay_all(client, ADA, endpoint))["queuedCount"] == 1
        assert await notified() == 1


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
    await sql.execute(text("TRUNCATE events, webhook_deliveries CASCADE"))  # which `clean` would take seconds to delete
