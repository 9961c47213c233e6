"""Runs pure functions in a thread: the event loop goes on meanwhile, and one that takes too long is given up."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


class TooSlow(Exception):
    """A function took too long. Its thread goes on: nothing can stop one."""


async def in_thread(function: Callable[[], Result], seconds: float | None = None) -> Result:
    """The function's result. Raises what the function raises, and TooSlow after so many seconds.

    The thread is a daemon of its own, unlike those of a pool: one that hangs neither keeps the process from exiting nor
    takes another event's place.
    """
    future: Future[Result] = Future()
    future.set_running_or_notify_cancel()  # from now on, giving up leaves it alone
    Thread(target=_run, args=(function, future), name="webhook event", daemon=True).start()
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), seconds)
    except TimeoutError:
        if future.done():
            raise
        raise TooSlow from None


def _run(function: Callable[[], Result], future: "Future[Result]") -> None:
    try:
        future.set_result(function())
    except Exception as error:
        future.set_exception(error)
