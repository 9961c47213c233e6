"""Failing endpoints, and workers and databases that go away: nothing is lost, and no other endpoint waits."""

import asyncio
import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.delivery import sender
from crm_graph.delivery.queue import OUTAGE_FAILURES
from crm_graph.models import WebhookDelivery, WebhookEndpoint, table
from tests.support.deliveries import create, row, settled, subscribe, until
from tests.support.http_receiver import Receiver, answer, hang

pytestmark = pytest.mark.slow


async def _is_down(sql: AsyncConnection) -> bool:
    return bool((await row(sql, WebhookEndpoint)).failures >= OUTAGE_FAILURES)


async def test_an_endpoint_that_hangs_delays_nobody_else(
    client: httpx.AsyncClient, sql: AsyncConnection, boss: uuid.UUID, receiver: Receiver, worker: None
) -> None:
    async with Receiver() as dead:
        dead.usual = hang
        await subscribe(sql, boss, dead.url())
        await subscribe(sql, boss, receiver.url(), event_types=["deal_created"])
        await create(client, boss, "First")
        await dead.wait(1)
        started = time.monotonic()
        for number in range(20):
            await create(client, boss, f"Deal {number}")
        await receiver.wait(21)
        assert time.monotonic() - started < 5


async def test_one_delivery_tests_an_outage_and_its_end_sends_the_rest(
    client: httpx.AsyncClient,
    sql: AsyncConnection,
    boss: uuid.UUID,
    receiver: Receiver,
    worker: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sender, "BACKOFF", (1.0, 2.0, 60.0, 60.0, 60.0, 60.0, 60.0, 60.0))
    receiver.usual = answer(500)
    await subscribe(sql, boss, receiver.url(), event_types=["deal_created"])
    for number in range(12):
        await create(client, boss, f"Deal {number}")
    await until(lambda: _is_down(sql))
    asked = len(receiver.requests)
    await asyncio.sleep(0.5)
    assert len(receiver.requests) == asked < 12  # the others wait
    receiver.usual = answer(200)
    done = await settled(sql, 12)
    assert {one.status for one in done} == {"delivered"}
    endpoint = await row(sql, WebhookEndpoint)
    assert (endpoint.failures, endpoint.failing_since, endpoint.retry_at) == (0, None, None)


async def test_410_disables_the_endpoint_and_notifies_the_others(
    client: httpx.AsyncClient, sql: AsyncConnection, boss: uuid.UUID, receiver: Receiver, worker: None
) -> None:
    async with Receiver() as unsubscribed:
        unsubscribed.usual = answer(410)
        await subscribe(sql, boss, unsubscribed.url(), event_types=["deal_created"])
        await subscribe(sql, boss, receiver.url(), event_types=["endpoint_disabled"])
        await create(client, boss, "Pilot")
        [request] = await receiver.wait(1)
        await create(client, boss, "Another")
        await asyncio.sleep(0.5)
        assert len(unsubscribed.requests) == 1
    event = json.loads(request.body)
    assert event["type"] == "endpoint_disabled"
    assert event["data"]["endpoint"]["disabled_reason"] == "it answered 410 Gone"
    assert event["source"] == "crm-graph"


async def test_five_days_of_failing_disable_the_endpoint(
    client: httpx.AsyncClient, sql: AsyncConnection, boss: uuid.UUID, receiver: Receiver, worker: None
) -> None:
    receiver.usual = answer(500)
    since = datetime.now(UTC) - timedelta(days=5, minutes=1)
    await subscribe(sql, boss, receiver.url(), failures=7, failing_since=since)
    await create(client, boss, "Pilot")
    await receiver.wait(1)

    async def disabled() -> Any:
        found = await row(sql, WebhookEndpoint)
        return found if found.disabled_at else None

    assert (await until(disabled)).disabled_reason == "it has failed for 5 days"


async def test_retry_after_is_obeyed_for_the_whole_endpoint(
    client: httpx.AsyncClient, sql: AsyncConnection, boss: uuid.UUID, receiver: Receiver, worker: None
) -> None:
    receiver.plan(answer(429, retry_after="1"))
    await subscribe(sql, boss, receiver.url(), event_types=["deal_created"])
    await create(client, boss, "First")
    await receiver.wait(1)
    await asyncio.sleep(0.3)
    await create(client, boss, "Second")
    requests = await receiver.wait(2)
    assert (requests[1].at - requests[0].at).total_seconds() >= 0.9


async def test_deliveries_continue_after_the_database_hung_up(
    client: httpx.AsyncClient,
    sql: AsyncConnection,
    boss: uuid.UUID,
    receiver: Receiver,
    worker: None,
) -> None:
    await subscribe(sql, boss, receiver.url(), event_types=["deal_created"])
    await create(client, boss, "First")
    await receiver.wait(1)
    others = (
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
    )
    await sql.execute(text(others + "pg_backend_pid()"))
    await create(client, boss, "Second")
    await receiver.wait(2)


async def test_the_lease_of_a_worker_that_died_ends(
    client: httpx.AsyncClient, sql: AsyncConnection, boss: uuid.UUID, receiver: Receiver, worker: None
) -> None:
    await subscribe(sql, boss, receiver.url(), event_types=["deal_created"])
    await sql.execute(text("INSERT INTO deployment (paused_at) VALUES (now())"))
    await create(client, boss, "Pilot")
    later = datetime.now(UTC) + timedelta(seconds=1)
    await sql.execute(update(table(WebhookDelivery)).values(leased_until=later))
    await sql.execute(text("UPDATE deployment SET paused_at = NULL"))
    [request] = await receiver.wait(1)
    assert request.at >= later
