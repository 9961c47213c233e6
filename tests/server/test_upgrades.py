"""Upgrades, CONNECT and floods of WebSocket frames, from clients that are not known yet."""

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from crm_graph.server.connections import ConnectionLimits
from tests.support.raw_server import GET, QUICK, UPGRADE, Served, received, serving

SECOND = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(SECOND)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
OTHER = b"%s /hello HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: %s\r\n"
PING, EMPTY, TEXT = b"\x89\x80abcd", b"\x00\x80abcd", b"\x81\x80abcd"  # masked, as clients send them
HANDSHAKE = UPGRADE.removesuffix(b"\r\n")


@pytest.fixture(scope="module")
def quick() -> Iterator[Served]:
    with serving() as served:
        yield served


def opened(served: Served) -> socket.socket:
    client = served.connect(UPGRADE)
    assert client.recv(1_000).startswith(b"HTTP/1.1 101 ")
    return client


@pytest.mark.parametrize("later", [False, True], ids=["in one packet", "body in a later packet"])
@pytest.mark.parametrize(
    "head",
    [
        OTHER % (b"POST", b"h2c") + LENGTH,
        OTHER % (b"GET", b"foo") + LENGTH,
        OTHER % (b"POST", b"h2c") + CHUNKED,
        OTHER.replace(b"\r\nUpgrade", b"\r\nConnection: close\r\nUpgrade") % (b"POST", b"websocket") + LENGTH,
        HANDSHAKE + LENGTH,
        HANDSHAKE + CHUNKED,
        HANDSHAKE.replace(b"GET", b"POST") + LENGTH,
        b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n" + LENGTH,
    ],
)
def test_an_upgrade_with_a_body_is_refused_and_its_body_is_not_a_request(
    quick: Served, head: bytes, later: bool
) -> None:
    client = quick.connect(head if later else head + SECOND)
    answer = client.recv(65_536)
    if later:
        client.sendall(SECOND)
    answer += received(client)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == "bad_request"


def test_a_connect_is_refused(quick: Served) -> None:
    assert b"CONNECT is not supported" in received(quick.connect(b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n"))


@pytest.mark.parametrize(
    ("end", "later"),
    [(b"\r\n", GET + b"\r\n"), (b"Content-Length: 0\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")],
)
def test_an_upgrade_to_another_protocol_is_ignored_and_is_the_last_request(
    quick: Served, end: bytes, later: bytes
) -> None:
    client = quick.connect(OTHER.replace(b"/hello", b"/slow") % (b"POST", b"h2c") + end)
    threading.Event().wait(0.05)
    client.sendall(later)
    answer = received(client)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


def test_an_upgrade_waits_for_the_answer_before_it(quick: Served) -> None:
    answer = received(quick.connect(SECOND + UPGRADE))
    assert b"when the request before was answered" in answer
    assert b" 101 " not in answer


@pytest.mark.parametrize(
    "request_",
    [UPGRADE.replace(b"/socket", b"/\xff"), HANDSHAKE + b"x\x80y: z\r\n\r\n", UPGRADE.replace(b"GET", b"POST")],
)
def test_a_handshake_that_is_none_is_answered(quick: Served, request_: bytes, caplog: pytest.LogCaptureFixture) -> None:
    started = time.monotonic()
    answer = received(quick.connect(request_))
    assert time.monotonic() - started < 1
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 405 "))
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_handshake_has_a_deadline_and_an_open_socket_has_none(quick: Served) -> None:
    waiting = opened(quick)
    started = time.monotonic()
    assert received(quick.connect(UPGRADE.replace(b"/socket", b"/undecided"))) == b""
    assert QUICK.head_seconds <= time.monotonic() - started < 2
    threading.Event().wait(QUICK.head_seconds + QUICK.sweep_seconds)
    waiting.sendall(PING)
    assert waiting.recv(2) == b"\x8a\x00"


def test_pings_have_a_limit() -> None:
    with serving(ConnectionLimits(pings=5)) as served:
        client = opened(served)
        client.sendall(PING * 5)
        client.sendall(PING)
        answer = received(client)
        assert answer.startswith(b"\x8a\x00" * 5)
        assert b"too many pings" in answer


@pytest.mark.parametrize("frames", [b"\x01\x80abcd" + EMPTY * 500, TEXT * 501], ids=["fragments", "messages"])
def test_frames_have_a_limit(quick: Served, frames: bytes) -> None:
    client = opened(quick)
    client.sendall(frames[:-6])
    threading.Event().wait(0.1)
    client.sendall(frames[-6:])
    answer = received(client)
    assert answer[2:4] == (1008).to_bytes(2)
    assert answer[4:] == b"too many frames"


@pytest.mark.parametrize("frame", [PING, EMPTY, TEXT])
def test_a_flood_of_frames_is_not_parsed(frame: bytes) -> None:
    with serving(ConnectionLimits(frames=50)) as served:
        client = opened(served)
        started = time.process_time()
        with suppress(ConnectionError):
            client.sendall((b"\x01\x80abcd" if frame == EMPTY else b"") + frame * 1_000_000)
        received(client)
        served.count(0)
        assert time.process_time() - started < 0.5  # parsing all of it takes 5 s


def test_few_frames_are_parsed_before_they_are_counted(quick: Served) -> None:
    client = opened(quick)
    client.sendall(PING * 5_000)
    assert 100 <= received(client).count(b"\x8a\x00") < 1_000


def test_messages_that_are_sent_let_other_requests_have_a_turn() -> None:
    with serving() as served:
        served.connect(UPGRADE.replace(b"/socket", b"/talk"))
        answer = received(served.connect(b"GET /messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        assert int(answer.rpartition(b"\r\n")[2]) < 100


def test_messages_that_wait_let_other_requests_have_a_turn() -> None:
    with serving(ConnectionLimits(frames=2_000)) as served:
        client = opened(served)
        client.sendall(b"\x81\x84\0\0\0\0work" * 200)
        answer = received(served.connect(b"GET /messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        assert 0 < int(answer.rpartition(b"\r\n")[2]) < 200


def test_the_log_shows_the_beginning_of_a_path_and_no_query(quick: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "uvicorn.error"):
        received(quick.connect(UPGRADE.replace(b"/socket", b"/nowhere" + b"y" * 7_000 + b"?token=secret")))
    (line,) = [record.getMessage() for record in caplog.records if "WebSocket" in record.getMessage()]
    assert "7%2C008%20characters" in line
    assert len(line) < 300
    assert "secret" not in line
