"""Clients that are not known yet: endless headers, half-open requests, answers that nobody reads, too many of them."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from crm_graph.server.connections import SPARE, ConnectionLimits
from tests.support.raw_server import BIG, GET, UPGRADE, Served, received, serving


@pytest.fixture(scope="module")
def quick() -> Iterator[Served]:
    with serving() as served:
        yield served


def test_a_refused_client_is_answered_at_once_and_keeps_its_connection_for_a_while() -> None:
    with serving(ConnectionLimits(refused_seconds=0.3)) as served:
        started = time.monotonic()
        client = served.connect(GET + b"x: " + b"y" * 100_000)
        assert b" 431 " in client.recv(65_536)
        assert time.monotonic() - started < 0.2
        received(client)
        assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (GET + b"x: " + b"y" * 8_001 + b"\r\n\r\n", "each header"),
        (b"GET /" + b"y" * 8_001 + b" HTTP/1.1\r\nHost: x\r\n\r\n", "URL"),
        (GET + b"".join(b"x%d: y\r\n" % number for number in range(101)) + b"\r\n", "more than 100 headers"),
        (
            GET + b"".join(b"x%d: %s\r\n" % (number, b"y" * 1_000) for number in range(40)) + b"\r\n",
            "larger than 32,000 bytes",
        ),
        (GET + b"x: " + b"y" * 100_000, "larger than 32,000 bytes"),
        (b"GET /" + b"y" * 100_000, "URL"),
    ],
)
def test_headers_have_a_limit(quick: Served, head: bytes, message: str) -> None:
    status, _, body = received(quick.connect(head)).partition(b"\r\n")
    assert status == b"HTTP/1.1 431 Request Header Fields Too Large"
    answer = json.loads(body.partition(b"\r\n\r\n")[2])
    assert answer["error"] == "headers_too_large"
    assert message in answer["message"]
    assert answer["errors"][0]["extensions"]["code"] == "HEADERS_TOO_LARGE"


def test_what_is_within_the_limits_is_served(quick: Served) -> None:
    headers = b"".join(b"x%d: %s\r\n" % (number, b"y" * 300) for number in range(98))
    client = quick.connect(GET + headers + b"Content-Length: 1\r\n\r\n1")
    assert client.recv(1_000).startswith(b"HTTP/1.1 200 OK")
    client.sendall(GET + b"x: " + b"y" * 7_900 + b"\r\nConnection: close\r\n\r\n")
    assert received(client).startswith(b"HTTP/1.1 200 OK")


UNFINISHED = (
    b"",
    b"GET",
    GET,
    b"\r\n",
    b"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1",
    b"POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nConnection: close\r\n",
    GET + b"\r\n" + GET,
)


def test_requests_that_are_not_finished_are_closed(quick: Served) -> None:
    started = time.monotonic()
    for client in [quick.connect(sent) for sent in UNFINISHED]:
        received(client)
    assert time.monotonic() - started < 2


def test_a_byte_now_and_then_does_not_help(quick: Served) -> None:
    client, started = quick.connect(), time.monotonic()
    with suppress(ConnectionError):
        for byte in GET * 100:
            client.sendall(bytes([byte]))
            threading.Event().wait(0.03)
    assert time.monotonic() - started < 2


def test_a_body_that_nobody_reads_has_an_end() -> None:
    limits = ConnectionLimits(request_bytes=100_000, sweep_seconds=0.05, refused_seconds=0.05)
    with serving(limits) as served:
        client = served.connect(b"GET /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n")
        with suppress(ConnectionError):
            for _ in range(90):
                client.sendall(b"x" * 100_000)
        served.count(0)


def test_a_slow_answer_and_an_idle_websocket_are_not_aborted(quick: Served) -> None:
    websocket = quick.connect(UPGRADE)
    client = quick.connect(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert received(client).endswith(b"slow")
    quick.count(1)
    assert websocket.recv(1_000).startswith(b"HTTP/1.1 101 ")
    websocket.sendall(b"\x89\x80abcd")  # a ping, masked
    assert websocket.recv(2) == b"\x8a\x00"
    websocket.close()
    quick.count(0)


def test_a_client_that_reads_nothing_is_disconnected(quick: Served) -> None:
    client = quick.connect(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n", receives=4_096)
    quick.count(1)
    quick.count(0)
    assert len(received(client)) < BIG


def test_a_slow_reader_gets_everything(quick: Served) -> None:
    client = quick.connect(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", receives=65_536)
    total = 0
    while part := client.recv(400_000):
        total += len(part)
        threading.Event().wait(0.002)
    assert total > BIG


def test_unread_answers_have_a_limit_together() -> None:
    limits = ConnectionLimits(unsent_bytes=BIG, sweep_seconds=0.05, refused_seconds=0.05)
    with serving(limits) as served:
        for _ in range(4):
            served.connect(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n", receives=4_096)
        served.count(1)  # the system's own buffers take less than half of each answer


def test_a_client_has_a_number_of_connections() -> None:
    limits = ConnectionLimits(client_connections=3, refused_seconds=0.05)
    with serving(limits) as served:
        others = [served.connect() for _ in range(3)]
        served.count(3)
        answer = received(served.connect(GET + b"\r\n"))
        assert answer.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
        assert b"retry-after: 5\r\n" in answer
        assert b'"[LIMIT_REACHED] 3 connections are open from 127.0.0.1"' in answer
        others.pop().close()
        served.count(2)
        assert received(served.connect(GET + b"Connection: close\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")
    with serving(limits, "127.0.0.0/8") as served:
        for _ in range(5):
            served.connect()
        assert received(served.connect(GET + b"Connection: close\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")


def test_a_process_has_a_number_of_connections() -> None:
    limits = ConnectionLimits(connections=2, refused_seconds=0.05)
    with serving(limits, "127.0.0.1") as served:
        for _ in range(2):
            served.connect()
        served.count(2)
        assert received(served.connect(GET + b"\r\n")).startswith(b"HTTP/1.1 429 ")
        served.count(2)
        for _ in range(SPARE):
            served.connect()
        served.count(2 + SPARE)
        assert received(served.connect()) == b"", "closed at once"


def test_requests_that_wait_behind_another_have_a_limit(quick: Served) -> None:
    client = quick.connect(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + 100 * (GET + b"\r\n"))
    assert received(client).startswith(b"HTTP/1.1 400 Bad Request")


def test_trailers_are_not_headers(quick: Served) -> None:
    request = b"POST /trailers HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = received(quick.connect(request + b"1\r\nx\r\n0\r\nAuthorization: Bearer x\r\n\r\n"))
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"authorization" not in answer.lower()
