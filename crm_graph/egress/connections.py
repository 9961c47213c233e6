"""Connections to checked addresses: a name is resolved once, all its addresses are checked, one of them is called.

The name is not resolved again for the connection, so DNS rebinding can't replace the checked address.
"""

import asyncio
import os
import socket
import ssl
import uuid
from dataclasses import dataclass
from typing import cast

from crm_graph.egress.lookups import resolve
from crm_graph.egress.networks import PUBLIC_ONLY, Networks

CONNECT_SECONDS = 5.0  # for one of several addresses: a broken IPv6 leaves time for IPv4
_BUFFER_MAX = 128 * 1024  # bytes read ahead


class AddressRefused(Exception):
    """The address may not be called; the message names it and says what to do."""


@dataclass(frozen=True)
class Addresses:
    """The addresses of a host, all of which may be called; `is_internal` if that is so only by the setting."""

    addresses: list[str]
    is_internal: bool


async def permitted(
    host: str, port: int, networks: Networks, *, encrypted: bool, owner_id: uuid.UUID | None = None
) -> Addresses:
    """Resolve a host that an endpoint of this owner calls, and check its addresses.

    Raises AddressRefused when any of them may not be called, OSError as `resolve` does.
    """
    addresses = await resolve(host, owner_id)
    for address in addresses:
        if refusal := networks.refusal(host, address, port, encrypted=encrypted):
            raise AddressRefused(refusal)
    is_internal = any(PUBLIC_ONLY.refusal(host, address, port, encrypted=encrypted) for address in addresses)
    return Addresses(addresses, is_internal)


async def connect(checked: Addresses, host: str, port: int, tls: ssl.SSLContext | None) -> "Stream":
    """Connect to one of the host's checked addresses, with TLS if a context is passed.

    Raises OSError when none can be reached.
    """
    stream = await _connect_any(checked.addresses, port)
    if tls is not None:
        await stream.start_tls(tls, host)
    return stream


async def _connect_any(addresses: list[str], port: int) -> "Stream":
    loop = asyncio.get_running_loop()
    for address in addresses[:-1]:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return (await loop.create_connection(Stream, address, port))[1]
        except OSError:  # TimeoutError is one
            continue
    return (await loop.create_connection(Stream, addresses[-1], port))[1]


class Stream(asyncio.Protocol):
    """One TCP connection on an asyncio transport, with backpressure in both directions."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._arrived = asyncio.Event()
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
        self._arrived.set()

    def eof_received(self) -> bool:
        self._ended = True
        self._arrived.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._error = True, None if self._ended else exc
        self._arrived.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    @property
    def is_readable(self) -> bool:
        """Whether data or the end has arrived. On an idle connection neither should."""
        return self._ended or bool(self._buffer)

    async def read(self) -> bytes:
        """Wait for data and return it; empty at the end. Raises OSError when the connection failed."""
        while not self.is_readable:
            self._arrived.clear()
            await self._arrived.wait()
        if not self._buffer and self._error:
            raise self._error if isinstance(self._error, OSError) else ConnectionResetError()
        data = bytes(self._buffer)
        self._buffer.clear()
        if self._paused and not self._ended:
            self._paused = False
            self._transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Send. Does nothing on a lost connection: read() first returns what had arrived, then raises the error."""
        if not self._ended:
            self._transport.write(data)
            await self._writable.wait()

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Start TLS. Raises OSError (ssl.SSLError) when the server's certificate is not valid for this host."""
        loop = asyncio.get_running_loop()
        try:
            transport = await loop.start_tls(self._transport, self, context, server_hostname=host)
        except BaseException:
            self.abort()
            raise
        if transport is None:
            raise ConnectionResetError
        self._transport = transport

    def abort(self) -> None:
        """Close at once and drop what was not yet sent or read."""
        self._transport.abort()


def describe_error(error: Exception) -> str:
    """Why connecting failed or a connection was lost, in a few words without addresses."""
    match error:
        case AddressRefused():
            return str(error)
        case ssl.SSLCertVerificationError():
            return f"TLS: certificate verify failed: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS: {(error.reason or 'handshake failed').replace('_', ' ').lower()}"
        case socket.gaierror():
            return "the host name can't be resolved"
        case ConnectionRefusedError():
            return "connection refused"
        case ConnectionResetError() | BrokenPipeError():
            return "connection reset"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
    return str(error) or "connection lost"
