"""Who may post: every way to sign, and every way to get it wrong."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.errors import SecretNotConfigured
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from crm_graph.values import utc_now
from crm_graph.web.signatures import standard_webhooks_signature
from tests.support import stored
from tests.support.credentials import CALCOM_SECRET, INSTANTLY_OLD_SECRET, INSTANTLY_SECRET, INSTANTLY_TOKEN
from tests.support.webhooks import ENDPOINTS, fixture, signature
from webhooks import signatures
from webhooks.provider import Secrets

REPLY, BOOKING = fixture("instantly", "reply_received"), fixture("calcom", "booking_created")
Header = dict[str, str] | list[tuple[str, str]] | list[tuple[bytes, bytes]]
Maker = Callable[[], dict[str, str]]  # of headers that carry the time


def standard(secret: str, body: bytes, *, age: timedelta = timedelta(0), message_id: str = "msg_1") -> dict[str, str]:
    """The headers of Standard Webhooks."""
    timestamp = str(int((utc_now() - age).timestamp()))
    signed = standard_webhooks_signature(secret.encode(), message_id, timestamp, body)
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signed}


RIGHT: list[tuple[str, str, Header | Maker]] = [
    ("instantly", "bearer", {"Authorization": f"Bearer {INSTANTLY_TOKEN}"}),
    ("instantly", "bearer in lower case", {"Authorization": f"bearer {INSTANTLY_TOKEN}"}),
    ("instantly", "ours", {"X-Signature": signature(INSTANTLY_SECRET, REPLY)}),
    ("instantly", "ours with prefix", {"X-Signature": "sha256=" + signature(INSTANTLY_SECRET, REPLY)}),
    ("instantly", "ours in capitals", {"X-Signature": signature(INSTANTLY_SECRET, REPLY).upper()}),
    ("instantly", "ours, old secret", {"X-Signature": signature(INSTANTLY_OLD_SECRET, REPLY)}),
    ("instantly", "standard webhooks", lambda: standard(INSTANTLY_SECRET, REPLY)),
    ("instantly", "standard webhooks, old secret", lambda: standard(INSTANTLY_OLD_SECRET, REPLY)),
    ("calcom", "cal.com", {"X-Cal-Signature-256": signature(CALCOM_SECRET, BOOKING)}),
    ("calcom", "ours", {"X-Signature": "sha256=" + signature(CALCOM_SECRET, BOOKING)}),
    ("calcom", "standard webhooks", lambda: standard(CALCOM_SECRET, BOOKING)),
    (
        "calcom",
        "a foreign Authorization header",
        {"X-Cal-Signature-256": signature(CALCOM_SECRET, BOOKING), "Authorization": "Basic abc"},
    ),
    (
        "instantly",
        "signed and with a key",
        {"X-Signature": signature(INSTANTLY_SECRET, REPLY), "webhook-id": "evt_1"},
    ),
]

WRONG: list[tuple[str, str, Header | Maker]] = [
    ("instantly", "token", {"Authorization": f"Bearer {INSTANTLY_TOKEN}x"}),
    ("instantly", "no token", {"Authorization": "Bearer "}),
    ("instantly", "the signing key as token", {"Authorization": f"Bearer {INSTANTLY_SECRET}"}),
    ("instantly", "token beyond ASCII", [(b"authorization", b"Bearer \xc3\xa9")]),
    ("instantly", "two tokens", [("Authorization", f"Bearer {INSTANTLY_TOKEN}"), ("Authorization", "Bearer x")]),
    ("instantly", "key of the other provider", {"X-Signature": signature(CALCOM_SECRET, REPLY)}),
    ("instantly", "token as signing key", {"X-Signature": signature(INSTANTLY_TOKEN, REPLY)}),
    ("instantly", "cut", {"X-Signature": signature(INSTANTLY_SECRET, REPLY)[:-1]}),
    ("instantly", "beyond ASCII", [(b"x-signature", "é".encode() * 64)]),
    ("instantly", "empty", {"X-Signature": ""}),
    (
        "instantly",
        "right token, wrong signature",
        {"Authorization": f"Bearer {INSTANTLY_TOKEN}", "X-Signature": "0" * 64},
    ),
    (
        "instantly",
        "two signatures",
        [("X-Signature", signature(INSTANTLY_SECRET, REPLY)), ("X-Signature", signature(INSTANTLY_SECRET, REPLY))],
    ),
    ("instantly", "stale", lambda: standard(INSTANTLY_SECRET, REPLY, age=timedelta(minutes=6))),
    ("instantly", "from the future", lambda: standard(INSTANTLY_SECRET, REPLY, age=-timedelta(minutes=6))),
    ("instantly", "another id", lambda: standard(INSTANTLY_SECRET, REPLY) | {"webhook-id": "msg_2"}),
    ("instantly", "no timestamp", {"webhook-id": "m", "webhook-signature": "v1,AAAA"}),
    ("calcom", "none set at Cal.com", {"X-Cal-Signature-256": "no-secret-provided"}),
    ("calcom", "key of the other provider", {"X-Cal-Signature-256": signature(INSTANTLY_SECRET, BOOKING)}),
    (
        "calcom",
        "right ours, wrong theirs",
        {"X-Signature": signature(CALCOM_SECRET, BOOKING), "X-Cal-Signature-256": "0" * 64},
    ),
]

MISSING: list[tuple[str, str, Header | Maker]] = [
    ("instantly", "nothing", {}),
    ("instantly", "only Cal.com's", {"X-Cal-Signature-256": signature(INSTANTLY_SECRET, REPLY)}),
    ("instantly", "only basic", {"Authorization": f"Basic {INSTANTLY_TOKEN}"}),
    ("instantly", "only digest", {"Authorization": f"Digest {INSTANTLY_TOKEN}"}),
    ("instantly", "only an id", {"webhook-id": "msg_1"}),
    ("calcom", "only a bearer token", {"Authorization": f"Bearer {INSTANTLY_TOKEN}"}),
    ("calcom", "token in the query", {}),
]


def ids(case: object) -> str | None:
    return case if isinstance(case, str) else ""


async def send(
    client: httpx.AsyncClient, provider: str, headers: Header | Maker, body: bytes | None = None
) -> httpx.Response:
    known = REPLY if provider == "instantly" else BOOKING
    url = f"{ENDPOINTS[provider]}?token={INSTANTLY_TOKEN}"  # must never matter
    made = headers() if callable(headers) else headers
    return await client.post(url, content=known if body is None else body, headers=made)


@pytest.mark.parametrize(("provider", "name", "headers"), RIGHT, ids=ids)
async def test_right(provider: str, name: str, headers: Header | Maker, client: httpx.AsyncClient) -> None:
    answer = await send(client, provider, headers)

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


@pytest.mark.parametrize(
    ("provider", "name", "headers", "code"),
    [(*case, "signature_invalid") for case in WRONG] + [(*case, "signature_missing") for case in MISSING],
    ids=ids,
)
async def test_refused(
    provider: str, name: str, headers: Header | Maker, code: str, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    answer = await send(client, provider, headers)

    assert answer.status_code == 401
    assert answer.json()["error"] == code
    assert await stored.counts(sql) == (0, 0, 0, 0)


async def test_spaces_around_a_header_are_no_part_of_it(client: httpx.AsyncClient) -> None:
    """RFC 9110, 5.5; httptools leaves those at the end."""
    made = standard(INSTANTLY_SECRET, REPLY)
    for headers in (
        {"Authorization": f"Bearer {INSTANTLY_TOKEN} \t"},
        {"X-Signature": f"{signature(INSTANTLY_SECRET, REPLY)} "},
        {name: f"{value}\t" for name, value in made.items()},
    ):
        assert (await send(client, "instantly", headers)).status_code in (200, 409), headers


@pytest.mark.parametrize("more", ["\xa0", "=", ",", "\x85", "\t="])
async def test_nothing_else_may_follow_a_credential(more: str, client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    right = standard(INSTANTLY_SECRET, REPLY)
    right |= {"authorization": f"Bearer {INSTANTLY_TOKEN}", "x-signature": signature(INSTANTLY_SECRET, REPLY)}

    for name in right:
        headers = right | {name: right[name] + more}
        sent = [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]
        assert (await send(client, "instantly", sent)).status_code == 401, name

    assert await stored.counts(sql) == (0, 0, 0, 0)
    assert (await send(client, "instantly", right)).status_code == 200


async def test_the_message_says_what_a_sender_can_know_anyway(client: httpx.AsyncClient) -> None:
    stale = standard(INSTANTLY_SECRET, REPLY, age=timedelta(minutes=6))
    forged = stale | {"webhook-signature": "v1,AAAA"}
    token = {"Authorization": "Bearer wrong"}

    messages = [(await send(client, "instantly", headers)).json()["message"] for headers in (stale, forged, token)]

    assert messages[0] == messages[1], "whether the signature of an old request is right is not said"
    assert messages[0].startswith("webhook-timestamp is not a time (Unix seconds) within 5 minutes")
    assert messages[2].startswith("the bearer token in the Authorization header is not a configured one")


async def test_every_single_byte_counts(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    headers = {"X-Signature": signature(INSTANTLY_SECRET, REPLY)}
    reserialised = json.dumps(json.loads(REPLY)).encode()
    for body in (REPLY[:-1], REPLY + b" ", REPLY.replace(b"John", b"Joan", 1), reserialised, b""):
        answer = await send(client, "instantly", headers, body)
        assert (answer.status_code, answer.json()["error"]) == (401, "signature_invalid")
    assert await stored.counts(sql) == (0, 0, 0, 0)


async def test_without_any_secret_the_endpoint_is_unavailable_and_says_so_at_start(
    database: Database, sql: AsyncConnection, clean: None, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    bare = settings.model_copy(update={"hmac_shared_secret_calcom": ()})
    with caplog.at_level(logging.WARNING, "webhooks.router"):
        app = create_app(bare, database)
    assert ["calcom" in record.getMessage() for record in caplog.records] == [True]

    async with client_of(app) as client:
        for headers in ({}, {"X-Cal-Signature-256": signature("", BOOKING)}):
            answer = await send(client, "calcom", headers)
            assert (answer.status_code, answer.json()["error"]) == (503, "secret_not_configured")
        assert (await send(client, "instantly", {"Authorization": f"Bearer {INSTANTLY_TOKEN}"})).status_code == 200
    assert (await stored.counts(sql))[0] == 1


def test_a_sample_is_signed_with_the_newest_secret() -> None:
    made = signatures.sign_hex(REPLY, Secrets(hmac=(b"new", b"old")), header="X-Signature")
    assert made == {"X-Signature": signature("new", REPLY)}

    with pytest.raises(SecretNotConfigured):
        signatures.sign_hex(REPLY, Secrets(tokens=(b"token",)), header="X-Signature")


def client_of(app: FastAPI, peer: str = "127.0.0.1", host: str = "localhost:8000") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(peer, 5000))
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}")


@pytest.fixture
def lenient(database: Database, clean: None, settings: Settings) -> FastAPI:
    """An application with DEV_SIGNATURE_BYPASS."""
    tokens = (SecretStr(INSTANTLY_TOKEN),)
    update = {"crm_env": "development", "dev_signature_bypass": True, "instantly_webhook_token": tokens}
    return create_app(settings.model_copy(update=update), database)


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1"])
async def test_bypass_accepts_an_unsigned_local_request(lenient: FastAPI, peer: str, host: str) -> None:
    async with client_of(lenient, peer, host) as client:
        assert (await send(client, "calcom", {})).status_code == 200


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("192.168.1.5", {}),
        ("testclient", {}),
        ("127.0.0.1", {"Host": "crm.example.com"}),
        ("127.0.0.1", {"Host": "localhost.evil.com"}),
        ("127.0.0.1", {"Host": "localhost:80:80"}),
        ("127.0.0.1", {"Host": "127.0.0.1.nip.io"}),
        ("127.0.0.1", {"Forwarded": "for=1.2.3.4"}),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", {"X-Forwarded-Proto": "https"}),
        ("127.0.0.1", {"Via": "1.1 proxy"}),
    ],
    ids=str,
)
async def test_bypass_is_for_this_machine_alone(
    lenient: FastAPI, sql: AsyncConnection, peer: str, headers: dict[str, str]
) -> None:
    async with client_of(lenient, peer) as client:
        answer = await send(client, "calcom", headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "signature_missing")
    assert await stored.counts(sql) == (0, 0, 0, 0)


async def test_bypass_never_excuses_a_wrong_signature(lenient: FastAPI, sql: AsyncConnection) -> None:
    async with client_of(lenient) as client:
        for name in ("X-Signature", "X-Cal-Signature-256", "webhook-signature"):
            answer = await send(client, "calcom", {name: "0" * 64})
            assert (answer.status_code, answer.json()["error"]) == (401, "signature_invalid")
        answer = await send(client, "instantly", {"Authorization": "Bearer wrong"})
        assert answer.status_code == 401
    assert await stored.counts(sql) == (0, 0, 0, 0)
