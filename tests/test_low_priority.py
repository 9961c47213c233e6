"""Long computations rest while other threads of the process are busy, and only then."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from crm_graph.low_priority import at_low_priority, give_way


def compute() -> None:
    """Twenty milliseconds of the processor, with places to rest."""
    ends_at = time.thread_time() + 0.02
    while time.thread_time() < ends_at:
        give_way()


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The rests of this thread, in seconds."""
    seconds: list[float] = []
    sleep, here = time.sleep, threading.get_ident()

    def noted(length: float) -> None:
        if threading.get_ident() == here:
            seconds.append(length)
        sleep(length)

    monkeypatch.setattr(time, "sleep", noted)
    return seconds


@contextmanager
def busy_thread() -> Iterator[None]:
    """A thread that uses a good part of the processor."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(0.0005):
            sum(range(5_000))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_it_rests_longer_than_it_runs_while_others_are_busy(rests: list[float]) -> None:
    with busy_thread():
        at_low_priority(compute)
    assert sum(rests) > 0.02


def test_it_hardly_rests_while_nobody_else_works(rests: list[float]) -> None:
    at_low_priority(compute)
    assert sum(rests) < 0.02  # as long as it runs: the test runner may have a thread


def test_other_work_never_rests_even_after_a_failure(rests: list[float]) -> None:
    with busy_thread():
        with pytest.raises(ZeroDivisionError):
            at_low_priority(lambda: 1 / 0)
        compute()
    assert rests == []
