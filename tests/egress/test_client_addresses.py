"""Which addresses HttpClient connects to: names that resolve slowly, twice or to forbidden networks, and TLS."""

import asyncio
import socket
import threading

import pytest

from crm_graph.egress.client import HttpClient, PostResult, check_url
from crm_graph.egress.networks import PUBLIC_ONLY, Networks
from tests.support.http_receiver import (
    BODY,
    CERTIFICATE,
    HERE,
    Receiver,
    flood,
)

pytestmark = pytest.mark.slow


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Replace the resolver: it returns one list after the other. Returns the names that were looked up."""
    looked_up: list[str] = []
    left = list(answers)

    def getaddrinfo(host: str, *_: object, **__: object) -> list[object]:
        looked_up.append(host)
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return looked_up


async def test_a_resolver_that_hangs_delays_no_other_name(
    receiver: Receiver, http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    def hangs(*_: object, **__: object) -> None:
        released.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    hanging = [asyncio.create_task(http.post(f"https://h{n}.example/", {}, BODY, HERE)) for n in range(40)]
    await asyncio.sleep(0.05)
    resolving(monkeypatch, ["127.0.0.1"])
    assert (await http.post(receiver.url(host="quick.example"), {}, BODY, HERE)).is_success
    assert {result.error for result in await asyncio.gather(*hanging)} == {"no response within 1 s"}
    released.set()


async def test_an_address_that_is_not_allowed_is_never_connected_to(receiver: Receiver) -> None:
    async with HttpClient() as http:
        for host in ("127.0.0.1", "0x7f.1", "[::ffff:127.0.0.1]", "localhost"):
            result = await http.post(receiver.url(host=host).replace("http:", "https:"), {}, BODY, Networks())
            assert result.error is not None
            assert "is not allowed on port" in result.error
            assert result.status is None
    assert receiver.connections == 0


async def test_rebinding_the_name_between_save_and_connect(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = resolving(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    checked = await check_url(f"https://rebound.example:{receiver.port}/", Networks())
    async with HttpClient() as http:
        result = await http.post(checked.url, {}, BODY, Networks())
    assert result == PostResult(
        result.duration_ms,
        error=f"the address 127.0.0.1 of host rebound.example is not allowed on port {receiver.port}: "
        f"add 127.0.0.1:{receiver.port} to OUTBOUND_ALLOWED_NETWORKS",
    )
    assert looked_up == ["rebound.example"] * 2  # not a third time, to connect
    assert receiver.connections == 0


async def test_one_forbidden_address_among_others_refuses_the_name(
    receiver: Receiver, http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving(monkeypatch, ["127.0.0.1", "10.0.0.1"])
    result = await http.post(receiver.url(host="two.example"), {}, BODY, HERE)
    assert result.error is not None
    assert "10.0.0.1" in result.error
    assert receiver.connections == 0


async def test_the_next_address_is_tried_when_one_can_not_be_reached(
    receiver: Receiver, http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving(monkeypatch, ["127.0.0.2", "127.0.0.1"])
    assert (await http.post(receiver.url(host="two.example"), {}, BODY, HERE)).is_success


async def test_an_idle_connection_is_reused_for_the_same_networks_only(receiver: Receiver, http: HttpClient) -> None:
    admins = await http.post(receiver.url(), {}, BODY, HERE)
    assert admins.is_success
    assert admins.is_internal
    others = await http.post(receiver.url(), {}, BODY, PUBLIC_ONLY)
    assert (others.status, others.response) == (None, None)
    assert len(receiver.requests) == 1


async def test_only_the_named_port_is_open(receiver: Receiver, http: HttpClient) -> None:
    other = Networks.of([f"127.0.0.1:{receiver.port % 65535 + 1}"])
    result = await http.post(receiver.url(), {}, BODY, other)
    assert result.error is not None
    assert f"127.0.0.1:{receiver.port}" in result.error
    assert (await http.post(receiver.url(), {}, BODY, Networks.of([f"127.0.0.1:{receiver.port}"]))).is_success
    assert receiver.connections == 1


async def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await http.post(receiver.url(), {}, BODY, HERE)).is_success


async def test_an_untrusted_certificate_gets_nothing(http: HttpClient) -> None:
    async with Receiver(tls=True) as receiver:
        result = await http.post(receiver.url(), {}, BODY, HERE)
        assert result.error == "TLS: certificate verify failed: self-signed certificate"
        assert receiver.requests == []


async def test_a_trusted_certificate_is_for_its_own_name_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    async with Receiver(tls=True) as receiver, HttpClient(deadline_seconds=5) as http:
        results = [await http.post(receiver.url(), {}, BODY * 10_000, HERE) for _ in range(3)]
        assert all(result.is_success for result in results)
        assert receiver.connections == 1
        receiver.plan(flood)
        assert (await http.post(receiver.url(), {}, BODY, HERE)).response == "y" * 1024
        other = await http.post(receiver.url(host="127.0.0.1"), {}, BODY, HERE)
        assert other.error is not None
        assert "mismatch" in other.error
        assert len(receiver.requests) == 4


async def test_tls_to_a_server_without_it(http: HttpClient) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1") as server:
        result = await http.post(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", {}, BODY, HERE)
    assert result.error == "TLS: wrong version number"
