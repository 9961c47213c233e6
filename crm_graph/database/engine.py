"""Database: the only way to a connection. Every wait has a timeout, and an unreachable server is Unavailable."""

import asyncio
import logging
import select
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import psycopg
from psycopg.errors import DiskFull, InsufficientPrivilege
from psycopg.sql import Literal
from sqlalchemy import CursorResult, Executable, ScalarResult, event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import PoolProxiedConnection, QueuePool
from sqlalchemy.util import greenlet_spawn

from crm_graph.errors import LostRace, Unavailable
from crm_graph.telemetry import tracing

log = logging.getLogger(__name__)
# The longest wait for a statement, a lock, a place in the pool, or a connection; and for a whole transaction.
WAIT_SECONDS = 8
TRANSACTION_SECONDS = 10
GIVE_UP_SECONDS = 1  # for a server that does not even answer a request to cancel
# deadlock_detected, serialization_failure, foreign_key_violation: ids are looked up before they are written, so a
# missing row was deleted in between.
LOST_A_RACE = ("40P01", "40001", "23503")
RIGHTS_MESSAGE = "the database refuses the server's user a right: run crm-graph migrate, which repairs the rights"
DISK_FULL_MESSAGE = "the database's disk is full; a change that was not confirmed was not made: make room, then retry"
FOR_OPERATORS = {DiskFull.sqlstate: DISK_FULL_MESSAGE, InsufficientPrivilege.sqlstate: RIGHTS_MESSAGE}
NO_ANSWER = (OperationalError, InterfaceError, psycopg.OperationalError, PoolTimeout, TimeoutError)
Parameters: TypeAlias = Mapping[str, object] | Sequence[Mapping[str, object]] | None
PREPARE_AFTER = 2  # executions of a statement on one connection
PREPARED_MAX = 12_000  # characters of a statement: a plan that PostgreSQL keeps takes about a hundred bytes for each
WORK_MEM = "4MB"  # of one sort or hash: what the prices of GraphQL queries reckon with, whatever the server's own is


@dataclass(frozen=True, slots=True)
class PoolState:
    """How many connections a pool may open, and how many of its open ones are in use and idle."""

    name: str
    size: int
    in_use: int
    idle: int


class Database:
    """Two pools of connections to one PostgreSQL database, for statements that only read and for transactions.

    A pool opens its connections when they are first needed, `pool_size` at most.
    """

    def __init__(self, url: URL, *, pool_size: int = 8, seconds: float = TRANSACTION_SECONDS) -> None:
        self.pool_size, self._seconds = pool_size, seconds
        self._given, self._reserved = url, dict[str, Database]()
        url = url.update_query_dict({"options": f"{url.query.get('options', '')} {session_options()}".strip()})
        self.url = url

        def pool() -> AsyncEngine:
            engine = create_async_engine(
                url,
                pool_size=pool_size,
                hide_parameters=True,  # an exception's text reaches the log, and parameters are people's data
                max_overflow=0,
                pool_timeout=WAIT_SECONDS,
                pool_reset_on_return=None,  # a connection is returned after its transaction has ended
                isolation_level="AUTOCOMMIT",  # we send BEGIN ourselves, with the transaction's settings
                connect_args={
                    "connect_timeout": WAIT_SECONDS,
                    "application_name": "crm-graph",
                    "prepare_threshold": PREPARE_AFTER,
                },
            )
            event.listen(engine.sync_engine, "checkout", _refuse_lost)
            return engine

        self._engine, self._reads = pool(), pool()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for single statements that only read; each sees what was committed when it started."""
        async with _reachable("read", self._seconds), self._reads.connect() as connection:
            yield connection

    async def read_row(self, sql: str, parameters: Sequence[object]) -> list[bytes | None]:
        """The one row of a statement that only reads, column by column as PostgreSQL wrote it.

        `$1`, `$2`, ... in `sql` stand for the parameters. Goes around SQLAlchemy, which takes longer for the statement
        and its result than PostgreSQL does.
        """
        async with _reachable("read", self._seconds):
            pooled = await self._reads.raw_connection()
            try:
                return await fetch_row(_driver_of(pooled), sql, parameters)
            except BaseException:
                await greenlet_spawn(pooled.invalidate)
                raise
            finally:
                await greenlet_spawn(pooled.close)

    @asynccontextmanager
    async def transaction(
        self, *, source: str | None = None, seconds: float | None = None
    ) -> AsyncIterator["Transaction"]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Its events carry `source` and continue the current trace. `seconds` is the longest that it, and each of its
        statements, may take: more than the default only for background work.
        """
        async with _reachable("transaction", seconds or self._seconds):
            pooled = await self._engine.raw_connection()
            transaction = Transaction(self._engine, pooled)
            try:
                await transaction.driver.execute(_begin(source, seconds), prepare=False)
                yield transaction
                await transaction.commit()
            finally:
                try:
                    await transaction.close()
                except BaseException:
                    await greenlet_spawn(pooled.invalidate)  # its state is unknown
                    raise
                finally:
                    if pooled.is_valid and transaction.driver.closed:
                        await greenlet_spawn(pooled.invalidate)  # closed by a time-out
                    await greenlet_spawn(pooled.close)

    def reserved(self, name: str, pool_size: int) -> "Database":
        """The same database with connections of its own, which this one's callers can't take; closed with this one."""
        if name not in self._reserved:
            self._reserved[name] = Database(self._given, pool_size=pool_size, seconds=self._seconds)
        return self._reserved[name]

    def pools(self) -> list[PoolState]:
        """How the pools are used at this moment; those of reserved connections as `name_reads`."""
        states = []
        for name, pool in {"transactions": self._engine.pool, "reads": self._reads.pool}.items():
            assert isinstance(pool, QueuePool)
            states.append(PoolState(name, pool.size(), pool.checkedout(), pool.checkedin()))
        for prefix, reserved in self._reserved.items():
            states += (replace(state, name=f"{prefix}_{state.name}") for state in reserved.pools())
        return states

    async def close(self) -> None:
        """Close every connection."""
        for reserved in self._reserved.values():
            await reserved.close()
        await self._engine.dispose()
        await self._reads.dispose()


def session_options() -> str:
    """The settings of every connection, as libpq's `options`. Without parallel workers, a query takes one processor."""
    return (
        f"-c statement_timeout={WAIT_SECONDS}s -c lock_timeout={WAIT_SECONDS}s "
        f"-c idle_in_transaction_session_timeout={TRANSACTION_SECONDS}s -c timezone=UTC -c jit=off "
        f"-c work_mem={WORK_MEM} -c hash_mem_multiplier=2 -c max_parallel_workers_per_gather=0"
    )


class Transaction:
    """One transaction on one connection. It commits when its block in `Database.transaction` ends.

    `driver` runs compiled statements (database/statements.py). `execute` and its like run SQLAlchemy Core, whose own
    connection is made when it is first needed: that takes longer than two of the driver's statements.
    """

    def __init__(self, engine: AsyncEngine, pooled: PoolProxiedConnection) -> None:
        self._engine, self._pooled = engine, pooled
        self.driver = _driver_of(pooled)

    @cached_property
    def _core(self) -> AsyncConnection:
        return AsyncConnection(self._engine, Connection(self._engine.sync_engine, self._pooled))

    async def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[Any]:
        """Run a statement; its rows, as SQLAlchemy reads them."""
        return await self._core.execute(statement, parameters)

    async def scalars(self, statement: Executable) -> ScalarResult[Any]:
        """The first column of a statement's rows."""
        return await self._core.scalars(statement)

    async def scalar(self, statement: Executable) -> Any:
        """The first column of a statement's first row; None without one."""
        return await self._core.scalar(statement)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what the block did when it raises, and nothing else."""
        async with self.driver.transaction():
            yield

    async def set_source(self, source: str) -> None:
        """Name who makes the changes, where that is known only after the transaction has begun."""
        await self.driver.execute("SELECT set_config('crm.source', %s, true)", [source])

    async def commit(self) -> None:
        """Commit what was done."""
        await self.driver.commit()

    async def close(self) -> None:
        """Roll back what was not committed."""
        if not self.driver.closed:
            await self.driver.rollback()


def _driver_of(pooled: PoolProxiedConnection) -> psycopg.AsyncConnection:
    driver = pooled.driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)
    return driver


def _begin(source: str | None, seconds: float | None) -> str:
    """BEGIN and the transaction's settings, in one round trip."""
    timeout = None if seconds is None else f"{seconds}s"
    values = {"crm.source": source, "crm.traceparent": tracing.current_traceparent(), "statement_timeout": timeout}
    settings = (
        f"SET LOCAL {name} = {Literal(value).as_string()}" for name, value in values.items() if value is not None
    )
    return "; ".join(("BEGIN", *settings))


def _refuse_lost(connection: Any, _record: Any, _pooled: Any) -> None:
    """Make the pool replace its connections when the server has closed the one about to be handed out.

    PostgreSQL sends nothing on an idle connection but a notice that it is closing it.
    """
    driver = connection.driver_connection
    poll = select.poll()
    if not driver.closed:
        poll.register(driver.fileno(), select.POLLIN)
    if driver.closed or poll.poll(0):
        raise InvalidatePoolError


async def fetch_row(connection: psycopg.AsyncConnection, sql: str, parameters: Sequence[object]) -> list[bytes | None]:
    """The one row of a statement with `$1`, `$2`, ..., column by column as PostgreSQL wrote it."""
    cursor = psycopg.AsyncRawCursor(connection)
    await cursor.execute(sql, parameters, prepare=None if len(sql) <= PREPARED_MAX else False)
    result = cursor.pgresult
    assert result is not None
    return [result.get_value(0, column) for column in range(result.nfields)]


def place(url: URL) -> str:
    """The database of a URL as user@host:port/name: nothing secret, wherever the URL has its password."""
    host = url.host or url.query.get("host") or "localhost"
    return f"{url.username or ''}@{host}:{url.port or url.query.get('port') or 5432}/{url.database or ''}"


def sqlstate(error: BaseException | None) -> str | None:
    """PostgreSQL's code of an error, whether SQLAlchemy or the driver raised it."""
    code: str | None = getattr(getattr(error, "orig", None) or error, "sqlstate", None)
    return code


def is_disconnect(error: BaseException) -> bool:
    """Whether an error means that the connection is lost, so that nothing more can be stored through it."""
    if isinstance(error, DBAPIError):
        return bool(error.connection_invalidated)
    return isinstance(error, psycopg.OperationalError) and (
        error.sqlstate is None or error.sqlstate[:2] in ("57", "08")
    )


def reason(error: BaseException | None) -> str:
    """The server's or the driver's message about a failure, in one line, without SQL or parameters."""
    cause = getattr(error, "orig", None) or error
    message = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause or "")
    return " ".join(message.split())[:300] or "no answer in time"


@asynccontextmanager
async def _reachable(what: str, seconds: float) -> AsyncIterator[None]:
    """Raise Unavailable for a database that is down, hung, overloaded or out of connections; LostRace for a conflict.

    `what` is the span's name.
    """
    with tracing.inner_span(what):
        try:
            # Cancelled once, the driver asks the server to cancel and waits ten seconds for it; twice, it hangs up.
            async with asyncio.timeout(seconds + GIVE_UP_SECONDS), asyncio.timeout(seconds):
                yield
        except (DBAPIError, psycopg.Error, PoolTimeout, TimeoutError) as error:
            if sqlstate(error) in LOST_A_RACE:
                raise LostRace from error
            if message := FOR_OPERATORS.get(sqlstate(error) or ""):
                log.warning("%s: %s", message, reason(error))
                raise Unavailable(message) from error
            if isinstance(error, NO_ANSWER) or is_disconnect(error):
                raise Unavailable from error
            raise
