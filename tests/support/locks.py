"""Waiting until somebody waits, so that two callers meet where a test wants them to."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def somebody_waits(sql: AsyncConnection, count: int = 1, event: str = "Lock") -> None:
    """Returns when that many statements in this database wait for a lock (or another type of event of PostgreSQL's).

    Raises TimeoutError after 30 seconds.
    """
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = :event"
    )
    async with asyncio.timeout(30):
        while (await sql.scalar(waiting, {"event": event}) or 0) < count:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.005)
