"""A database that stops answering: callers get Unavailable in time, and everything works again afterwards."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import NamedTuple

import pytest
from sqlalchemy import Text, cast, func, insert, select, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import GIVE_UP_SECONDS, PREPARE_AFTER, PREPARED_MAX, Database
from crm_graph.database.statements import Query, Statement
from crm_graph.errors import Unavailable
from crm_graph.models import Company, table
from tests.support.database import somebody_waits

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


async def test_a_query_on_a_hanging_server_times_out(wire: tuple[Wire, Database]) -> None:
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


class _BackendRow(NamedTuple):
    pid: int


async def test_connections_from_before_a_restart_fail_no_call(admin_url: URL, sql: AsyncConnection) -> None:
    database = Database(admin_url)
    backend = Query(_BackendRow, lambda: select(func.pg_backend_pid().label("pid")))

    async def call(seconds: float = 0) -> int:
        async with database.transaction() as session:
            row = await backend.one(session)
            await asyncio.sleep(seconds)
            return row.pid if row else 0

    pids = await asyncio.gather(*(call(0.05) for _ in range(4)))
    assert len(set(pids)) == 4
    for pid in pids:
        await sql.execute(text("SELECT pg_terminate_backend(:pid, 1000)"), {"pid": pid})

    assert all([await call() for _ in range(8)])
    await database.close()


async def test_the_driver_and_core_share_one_transaction(database: Database, sql: AsyncConnection) -> None:
    key = func.gen_random_uuid()
    row = {"id": key, "name": "Driver", "name_key": cast(key, Text), "enrichment_json": {}}
    on_the_driver = Statement(lambda: insert(table(Company)).values(row))
    count = text("SELECT count(*) FROM companies")

    async def write(problem: Exception | None = None) -> None:
        async with database.transaction() as session:
            await on_the_driver.run(session)
            await session.execute(insert(table(Company)).values(row | {"name": "Core"}))
            assert await session.scalar(count) in (2, 4)
            if problem:
                raise problem

    with pytest.raises(ZeroDivisionError):
        await write(ZeroDivisionError())
    assert await sql.scalar(count) == 0
    await write()
    assert await sql.scalar(count) == 2
    async with database.transaction() as session:
        await on_the_driver.run(session)
    assert await sql.scalar(count) == 3
    await sql.execute(text("DELETE FROM companies"))


async def test_a_cancelled_caller_leaves_the_pool_usable(database: Database, sql: AsyncConnection) -> None:
    sleep = Statement(lambda: select(func.pg_sleep(60)))

    async def leave() -> None:
        async with database.transaction() as session:
            await sleep.run(session)

    calls = [asyncio.create_task(leave()) for _ in range(4)]
    await somebody_waits(sql, len(calls), "Timeout")  # as PostgreSQL calls a sleep
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)

    assert [await _answer(database) for _ in range(10)] == [1] * 10


async def test_only_background_work_may_take_longer(admin_url: URL) -> None:
    database = Database(admin_url, seconds=0.5)

    async def work(seconds: float | None) -> str:
        async with database.transaction(seconds=seconds) as session:
            await session.execute(text("SELECT pg_sleep(0.6)"))
            return str(await session.scalar(text("SHOW statement_timeout")))

    assert await work(60) == "1min"
    async with database.transaction() as session:
        assert await session.scalar(text("SHOW statement_timeout")) == "8s"
    with pytest.raises(Unavailable):
        await work(None)
    await database.close()


async def test_a_full_disk_is_said_as_such(database: Database) -> None:
    full = text("DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$")
    with pytest.raises(Unavailable, match="the database's disk is full; a change that was not confirmed was not made"):
        async with database.read() as connection:
            await connection.execute(full)


async def test_a_session_has_settings_that_bound_its_memory(database: Database) -> None:
    async with database.read() as connection:
        shown = [await connection.scalar(text(f"SHOW {name}")) for name in ("work_mem", "hash_mem_multiplier", "jit")]

    assert shown == ["4MB", "2", "off"]


@pytest.mark.parametrize(("length", "is_prepared"), [(PREPARED_MAX, True), (PREPARED_MAX + 1, False)])
async def test_only_short_statements_stay_prepared(length: int, is_prepared: bool, server: URL) -> None:
    """PostgreSQL keeps the plans of prepared statements, 100 for each connection, and those of long ones are large."""
    database = Database(server, pool_size=1)
    statement = f"SELECT '{'x' * 20}'::text".ljust(length)
    count = f"SELECT count(*)::text FROM pg_prepared_statements WHERE length(statement) = {length}"
    try:
        for _execution in range(PREPARE_AFTER + 2):
            await database.read_row(statement, [])

        assert await database.read_row(count, []) == [b"1" if is_prepared else b"0"]
    finally:
        await database.close()
