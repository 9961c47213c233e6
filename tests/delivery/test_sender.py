"""Deliveries, by a real worker over real HTTP: signed, at least once, in order."""

import asyncio
import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.delivery import sender
from crm_graph.delivery.queue import OUTAGE_FAILURES
from crm_graph.models import WebhookAttempt, WebhookEndpoint, table
from crm_graph.server.worker import working
from crm_graph.settings import Settings
from crm_graph.web.signatures import new_webhook_secret
from tests.support.deliveries import RENAME, call, create, row, settled, subscribe, until
from tests.support.http_receiver import Receiver, answer, redirect, reset

pytestmark = pytest.mark.slow


async def test_a_change_arrives_signed_over_its_exact_bytes(
    client: httpx.AsyncClient, sql: AsyncConnection, boss: uuid.UUID, receiver: Receiver, worker: None
) -> None:
    secret = new_webhook_secret()
    headers = {"X-CRM-Secret": "static"}
    await subscribe(sql, boss, receiver.url(), secret=secret, headers=headers, event_types=["deal_created"])
    deal_id = await create(client, boss, "Pilot")
    [request] = await receiver.wait(1)
    event = json.loads(request.body)
    assert (event["type"], event["deal_id"], event["data"]["deal"]["title"]) == ("deal_created", deal_id, "Pilot")
    assert request.headers["x-crm-secret"] == "static"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == event["id"]
    plain = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-signature"] == f"sha256={plain}"
    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert all(byte < 128 for byte in key)
    signed = f"{event['id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    [delivered] = await settled(sql, 1)
    attempt = await row(sql, WebhookAttempt)
    assert (delivered.status, delivered.attempts, delivered.leased_until) == ("delivered", 1, None)
    assert (attempt.status_code, attempt.answer, attempt.error) == (200, "ok", None)


async def test_old_and_new_secret_sign_during_a_rotation(
    client: httpx.AsyncClient, sql: AsyncConnection, boss: uuid.UUID, receiver: Receiver, worker: None
) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    old = new_webhook_secret()
    await subscribe(sql, boss, receiver.url(), previous_secret=old, previous_secret_until=until)
    await create(client, boss, "Pilot")
    [request] = await receiver.wait(1)
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    plain = hmac.new(old.encode(), request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-signature-previous"] == f"sha256={plain}"


async def test_a_failed_delivery_is_retried_with_the_same_id_and_a_new_timestamp(
    client: httpx.AsyncClient,
    sql: AsyncConnection,
    boss: uuid.UUID,
    receiver: Receiver,
    worker: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sender, "BACKOFF", (0.4, 0.4, 0.4))  # together more than a second
    receiver.plan(reset, answer(500, b"down"), redirect("http://127.0.0.1/elsewhere"), answer(200))
    await subscribe(sql, boss, receiver.url(), event_types=["deal_created"])
    await create(client, boss, "Pilot")
    requests = await receiver.wait(4)
    await settled(sql, 1)
    assert len({request.headers["webhook-id"] for request in requests}) == 1
    assert len({request.body for request in requests}) == 1
    assert requests[0].headers["webhook-timestamp"] != requests[3].headers["webhook-timestamp"]
    attempts = table(WebhookAttempt)
    tried = list(await sql.execute(select(attempts).order_by(attempts.c.attempted_at)))
    assert [one.status_code for one in tried] == [None, 500, 302, 200]
    assert tried[0].error
    assert tried[1].answer == "down"


async def test_after_the_last_attempt_it_is_kept_as_failed(
    client: httpx.AsyncClient,
    sql: AsyncConnection,
    boss: uuid.UUID,
    receiver: Receiver,
    worker: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sender, "BACKOFF", (0.05, 0.05))
    receiver.usual = answer(500)
    await subscribe(sql, boss, receiver.url(), event_types=["deal_created"])
    await create(client, boss, "Pilot")
    [failed] = await settled(sql, 1)
    assert (failed.status, failed.attempts, len(receiver.requests)) == ("failed", 3, 3)


def test_the_backoff_is_as_documented() -> None:
    minute, hour = 60, 3600
    promised: tuple[float, ...] = (5, minute, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 24 * hour)
    assert promised == sender.BACKOFF
    for failures, wait in enumerate(promised):
        assert wait <= sender.backoff_seconds(failures) <= wait * 1.2


async def test_changes_of_one_deal_arrive_in_order_whatever_fails(
    client: httpx.AsyncClient,
    sql: AsyncConnection,
    boss: uuid.UUID,
    receiver: Receiver,
    worker: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sender, "BACKOFF", (0.05,) * 8)
    receiver.plan(answer(500), answer(200), answer(500), reset, answer(200), answer(503))
    await subscribe(sql, boss, receiver.url())
    deal_id = await create(client, boss, "Pilot")
    for number in range(5):
        await call(client, boss, RENAME, id=deal_id, title=f"Pilot {number}")
    await settled(sql, 6)
    taken = [json.loads(request.body)["data"]["deal"]["version"] for request in receiver.requests]
    assert sorted(set(taken)) == list(range(1, 7))
    assert taken == sorted(taken)


async def test_concurrent_failures_are_no_longer_outage_than_one_failure(
    client: httpx.AsyncClient,
    sql: AsyncConnection,
    boss: uuid.UUID,
    receiver: Receiver,
    worker: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise the number of concurrent requests would decide how long a short outage lasts: a day."""
    monkeypatch.setattr(sender, "BACKOFF", (0.5, *sender.BACKOFF[1:]))
    await subscribe(sql, boss, receiver.url(), event_types=["deal_created"])
    all_sent = asyncio.Event()

    async def fail_together(writer: asyncio.StreamWriter) -> None:
        if len(receiver.requests) >= sender.CONCURRENT_MAX:
            all_sent.set()
        await all_sent.wait()
        await answer(500)(writer)

    receiver.usual = fail_together
    await sql.execute(text("INSERT INTO deployment (paused_at) VALUES (now())"))
    for number in range(sender.CONCURRENT_MAX):
        await create(client, boss, f"Deal {number}")
    await sql.execute(text("UPDATE deployment SET paused_at = NULL"))
    await until(lambda: sql.scalar(text("SELECT count(*) = 16 FROM webhook_attempts")))
    assert (await row(sql, WebhookEndpoint)).failures == OUTAGE_FAILURES
    await until(lambda: sql.scalar(text("SELECT failures > 5 FROM webhook_endpoints")))
    endpoint = await row(sql, WebhookEndpoint)
    assert endpoint.failures == OUTAGE_FAILURES + 1
    assert endpoint.retry_at - datetime.now(UTC) < timedelta(seconds=75)


async def test_nothing_is_sent_while_deliveries_are_paused(
    client: httpx.AsyncClient, sql: AsyncConnection, boss: uuid.UUID, receiver: Receiver, worker: None
) -> None:
    await sql.execute(text("INSERT INTO deployment (public_url, paused_at) VALUES ('https://a.example', now())"))
    await subscribe(sql, boss, receiver.url(), event_types=["deal_created"])
    await create(client, boss, "Pilot")
    await asyncio.sleep(0.5)
    assert receiver.requests == []
    await sql.execute(text("UPDATE deployment SET paused_at = NULL"))
    await receiver.wait(1)


async def test_an_address_that_is_not_allowed_is_not_called(
    client: httpx.AsyncClient,
    sql: AsyncConnection,
    boss: uuid.UUID,
    receiver: Receiver,
    settings: Settings,
    database: Database,
    admin_url: URL,
) -> None:
    url = admin_url.update_query_dict({"options": "-c role=app_user"})
    async with working(settings, database, url):
        await subscribe(sql, boss, receiver.url(), event_types=["deal_created"])
        await create(client, boss, "Pilot")

        async def refused() -> Any:
            return list(await sql.execute(select(table(WebhookAttempt))))

        [attempt] = await until(refused)
    assert "OUTBOUND_ALLOWED_NETWORKS" in attempt.error
    assert receiver.connections == 0


@asynccontextmanager
async def two_workers(settings: Settings, database: Database, url: URL) -> AsyncIterator[None]:
    async with working(settings, database, url), working(settings, database, url):
        yield


async def test_two_workers_send_each_event_once(
    client: httpx.AsyncClient,
    sql: AsyncConnection,
    boss: uuid.UUID,
    receiver: Receiver,
    working_settings: Settings,
    database: Database,
    admin_url: URL,
) -> None:
    url = admin_url.update_query_dict({"options": "-c role=app_user"})
    async with two_workers(working_settings, database, url):
        await subscribe(sql, boss, receiver.url(), event_types=["deal_created"])
        await asyncio.gather(*(create(client, boss, f"Deal {number}") for number in range(60)))
        await settled(sql, 60)
    ids = [request.headers["webhook-id"] for request in receiver.requests]
    assert len(ids) == len(set(ids)) == 60
