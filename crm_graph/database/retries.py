"""Running a transaction again when it conflicted with another one: a deadlock, or a row that was deleted meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from crm_graph.backoff import Backoff
from crm_graph.errors import LostRace

T = TypeVar("T")
ATTEMPTS = 5
PAUSE_SECONDS = 0.05  # before the next attempt, less jitter: otherwise the same transactions would conflict again


async def retry_on_conflict(attempt: Callable[[], Awaitable[T]]) -> T:
    """Run a whole transaction until it meets no conflict; raises LostRace after ATTEMPTS of them."""
    backoff = Backoff(PAUSE_SECONDS, PAUSE_SECONDS)
    for _ in range(ATTEMPTS - 1):
        try:
            return await attempt()
        except LostRace:
            await asyncio.sleep(backoff.next())
    return await attempt()
