"""Traces: one from a webhook to the deliveries it causes, exported over OTLP; none without OTEL_* settings."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.models import Event, Role, WebhookEndpoint, table
from crm_graph.server.worker import working
from crm_graph.settings import Settings
from crm_graph.telemetry import trace_export, tracing
from crm_graph.telemetry.trace_export import TraceExport
from crm_graph.web.signatures import new_webhook_secret
from tests.support.api import bearer
from tests.support.factories import add_owner
from tests.support.http_receiver import Receiver, answer
from tests.support.logs import records, written
from tests.support.otel_collector import Collector
from tests.support.webhooks import fixture, post

pytestmark = pytest.mark.slow

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
CREATE = "mutation ($title: String!) { createDeal(input: {title: $title}) { deal { id } } }"


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that this process exports to; `tracing.shut_down()` sends the remaining spans."""
    with (
        Collector() as opened,
        trace_export.exporting(TraceExport(f"{opened.url}/v1/traces", headers="api-key=x%20y,b=1")),
    ):
        yield opened


def facts(span: Any) -> dict[str, Any]:
    return {item.key: item.value.string_value or item.value.int_value for item in span.attributes}


def parent_of(span: Any) -> str:
    return str(span.parent_span_id.hex())


def id_of(span: Any) -> str:
    return str(span.span_id.hex())


async def boss_with_endpoint(sql: AsyncConnection, url: str) -> None:
    boss = await add_owner(sql, "boss@seller.com", role=Role.ADMIN)
    row = {"id": uuid.uuid4(), "owner_id": boss, "url": url, "secret": new_webhook_secret(), "headers": {}}
    await sql.execute(insert(table(WebhookEndpoint)).values(row | {"event_types": ["deal_created"]}))


async def test_one_trace_from_a_webhook_to_the_delivery_of_its_event(
    client: httpx.AsyncClient,
    sql: AsyncConnection,
    settings: Settings,
    database: Database,
    admin_url: URL,
    collector: Collector,
) -> None:
    allowed = settings.model_copy(update={"outbound_allowed_networks": ("127.0.0.0/8:*",)})
    url = admin_url.update_query_dict({"options": "-c role=app_user"})
    async with Receiver() as receiver, working(allowed, database, url):
        await boss_with_endpoint(sql, receiver.url())
        receiver.plan(answer(500))
        await post(client, "calcom", fixture("calcom", "booking_created"), traceparent=TRACEPARENT)
        await receiver.wait(1)
        await asyncio.sleep(0.1)  # the span ends after the response
        event = (await sql.execute(select(table(Event)).where(table(Event).c.type == "deal_created"))).one()
        tracing.shut_down()

    [server] = collector.named("POST /crm/webhooks/calcom/booking")
    [transaction] = [span for span in collector.named("transaction") if parent_of(span) == id_of(server)]
    [delivery] = collector.named("deliver")
    assert {span.trace_id.hex() for span in (server, transaction, delivery)} == {TRACE}
    assert parent_of(server) == PARENT
    assert event.traceparent == f"00-{TRACE}-{id_of(transaction)}-01"
    assert parent_of(delivery) == id_of(transaction)
    assert receiver.requests[0].headers["traceparent"] == f"00-{TRACE}-{id_of(delivery)}-01"
    assert facts(server)["http.response.status_code"] == 200
    assert facts(delivery)["event"] == str(event.id)
    assert (facts(delivery)["error.type"], delivery.status.code) == ("500", 2)
    assert collector.services == {"crm-graph"}
    assert collector.headers["api-key"] == "x y"


async def test_a_mutation_starts_a_trace_of_its_own_that_its_event_carries(
    client: httpx.AsyncClient, sql: AsyncConnection, collector: Collector
) -> None:
    ada = await add_owner(sql, "ada@seller.com")
    for garbage in ("hello", f"00-{'0' * 32}-{PARENT}-01", f"{TRACEPARENT}-x"):
        body = {"query": CREATE, "variables": {"title": "Pilot"}}
        await client.post("/graphql", json=body, headers=bearer(ada) | {"traceparent": garbage})
    traceparents = (await sql.scalars(select(table(Event).c.traceparent))).all()
    tracing.shut_down()

    servers = collector.named("POST /graphql")
    assert [parent_of(span) for span in servers] == ["", "", ""]
    assert {value.split("-")[1] for value in traceparents} == {span.trace_id.hex() for span in servers}
    assert len(traceparents) == 3


async def test_every_log_line_has_its_request_id_and_trace_id(client: httpx.AsyncClient, collector: Collector) -> None:
    with written() as lines:
        answered = await post(client, "instantly", {"event_type": "reply_received"}, traceparent=TRACEPARENT)

    ours = [line for line in records(lines) if line["logger"].startswith(("crm_graph", "webhooks"))]
    assert len(ours) >= 2, "the event is quarantined, and the request ends"
    assert {line["request_id"] for line in ours} == {answered.headers["x-request-id"]}
    assert {line["trace_id"] for line in ours} == {TRACE}


async def test_a_span_has_no_personal_data(
    client: httpx.AsyncClient, sql: AsyncConnection, collector: Collector
) -> None:
    ada = await add_owner(sql, "ada@seller.com")
    await sql.execute(text("ALTER TABLE deals ADD CONSTRAINT never CHECK (title <> 'hunter2')"))
    try:
        body = {"query": CREATE, "variables": {"title": "hunter2"}}
        failed = await client.post("/graphql?hunter2", json=body, headers=bearer(ada))
    finally:
        await sql.execute(text("ALTER TABLE deals DROP CONSTRAINT never"))
    await client.get("/private@lead.example?token=hunter2")
    await post(client, "instantly", {"event_type": "hunter2", "lead_email": "private@lead.example"})
    tracing.shut_down()

    assert failed.status_code == 500
    [server] = collector.named("POST /graphql")
    [transaction] = [span for span in collector.named("transaction") if parent_of(span) == id_of(server)]
    assert facts(transaction)["error.type"] == "CheckViolation"
    assert (transaction.status.code, server.status.code) == (2, 2)
    assert collector.named("GET unmatched")
    shown = "\n".join(map(str, collector.spans))
    for secret in ("hunter2", "private", "ada@seller.com"):
        assert secret not in shown


async def test_probes_and_background_work_leave_no_trace(
    client: httpx.AsyncClient, database: Database, collector: Collector
) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        await client.get(path)
    async with database.transaction():
        pass
    tracing.shut_down()

    assert collector.spans == []


def test_without_otel_variables_nothing_is_set_up(settings: Settings) -> None:
    trace_export.set_up(settings.traces())

    assert not tracing.is_on()
    with tracing.span("deliver", TRACEPARENT) as span:
        span.set_attribute("x", 1)
        assert tracing.current_traceparent() is None
    code = (
        "import sys, threading, crm_graph.cli.app; from crm_graph.telemetry import trace_export\n"
        "from crm_graph.settings import Settings\n"
        "trace_export.set_up(Settings.load().traces())\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))],"
        " threading.active_count())"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[] 1"


def test_a_collector_that_hangs_does_not_delay_the_shutdown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "4")  # seconds; longer than the shutdown waits
    with socket.create_server(("127.0.0.1", 0)) as silent:
        trace_export.set_up(TraceExport(f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"))
        with tracing.span("x"):
            pass
        started = time.monotonic()
        tracing.shut_down()
        took = time.monotonic() - started
    for thread in threading.enumerate():
        if thread.name == "last-spans":
            thread.join(30)  # it gives up once the listener is closed; its log line must fall into this test

    assert took < 3


@pytest.mark.parametrize(
    ("attributes", "name", "expected"),
    [
        ("", None, "crm-graph"),
        ("service.name=from-attributes", None, "from-attributes"),
        ("service.name=from-attributes", "from-name", "from-name"),
    ],
)
def test_the_service_has_the_name_that_the_operator_sets(
    monkeypatch: pytest.MonkeyPatch, attributes: str, name: str | None, expected: str
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", attributes)
    with Collector() as collector:
        trace_export.set_up(TraceExport(f"{collector.url}/v1/traces", service_name=name))
        with tracing.span("x"):
            pass
        tracing.shut_down()

    assert collector.services == {expected}


def test_headers_for_the_collector_are_in_no_repr() -> None:
    assert "hunter2" not in repr(TraceExport(headers="api-key=hunter2")) + json.dumps(
        str(TraceExport(headers="x=hunter2"))
    )
