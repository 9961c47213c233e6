"""A receiver of webhooks on loopback: it records every request, and misbehaves as instructed.

async with Receiver() as receiver:
    receiver.plan(answer(500), hang, answer(200))      # one for each request; afterwards receiver.usual
    ...
    await receiver.wait(3)
    assert receiver.requests[0].body == ...
"""

import asyncio
import socket
import ssl
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from crm_graph.egress.networks import Networks

CERTIFICATE = Path(__file__).with_name("http_receiver.pem")  # self-signed, for localhost and receiver.test

Reaction = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Received:
    """One request, as it came over the wire; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: datetime


def answer(status: int = 200, body: bytes = b"ok", **headers: str) -> Reaction:
    """An answer; `retry_after="5"` becomes the header Retry-After."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in ({"content-length": str(len(body))} | given).items())

    async def react(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status} Because\r\n{head}\r\n".encode("latin-1") + body)
        await writer.drain()

    return react


def raw(data: bytes) -> Reaction:
    """Exactly these bytes, then the end of the connection."""

    async def react(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return react


async def hang(writer: asyncio.StreamWriter) -> None:
    """No answer, ever."""
    await asyncio.Event().wait()


async def drip(writer: asyncio.StreamWriter) -> None:
    """200 at once, then a byte a second without end."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(1)


async def drip_head(writer: asyncio.StreamWriter) -> None:
    """A status line of which a byte comes each second."""
    for byte in b"HTTP/1.1 200 " + b"O" * 1000:
        writer.write(bytes((byte,)))
        await asyncio.sleep(1)


async def flood(writer: asyncio.StreamWriter) -> None:
    """200 with 1 GB."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
    for _ in range(1000):
        writer.write(b"y" * 1_000_000)
        await writer.drain()


async def reset(writer: asyncio.StreamWriter) -> None:
    """RST instead of an answer."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def close_early(writer: asyncio.StreamWriter) -> None:
    """Half of an answer, then the end."""
    await raw(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")(writer)


def redirect(to: str, status: int = 302) -> Reaction:
    """3xx to another place."""
    return answer(status, b"", location=to)


class Receiver:
    """An HTTP/1.1 server that keeps connections open; with `tls` an HTTPS one under CERTIFICATE."""

    def __init__(self, *, tls: bool = False, port: int = 0, idle_seconds: float | None = None) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.usual: Reaction = answer(200)
        self.decide: Callable[[Received], Reaction] = self._next
        self.idle_seconds = idle_seconds
        self.port = port
        self._tls = tls
        self._planned: deque[Reaction] = deque()
        self._news = asyncio.Event()
        self._serving: set[asyncio.Task[None]] = set()

    def url(self, path: str = "/hook", host: str | None = None) -> str:
        """Where it listens."""
        default = "localhost" if self._tls else "127.0.0.1"
        return f"http{'s' if self._tls else ''}://{host or default}:{self.port}{path}"

    def plan(self, *reactions: Reaction) -> None:
        """How the next requests are answered, one by one."""
        self._planned.extend(reactions)

    async def wait(self, count: int, seconds: float = 30) -> list[Received]:
        """The requests, once there are that many. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while len(self.requests) < count:
                self._news.clear()
                await self._news.wait()
        return self.requests

    async def __aenter__(self) -> Self:
        context = None
        if self._tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(CERTIFICATE)
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=context, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                async with asyncio.timeout(self.idle_seconds):
                    request = await _read(reader)
                self.requests.append(request)
                self._news.set()
                await self.decide(request)(writer)
        except (
            OSError,
            EOFError,
            RuntimeError,
        ):  # the other side left (RuntimeError: uvloop), or was idle for too long
            pass
        finally:
            writer.transport.abort() if self._aborts(writer) else writer.close()

    def _aborts(self, writer: asyncio.StreamWriter) -> bool:
        return bool(writer.transport.get_write_buffer_size())  # such as the rest of a flood

    def _next(self, _: Received) -> Reaction:
        return self._planned.popleft() if self._planned else self.usual


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, path, headers, body, datetime.now(UTC))


HERE = Networks.of((), loopback=True)


BODY = '{"deal":"Müşteri"}'.encode()
