"""Violations of the protocols by which subscriptions are sent, and what must be refused."""

import json

import httpx
import pytest
import websockets

from tests.support.api import bearer, send
from tests.support.factories import ADA, World
from tests.support.subscriptions import BOARD, DEALS, IDS, listening, opened, refused

pytestmark = pytest.mark.slow


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
    "a key twice": ('{"type": "ping", "type": "ping"}', 4400),
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
