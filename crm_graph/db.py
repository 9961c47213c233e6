"""Database: the only way to a session. Every wait has a timeout, and an unreachable server is Unavailable."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine

from crm_graph.errors import Unavailable

# A statement, a lock, a place in the pool, a connection: nobody waits longer, and a whole transaction hardly longer.
WAIT_SECONDS = 8
TRANSACTION_SECONDS = 10
GIVE_UP_SECONDS = 1  # for a server that does not even answer a request to cancel


class Database:
    """A pool of connections to one PostgreSQL database."""

    def __init__(self, url: URL, *, pool_size: int = 10, seconds: float = TRANSACTION_SECONDS) -> None:
        self._seconds = seconds
        options = (
            f"-c statement_timeout={WAIT_SECONDS}s -c lock_timeout={WAIT_SECONDS}s "
            f"-c idle_in_transaction_session_timeout={TRANSACTION_SECONDS}s -c timezone=UTC"
        )
        self._engine = create_async_engine(
            url.update_query_dict({"options": f"{url.query.get('options', '')} {options}".strip()}),
            pool_size=pool_size,
            hide_parameters=True,  # an exception's text reaches the log, and parameters are people's data
            max_overflow=0,
            pool_timeout=WAIT_SECONDS,
            connect_args={"connect_timeout": WAIT_SECONDS, "application_name": "crm-graph"},
        )
        self._autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for single statements that only read; each sees what was committed when it started."""
        async with _reachable(self._seconds), self._autocommit.connect() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        async with (
            _reachable(self._seconds),
            AsyncSession(self._engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def place(url: URL) -> str:
    """Which database a URL means, without anything secret: a password may stand in its query, too."""
    host = url.host or url.query.get("host") or "localhost"
    return f"{url.username or ''}@{host}:{url.port or url.query.get('port') or 5432}/{url.database or ''}"


def reason(error: BaseException | None) -> str:
    """What the server or the driver said about a failure, in one line and without SQL or parameters."""
    cause = getattr(error, "orig", None) or error
    said = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause or "")
    return " ".join(said.split())[:300] or "no answer in time"


@asynccontextmanager
async def _reachable(seconds: float) -> AsyncIterator[None]:
    """Turn a database that is down, hung, overloaded or out of connections into Unavailable."""
    try:
        # Cancelled once, the driver asks the server to cancel and waits ten seconds for it; twice, it hangs up.
        async with asyncio.timeout(seconds + GIVE_UP_SECONDS), asyncio.timeout(seconds):
            yield
    except (OperationalError, InterfaceError, PoolTimeout, TimeoutError) as error:
        raise Unavailable from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable from error
        raise
