"""A connection that hears what PostgreSQL notifies, and says when it may have missed something."""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy.engine import URL

from crm_graph.database.jobs import conninfo

log = logging.getLogger(__name__)

CONNECT_SECONDS = 8
RETRY_SECONDS, RETRY_MAX_SECONDS = 0.25, 15.0
# A connection on which nothing is sent is not known to be dead until then: 25 s.
KEEPALIVES: dict[str, Any] = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


async def listen(url: URL, channel: str, hear: Callable[[str], None], begun: Callable[[], None]) -> None:
    """Call `hear` with the payload of every NOTIFY on a channel, until cancelled.

    Calls `begun` whenever it begins to hear: what was notified before is missed. A lost connection is made anew.
    """
    wait = RETRY_SECONDS

    def connected() -> None:
        nonlocal wait
        wait = RETRY_SECONDS
        begun()

    while True:
        try:
            await _hear(url, channel, hear, connected)
        except (psycopg.Error, OSError, TimeoutError) as error:
            log.warning("can't hear of changes; next try in %.1f s: %s", wait, type(error).__name__)
        except Exception as error:  # without another try, nobody would hear of a change any more
            log.error("can't hear of changes; next try in %.1f s", wait, exc_info=error)
        await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311 - so that all processes don't come at once
        wait = min(wait * 2, RETRY_MAX_SECONDS)


async def _hear(url: URL, channel: str, hear: Callable[[str], None], begun: Callable[[], None]) -> None:
    async with asyncio.timeout(CONNECT_SECONDS):
        connection = await psycopg.AsyncConnection.connect(conninfo(url), autocommit=True, **KEEPALIVES)
    async with connection:
        async with asyncio.timeout(CONNECT_SECONDS):
            await connection.execute(f"LISTEN {channel}".encode())
        begun()
        async for notice in connection.notifies():
            hear(notice.payload)
