"""Transactions that lose a race against others, in a deadlock or for a row that is gone, and are run again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from crm_graph.errors import LostRace

T = TypeVar("T")
ATTEMPTS = 5
PAUSE_SECONDS = 0.05  # at most, before the next attempt: what met once would meet again


async def retry_on_conflict(attempt: Callable[[], Awaitable[T]]) -> T:
    """What a whole transaction returns once it has lost no race; raises LostRace when it keeps losing."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await attempt()
        except LostRace:
            await asyncio.sleep(random.uniform(0, PAUSE_SECONDS))  # noqa: S311 - only to spread them
    return await attempt()
