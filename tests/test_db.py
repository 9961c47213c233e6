"""A database that stops answering: callers hear Unavailable in time, and everything works again afterwards."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from crm_graph.db import GIVE_UP_SECONDS, Database
from crm_graph.errors import Unavailable

SECONDS = 0.5


class Wire:
    """A relay between client and server that can stop passing anything on, as a hung server or a cut cable does."""

    def __init__(self, url: URL) -> None:
        self._host = url.query.get("host") or url.host or "localhost"
        self._port = int(str(url.query.get("port") or url.port or 5432))
        self.flows = asyncio.Event()
        self.flows.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        """Relay one connection."""
        host = str(self._host)
        if host.startswith("/"):
            server_in, server_out = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{self._port}")
        else:
            server_in, server_out = await asyncio.open_connection(host, self._port)
        self._writers += [client_out, server_out]
        both = [(client_in, server_out), (server_in, client_out)]
        self._tasks |= {asyncio.create_task(self._pass_on(source, sink)) for source, sink in both}

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while chunk := await source.read(65_536):
                await self.flows.wait()
                sink.write(chunk)
                await sink.drain()
        sink.close()

    async def close(self) -> None:
        """End every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)


@pytest.fixture
async def wire(admin_url: URL) -> AsyncIterator[tuple[Wire, Database]]:
    wire = Wire(admin_url)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = URL.create(
        admin_url.drivername, admin_url.username, admin_url.password, "127.0.0.1", port, admin_url.database
    )
    database = Database(url, seconds=SECONDS)
    yield wire, database
    await database.close()
    server.close()
    await wire.close()


async def _answer(database: Database) -> int:
    async with database.transaction() as session:
        return int(await session.scalar(text("SELECT 1")) or 0)


async def test_a_server_that_hangs_in_a_query_is_given_up_in_time(wire: tuple[Wire, Database]) -> None:
    relay, database = wire
    assert await _answer(database) == 1
    relay.flows.clear()
    started = time.monotonic()
    with pytest.raises(Unavailable):
        await _answer(database)
    assert time.monotonic() - started < SECONDS + GIVE_UP_SECONDS + 1


async def test_everything_works_again_when_the_server_answers(wire: tuple[Wire, Database]) -> None:
    relay, database = wire
    assert await _answer(database) == 1
    relay.flows.clear()
    with pytest.raises(Unavailable):
        await _answer(database)
    relay.flows.set()
    assert [await _answer(database) for _ in range(20)] == [1] * 20
