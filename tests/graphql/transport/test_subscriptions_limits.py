"""The limits of subscriptions: who may connect, how often and for how long; and violations of the protocol."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
import websockets
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.graphql.transport import sse
from crm_graph.graphql.transport.subscriptions import Limits
from crm_graph.identity.tokens import LEEWAY, Tokens
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from crm_graph.values import utc_now
from tests.support.api import bearer, send
from tests.support.credentials import JWT_SECRET
from tests.support.factories import ADA, BOB, World
from tests.support.subscriptions import DEALS, listening, opened, serving, streaming

pytestmark = pytest.mark.slow

IDS = "subscription { dealChanged { dealId refetch } }"
BOARD = "https://board.example.com"
Serve = Any


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams check ten times a second whether to end or to send something."""
    monkeypatch.setattr(sse, "TICK_SECONDS", 0.1)


@pytest.fixture
def serve(settings: Settings, database: Database, world: World) -> Serve:
    """Serves with limits, and with a page that may connect."""
    changed = settings.model_copy(update={"allowed_origins": (BOARD,)})

    @asynccontextmanager
    async def serve(**limits: float) -> AsyncIterator[str]:
        app = create_app(changed, database, limits=Limits(**{"linger": 0.1} | limits))  # type: ignore[arg-type]
        async with serving(app) as host:
            yield host

    return serve


@pytest.fixture
async def host(serve: Serve) -> AsyncIterator[str]:
    async with serve() as host:
        yield host


def expiring(seconds: float) -> dict[str, str]:
    """The header of a token that expires that many seconds from now, plus or minus one."""
    token = Tokens(JWT_SECRET.encode()).issue(ADA, timedelta(seconds=seconds) - LEEWAY, utc_now())
    return {"Authorization": f"Bearer {token}"}


async def refused(host: str, **options: Any) -> tuple[int, str]:
    """The status of a refused upgrade, and the first message."""
    with pytest.raises(websockets.InvalidStatus) as refusal:
        async with opened(host, **options):
            pass
    answer = refusal.value.response
    return answer.status_code, str(json.loads(answer.body)["errors"][0]["message"]) if answer.body else ""


async def test_pages_of_other_sites_open_no_socket(host: str) -> None:
    for origin in ("https://evil.example", "null", f"http://{host}.evil.example", f"{BOARD}.evil.example"):
        status, message = await refused(host, origin=origin)
        assert (status, message[:11]) == (403, "[FORBIDDEN]"), origin
        assert "ALLOWED_ORIGINS" in message
    for allowed in (BOARD, BOARD.upper(), f"http://{host}", None):
        async with listening(host, ADA, origin=allowed) as ada:
            await ada.subscribe()


async def test_a_token_in_the_address_is_refused_and_logged_nowhere(
    host: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    token = bearer(ADA)["Authorization"].removeprefix("Bearer ")
    with pytest.raises(websockets.InvalidStatus) as refusal:
        async with websockets.connect(f"ws://{host}/graphql?access_token={token}", proxy=None):
            pass
    assert refusal.value.response.status_code == 401
    url = f"ws://{host}/graphql?token={token}"
    async with websockets.connect(url, proxy=None, subprotocols=["graphql-transport-ws"]):  # type: ignore[list-item]
        pass
    assert token not in caplog.text


async def test_another_protocol_is_refused(host: str) -> None:
    status, message = await refused(host, subprotocols=["graphql-ws"])
    assert status == 400
    assert "graphql-transport-ws" in message


FIRST = {
    "no token": ({"type": "connection_init"}, 4403),
    "wrong token": ({"type": "connection_init", "payload": {"Authorization": "Bearer x"}}, 4403),
    "no text": ({"type": "connection_init", "payload": {"authorization": 5}}, 4403),
    "no object": ({"type": "connection_init", "payload": "Bearer x"}, 4400),
    "subscribe": ({"type": "subscribe", "id": "1", "payload": {"query": DEALS}}, 4401),
    "no type": ({"payload": {}}, 4400),
    "a list": ([], 4400),
}


@pytest.mark.parametrize("name", FIRST)
async def test_an_unauthenticated_socket_is_closed(host: str, name: str) -> None:
    message, code = FIRST[name]
    async with opened(host) as unknown:
        await unknown.socket.send(json.dumps(message))
        assert (await unknown.closed())[0] == code


LATER: dict[str, tuple[str | bytes, int]] = {
    "not JSON": ("{", 4400),
    "bytes": (b"{}", 4400),
    "deep": ("[" * 10_000, 4400),
    "surrogates": ('{"type": "\\ud800"}', 4400),
    "unknown type": ('{"type": "start"}', 4400),
    "no id": ('{"type": "subscribe", "payload": {}}', 4400),
    "a long id": (json.dumps({"type": "complete", "id": "x" * 201}), 4400),
    "half a surrogate pair": ('{"type": "subscribe", "id": "\\ud800", "payload": {}}', 4400),
    "a second init": ('{"type": "connection_init"}', 4429),
    "too long": (json.dumps({"type": "ping", "payload": {"x": "x" * 600_000}}), 1009),
}


@pytest.mark.parametrize("name", LATER)
async def test_a_socket_that_breaks_the_protocol_is_closed(host: str, name: str) -> None:
    message, code = LATER[name]
    async with listening(host, ADA) as ada:
        await ada.socket.send(message)
        assert (await ada.closed())[0] == code


async def test_one_id_for_two_subscriptions_closes_the_socket(host: str) -> None:
    async with listening(host, ADA) as ada:
        await ada.subscribe(IDS)
        await ada.send(id="1", type="complete")
        await ada.subscribe(IDS)
        await ada.send(id="1", type="subscribe", payload={"query": IDS})
        assert (await ada.closed())[0] == 4409


async def test_pings_are_answered(host: str) -> None:
    async with opened(host) as ada:
        await ada.send(type="ping")
        assert await ada.receive() == {"type": "pong"}
        await ada.send(type="pong")
        await ada.send(type="connection_init", payload=bearer(ADA))
        assert await ada.receive() == {"type": "connection_ack"}
        await ada.send(type="ping", payload={"any": "thing"})
        assert await ada.receive() == {"type": "pong"}


REFUSED = {
    "a query": ("{ me { id } }", "BAD_REQUEST", "POST"),
    "a mutation": ("mutation { createDeal(input: {title: \"x\"}) { replayed } }", "BAD_REQUEST", "POST"),
    "no such field": ("subscription { dealMoved { dealId } }", "BAD_REQUEST", "dealMoved"),
    "two fields": ("subscription { dealChanged { dealId } contactChanged { contactId } }", "QUERY_TOO_COMPLEX", "root"),
    "introspection": ("subscription { __schema { types { name } } }", "BAD_REQUEST", ""),
    "a wrong id": ('subscription { dealChanged(pipelineId: "x") { dealId } }', "VALIDATION", "pipelineId"),
    "too deep": ("subscription { dealChanged { deal " + "{ contact { deals { nodes " * 8 + "{ id }" + "}}}" * 8 + "}}",
                 "QUERY_TOO_COMPLEX", "levels"),
    "too many rows": ("subscription { dealChanged { deal { contact { deals(first: 100) { nodes { "
                      "activities(first: 100) { nodes { deal { activities { nodes { id } } } } } } } } } } }",
                      "QUERY_TOO_COMPLEX", "rows"),
    "too long": ("subscription { dealChanged { deal { " + "id " * 600 + "} } }", "QUERY_TOO_COMPLEX", ""),
    "a wrong page": ("subscription { dealChanged { deal { activities(first: 0) { nodes { id } } } } }",
                     "VALIDATION", "first"),
    "left out": ("subscription { dealChanged @skip(if: true) { dealId } }", "BAD_REQUEST", ""),
    "no text": (5, "BAD_REQUEST", "query"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_a_request_that_is_no_subscription_is_refused(host: str, name: str) -> None:
    document, code, words = REFUSED[name]
    async with listening(host, ADA) as ada:
        await ada.send(id="1", type="subscribe", payload={"query": document})
        answer = await ada.receive()
        assert (answer["type"], answer["id"]) == ("error", "1")
        [error, *_] = answer["payload"]
        assert error["extensions"]["code"] == code, error
        assert words in error["message"]
        await ada.subscribe(id="1")  # the socket goes on

    if name not in ("a query", "a mutation"):
        headers = bearer(ADA) | {"Accept": "text/event-stream"}
        async with httpx.AsyncClient(trust_env=False) as client:
            refusal = await client.post(f"http://{host}/graphql", json={"query": document}, headers=headers)
        assert refusal.json()["errors"][0]["extensions"]["code"] == code


async def test_an_invalid_variable(host: str) -> None:
    async with listening(host, ADA) as ada:
        await ada.send(id="1", type="subscribe", payload={"query": DEALS, "variables": {"id": "x"}})
        [error] = (await ada.receive())["payload"]
        assert error["extensions"] == {"code": "VALIDATION", "field": "id"}


async def test_a_subscription_by_post_says_how_it_is_sent(client: httpx.AsyncClient, world: World) -> None:
    answer = await send(client, ADA, DEALS)
    [error] = answer.json()["errors"]
    assert answer.status_code == 400
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert "Accept: text/event-stream" in error["message"]


async def test_a_stream_without_a_valid_token(host: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        headers = {"Accept": "text/event-stream"}
        answer = await client.post(f"http://{host}/graphql", json={"query": DEALS}, headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_an_expired_token_closes_the_socket_and_ends_the_stream(serve: Serve) -> None:
    async with serve(check=0.2) as host, opened(host) as ada:
        await ada.send(type="connection_init", payload=expiring(3))
        assert await ada.receive() == {"type": "connection_ack"}
        await ada.subscribe()
        async with streaming(host, ADA, headers=expiring(3)) as stream:
            await stream.started()
            code, reason = await ada.closed()
            assert code == 4403
            assert "token" in reason
            kind, body = await stream.event()
            assert (kind, body["errors"][0]["extensions"]["code"]) == ("next", "UNAUTHENTICATED")
            assert await stream.event() == ("complete", None)


@pytest.mark.usefixtures("short_cache")
async def test_a_deactivated_owner_is_disconnected(serve: Serve, sql: AsyncConnection) -> None:
    async with serve(check=0.2) as host, listening(host, ADA) as ada, streaming(host, ADA) as stream:
        await ada.subscribe()
        await stream.started()
        await sql.execute(text("UPDATE owners SET active = false WHERE email = :who"), {"who": ADA})
        chatty = asyncio.create_task(_ping(ada))
        assert (await ada.closed())[0] == 4403
        chatty.cancel()
        assert (await stream.event())[0] == "next"
        assert await stream.event() == ("complete", None)


async def _ping(listener: Any) -> None:
    while True:
        await asyncio.sleep(0.05)
        await listener.send(type="pong")


async def test_a_silent_socket_is_closed(serve: Serve) -> None:
    async with serve(init=0.2) as host, opened(host) as unknown:
        assert (await unknown.closed())[0] == 4408


async def test_a_socket_without_subscriptions_is_closed(serve: Serve) -> None:
    async with serve(idle=0.3, check=0.1) as host, listening(host, ADA) as idle, listening(host, BOB) as busy:
        await busy.subscribe()
        assert (await idle.closed())[0] == 1000
        await busy.silence(0.5)
        await busy.send(id="1", type="complete")
        assert (await busy.closed())[0] == 1000


async def test_the_limit_of_connections(serve: Serve) -> None:
    async with serve(connections=2) as host:
        async with listening(host, ADA), streaming(host, BOB) as stream:
            await stream.started()
            status, message = await refused(host)
            assert (status, message[:15]) == (429, "[LIMIT_REACHED]")
            async with streaming(host, ADA) as another:
                assert another.answer.status_code == 429
        async with listening(host, ADA) as ada:  # the places are free again
            await ada.subscribe()


async def test_the_limit_of_connections_per_owner(serve: Serve) -> None:
    async with serve(owner_connections=2) as host:
        async with listening(host, ADA), listening(host, ADA):
            async with opened(host) as third:
                await third.send(type="connection_init", payload=bearer(ADA))
                assert (await third.closed())[0] == 1013
            async with streaming(host, ADA) as stream:
                assert stream.answer.status_code == 429
            async with listening(host, BOB) as bob:
                await bob.subscribe()
        async with listening(host, ADA) as ada:
            await ada.subscribe()


async def test_the_limit_of_subscriptions_per_socket(serve: Serve) -> None:
    async with serve(subscriptions=2) as host, listening(host, ADA) as ada:
        await ada.subscribe(id="1")
        await ada.subscribe(id="2")
        await ada.send(id="3", type="subscribe", payload={"query": IDS})
        [error] = (await ada.receive())["payload"]
        assert error["extensions"]["code"] == "LIMIT_REACHED"
        await ada.send(id="1", type="complete")
        await ada.subscribe(id="3")


async def test_too_many_changes_for_a_slow_subscriber_become_one_refetch(
    serve: Serve, sql: AsyncConnection, world: World
) -> None:
    async with serve(feed=2) as host, listening(host, ADA) as ada:
        await ada.subscribe(IDS)
        await sql.execute(text("UPDATE deals SET title = title || '!'"))  # six deals in one transaction
        seen = [(await ada.next())["dealChanged"]]
        assert {"dealId": None, "refetch": True} in seen
        await ada.silence()


async def test_a_silent_stream_is_kept_alive(serve: Serve) -> None:
    async with serve(keep_alive=0.1) as host, streaming(host, ADA) as stream:
        await stream.started()
        assert await stream.event() == ("comment", None)
        assert await stream.event() == ("comment", None)


async def test_a_closed_connection_does_not_count(serve: Serve) -> None:
    async with serve(connections=1) as host:
        for _ in range(3):
            async with AsyncExitStack() as stack:
                stream = await stack.enter_async_context(streaming(host, ADA))
                await stream.started()
            await asyncio.sleep(0.2)
        async with listening(host, ADA) as ada:
            await ada.subscribe()
