"""Who a client is: what a trusted proxy says, and nothing that anybody else writes."""

import logging
from collections.abc import Sequence

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from crm_graph.database.engine import Database
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from crm_graph.web.client_address import TrustedProxies, client_address, client_network
from tests.support.webhooks import fixture

PROXY, CLIENT = "10.1.0.7", "198.51.100.4"


async def seen(peer: str, *forwarded: str, trusted: Sequence[str] = ("10.1.0.0/16",), **others: str) -> tuple[str, str]:
    """The client's address and the scheme that an application behind TrustedProxies sees."""
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)

    async def unused(*_: object) -> None:
        raise AssertionError("the middleware neither reads nor answers")

    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    headers += [(name.replace("_", "-").encode(), value.encode()) for name, value in others.items()]
    scope = {"type": "http", "scheme": "http", "client": (peer, 5000), "headers": headers}
    await TrustedProxies(app, trusted)(scope, unused, unused)  # type: ignore[arg-type]
    return client_address(scopes[0]), scopes[0]["scheme"]


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ((CLIENT,), CLIENT),
        ((f"127.0.0.1, {CLIENT}",), CLIENT),  # a proxy that appends to what the client sent
        ((f"8.8.8.8, {CLIENT}, 10.1.9.9",), CLIENT),  # two trusted proxies
        (("8.8.8.8", CLIENT), CLIENT),  # one proxy adds a line of its own
        ((f"{CLIENT}:4711",), CLIENT),
        (("[2001:db8::0:1]:4711",), "2001:db8::1"),
        (("2001:DB8:0::1",), "2001:db8::1"),
        ((f"::ffff:{CLIENT}",), CLIENT),
        (("8.8.8.8, junk",), "unknown"),
        ((f"junk, {CLIENT}",), CLIENT),
        (("",), PROXY),
        ((), PROXY),
    ],
)
async def test_a_trusted_proxy_names_the_client(forwarded: tuple[str, ...], client: str) -> None:
    assert (await seen(PROXY, *forwarded))[0] == client


@pytest.mark.parametrize("peer", [CLIENT, "127.0.0.1", "10.2.0.7", "::1", f"::ffff:{CLIENT}"])
async def test_anybody_elses_headers_are_ignored(peer: str) -> None:
    address, scheme = await seen(peer, "8.8.8.8", x_forwarded_proto="https", forwarded="for=8.8.8.8;proto=https")
    assert (address, scheme) == (peer.removeprefix("::ffff:"), "http")


async def test_nobody_is_trusted_by_default() -> None:
    assert await seen("127.0.0.1", CLIENT, trusted=()) == ("127.0.0.1", "http")


async def test_forwarded_of_a_trusted_proxy_is_ignored_too() -> None:
    assert await seen(PROXY, forwarded="for=8.8.8.8") == (PROXY, "http")


async def test_a_proxy_is_recognised_at_a_socket_for_both_families() -> None:
    assert await seen(f"::ffff:{PROXY}", CLIENT) == (CLIENT, "http")


async def test_a_trusted_proxy_names_the_scheme() -> None:
    assert await seen(PROXY, CLIENT, x_forwarded_proto="https") == (CLIENT, "https")


@pytest.mark.parametrize(
    ("client", "network"),
    [
        (("198.51.100.4", 1), "198.51.100.4"),
        (("::ffff:198.51.100.4", 1), "198.51.100.4"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (None, "unknown"),
    ],
)
def test_limits_count_a_customer_of_ipv6_once(client: tuple[str, int] | None, network: str) -> None:
    assert client_network({"type": "http", "client": client}) == network


def requests_of(peer: str, app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(peer, 5000))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:8000")


def logged(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, object]]:
    return [vars(record)["details"] for record in caplog.records if record.getMessage().startswith(message)]


async def test_the_log_has_the_clients_address(
    settings: Settings, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    app = create_app(settings.model_copy(update={"trusted_proxies": ("10.1.0.0/16",)}), database)
    async with requests_of(PROXY, app) as client:
        await client.get("/healthz", headers={"X-Forwarded-For": CLIENT})
    async with requests_of("10.2.0.7", app) as client:
        for _ in range(2):
            await client.get("/healthz", headers={"X-Forwarded-For": CLIENT})

    assert [details["client"] for details in logged(caplog, "request")] == [CLIENT, "10.2.0.7", "10.2.0.7"]
    assert logged(caplog, "X-Forwarded-For is ignored") == [{"peer": "10.2.0.7"}]  # once, not for each request


async def test_an_unsigned_webhook_through_a_trusted_proxy_is_not_a_local_one(
    settings: Settings, database: Database, clean: None
) -> None:
    changes = {"crm_env": "development", "dev_signature_bypass": True, "trusted_proxies": ("127.0.0.0/8",)}
    async with requests_of("127.0.0.1", create_app(settings.model_copy(update=changes), database)) as client:
        post = ("/crm/webhooks/calcom/booking", fixture("calcom", "booking_created"))
        direct = await client.post(post[0], content=post[1])
        proxied = await client.post(post[0], content=post[1], headers={"X-Forwarded-For": "127.0.0.1"})

    assert (direct.status_code, proxied.status_code) == (200, 401)
