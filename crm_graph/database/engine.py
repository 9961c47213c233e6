"""Database: the only way to a session. Every wait has a timeout, and an unreachable server is Unavailable."""

import asyncio
import select
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import Literal
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from crm_graph.errors import LostRace, Unavailable
from crm_graph.telemetry import tracing

# A statement, a lock, a place in the pool, a connection: nobody waits longer, and a whole transaction hardly longer.
WAIT_SECONDS = 8
TRANSACTION_SECONDS = 10
GIVE_UP_SECONDS = 1  # for a server that does not even answer a request to cancel
# deadlock_detected, serialization_failure, and foreign_key_violation: ids are looked up before they are written, so
# what one refers to is only missing when it was removed in between.
LOST_A_RACE = ("40P01", "40001", "23503")
NO_ANSWER = (OperationalError, InterfaceError, psycopg.OperationalError, PoolTimeout, TimeoutError)
PREPARE_AFTER = 2  # executions of a statement on one connection


@dataclass(frozen=True, slots=True)
class PoolState:
    """How many connections a pool may have, and of those that it has, how many are in use and how many idle."""

    name: str
    size: int
    in_use: int
    idle: int


class Database:
    """Two pools of connections to one PostgreSQL database, for statements that only read and for transactions."""

    def __init__(self, url: URL, *, pool_size: int = 8, seconds: float = TRANSACTION_SECONDS) -> None:
        self._seconds = seconds
        options = (
            f"-c statement_timeout={WAIT_SECONDS}s -c lock_timeout={WAIT_SECONDS}s "
            f"-c idle_in_transaction_session_timeout={TRANSACTION_SECONDS}s -c timezone=UTC -c jit=off"
        )
        url = url.update_query_dict({"options": f"{url.query.get('options', '')} {options}".strip()})
        self.url = url

        def pool() -> AsyncEngine:
            engine = create_async_engine(
                url,
                pool_size=pool_size,
                hide_parameters=True,  # an exception's text reaches the log, and parameters are people's data
                max_overflow=0,
                pool_timeout=WAIT_SECONDS,
                pool_reset_on_return=None,  # a transaction is over when its connection is returned, we see to that
                isolation_level="AUTOCOMMIT",  # what a transaction begins with says more than the driver's BEGIN
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

    async def read_row(self, sql: str, parameters: Sequence[Any]) -> list[bytes | None]:
        """The one row of a statement that only reads, column by column as PostgreSQL wrote it.

        `$1`, `$2`, ... in `sql` stand for the parameters. Goes around SQLAlchemy, which takes longer for the statement
        and its result than PostgreSQL does.
        """
        async with _reachable("read", self._seconds):
            pooled = await self._reads.raw_connection()
            try:
                driver: Any = pooled.driver_connection
                return await fetch_row(driver, sql, parameters)
            except BaseException:
                await greenlet_spawn(pooled.invalidate)
                raise
            finally:
                await greenlet_spawn(pooled.close)

    @asynccontextmanager
    async def transaction(
        self, *, source: str | None = None, seconds: float | None = None
    ) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends, rolled back when it raises.

        The events in it are told with `source`, and continue the trace. `seconds` are for work that nobody waits for as
        for an answer: it, and each of its statements, may last so long.
        """
        async with _reachable("transaction", seconds or self._seconds):
            pooled = await self._engine.raw_connection()
            session = _Session(self._engine, pooled)
            try:
                await session.driver.execute(_begin(source, seconds), prepare=False)
                yield session
                await session.commit()
            finally:
                try:
                    await session.close()
                except BaseException:
                    await greenlet_spawn(pooled.invalidate)  # nobody knows what is still open in it
                    raise
                finally:
                    if pooled.is_valid and session.driver.closed:
                        await greenlet_spawn(pooled.invalidate)  # hung up on: not one for the pool
                    await greenlet_spawn(pooled.close)

    def pools(self) -> list[PoolState]:
        """How the two pools are used at this moment."""
        pools: dict[str, Any] = {"transactions": self._engine.pool, "reads": self._reads.pool}
        return [PoolState(name, pool.size(), pool.checkedout(), pool.checkedin()) for name, pool in pools.items()]

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
        await self._reads.dispose()


class _Session(AsyncSession):
    """A session on one connection, which is made when SQLAlchemy is first asked for something.

    Most writes run on the driver alone, and making a session takes longer than two of their statements.
    """

    def __init__(self, engine: AsyncEngine, pooled: PoolProxiedConnection) -> None:
        self._made_of = engine, pooled
        self.driver: Any = pooled.driver_connection

    def __getattr__(self, name: str) -> Any:
        if "sync_session" in self.__dict__:
            raise AttributeError(name)
        engine, pooled = self._made_of
        connection = Connection(engine.sync_engine, pooled)
        super().__init__(bind=AsyncConnection(engine, connection), expire_on_commit=False)
        return getattr(self, name)

    async def commit(self) -> None:
        """Commit what was done, whoever did it."""
        if "sync_session" in self.__dict__:
            await super().commit()
        await self.driver.commit()

    async def close(self) -> None:
        """Roll back what was not committed."""
        if "sync_session" in self.__dict__:
            await super().close()
        if not self.driver.closed:
            await self.driver.rollback()


def _begin(source: str | None, seconds: float | None) -> str:
    """What a transaction begins with, in one round trip."""
    timeout = None if seconds is None else f"{seconds}s"
    values = {"crm.source": source, "crm.traceparent": tracing.current_traceparent(), "statement_timeout": timeout}
    settings = (
        f"SET LOCAL {name} = {Literal(value).as_string()}" for name, value in values.items() if value is not None
    )
    return "; ".join(("BEGIN", *settings))


def _refuse_lost(connection: Any, _record: Any, _pooled: Any) -> None:
    """Have a pool make new connections when the server has closed the one that it was about to give.

    PostgreSQL says so on the connection, or closes it, and says nothing else to one that is idle.
    """
    driver = connection.driver_connection
    heard = select.poll()
    if not driver.closed:
        heard.register(driver.fileno(), select.POLLIN)
    if driver.closed or heard.poll(0):
        raise InvalidatePoolError


async def fetch_row(
    connection: psycopg.AsyncConnection[Any], sql: str, parameters: Sequence[Any]
) -> list[bytes | None]:
    """The one row of a statement with `$1`, `$2`, ..., column by column as PostgreSQL wrote it."""
    cursor = psycopg.AsyncRawCursor(connection)
    await cursor.execute(sql, parameters)
    result = cursor.pgresult
    assert result is not None
    return [result.get_value(0, column) for column in range(result.nfields)]


def driver_connection(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    """The driver's own connection of a session, inside its transaction."""
    assert isinstance(session, _Session)
    driver: psycopg.AsyncConnection[Any] = session.driver
    return driver


async def set_source(session: AsyncSession, source: str) -> None:
    """Say whose doing a transaction is, where that shows only after it has begun."""
    await driver_connection(session).execute("SELECT set_config('crm.source', %s, true)", [source])


def place(url: URL) -> str:
    """Which database a URL means, without anything secret: a password may stand in its query, too."""
    host = url.host or url.query.get("host") or "localhost"
    return f"{url.username or ''}@{host}:{url.port or url.query.get('port') or 5432}/{url.database or ''}"


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's code of an error, whether SQLAlchemy or the driver raised it."""
    code: str | None = getattr(getattr(error, "orig", None) or error, "sqlstate", None)
    return code


def is_disconnect(error: BaseException) -> bool:
    """Whether an error means that the connection is gone, so that nothing can be written down on it."""
    if isinstance(error, DBAPIError):
        return bool(error.connection_invalidated)
    return isinstance(error, psycopg.OperationalError) and (
        error.sqlstate is None or error.sqlstate[:2] in ("57", "08")
    )


def reason(error: BaseException | None) -> str:
    """What the server or the driver said about a failure, in one line and without SQL or parameters."""
    cause = getattr(error, "orig", None) or error
    said = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause or "")
    return " ".join(said.split())[:300] or "no answer in time"


@asynccontextmanager
async def _reachable(what: str, seconds: float) -> AsyncIterator[None]:
    """Turn a database that is down, hung, overloaded or out of connections into Unavailable; a lost race: LostRace.

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
            if isinstance(error, NO_ANSWER) or is_disconnect(error):
                raise Unavailable from error
            raise
