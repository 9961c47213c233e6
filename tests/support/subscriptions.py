"""Listening as a browser does: a real server, a WebSocket client or a stream of events."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx
import pytest
import uvicorn
import websockets
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from websockets.asyncio.client import ClientConnection, connect

from crm_graph.server.serve import server_config
from tests.support.api import bearer

Json = dict[str, Any]
PROTOCOL: Any = "graphql-transport-ws"
DEALS = "subscription ($id: UUID) { dealChanged(pipelineId: $id) { refetch dealId deal { id title } } }"
SECONDS = 10


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """The address of a server on a real socket, as `serve` configures it."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(server_config(app, lifespan="off"))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


class Listener:
    """A WebSocket that was accepted and acknowledged."""

    def __init__(self, opened: ClientConnection) -> None:
        self.socket = opened

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def receive(self) -> Json:
        async with asyncio.timeout(SECONDS):
            return dict(json.loads(await self.socket.recv()))

    async def subscribe(self, document: str = DEALS, id: str = "1", **variables: Any) -> None:
        """Subscribe, and wait until nothing is missed any more."""
        await self.send(id=id, type="subscribe", payload={"query": document, "variables": variables})
        [first] = (await self.next(id)).values()
        assert first["refetch"] is True
        assert all(value is None for name, value in first.items() if name != "refetch")

    async def next(self, id: str = "1") -> Json:
        """The data of the next message, which must be about that subscription and have no errors."""
        message = await self.receive()
        assert (message["type"], message["id"]) == ("next", id), message
        assert set(message["payload"]) == {"data"}, message
        return dict(message["payload"]["data"])

    async def deal(self) -> Json:
        return dict((await self.next())["dealChanged"])

    async def silence(self, seconds: float = 0.3) -> None:
        """Nothing comes."""
        try:
            async with asyncio.timeout(seconds):
                message = await self.socket.recv()
        except TimeoutError:
            return
        raise AssertionError(message)

    async def _receive_all(self) -> None:
        while True:
            await self.socket.recv()

    async def closed(self) -> tuple[int, str]:
        """With what the server closes it; what came before is thrown away."""
        async with asyncio.timeout(SECONDS):
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await self._receive_all()
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code, closed.value.rcvd.reason


@asynccontextmanager
async def opened(host: str, **options: Any) -> AsyncIterator[Listener]:
    """A WebSocket on which nothing was said yet."""
    given = {"subprotocols": [PROTOCOL], "proxy": None} | options
    async with connect(f"ws://{host}/graphql", **given) as connected:
        yield Listener(connected)


@asynccontextmanager
async def listening(host: str, who: str, **options: Any) -> AsyncIterator[Listener]:
    """A WebSocket of that owner's."""
    async with opened(host, **options) as listener:
        await listener.send(type="connection_init", payload=bearer(who))
        assert await listener.receive() == {"type": "connection_ack"}
        yield listener


class Stream:
    """A stream of events: lines, as they come."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def event(self) -> tuple[str, Any]:
        """The next event, or ("comment", None)."""
        async with asyncio.timeout(SECONDS):
            lines = []
            async for line in self._lines:
                if not line:
                    break
                lines.append(line)
        if lines == [":"]:
            return "comment", None
        kind, data = (line.partition(":")[2].strip() for line in lines)
        return kind, json.loads(data) if data else None

    async def started(self) -> Self:
        """Wait until nothing is missed any more."""
        while (event := await self.event())[0] == "comment":
            pass
        assert event[0] == "next"
        [first] = event[1]["data"].values()
        assert first["refetch"] is True
        return self


@asynccontextmanager
async def streaming(host: str, who: str, document: str = DEALS, **options: Any) -> AsyncIterator[Stream]:
    """A subscription by POST."""
    headers = bearer(who) | {"Accept": "text/event-stream"} | options.get("headers", {})
    asked = {"query": document, "variables": options.get("variables", {})}
    async with (
        httpx.AsyncClient(trust_env=False, timeout=SECONDS) as client,
        client.stream("POST", f"http://{host}/graphql", json=asked, headers=headers) as answer,
    ):
        yield Stream(answer)


async def listeners(sql: AsyncConnection) -> list[int]:
    """The PostgreSQL processes of the connections that listen for changes."""
    query = """SELECT pid FROM pg_stat_activity
               WHERE datname = current_database() AND query = 'LISTEN crm_changes'"""
    return list((await sql.scalars(text(query))).all())


IDS = "subscription { dealChanged { dealId refetch } }"


BOARD = "https://board.example.com"


Serve = Any


async def refused(host: str, **options: Any) -> tuple[int, str]:
    """The status of a refused upgrade, and the first message."""
    with pytest.raises(websockets.InvalidStatus) as refusal:
        async with opened(host, **options):
            pass
    answer = refusal.value.response
    return answer.status_code, str(json.loads(answer.body)["errors"][0]["message"]) if answer.body else ""
