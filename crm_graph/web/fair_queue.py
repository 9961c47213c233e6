"""FairQueue: shares a number of slots between owners. Calls above an owner's share wait in order, and not for ever."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Hashable
from types import TracebackType

from crm_graph.errors import LimitReached

WAIT_SECONDS = 5.0
WAITING_MAX = 100  # calls of one owner; each may hold a request body
RETRY_AFTER_SECONDS = 1


class FairQueue:
    """`total` slots, of which one owner holds at most `share`.

    An owner's calls wait first in, first out; slots that become free go to the waiting owners in turns. A share below
    the total leaves room for the others whatever one owner does.
    """

    def __init__(self, total: int, share: int, *, waiting: int = WAITING_MAX) -> None:
        self._free, self._share, self._waiting_max, self._wait = total, share, waiting, WAIT_SECONDS
        self._running: Counter[Hashable] = Counter()
        # In the order in which the owners are next; owners without a waiting call are not in it.
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    def slot(self, owner: Hashable, *, wait: float | None = None) -> "Slot":
        """A slot for `async with`.

        Entering raises LimitReached when none becomes free within `wait` seconds (5, if not given), or when too many
        calls of the owner are waiting already.
        """
        return Slot(self, owner, self._wait if wait is None else wait)

    def try_take(self, owner: Hashable) -> bool:
        """Take a slot if the owner may have one now.

        Nobody is overtaken: while a slot is free, only owners at their share wait.
        """
        if self._free == 0 or self._running[owner] >= self._share:
            return False
        self._free -= 1
        self._running[owner] += 1
        return True

    async def take(self, owner: Hashable, wait: float) -> None:
        """Wait for a slot; raises LimitReached."""
        calls = self._waiting.setdefault(owner, deque())
        if len(calls) >= self._waiting_max:
            raise LimitReached(
                f"{self._waiting_max} of your requests are waiting already; send fewer at once",
                retry_after=RETRY_AFTER_SECONDS,
            )
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        calls.append(turn)
        try:
            async with asyncio.timeout(wait):
                await turn
        except BaseException as error:
            self._abandon(owner, turn)
            if isinstance(error, TimeoutError):
                raise LimitReached(
                    f"you run {self._share} requests at once or the server is busy, and this one waited {wait:g} s; "
                    "send fewer at once",
                    retry_after=RETRY_AFTER_SECONDS,
                ) from None
            raise

    def _abandon(self, owner: Hashable, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():  # it got the slot in the moment in which it stopped waiting
            self.free(owner)
            return
        calls = self._waiting.get(owner, deque())
        if turn in calls:
            calls.remove(turn)
            if not calls:
                del self._waiting[owner]

    def free(self, owner: Hashable) -> None:
        """Give a slot back."""
        self._free += 1
        self._running[owner] -= 1
        if not self._running[owner]:
            del self._running[owner]
        if self._waiting:
            self._hand_out()

    def _hand_out(self) -> None:
        """Give free slots to waiting calls: one call of each owner, then the next one of each."""
        owner: Hashable | None
        while self._free and (owner := next(filter(self._may_run, self._waiting), None)) is not None:
            calls = self._waiting[owner]
            turn = calls.popleft()
            if not turn.cancelled():
                self._free -= 1
                self._running[owner] += 1
                turn.set_result(None)
            if calls:
                self._waiting.move_to_end(owner)
            else:
                del self._waiting[owner]

    def _may_run(self, owner: Hashable) -> bool:
        return self._running[owner] < self._share


class Slot:
    """A slot while its block runs."""

    __slots__ = ("_owner", "_queue", "_wait")

    def __init__(self, queue: FairQueue, owner: Hashable, wait: float) -> None:
        self._queue, self._owner, self._wait = queue, owner, wait

    async def __aenter__(self) -> None:
        if not self._queue.try_take(self._owner):
            await self._queue.take(self._owner, self._wait)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._queue.free(self._owner)
