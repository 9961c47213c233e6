"""Waiting until somebody waits, so that two callers meet where a test wants them to."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def somebody_waits(sql: AsyncConnection, count: int = 1) -> None:
    """Returns when that many statements in this database wait for a lock; raises TimeoutError after 5 seconds."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(5):
        while (await sql.scalar(waiting) or 0) < count:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.005)
