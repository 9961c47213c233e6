"""Slots are shared: an owner never exceeds the share, calls keep their order, owners take turns, no slot is lost."""

import asyncio
import random
from collections import Counter, defaultdict
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_graph.errors import LimitReached
from crm_graph.web.fair_queue import FairQueue


class Log:
    """Calls that hold a slot until they are ended, and the order in which they got it."""

    def __init__(self, queue: FairQueue) -> None:
        self.started: list[str] = []
        self._queue, self._ends = queue, dict[str, asyncio.Event]()

    async def call(self, owner: str, name: str) -> None:
        end = self._ends.setdefault(name, asyncio.Event())
        async with self._queue.slot(owner):
            self.started.append(name)
            await end.wait()

    async def begin(self, *names: str) -> list[asyncio.Task[None]]:
        """Start a call for each name; its first letter is its owner."""
        tasks = [asyncio.create_task(self.call(name[0], name)) for name in names]
        await _settle()
        return tasks

    async def end(self, *names: str) -> None:
        for name in names:
            self._ends[name].set()
        await _settle()


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_owner_holds_at_most_the_share() -> None:
    log = Log(FairQueue(4, 2))
    tasks = await log.begin("a1", "a2", "a3")
    assert log.started == ["a1", "a2"]
    tasks += await log.begin("b1")
    assert log.started == ["a1", "a2", "b1"], "room for another owner"
    await log.end("a1")
    assert log.started[-1] == "a3"
    await log.end("a2", "a3", "b1")
    await asyncio.gather(*tasks)


async def test_an_owner_s_calls_keep_their_order_and_owners_take_turns() -> None:
    log = Log(FairQueue(1, 1))
    names = ["a1", "a2", "a3", "b1", "b2", "c1"]
    tasks = await log.begin(*names)
    for name in ("a1", "a2", "b1", "c1", "a3", "b2"):
        assert log.started[-1] == name
        await log.end(name)
    await asyncio.gather(*tasks)


async def test_a_call_that_waits_too_long_is_refused_and_leaves_the_line() -> None:
    queue = FairQueue(2, 1)
    async with queue.slot("a"):
        with pytest.raises(LimitReached) as refused:
            async with queue.slot("a", wait=0.02):
                pass
        assert refused.value.retry_after == 1
        assert "waited 0.02 s" in refused.value.message
    async with queue.slot("a", wait=0):
        pass


async def test_too_many_waiting_calls_of_an_owner_are_refused_at_once() -> None:
    queue = FairQueue(1, 1, waiting=2)
    log = Log(queue)
    tasks = await log.begin("a1", "a2", "a3")
    with pytest.raises(LimitReached, match="2 of your requests are waiting"):
        async with queue.slot("a"):
            pass
    tasks += await log.begin("b1")  # another owner may wait
    await log.end("a1", "a2", "a3", "b1")
    await asyncio.gather(*tasks)


async def test_a_cancelled_call_gives_back_what_it_was_just_given() -> None:
    log = Log(FairQueue(1, 1))
    [running, waiting] = await log.begin("a1", "b1")
    log._ends["a1"].set()
    await asyncio.sleep(0)  # a1 ends, and hands its slot to b1, which hasn't run since
    waiting.cancel()
    await asyncio.gather(running, waiting, return_exceptions=True)
    [later] = await log.begin("c1")
    assert log.started == ["a1", "c1"]
    await log.end("c1")
    await later


async def test_a_call_cancelled_while_slots_are_handed_out_gets_none() -> None:
    log = Log(FairQueue(1, 1))
    [running, waiting] = await log.begin("a1", "b1")
    log._ends["a1"].set()
    waiting.cancel()  # its future is cancelled before a1 looks for the next one
    await asyncio.gather(running, waiting, return_exceptions=True)
    [later] = await log.begin("c1")
    assert log.started == ["a1", "c1"]
    await log.end("c1")
    await later


@given(
    total=st.integers(1, 5),
    share=st.integers(1, 5),
    calls=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(0, 3)), max_size=30),
    seed=st.integers(0, 2**16),
)
def test_whatever_is_called_and_cancelled(total: int, share: int, calls: list[tuple[str, int, int]], seed: int) -> None:
    """No limit is exceeded, each owner's calls start in order, all that aren't cancelled run, all slots come back."""

    async def run() -> None:
        queue, running, order = FairQueue(total, share), Counter[str](), defaultdict[str, list[int]](list)

        async def call(number: int, owner: str, turns: int) -> None:
            async with queue.slot(owner):
                order[owner].append(number)
                running[owner] += 1
                try:
                    assert running[owner] <= share
                    assert running.total() <= total
                    for _ in range(turns):
                        await asyncio.sleep(0)
                finally:
                    running[owner] -= 1

        draw, tasks, doomed = random.Random(seed), [], []
        for number, (owner, turns, pause) in enumerate(calls):
            tasks.append(asyncio.create_task(call(number, owner, turns)))
            for _ in range(pause):
                await asyncio.sleep(0)
            if draw.random() < 0.3:
                doomed.append(victim := draw.choice(tasks))
                victim.cancel()
        results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        for task, result in zip(tasks, results, strict=True):
            assert result is None or (task in doomed and isinstance(result, asyncio.CancelledError)), result
        assert all(numbers == sorted(numbers) for numbers in order.values())
        assert (queue._free, dict(queue._running), dict(queue._waiting)) == (total, {}, {})

    asyncio.run(run())


async def test_a_free_slot_costs_microseconds() -> None:
    queue, times = FairQueue(8, 4), []
    for _ in range(5):
        started = perf_counter()
        for _ in range(2_000):
            async with queue.slot("a"):
                pass
        times.append((perf_counter() - started) / 2_000)
    assert min(times) < 20e-6
