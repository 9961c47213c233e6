"""The answers to senders: the table of answers, and the refusal of requests that are no events."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support import stored
from tests.support.webhooks import ENDPOINTS, fixture, post, relayed, signed

REPLY = json.loads(fixture("instantly", "reply_received"))
NORMALISED = json.loads(fixture("instantly", "normalised_reply"))
BOOKING = json.loads(fixture("calcom", "booking_created"))


@pytest.fixture
async def no_qualified_stage(sql: AsyncConnection) -> AsyncIterator[None]:
    """A pipeline without the stage Qualified."""
    await sql.execute(text("UPDATE pipeline_stages SET key = 'gone' WHERE key = 'qualified'"))
    yield
    await sql.execute(text("UPDATE pipeline_stages SET key = 'qualified' WHERE key = 'gone'"))


async def test_applied_returns_the_contact_and_the_deal(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    answer = await post(client, "instantly", REPLY)

    assert answer.status_code == 200
    webhook = (await sql.execute(text("SELECT id, contact_id, deal_id, body FROM webhooks_log"))).one()
    assert answer.json() == {
        "status": "ok",
        "webhook_id": str(webhook.id),
        "contact_id": str(webhook.contact_id),
        "deal_id": str(webhook.deal_id),
    }
    assert webhook.body == json.dumps(REPLY).encode()


@pytest.mark.parametrize("header", ["Idempotency-Key", "webhook-id"])
async def test_duplicate_with_a_key_is_409(header: str, client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    first = await post(client, "instantly", REPLY, **{header: "evt_1"})
    before = await stored.everything(sql)
    again = await post(client, "instantly", REPLY, **{header: "evt_1"})

    assert (first.status_code, again.status_code) == (200, 409)
    assert again.json() == first.json() | {"status": "duplicate"}
    assert await stored.everything(sql) == before
    assert before["webhooks"][0]["idempotency_key"] == "evt_1"


async def test_the_body_s_own_key_counts_in_our_shape_alone(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    assert (await post(client, "instantly", NORMALISED)).status_code == 200
    assert (await post(client, "instantly", NORMALISED)).status_code == 409

    shadowed = REPLY | {"idempotency_key": "a lead variable"}
    assert (await post(client, "instantly", shadowed)).status_code == 200
    assert (await post(client, "instantly", shadowed)).status_code == 200
    keys = [webhook["idempotency_key"] for webhook in await stored.webhooks(sql)]
    assert keys == ["evt_pg_010", None]


async def test_the_header_s_key_wins_over_the_body_s(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await post(client, "instantly", NORMALISED, **{"Idempotency-Key": "from the header"})
    assert [webhook["idempotency_key"] for webhook in await stored.webhooks(sql)] == ["from the header"]


@pytest.mark.parametrize("headers", [{"Idempotency-Key": "new"}, {"webhook-id": "new"}, {}], ids=str)
async def test_a_captured_body_has_no_second_effect(
    headers: dict[str, str], client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    for event in (REPLY, NORMALISED):
        await post(client, "instantly", event, **{"Idempotency-Key": f"first {event.keys()}"[:200]})
    await post(client, "calcom", BOOKING)
    before = await stored.everything(sql)

    for provider, event in (("instantly", REPLY), ("instantly", NORMALISED), ("calcom", BOOKING)):
        answer = await post(client, provider, event, **headers)
        assert answer.json()["status"] == "duplicate"
    assert await stored.everything(sql) == before


async def test_a_key_with_another_body_is_quarantined(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    other = REPLY | {"lead_email": "other@else.example", "email": "other@else.example"}
    await post(client, "instantly", REPLY, **{"Idempotency-Key": "evt_1"})

    for _ in range(2):
        answer = await post(client, "instantly", other, **{"Idempotency-Key": "evt_1"})
        assert answer.status_code == 422
        assert answer.json()["error"] == "key_reused"
        assert set(answer.json()) == {"error", "message"}

    first, second = await stored.webhooks(sql)
    assert (first["status"], second["status"]) == ("processed", "quarantined")
    assert second["idempotency_key"] is None
    assert second["attempts"] == 1
    assert "key" in second["error"]
    assert len(await stored.contacts(sql)) == 1

    # Under a key of its own it is an event like any other.
    answer = await post(client, "instantly", other, **{"Idempotency-Key": "evt_2"})
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert len(await stored.contacts(sql)) == 2


@pytest.mark.parametrize(
    ("provider", "event", "place"),
    [
        ("instantly", {**REPLY, "lead_email": None, "email": None}, "email is missing"),
        ("instantly", {**REPLY, "lead_email": "nobody"}, "lead_email is not"),
        ("instantly", {**REPLY, "lead_email": "a" * 10_000 + "@x.com"}, "lead_email is not"),
        ("instantly", {**REPLY, "lead_email": "a@x.com\r\nBcc: b@y.com"}, "lead_email"),
        ("instantly", {**REPLY, "lead_email": {"x": 1}, "email": []}, "email is missing"),
        ("instantly", {**REPLY, "event_type": 5}, "event_type is missing"),
        ("instantly", {**NORMALISED, "lead": "mike@globex.com"}, "lead.email is missing"),
        ("instantly", {}, "event_type is missing"),
        ("calcom", {**BOOKING, "payload": None}, "payload.attendees"),
        ("calcom", {**BOOKING, "payload": {**BOOKING["payload"], "attendees": "x", "responses": 5}}, "attendees"),
        ("calcom", {"event": "booking.created", "booking": []}, "booking.attendees"),
        ("calcom", {"triggerEvent": ["BOOKING_CREATED"]}, "triggerEvent is missing"),
        ("calcom", {}, "triggerEvent is missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_quarantined_names_the_place(
    provider: str, event: dict[str, Any], place: str, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    answer = await post(client, provider, event)

    assert answer.status_code == 200
    assert answer.json()["status"] == "quarantined"
    assert place in answer.json()["reason"]
    [webhook] = await stored.webhooks(sql)
    assert (webhook["status"], webhook["error"]) == ("quarantined", answer.json()["reason"])
    assert await stored.counts(sql) == (1, 0, 0, 0)


async def test_unknown_events_are_kept_and_ignored(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    for provider, event in (
        ("instantly", REPLY | {"event_type": "something_new"}),
        ("instantly", {"event": "lead.exploded"}),
        ("calcom", BOOKING | {"triggerEvent": "RECORDING_READY"}),
        ("calcom", {"event": "booking.exploded"}),
    ):
        answer = await post(client, provider, event)
        assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
    assert await stored.counts(sql) == (4, 0, 0, 0)


@pytest.mark.usefixtures("no_qualified_stage")
async def test_failed_with_a_key_is_500_and_its_retry_runs_again(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    for attempt in (1, 2):
        answer = await post(client, "instantly", REPLY, **{"Idempotency-Key": "evt_1"})
        assert answer.status_code == 500
        assert answer.json()["error"] == "apply_failed"
        assert "no stage with the key 'qualified'" in answer.json()["message"]
        [webhook] = await stored.webhooks(sql)
        assert (webhook["status"], webhook["attempts"]) == ("error", attempt)
        assert await stored.counts(sql) == (1, 0, 0, 0)

    await sql.execute(text("UPDATE pipeline_stages SET key = 'qualified' WHERE key = 'gone'"))
    answer = await post(client, "instantly", REPLY, **{"Idempotency-Key": "evt_1"})
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    [webhook] = await stored.webhooks(sql)
    assert (webhook["status"], webhook["attempts"], webhook["error"]) == ("processed", 3, None)
    assert [deal["stage"] for deal in await stored.deals(sql)] == ["qualified"]


@pytest.mark.usefixtures("no_qualified_stage")
async def test_failed_without_a_key_is_stored(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    answer = await post(client, "instantly", REPLY)

    assert answer.status_code == 202
    assert answer.json()["status"] == "stored"
    assert [webhook["status"] for webhook in await stored.webhooks(sql)] == ["error"]


@pytest.mark.parametrize("body", [b"null", b"5", b'"abc"', b"[]", b"true", b"", b"{", b"\xff\xfe", b"{'a': 1}"])
async def test_other_bodies_than_json_objects_are_400(
    body: bytes, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    for provider in ENDPOINTS:
        answer = await post(client, provider, body)
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
    assert await stored.counts(sql) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "body",
    [
        b'{"event_type": NaN}',
        b'{"event_type": -Infinity}',
        b'{"a": ' * 201 + b"1" + b"}" * 201,
        b'{"a": ' * 10_000 + b"1" + b"}" * 10_000,
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"event_type": "reply_received", "event_type": "email_sent"}',
        b'{"payload": {"uid": "a", "uid": "b"}}',
        b'{"n": ' + b"9" * 5_000 + b"}",
    ],
    ids=["NaN", "Infinity", "201 levels", "deep object", "deep array", "twice", "twice inside", "5,000 digits"],
)
async def test_ambiguous_or_endless_json_is_400(body: bytes, client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    for provider in ENDPOINTS:
        answer = await post(client, provider, body)
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
    assert await stored.counts(sql) == (0, 0, 0, 0)


async def test_the_deepest_payload_that_is_read_is_applied(client: httpx.AsyncClient) -> None:
    deep: Any = "x"
    for _ in range(198):
        deep = {"a": deep}
    body = json.loads(fixture("instantly", "normalised_reply")) | {"deep": deep}
    assert (await post(client, "instantly", body)).json()["status"] == "ok"


async def test_large_and_compressed_bodies_are_refused(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    large = b'{"a": "' + b"x" * 10_000_000 + b'"}'
    squeezed = gzip.compress(b" " * 10_000_000)
    url = ENDPOINTS["instantly"]

    answers = [
        await client.post(url, content=large, headers=signed("instantly", large)),
        await client.post(url, content=chunks(), headers=signed("instantly", b"")),
        await client.post(url, content=squeezed, headers=signed("instantly", b"") | {"Content-Encoding": "gzip"}),
    ]

    assert [answer.status_code for answer in answers] == [413, 413, 415]
    assert [answer.json()["error"] for answer in answers] == ["payload_too_large"] * 2 + ["unsupported_media_type"]
    assert await stored.counts(sql) == (0, 0, 0, 0)


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "multipart/form-data", "x", ""])
async def test_any_content_type_is_read(media_type: str, client: httpx.AsyncClient) -> None:
    assert (await post(client, "calcom", BOOKING, **{"Content-Type": media_type})).status_code == 200


async def test_a_byte_order_mark_is_read(client: httpx.AsyncClient) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(BOOKING).encode()
    assert (await post(client, "calcom", body)).status_code == 200


@pytest.mark.parametrize(
    ("headers", "place"),
    [
        ([("Idempotency-Key", "k" * 256)], "idempotency-key"),
        ([("webhook-id", "k" * 256)], "webhook-id"),
        ([("Idempotency-Key", "a"), ("Idempotency-Key", "b")], "idempotency-key"),
        ([("Idempotency-Key", "a\tb")], "idempotency-key"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_invalid_key_is_400(
    headers: list[tuple[str, str]], place: str, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    body = json.dumps(REPLY).encode()
    signing = list(relayed("instantly", body).items())
    answer = await client.post(ENDPOINTS["instantly"], content=body, headers=signing + headers)

    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
    assert place in answer.json()["message"]
    assert await stored.counts(sql) == (0, 0, 0, 0)


async def test_keys_of_any_length_up_to_the_limit(client: httpx.AsyncClient) -> None:
    assert (await post(client, "instantly", REPLY, **{"Idempotency-Key": "k" * 255})).status_code == 200
    long = await post(client, "instantly", NORMALISED | {"idempotency_key": "k" * 256})
    assert (long.status_code, "idempotency_key" in long.json()["message"]) == (400, True)
    blank = await post(client, "instantly", NORMALISED, **{"Idempotency-Key": " "})
    assert blank.status_code == 200


async def test_other_paths_and_methods(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    body = json.dumps(REPLY).encode()
    for path in ("instantly/booking", "calcom/reply", "instantly", "other/reply", "instantly/reply/x"):
        answer = await client.post(f"/crm/webhooks/{path}", content=body, headers=signed("instantly", body))
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert (await client.get(ENDPOINTS["instantly"])).status_code == 405
    assert await stored.counts(sql) == (0, 0, 0, 0)


async def test_no_success_has_a_top_level_error(client: httpx.AsyncClient) -> None:
    bodies: list[dict[str, Any]] = [REPLY, REPLY, {}, {"event": "x"}]
    answers = await asyncio.gather(*(post(client, "instantly", body) for body in bodies))
    assert all(answer.status_code == 200 and "error" not in answer.json() for answer in answers)
