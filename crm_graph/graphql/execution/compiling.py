"""New documents and plans: read and compiled in a thread, one at a time, with a budget of time for each owner.

Compiling is pure Python. In a thread it takes as long, but other requests go on meanwhile. A known document or plan
costs no time here.
"""

import asyncio
import math
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, thread_time
from typing import TypeVar

from crm_graph.errors import LimitReached
from crm_graph.low_priority import at_low_priority

T = TypeVar("T")
_THREAD = ThreadPoolExecutor(1, thread_name_prefix="compile")  # of the process
SHARE = 0.25  # seconds for each second
SAVED_MAX = 3.0  # seconds that an owner who compiles nothing saves up
WAIT_MAX = 5.0  # seconds that a request waits for its turn and its budget


class Compiling:
    """How much of the time for compiling each owner has used."""

    def __init__(self, *, share: float = SHARE, saved_max: float = SAVED_MAX, wait_max: float = WAIT_MAX) -> None:
        self._share, self._saved_max, self._wait_max = share, saved_max, wait_max
        self._budgets: dict[uuid.UUID | None, _Budget] = {}

    async def run(self, owner_id: uuid.UUID | None, work: Callable[[], T], find: Callable[[], T | None]) -> T:
        """The result of `work`, whose time counts against the owner's budget.

        An owner's calls run in the order in which they came. When it is a call's turn, `find` may have what an earlier
        one has made. Raises what `work` raises, and LimitReached when the budget doesn't allow it in time.
        """
        budget = self._budgets.setdefault(owner_id, _Budget(self._share, self._saved_max))
        deadline = monotonic() + self._wait_max
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + self._wait_max):
                await budget.turn.acquire()
        except TimeoutError:
            raise _spent(budget) from None
        try:
            if (found := find()) is not None:
                return found
            wait = budget.seconds_to_wait()
            if monotonic() + wait > deadline:
                raise _spent(budget)
            await asyncio.sleep(wait)
            return await asyncio.get_running_loop().run_in_executor(_THREAD, budget.measured, work)
        finally:
            budget.turn.release()


class _Budget:
    """A token bucket of seconds. Work may start while any are left, and its time is taken off afterwards."""

    def __init__(self, share: float, saved_max: float) -> None:
        self.turn = asyncio.Lock()
        self._share, self._saved_max = share, saved_max
        self._saved, self._at = saved_max, monotonic()
        self._spent = 0.0  # since then; written by the thread

    def seconds_to_wait(self) -> float:
        """How long until work may start."""
        now, spent = monotonic(), self._spent
        self._spent -= spent  # nothing runs in the thread for this owner meanwhile
        self._saved = min(self._saved_max, self._saved + self._share * (now - self._at)) - spent
        self._at = now
        return max(0.0, -self._saved / self._share)

    def measured(self, work: Callable[[], T]) -> T:
        """Do the work and count its time, also when it fails."""
        started = thread_time()
        try:
            return at_low_priority(work)
        finally:
            self._spent += thread_time() - started


def _spent(budget: _Budget) -> LimitReached:
    return LimitReached(
        "you send new queries faster than they can be prepared: put values into variables, so that the text of the "
        "query stays the same",
        retry_after=max(1, math.ceil(budget.seconds_to_wait())),
    )
