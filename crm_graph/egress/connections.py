"""Connections to judged addresses: a name is resolved once, its addresses are judged, and one of those is called.

A resolver that answers something else the next time (DNS rebinding) is never asked a next time.
"""

import asyncio
import os
import socket
import ssl
import threading
from ipaddress import ip_address
from typing import cast

from crm_graph.egress.networks import Networks

CONNECT_SECONDS = 5.0  # for one of several addresses: a broken IPv6 leaves time for IPv4
LOOKUPS_MAX = 64
_BUFFER_MAX = 128 * 1024  # bytes read ahead

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
    except UnicodeError:  # what Python's own codec for host names takes for none
        found = socket.gaierror(socket.EAI_NONAME, "no host name")
    try:
        loop.call_soon_threadsafe(answer.set_result, found)
    except RuntimeError:  # the loop was closed meanwhile
        _lookups.pop((loop, host), None)


async def connect(host: str, port: int, networks: Networks, tls: ssl.SSLContext | None) -> "Stream":
    """A connection to one of the host's addresses, under TLS when there is a context for it.

    Raises AddressRefused when any of its addresses may not be called, OSError when none answers.
    """
    found = await addresses(host)
    for address in found:
        if refusal := networks.refusal(host, address, encrypted=tls is not None):
            raise AddressRefused(refusal)
    stream = await _reach(found, port)
    if tls is not None:
        await stream.start_tls(tls, host)
    return stream


async def _reach(found: list[str], port: int) -> "Stream":
    loop = asyncio.get_running_loop()
    for address in found[:-1]:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return (await loop.create_connection(Stream, address, port))[1]
        except OSError:  # TimeoutError is one
            continue
    return (await loop.create_connection(Stream, found[-1], port))[1]


class Stream(asyncio.Protocol):
    """One connection, on asyncio's own transports."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._ended = False
        self._paused = False
        self._error: Exception | None = None

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
        self._ended, self._error = True, None if self._ended else exc
        self._news.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    @property
    def has_news(self) -> bool:
        """Whether something came, or the end: on an idle connection nothing should."""
        return self._ended or bool(self._buffer)

    async def read(self) -> bytes:
        """What has come, once something has; empty at the end. Raises OSError when the connection broke."""
        while not self.has_news:
            self._news.clear()
            await self._news.wait()
        if not self._buffer and self._error:
            raise self._error if isinstance(self._error, OSError) else ConnectionResetError()
        data = bytes(self._buffer)
        self._buffer.clear()
        if self._paused and not self._ended:
            self._paused = False
            self._transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Send; when the connection is gone, read() tells, after what the other side said before it left."""
        if not self._ended:
            self._transport.write(data)
            await self._writable.wait()

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Raises OSError (ssl.SSLError) when the other side's certificate is not valid for this host."""
        loop = asyncio.get_running_loop()
        try:
            made = await loop.start_tls(self._transport, self, context, server_hostname=host)
        except BaseException:
            self.abort()
            raise
        if made is None:
            raise ConnectionResetError
        self._transport = made

    def abort(self) -> None:
        """Close at once; whatever wasn't sent or read is dropped."""
        self._transport.abort()


def reason(error: Exception) -> str:
    """Why a connection could not be made or broke, in a few words without addresses."""
    match error:
        case AddressRefused():
            return str(error)
        case ssl.SSLCertVerificationError():
            return f"TLS: certificate verify failed: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS: {(error.reason or 'handshake failed').replace('_', ' ').lower()}"
        case socket.gaierror():
            return "the host's name can't be resolved"
        case ConnectionRefusedError():
            return "connection refused"
        case ConnectionResetError() | BrokenPipeError():
            return "connection reset"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
    return str(error) or "connection lost"
