"""Bodies while they are being read: slow senders of large ones take their share of the memory, and no more."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from crm_graph.errors import LimitReached
from crm_graph.web import requests
from crm_graph.web.fair_queue import FairQueue
from crm_graph.web.requests import SMALL_BODY, read_body


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three places, of which a client has two, for which nobody waits long."""
    queue = FairQueue(3, 2)
    monkeypatch.setattr(queue, "_wait", 0.05)
    monkeypatch.setattr(requests, "_large_bodies", queue)


class Sender:
    """A request whose body stops after so many bytes, until `finish`."""

    def __init__(self, client: str, size: int) -> None:
        self._size, self._parts, self._done = size, 0, asyncio.Event()
        scope = {"type": "http", "method": "POST", "headers": [], "client": (client, 1), "state": {}}
        self.reading = asyncio.create_task(read_body(Request(scope, self._receive)))

    async def _receive(self) -> dict[str, Any]:
        self._parts += 1
        if self._parts == 1:
            return {"type": "http.request", "body": b"x" * self._size, "more_body": True}
        await self._done.wait()
        return {"type": "http.request", "body": b"y", "more_body": False}

    async def finish(self) -> bytes:
        self._done.set()
        return await self.reading


async def test_large_bodies_of_one_client_wait_for_their_turn_and_then_are_refused() -> None:
    slow = [Sender("203.0.113.1", SMALL_BODY + 1) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(LimitReached):
        await Sender("203.0.113.1", SMALL_BODY + 1).reading
    other = Sender("203.0.113.2", SMALL_BODY + 1)
    assert len(await other.finish()) == SMALL_BODY + 2
    assert [len(await one.finish()) for one in slow] == [SMALL_BODY + 2] * 2
    assert len(await Sender("203.0.113.1", SMALL_BODY + 1).finish()) == SMALL_BODY + 2


async def test_all_clients_together_have_so_many_places() -> None:
    slow = [Sender(f"203.0.113.{number}", SMALL_BODY + 1) for number in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(LimitReached):
        await Sender("203.0.113.9", SMALL_BODY + 1).reading
    for one in slow:
        await one.finish()


async def test_a_small_body_needs_no_place() -> None:
    slow = [Sender(f"203.0.113.{number}", SMALL_BODY + 1) for number in range(3)]
    await asyncio.sleep(0)
    assert len(await Sender("203.0.113.9", SMALL_BODY - 1).finish()) == SMALL_BODY
    for one in slow:
        await one.finish()
