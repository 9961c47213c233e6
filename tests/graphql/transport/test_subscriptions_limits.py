"""The limits of subscriptions: who may connect, how often and for how long; and violations of the protocol."""

import asyncio
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from websockets import InvalidStatus

from crm_graph.database.engine import Database
from crm_graph.domain.team import owners
from crm_graph.graphql.transport import sse
from crm_graph.identity import issued_tokens
from crm_graph.identity.tokens import LEEWAY, Tokens
from crm_graph.values import utc_now
from tests.support.api import bearer
from tests.support.credentials import JWT_SECRET
from tests.support.factories import ADA, BOB, World
from tests.support.subscriptions import IDS, Serve, listening, opened, refused, streaming

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams check ten times a second whether to end or to send something."""
    monkeypatch.setattr(sse, "TICK_SECONDS", 0.1)


def expiring(seconds: float) -> dict[str, str]:
    """The header of a token that expires that many seconds from now, plus or minus one."""
    token = Tokens(JWT_SECRET.encode()).issue(ADA, timedelta(seconds=seconds) - LEEWAY, utc_now())
    return {"Authorization": f"Bearer {token}"}


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


@pytest.mark.usefixtures("short_cache")
async def test_a_revoked_token_is_disconnected(serve: Serve, sql: AsyncConnection, database: Database) -> None:
    async with database.transaction() as transaction:
        ada, tokens = await owners.get_by_email(transaction, ADA), Tokens(JWT_SECRET.encode())
        token = await issued_tokens.issue(transaction, tokens, ada.id, timedelta(hours=1), utc_now())
    bearer = {"Authorization": f"Bearer {token}"}
    async with serve(check=0.2) as host, opened(host) as socket, streaming(host, ADA, headers=bearer) as stream:
        await socket.send(type="connection_init", payload=bearer)
        assert await socket.receive() == {"type": "connection_ack"}
        await stream.started()

        async with database.transaction() as transaction:
            await issued_tokens.revoke_all(transaction, ada.id, utc_now())

        assert await socket.closed() == (4403, "Forbidden: the token was revoked; get a new one")
        _, body = await stream.event()
        assert body["errors"][0]["message"] == "[UNAUTHENTICATED] the token was revoked; get a new one"
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


async def test_sockets_that_do_not_say_who_they_are_leave_room_for_others(serve: Serve) -> None:
    async with serve(unknown_connections=2) as host, AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(opened(host)) for _ in range(2)]
        status, message = await refused(host)
        assert (status, "wait for connection_init" in message) == (429, True)

        await silent[0].send(type="connection_init", payload=bearer(ADA))
        assert await silent[0].receive() == {"type": "connection_ack"}
        async with opened(host):  # the first one's owner is known: it counts no more
            assert (await refused(host))[0] == 429
        async with asyncio.timeout(5):
            while True:  # nor does one that was closed, once the server has noticed
                with suppress(InvalidStatus):
                    async with opened(host):
                        break
