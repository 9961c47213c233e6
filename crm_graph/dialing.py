"""Connections to judged addresses: a name is resolved once, its addresses are judged, and one of those is called.

A resolver that answers something else the next time (DNS rebinding) is never asked a next time.
"""

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, cast

import httpcore

from crm_graph.networks import Networks

CONNECT_SECONDS = 5.0  # for one of several addresses: a broken IPv6 leaves time for IPv4
LOOKUPS_MAX = 64
_BUFFER_MAX = 128 * 1024  # bytes read ahead

# Whether the current post opened a connection; it runs in the task that posts.
opened: ContextVar[bool] = ContextVar("opened", default=False)

_lookups: dict[tuple[asyncio.AbstractEventLoop, str], "asyncio.Future[list[str] | OSError]"] = {}


class AddressRefused(Exception):
    """The address may not be called; the message says which, and what to do."""


async def addresses(host: str) -> list[str]:
    """The addresses of a host, in the resolver's order.

    Each name has a thread of its own, shared by all who ask: a resolver that hangs for one name delays no other, nor
    the end of the process. Raises OSError (socket.gaierror) when there are none or too many lookups hang.
    """
    try:
        return [str(ip_address(host))]
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    key = (loop, host)
    if key not in _lookups:
        if len(_lookups) >= LOOKUPS_MAX:
            raise OSError("too many names wait for the resolver")
        _lookups[key] = loop.create_future()
        _lookups[key].add_done_callback(lambda _: _lookups.pop(key))
        threading.Thread(target=_look_up, args=(loop, host, _lookups[key]), daemon=True).start()
    found = await asyncio.shield(_lookups[key])
    if isinstance(found, OSError):
        raise found
    return found


def _look_up(loop: asyncio.AbstractEventLoop, host: str, answer: "asyncio.Future[list[str] | OSError]") -> None:
    found: list[str] | OSError
    try:
        infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        found = list(dict.fromkeys(str(info[4][0]) for info in infos))
    except OSError as error:
        found = error
    except UnicodeError:
        found = socket.gaierror(socket.EAI_NONAME, "no host name")
    try:
        loop.call_soon_threadsafe(answer.set_result, found)
    except RuntimeError:  # the loop was closed meanwhile
        _lookups.pop((loop, host), None)


@dataclass(frozen=True)
class Dialer(httpcore.AsyncNetworkBackend):
    """Where httpcore gets its connections from."""

    networks: Networks
    encrypted: bool

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's; the whole post has one deadline
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to one of the host's addresses.

        Raises AddressRefused when any of them may not be called, httpcore.ConnectError when none answers.
        """
        opened.set(True)
        try:
            found = await addresses(host)
        except OSError as error:
            raise httpcore.ConnectError(error) from error
        for address in found:
            if refusal := self.networks.refusal(host, address, encrypted=self.encrypted):
                raise AddressRefused(refusal)
        for address in found[:-1]:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await _connect(address, port)
            except (TimeoutError, httpcore.ConnectError):
                continue
        return await _connect(found[-1], port)


async def _connect(address: str, port: int) -> httpcore.AsyncNetworkStream:
    try:
        _, stream = await asyncio.get_running_loop().create_connection(Stream, address, port)
    except OSError as error:
        raise httpcore.ConnectError(error) from error
    return stream


@dataclass(eq=False)
class Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection, on asyncio's own transports and TLS."""

    _buffer: bytearray = field(default_factory=bytearray)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _writable: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: bool = False
    _paused: bool = False
    _error: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > _BUFFER_MAX and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._news.set()

    def eof_received(self) -> bool:
        self._ended = True
        self._news.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._error = True, self._error or exc
        self._news.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """What has come, once something has; empty at the end. Raises httpcore.ReadError."""
        while not self._buffer:
            if self._error:
                raise httpcore.ReadError(self._error) from self._error
            if self._ended:
                return b""
            self._news.clear()
            await self._news.wait()
        data = bytes(self._buffer[:max_bytes])
        del self._buffer[:max_bytes]
        if self._paused and not self._ended:
            self._paused = False
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Raises httpcore.WriteError when the connection is gone."""
        if buffer and not self._ended:
            self._transport.write(buffer)
            await self._writable.wait()
        if self._ended:
            raise httpcore.WriteError(self._error)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        """Raises httpcore.ConnectError when the other side's certificate is not valid for this host."""
        loop = asyncio.get_running_loop()
        try:
            made = await loop.start_tls(self._transport, self, ssl_context, server_hostname=server_hostname)
        except OSError as error:  # ssl.SSLError is one
            self._transport.abort()
            raise httpcore.ConnectError(error) from error
        except BaseException:
            self._transport.abort()
            raise
        if made is None:
            raise httpcore.ConnectError(ConnectionResetError())
        self._transport = made
        return self

    async def aclose(self) -> None:
        """Whatever wasn't sent or read is dropped: by now nobody wants it."""
        self._transport.abort()

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # asked of idle connections: anything there means that it can't be used again
            return self._ended or bool(self._buffer)
        return self._transport.get_extra_info(info)


def reason(error: BaseException) -> str:
    """A failure to connect, send or read, in a few words without addresses."""
    cause = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    match cause:
        case AddressRefused():
            return str(cause)
        case ssl.SSLCertVerificationError():
            return f"TLS: certificate verify failed: {cause.verify_message}"
        case ssl.SSLError():
            return f"TLS: {(cause.reason or 'handshake failed').replace('_', ' ').lower()}"
        case socket.gaierror():
            return "the host's name can't be resolved"
        case httpcore.RemoteProtocolError() if "disconnected" in str(cause):
            return "connection closed without an answer"
        case httpcore.RemoteProtocolError():
            return "the answer is no HTTP"
        case ConnectionResetError() | BrokenPipeError() | httpcore.WriteError() | httpcore.ReadError():
            return "connection reset"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
        case OSError():
            return str(cause) or "connection lost"
    return "the request could not be sent"
