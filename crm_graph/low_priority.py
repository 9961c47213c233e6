"""Long computations in a thread that give way to the process's other threads.

Python runs one thread at a time. While one computes, each step of every request waits for the interpreter to be handed
over; a computation that rests in between delays the others far less than it is delayed itself.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
RUN_SECONDS = 0.001  # without a rest
RESTS = 5.0  # times as long as it has run
REST_MAX_SECONDS = 0.05
BUSY = 0.05  # of the time: others that use less of it are not disturbed


class _Pace:
    """The clocks of one computation: of the wall since its last rest, of processor time since before that rest."""

    def __init__(self) -> None:
        self._rested_at = time.monotonic()
        self._used, self._used_by_all = time.thread_time(), time.process_time()

    def rest_if_due(self) -> None:
        ran = time.monotonic() - self._rested_at
        if ran < RUN_SECONDS:
            return
        used, used_by_all = time.thread_time(), time.process_time()
        by_others = (used_by_all - self._used_by_all) - (used - self._used)
        self._used, self._used_by_all = used, used_by_all
        if by_others > BUSY * ran:
            time.sleep(min(RESTS * ran, REST_MAX_SECONDS))
        self._rested_at = time.monotonic()


class _Thread(threading.local):
    pace: _Pace | None = None


_thread = _Thread()


def at_low_priority(work: Callable[[], T]) -> T:
    """The result of `work`, which rests where it calls `give_way`."""
    _thread.pace = _Pace()
    try:
        return work()
    finally:
        _thread.pace = None


def give_way() -> None:
    """Rest, if this thread works at low priority, has run for a while, and other threads of the process are busy."""
    if _thread.pace is not None:
        _thread.pace.rest_if_due()
