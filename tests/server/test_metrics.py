"""GET /metrics: its values, who may read it, and that no label has personal data."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from sqlalchemy import insert, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.delivery.queue import OUTAGE_FAILURES
from crm_graph.models import DeliveryStatus, Event, EventType, WebhookDelivery, WebhookEndpoint, WebhookLog, table
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from tests.support.api import bearer, send
from tests.support.factories import add_owner
from tests.support.metrics import scrape
from tests.support.webhooks import fixture, post, relayed

ADA = "ada@seller.com"
TOKEN = "a-token-of-a-scraper-for-the-tests-alone"
PORT = 9464
NOW = datetime.now(UTC)
PENDING = DeliveryStatus.PENDING


def local(app: FastAPI, peer: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(peer, 5000))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:8000")


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """Development settings, where a program on this machine needs no token."""
    return settings.model_copy(update={"crm_env": "development"})


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A program on this machine."""
    async with local(app) as opened:
        yield opened


@pytest.fixture(autouse=True)
async def ada(client: httpx.AsyncClient, sql: AsyncConnection) -> Any:
    return await add_owner(sql, ADA)


async def test_webhooks_are_counted_by_source_and_result(client: httpx.AsyncClient) -> None:
    booking = fixture("calcom", "booking_created")
    await post(client, "calcom", booking)
    await post(client, "calcom", booking)
    await post(client, "calcom", booking, **{"X-Cal-Signature-256": "0" * 64})
    await post(client, "instantly", b"[]")

    samples = await scrape(client)

    ingest = {key[1:]: value for key, value in samples.items() if key[0] == "ingest_total"}
    assert ingest == {
        ("calcom", "ok"): 1,
        ("calcom", "duplicate"): 1,
        ("calcom", "signature_invalid"): 1,
        ("instantly", "bad_request"): 1,
    }
    assert samples["ingest_seconds_count", "calcom"] == 3
    assert 0 < samples["ingest_seconds_sum", "calcom"] < 30


async def test_an_event_that_could_not_be_stored_is_counted_as_unavailable(settings: Settings) -> None:
    nowhere = Database(make_url("postgresql+psycopg://app:hunter2@127.0.0.1:1/crm"))
    async with local(create_app(settings, nowhere)) as client:
        await post(client, "calcom", fixture("calcom", "booking_created"))
        samples = await scrape(client)

    await nowhere.close()
    assert samples["ingest_total", "calcom", "unavailable"] == 1


async def test_operations_are_counted_by_kind_and_by_their_first_error(client: httpx.AsyncClient) -> None:
    create = "mutation ($in: CreateDealInput!) { createDeal(input: $in) { deal { id } } }"
    await send(client, ADA, "{ me { id } }")
    await send(client, ADA, "{ me { id } }")
    await send(client, ADA, create, **{"in": {"title": "Pilot"}})
    await send(client, ADA, create, **{"in": {"title": ""}})
    await send(client, ADA, "{ me { ")
    await send(client, "nobody@seller.com", "{ me { id } }")

    samples = await scrape(client)

    operations = {key[1:]: value for key, value in samples.items() if key[0] == "graphql_operations_total"}
    assert operations == {
        ("query", "ok"): 2,
        ("mutation", "ok"): 1,
        ("mutation", "validation"): 1,
        ("unknown", "bad_request"): 1,
        ("unknown", "unauthenticated"): 1,
    }
    assert samples["graphql_operation_seconds_count", "mutation"] == 2


async def test_requests_are_counted_by_route_and_never_by_path(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/ada@seller.com", "/x/1", "/x/2", "/graphql?access_token=hunter2"):
        await client.get(path)
    await client.request("BREW", "/healthz")
    await client.post("/crm/webhooks/calcom/booking", content=b"{}")

    samples = await scrape(client)

    requests = {key[1:]: value for key, value in samples.items() if key[0] == "http_requests_total"}
    assert requests == {
        ("GET", "/healthz", "200"): 1,
        ("GET", "unmatched", "404"): 3,
        ("GET", "/graphql", "401"): 1,
        ("other", "/healthz", "405"): 1,
        ("POST", "/crm/webhooks/calcom/booking", "401"): 1,
    }
    assert samples["http_request_seconds_count", "unmatched"] == 3


async def test_what_callers_send_is_in_no_label(client: httpx.AsyncClient) -> None:
    hostile = {"event_type": "hunter2", "lead_email": "private@lead.example", "campaign_name": "hunter2"}
    await post(client, "instantly", hostile)
    await client.post("/crm/webhooks/instantly/reply", content=b"hunter2", headers=relayed("instantly", b"hunter2"))
    await client.post("/crm/webhooks/hunter2/reply", content=b"{}")
    await client.post("/graphql", json={"query": "query hunter2 { hunter2 }"}, headers=bearer(ADA))

    shown = (await client.get("/metrics")).text

    for secret in ("hunter2", "private", "@", ADA):
        assert secret not in shown


async def test_two_applications_in_one_process_count_apart(
    client: httpx.AsyncClient, settings: Settings, database: Database
) -> None:
    async with local(create_app(settings, database)) as other:
        await client.get("/healthz")
        await client.get("/healthz")
        await other.get("/healthz")

        assert (await scrape(client))["http_requests_total", "GET", "/healthz", "200"] == 2
        assert (await scrape(other))["http_requests_total", "GET", "/healthz", "200"] == 1


async def test_the_age_of_each_sources_last_event(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    for source, minutes in (("calcom", 90), ("calcom", 10), ("old-provider", 1)):
        event = {"id": uuid.uuid4(), "source": source, "event_type": "x", "dedupe_key": uuid.uuid4().hex, "body": b"{}"}
        received_at = datetime.now(UTC) - timedelta(minutes=minutes)
        await sql.execute(insert(table(WebhookLog)).values(event | {"received_at": received_at, "status": "error"}))

    samples = await scrape(client)

    ages = {key[1]: value for key, value in samples.items() if key[0] == "last_event_age_seconds"}
    assert ages == {"calcom": pytest.approx(600, abs=60)}
    assert samples["webhooks_unapplied", "error"] == 3
    assert samples["webhooks_unapplied", "quarantined"] == 0


async def endpoint(sql: AsyncConnection, owner: object, **columns: Any) -> uuid.UUID:
    row = {"id": uuid.uuid4(), "owner_id": owner, "secret": "whsec_hunter2", "headers": {}}
    url = f"https://hunter2.example/{row['id']}"
    await sql.execute(insert(table(WebhookEndpoint)).values(row | {"url": url} | columns))
    return uuid.UUID(str(row["id"]))


async def delivery(sql: AsyncConnection, endpoint_id: uuid.UUID, **columns: Any) -> None:
    event: dict[str, Any] = {"id": uuid.uuid4(), "type": EventType.DEAL_UPDATED, "occurred_at": NOW, "owner_ids": []}
    inserted = (
        insert(table(Event)).values(event | {"source": "system", "payload": {}}).returning(table(Event).c.position)
    )
    position = (await sql.execute(inserted)).scalar_one()
    row = {"id": uuid.uuid4(), "endpoint_id": endpoint_id, "event_id": event["id"], "position": position}
    await sql.execute(insert(table(WebhookDelivery)).values(row | columns))


async def test_endpoints_and_deliveries_are_counted_by_state(
    client: httpx.AsyncClient, sql: AsyncConnection, ada: object
) -> None:
    now = datetime.now(UTC)
    soon, ago = now + timedelta(hours=1), now - timedelta(hours=1)
    leaver = await add_owner(sql, "leaver@seller.com", active=False)
    healthy = await endpoint(sql, ada)
    await endpoint(sql, ada, failures=1, failing_since=ago)
    down = await endpoint(sql, ada, failures=OUTAGE_FAILURES, failing_since=ago, retry_at=soon)
    disabled = await endpoint(sql, ada, disabled_at=ago, disabled_reason="it answered 410 Gone")
    await endpoint(sql, leaver)
    order_key = uuid.uuid4()
    await delivery(sql, healthy, due_at=now - timedelta(minutes=7))
    await delivery(sql, healthy, due_at=soon, order_key=order_key)
    await delivery(sql, healthy, due_at=ago, order_key=order_key)  # may not go before the one above
    await delivery(sql, healthy, due_at=ago, leased_until=soon)
    await delivery(sql, healthy, status=DeliveryStatus.DELIVERED, settled_at=now)
    await delivery(sql, healthy, status=DeliveryStatus.FAILED, settled_at=now)
    await delivery(sql, healthy, status=DeliveryStatus.DELIVERED, settled_at=ago)
    await delivery(sql, down, due_at=ago)
    await delivery(sql, disabled, due_at=ago)

    samples = await scrape(client)

    def of(name: str) -> dict[str, float]:
        return {key[1]: value for key, value in samples.items() if key[0] == name}

    assert of("webhook_endpoints") == {"ok": 1, "failing": 1, "down": 1, "disabled": 1, "inactive": 1}
    assert of("deliveries_pending") == {"due": 2, "waiting": 2, "sending": 1, "held": 1}
    assert of("deliveries_settled_5m") == {"delivered": 1, "failed": 1, "cancelled": 0}
    assert samples[("deliveries_oldest_due_age_seconds",)] == pytest.approx(420, abs=60)
    assert samples[("deliveries_paused",)] == 0

    await sql.execute(text("INSERT INTO deployment (public_url, paused_at) VALUES ('https://a.example', now())"))
    samples = await scrape(client)
    assert samples[("deliveries_paused",)] == 1
    assert samples[("deliveries_oldest_due_age_seconds",)] == 0
    assert of("deliveries_pending") == {"due": 0, "waiting": 0, "sending": 1, "held": 5}


async def test_the_pools_report_connections_in_use(client: httpx.AsyncClient, database: Database) -> None:
    async with database.read():
        samples = await scrape(client)

    assert samples["database_connections_size", "reads"] == samples["database_connections_size", "transactions"] == 8
    assert samples["database_connections_in_use", "reads"] == 1
    assert samples["database_connections_in_use", "transactions"] == 0  # the scrape's own is back
    assert samples["database_connections_idle", "transactions"] >= 1
    assert samples[("database_up",)] == 1


async def test_without_a_database_it_reports_the_process_only(settings: Settings) -> None:
    nowhere = Database(make_url("postgresql+psycopg://app:hunter2@127.0.0.1:1/crm"))
    async with local(create_app(settings, nowhere)) as client:
        await client.get("/healthz")
        samples = await scrape(client)

    await nowhere.close()
    assert samples[("database_up",)] == 0
    assert samples["http_requests_total", "GET", "/healthz", "200"] == 1
    assert not [key for key in samples if key[0].startswith(("deliveries", "last_event", "webhook"))]


async def test_a_database_that_hangs_is_waited_for_two_seconds(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await sql.execute(text("BEGIN"))
    try:
        await sql.execute(text("LOCK TABLE webhooks_log"))
        started = datetime.now(UTC)
        samples = await scrape(client)
    finally:
        await sql.execute(text("ROLLBACK"))

    assert datetime.now(UTC) - started < timedelta(seconds=4)
    assert samples[("database_up",)] == 0
    assert (await scrape(client))[("database_up",)] == 1


async def test_openmetrics_on_request(client: httpx.AsyncClient) -> None:
    await client.get("/healthz")
    answer = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})

    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    names = {family.name for family in read_openmetrics(answer.text)}  # type: ignore[no-untyped-call]
    assert {"crm_graph_http_requests", "crm_graph_database_up", "crm_graph_deliveries_pending"} <= names
