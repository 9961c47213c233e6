"""What a call that reaches nothing says: whether it was to an internal network, and why it was refused."""

import socket
import time
from datetime import timedelta
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
