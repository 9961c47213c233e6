"""What a call that reaches nothing says: whether it was to an internal network, and why it was refused."""

import asyncio
import socket
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import NoReturn

import pytest

from crm_graph.egress import client
from crm_graph.egress.client import HttpClient
from crm_graph.egress.networks import Networks
from tests.support.commands import free_port
from tests.support.http_receiver import BODY, HERE, Receiver, answer


async def test_a_call_to_a_closed_internal_port_is_known_to_be_internal(http: HttpClient) -> None:
    result = await http.post(f"http://127.0.0.1:{free_port()}/hook", {}, BODY, HERE)
    assert result.status is None
    assert result.error
    assert result.is_internal  # a salesperson doesn't learn which ports are open


async def test_a_name_that_leads_to_a_public_address_is_not_called_without_tls(
    http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def public(*_args: object, **_options: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 80))]

    def connect(*_: object) -> NoReturn:
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "getaddrinfo", public)
    monkeypatch.setattr(client, "connect", connect)
    result = await http.post("http://moved.example/hook", {}, BODY, Networks.of(["10.0.0.0/8:80"]))
    assert result.error is not None
    assert "https://" in result.error
    assert not result.is_internal


@pytest.mark.parametrize(("seconds", "connections"), [(3.9, 1), (4.1, 2)])
async def test_a_connection_is_used_again_within_four_seconds(
    http: HttpClient, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, seconds: float, connections: int
) -> None:
    assert (await http.post(receiver.url(), {}, BODY, HERE)).is_success
    monotonic = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + seconds)
    assert (await http.post(receiver.url(), {}, BODY, HERE)).is_success
    assert receiver.connections == connections


async def test_connections_that_were_idle_too_long_are_closed(
    http: HttpClient, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await http.post(receiver.url(), {}, BODY, HERE)).is_success
    [[idle]] = http._idle.values()
    monotonic = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + 60)
    async with Receiver() as other:
        assert (await http.post(other.url(), {}, BODY, HERE)).is_success
    assert idle.stream._transport.is_closing()


async def test_nine_digits_of_retry_after_count(http: HttpClient, receiver: Receiver) -> None:
    receiver.plan(answer(503, retry_after="000000120"))
    result = await http.post(receiver.url(), {}, BODY, HERE)
    assert result.retry_after == timedelta(seconds=120)


@pytest.mark.parametrize(("length", "connections"), [(16 * 1024, 1), (16 * 1024 + 1, 2)])
async def test_after_a_response_of_more_than_16_kb_the_connection_is_closed(
    http: HttpClient, receiver: Receiver, length: int, connections: int
) -> None:
    receiver.plan(answer(200, b"x" * length))
    first = await http.post(receiver.url(), {}, BODY, HERE)
    assert first.response == "x" * 1024
    assert (await http.post(receiver.url(), {}, BODY, HERE)).is_success
    assert receiver.connections == connections


async def test_sixteen_connections_to_a_host_stay_open(http: HttpClient, receiver: Receiver) -> None:
    for _ in range(2):
        await asyncio.gather(*(http.post(receiver.url(), {}, BODY, HERE) for _ in range(17)))
    assert receiver.connections == 17 + 1


def test_of_a_body_in_parts_a_byte_more_than_is_shown_is_kept() -> None:
    received = client._Received()
    for _ in range(3):
        received.add(b"x" * 1000)
    assert (len(received.body), received.size) == (1025, 3000)


async def test_the_duration_is_in_milliseconds(
    http: HttpClient, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([100.0, 101.0])
    monkeypatch.setattr(client, "time", SimpleNamespace(monotonic=lambda: next(times, 101.0)))
    assert (await http.post(receiver.url(), {}, BODY, HERE)).duration_ms == 1000


async def test_idle_connections_end_with_the_client(receiver: Receiver) -> None:
    async with HttpClient() as http:
        assert (await http.post(receiver.url(), {}, BODY, HERE)).is_success
        [[idle]] = http._idle.values()
        assert not idle.stream._transport.is_closing()
    assert idle.stream._transport.is_closing()


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        ("Mon, 05 Jan 2026 10:02:00 GMT", 120),
        ("Mon, 05 Jan 2026 11:02:00 +0100", 120),
        ("Mon, 05 Jan 2026 10:02:00", 120),
        ("Mon, 05 Jan 2026 09:00:00 GMT", 0),
        ("Fri, 09 Jan 2026 10:00:00 GMT", 86_400),
    ],
)
def test_a_date_to_retry_after_is_read_with_its_offset_or_as_utc(after: str, seconds: int) -> None:
    now = datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert client._parse_delay(after, now) == timedelta(seconds=seconds)
