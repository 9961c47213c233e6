"""Stored once, applied once: under parallel posts, failures, replays, and without a database."""

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.errors import NotFound
from crm_graph.models import WebhookStatus
from crm_graph.settings import Settings
from crm_graph.telemetry.logs import JsonLines
from crm_graph.values import utc_now
from tests.support import stored
from tests.support.database import somebody_waits
from tests.support.webhooks import fixture, post
from webhooks import inbox
from webhooks.inbox import ResultStatus

REPLY = json.loads(fixture("instantly", "reply_received"))
NORMALISED = json.loads(fixture("instantly", "normalised_reply"))
BOOKING = json.loads(fixture("calcom", "booking_created"))
NO_SHOW = json.loads(fixture("calcom", "booking_no_show_updated"))


async def post_patiently(
    client: httpx.AsyncClient, provider: str, event: dict[str, Any], **headers: str
) -> httpx.Response:
    """Post again after 503, as a sender does: on a busy machine the tenth place in the pool can take 8 s."""
    for _ in range(5):
        answer = await post(client, provider, event, **headers)
        if answer.status_code != 503:
            break
    return answer


@pytest.mark.parametrize("key", [None, "evt_1"])
async def test_fifty_identical_posts_have_one_effect(
    key: str | None, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    headers = {"Idempotency-Key": key} if key else {}
    answers = await asyncio.gather(*(post_patiently(client, "instantly", REPLY, **headers) for _ in range(50)))

    statuses = sorted(answer.json()["status"] for answer in answers)
    assert statuses == ["duplicate"] * 49 + ["ok"]
    assert {answer.status_code for answer in answers} == ({200, 409} if key else {200})
    assert await stored.counts(sql) == (1, 1, 2, 1)


async def test_fifty_distinct_posts_have_fifty_effects(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    """All leads work for one new company, which every one of them would create."""
    events = [REPLY | {"lead_email": f"lead{i}@example.com"} for i in range(50)]
    answers = await asyncio.gather(*(post_patiently(client, "instantly", event) for event in events))

    assert [answer.json()["status"] for answer in answers] == ["ok"] * 50
    assert await stored.counts(sql) == (50, 50, 100, 50)
    assert await sql.scalar(text("SELECT count(*) FROM companies")) == 1


async def test_parallel_events_of_one_lead_open_one_deal(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    replies = [REPLY | {"timestamp": f"2026-01-05T16:04:{i:02}Z", "email_id": str(i)} for i in range(15)]
    bookings = [BOOKING | {"createdAt": f"2026-01-05T17:00:{i:02}Z"} for i in range(15)]
    posts = [post_patiently(client, "instantly", reply) for reply in replies]
    posts += [post_patiently(client, "calcom", booking) for booking in bookings]
    answers = await asyncio.gather(*posts)

    assert {answer.json()["status"] for answer in answers} == {"ok"}
    assert [deal["stage"] for deal in await stored.deals(sql)] == ["meeting_scheduled"]
    kinds = [activity["type"] for activity in await stored.activities(sql)]
    assert (kinds.count("email_in"), kinds.count("meeting")) == (15, 1)


async def test_fifty_keys_on_one_body_and_one_key_on_fifty_bodies(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    posts = [post_patiently(client, "instantly", REPLY, **{"Idempotency-Key": f"k{i}"}) for i in range(25)]
    bodies = [NORMALISED | {"campaign_id": f"c{i}"} for i in range(25)]
    posts += [post_patiently(client, "instantly", body, **{"Idempotency-Key": "one"}) for body in bodies]
    codes = sorted(answer.status_code for answer in await asyncio.gather(*posts))

    assert codes == [200] * 2 + [409] * 24 + [422] * 24
    assert len(await stored.contacts(sql)) == 2
    statuses = sorted(webhook["status"] for webhook in await stored.webhooks(sql))
    assert statuses == ["processed"] * 2 + ["quarantined"] * 24


async def test_crossed_keys_never_wait_for_each_other(client: httpx.AsyncClient) -> None:
    one, other = REPLY, NORMALISED | {"idempotency_key": "other"}
    for body, key in ((one, "k1"), (other, "k2")):
        assert (await post(client, "instantly", body, **{"Idempotency-Key": key})).status_code == 200

    pairs = ((one, "k2"), (other, "k1")) * 10
    crossed = [post(client, "instantly", body, **{"Idempotency-Key": key}) for body, key in pairs]
    codes = {answer.status_code for answer in await asyncio.gather(*crossed)}

    assert codes == {422}


async def test_parallel_retries_of_a_failed_event_have_one_effect(
    client: httpx.AsyncClient, sql: AsyncConnection, database: Database, settings: Settings
) -> None:
    await sql.execute(text("UPDATE pipeline_stages SET key = 'gone' WHERE key = 'qualified'"))
    failed = await post(client, "instantly", REPLY)
    await sql.execute(text("UPDATE pipeline_stages SET key = 'qualified' WHERE key = 'gone'"))
    assert (failed.status_code, failed.json()["status"]) == (202, "stored")

    webhook_id = uuid.UUID(failed.json()["webhook_id"])
    replays = [inbox.replay(database, settings, webhook_id, utc_now()) for _ in range(10)]
    answers, outcomes = await asyncio.gather(
        asyncio.gather(*(post_patiently(client, "instantly", REPLY) for _ in range(10))), asyncio.gather(*replays)
    )

    results = [answer.json()["status"] for answer in answers] + [outcome.status.value for outcome in outcomes]
    assert sorted(results) == ["duplicate"] * 19 + ["ok"]
    assert await stored.counts(sql) == (1, 1, 2, 1)


@pytest.fixture
async def broken(sql: AsyncConnection) -> AsyncIterator[None]:
    """A database that refuses incoming e-mails for an unforeseen reason."""
    await sql.execute(text("ALTER TABLE activities ADD CONSTRAINT unforeseen CHECK (type <> 'email_in') NOT VALID"))
    yield
    await sql.execute(text("ALTER TABLE activities DROP CONSTRAINT IF EXISTS unforeseen"))


@pytest.mark.usefixtures("broken")
async def test_an_unforeseen_failure_is_recorded_without_details_and_replayed(
    client: httpx.AsyncClient,
    sql: AsyncConnection,
    database: Database,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, "webhooks.failures"):
        answer = await post(client, "instantly", REPLY, **{"Idempotency-Key": "evt_1"})

    assert answer.status_code == 500
    webhook_id = (await sql.scalar(text("SELECT id FROM webhooks_log"))) or uuid.UUID(int=0)
    assert str(webhook_id) in answer.json()["message"]
    [record] = [record for record in caplog.records if record.name == "webhooks.failures"]
    assert record.__dict__["details"]["webhook_id"] == webhook_id
    assert record.__dict__["details"]["constraint"] == "unforeseen"
    for secret in ("john.doe@example.com", "Yes please"):
        assert secret not in JsonLines().format(record)
    for leak in ("INSERT", "activities", "unforeseen", "/", "psycopg", "john"):
        assert leak not in answer.json()["message"].partition("webhook ")[2]
    assert await stored.counts(sql) == (1, 0, 0, 0)

    still = await inbox.replay(database, settings, webhook_id, utc_now())
    assert still.status is ResultStatus.FAILED
    await sql.execute(text("ALTER TABLE activities DROP CONSTRAINT unforeseen"))
    done = await inbox.replay(database, settings, webhook_id, utc_now())

    assert done.status is ResultStatus.APPLIED
    assert await stored.counts(sql) == (1, 1, 2, 1)
    [webhook] = await stored.webhooks(sql)
    assert (webhook["status"], webhook["attempts"], webhook["error"]) == ("processed", 3, None)
    answer = await post(client, "instantly", REPLY, **{"Idempotency-Key": "evt_1"})
    assert answer.status_code == 409


async def test_replay_of_a_processed_event_changes_nothing(
    client: httpx.AsyncClient, sql: AsyncConnection, database: Database, settings: Settings
) -> None:
    answer = await post(client, "instantly", REPLY)
    before = await stored.everything(sql)

    outcome = await inbox.replay(database, settings, uuid.UUID(answer.json()["webhook_id"]), utc_now())

    assert outcome.status is ResultStatus.DUPLICATE
    assert outcome.reason
    assert str(outcome.contact_id) == answer.json()["contact_id"]
    assert await stored.everything(sql) == before


async def test_replay_of_an_ignored_event_under_new_settings(
    client: httpx.AsyncClient, sql: AsyncConnection, database: Database, settings: Settings
) -> None:
    event = json.loads(json.dumps(BOOKING).replace("john.doe@example.com", "john@seller.com"))
    answer = await post(client, "calcom", event)
    assert answer.json()["status"] == "ignored"

    corrected = settings.model_copy(update={"internal_domains": ()})
    outcome = await inbox.replay(database, corrected, uuid.UUID(answer.json()["webhook_id"]), utc_now())

    assert outcome.status is ResultStatus.APPLIED
    assert [contact["email"] for contact in await stored.contacts(sql)] == ["john@seller.com"]


async def test_replay_by_status_and_time(
    client: httpx.AsyncClient, sql: AsyncConnection, database: Database, settings: Settings
) -> None:
    start = utc_now()
    await sql.execute(text("UPDATE pipeline_stages SET key = 'gone' WHERE key = 'qualified'"))
    for i in range(3):
        await post(client, "instantly", REPLY | {"lead_email": f"lead{i}@example.com"})
    await sql.execute(text("UPDATE pipeline_stages SET key = 'qualified' WHERE key = 'gone'"))

    async def replay(status: WebhookStatus, since: timedelta, limit: int) -> list[ResultStatus]:
        found = await inbox.replay_since(database, settings, status, start + since, utc_now(), limit)
        return [outcome.status for outcome in found]

    assert await replay(WebhookStatus.ERROR, timedelta(hours=1), 10) == []
    assert await replay(WebhookStatus.QUARANTINED, timedelta(0), 10) == []
    assert await replay(WebhookStatus.ERROR, timedelta(0), 2) == [ResultStatus.APPLIED] * 2
    assert await replay(WebhookStatus.ERROR, timedelta(0), 10) == [ResultStatus.APPLIED]
    assert await replay(WebhookStatus.ERROR, timedelta(0), 10) == []
    assert await stored.counts(sql) == (3, 3, 6, 3)


async def test_a_failed_event_is_retried_on_schedule_and_not_forever(
    client: httpx.AsyncClient, sql: AsyncConnection, database: Database, settings: Settings
) -> None:
    await sql.execute(text("UPDATE pipeline_stages SET key = 'gone' WHERE key = 'qualified'"))
    await post(client, "instantly", REPLY)
    received_at = utc_now()
    await sql.execute(text("UPDATE pipeline_stages SET key = 'qualified' WHERE key = 'gone'"))

    assert await inbox.retry_failed(database, settings, received_at + timedelta(minutes=1)) == []
    await sql.execute(text("UPDATE webhooks_log SET attempts = 13"))
    assert await inbox.retry_failed(database, settings, received_at + timedelta(days=30)) == []
    await sql.execute(text("UPDATE webhooks_log SET attempts = 1"))
    [retried] = await inbox.retry_failed(database, settings, received_at + timedelta(minutes=2, seconds=1))

    assert retried.status is ResultStatus.APPLIED
    assert await sql.scalar(text("SELECT status FROM webhooks_log")) == "processed"
    assert await inbox.retry_failed(database, settings, received_at + timedelta(days=1)) == []


async def test_replay_of_an_unknown_id(database: Database, settings: Settings) -> None:
    with pytest.raises(NotFound):
        await inbox.replay(database, settings, uuid.uuid4(), utc_now())


async def test_a_deadlock_is_retried(client: httpx.AsyncClient, sql: AsyncConnection, admin_url: URL) -> None:
    first, second = ({"email": f"{name}@example.com", "noShow": True} for name in "ab")
    payload = NO_SHOW["payload"] | {"attendees": [first, second]}
    assert (await post(client, "calcom", NO_SHOW | {"payload": payload})).json()["status"] == "ok"
    take = "SELECT 1 FROM contacts WHERE email = %s FOR UPDATE"
    url = admin_url.set(drivername="postgresql").render_as_string(hide_password=False)

    async with await psycopg.AsyncConnection.connect(url) as other:
        await other.execute("SET deadlock_timeout = '10s'")  # it is the event that must notice
        await other.execute(take, ["b@example.com"])
        posting = asyncio.create_task(post(client, "calcom", NO_SHOW | {"createdAt": "now", "payload": payload}))
        await somebody_waits(sql)
        await other.execute(take, ["a@example.com"])
        await other.commit()
        answer = await posting

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert [entry["type"] for entry in await stored.activities(sql)].count("no_show") == 4
