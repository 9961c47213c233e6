"""The listener: a connection that receives PostgreSQL's notifications, and says when it may have missed some."""

import asyncio
import logging
from collections.abc import Callable

import psycopg
from sqlalchemy.engine import URL

from crm_graph.backoff import Backoff
from crm_graph.database.jobs import conninfo

log = logging.getLogger(__name__)

CONNECT_SECONDS = 8
RETRY_SECONDS, RETRY_MAX_SECONDS = 0.25, 15.0
# A connection without traffic is detected as dead after 10 s + 3 x 5 s.
KEEPALIVES = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


async def listen(url: URL, channel: str, notify: Callable[[str], None], connected: Callable[[], None]) -> None:
    """Call `notify` with the payload of every notification on a channel, until cancelled.

    Calls `connected` whenever it starts to listen: earlier notifications are missed. It reconnects by itself.
    """
    backoff = Backoff(RETRY_SECONDS, RETRY_MAX_SECONDS)

    def start() -> None:
        backoff.reset()
        connected()

    while True:
        failure: Exception | None = None
        try:
            await _listen(url, channel, notify, start)
        except (psycopg.Error, OSError, TimeoutError) as error:
            reason = type(error).__name__
        except Exception as error:  # without another attempt, this process would never be notified again
            reason, failure = "unexpected error", error
        else:
            reason = "the server closed the connection"
        wait = backoff.next()
        level = logging.ERROR if failure else logging.WARNING
        log.log(level, "not listening on %s; next attempt in %.1f s: %s", channel, wait, reason, exc_info=failure)
        await asyncio.sleep(wait)


async def _listen(url: URL, channel: str, notify: Callable[[str], None], connected: Callable[[], None]) -> None:
    async with asyncio.timeout(CONNECT_SECONDS):
        connection = await psycopg.AsyncConnection.connect(conninfo(url, **KEEPALIVES), autocommit=True)
    async with connection:
        async with asyncio.timeout(CONNECT_SECONDS):
            await connection.execute(f"LISTEN {channel}".encode())
        connected()
        async for notice in connection.notifies():
            notify(notice.payload)
