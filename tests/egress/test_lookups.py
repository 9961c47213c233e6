"""Lookups of host names that hang: they take their owner's share, and nobody else's."""

import asyncio
import socket
import threading
import uuid
from collections.abc import Iterator

import pytest

from crm_graph.egress import lookups
from crm_graph.egress.client import HttpClient
from crm_graph.egress.lookups import LookupsBusy, resolve
from tests.support.http_receiver import BODY, HERE, Receiver

SLOW, OTHER = uuid.uuid4(), uuid.uuid4()


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Names that begin with "slow" hang until this is set; the others are this machine. The limits are small."""
    event = threading.Event()

    def getaddrinfo(host: str, *_: object, **__: object) -> list[object]:
        if host.startswith("slow"):
            event.wait(10)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(lookups, "LOOKUPS_MAX", 6)
    monkeypatch.setattr(lookups, "OWNER_LOOKUPS_MAX", 4)
    monkeypatch.setattr(lookups, "WAIT_SECONDS", 0.1)
    yield event
    event.set()


async def started(owner_id: uuid.UUID, count: int) -> list["asyncio.Task[list[str]]"]:
    tasks = [asyncio.create_task(resolve(f"slow{n}.{owner_id}.example", owner_id)) for n in range(count)]
    await asyncio.sleep(0.02)
    return tasks


async def test_names_of_one_owner_that_hang_leave_room_for_another_owner(released: threading.Event) -> None:
    hanging = await started(SLOW, 12)
    assert await resolve("quick.example", OTHER) == ["127.0.0.1"]
    with pytest.raises(LookupsBusy):
        await resolve("quick.example", SLOW)
    released.set()
    results = await asyncio.gather(*hanging, return_exceptions=True)
    assert results[:4] == [["127.0.0.1"]] * 4
    assert all(isinstance(one, LookupsBusy) for one in results[4:])
    assert await resolve("quick.example", SLOW) == ["127.0.0.1"]


async def test_a_lookup_whose_callers_have_left_keeps_its_place(released: threading.Event) -> None:
    for task in await started(SLOW, 4):
        task.cancel()
    with pytest.raises(LookupsBusy):
        await resolve("quick.example", SLOW)


async def test_a_name_starts_as_soon_as_another_has_ended(
    released: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "WAIT_SECONDS", 5)
    hanging = await started(SLOW, 12)
    released.set()
    assert await asyncio.gather(*hanging) == [["127.0.0.1"]] * 12


async def test_the_lookups_of_all_owners_are_bounded(released: threading.Event) -> None:
    hanging = [*await started(SLOW, 4), *await started(OTHER, 2)]
    with pytest.raises(LookupsBusy):
        await resolve("quick.example", uuid.uuid4())
    released.set()
    await asyncio.gather(*hanging)


async def test_a_request_whose_lookup_could_not_start_is_postponed(
    receiver: Receiver, http: HttpClient, released: threading.Event
) -> None:
    hanging = await started(SLOW, 4)
    url = receiver.url(host="quick.example")
    postponed = await http.post(url, {}, BODY, HERE, owner_id=SLOW)
    assert (postponed.is_postponed, postponed.error) == (True, "too many name lookups are waiting")
    assert (await http.post(url, {}, BODY, HERE, owner_id=OTHER)).is_success
    released.set()
    await asyncio.gather(*hanging)
    assert (await http.post(url, {}, BODY, HERE, owner_id=SLOW)).is_success


async def test_128_names_are_looked_up_at_once_and_16_of_one_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    event, running = threading.Event(), []

    def getaddrinfo(host: str, *_: object, **__: object) -> list[object]:
        running.append(host)
        event.wait(10)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    owners = [SLOW, SLOW, *(uuid.uuid4() for _ in range(8))]
    tasks = [task for owner in owners for task in await started(owner, 17)]
    assert sum(host.endswith(f"{SLOW}.example") for host in running) == 16
    assert len(running) == 128
    event.set()
    await asyncio.gather(*tasks)


def test_a_lookup_that_ends_after_its_loop_leaves_its_place(released: threading.Event) -> None:
    async def leave() -> None:
        await started(SLOW, 1)

    asyncio.run(leave())
    assert len(lookups._lookups) == 1
    released.set()
    for thread in threading.enumerate():
        if thread.name.endswith("(_look_up)"):
            thread.join(5)
    assert lookups._lookups == {}
