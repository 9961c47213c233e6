"""Connections: what this process's clients may hold open before anything is known about them, and for how long.

uvicorn limits neither the time until a request's headers are complete, nor the time that a client takes to read its
answer, nor connections per client. A sweep over all connections, once a second, does.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from crm_graph.errors import CrmError, LimitReached
from crm_graph.web.client_address import client_network

log = logging.getLogger(__name__)

SPARE = 64  # connections above a limit that are kept for long enough to be answered; others are closed at once


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What is open at once in one process, and for how many seconds."""

    connections: int = 2_000
    client_connections: int = 256  # of them, those from one IPv4 address or one IPv6 /64, trusted proxies excepted
    headers: int = 100  # of a request
    header_bytes: int = 8_000  # of one header, and of the URL
    head_bytes: int = 32_000  # of the request line and the headers together
    request_bytes: int = 16_000_000  # of a request as it travels, whether its body is read or not
    pipelined: int = 8  # requests that were sent before the answer to an earlier one
    head_seconds: float = 10  # to the end of the headers: from connecting, or from the next request's first byte;
    # and from there until a WebSocket is open
    body_seconds: float = 30  # from there to the end of the body
    refused_seconds: float = 1  # between such an answer and the end of the connection
    stalled_seconds: float = 30  # in which the client takes nothing of what it was sent
    unsent_bytes: int = 64_000_000  # of all answers together; above it, the client with the most is disconnected
    frames: int = 500  # of every kind, from the client of a WebSocket within 10 seconds
    pings: int = 100  # of them
    sweep_seconds: float = 1


LIMITS = ConnectionLimits()


class Connection:
    """One open connection: until when it must have sent what it began, and what it has not taken yet."""

    __slots__ = ("client", "due", "refusal", "stalled_since", "transport", "unsent")

    def __init__(self, transport: asyncio.Transport, client: str | None, due: float) -> None:
        self.transport, self.client = transport, client
        self.due: float | None = due
        self.unsent, self.stalled_since = 0, 0.0
        self.refusal: CrmError | None = None


class Connections:
    """Every connection of this process."""

    def __init__(self, limits: ConnectionLimits = LIMITS, trusted_proxies: Sequence[str] = ()) -> None:
        self.limits = limits
        self._trusted = [ip_network(network) for network in trusted_proxies]
        self._open: dict[asyncio.Transport, Connection] = {}
        self._clients: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._open)

    def add(self, transport: asyncio.Transport, peer: tuple[str, int] | None) -> Connection:
        """Watch a new connection. Above a limit it has a `refusal`, with which its first request is to be answered."""
        loop, limits = asyncio.get_running_loop(), self.limits
        client = client_network({"client": peer})
        connection = Connection(
            transport, None if self._is_trusted(peer) else client, loop.time() + limits.head_seconds
        )
        self._open[transport] = connection
        if connection.client is not None:
            self._clients[connection.client] += 1
        excess = len(self._open) - limits.connections
        if excess > 0:
            connection.refusal = LimitReached("this server has too many connections; try again later")
        if connection.client is not None and (above := self._clients[client] - limits.client_connections) > 0:
            excess = max(excess, above)
            connection.refusal = LimitReached(f"{limits.client_connections} connections are open from {client}")
        if excess > SPARE:
            transport.abort()
        if self._timer is None:
            self._timer = loop.call_later(limits.sweep_seconds, self._sweep)
        return connection

    def remove(self, transport: asyncio.Transport) -> None:
        """Forget a connection that was closed."""
        connection = self._open.pop(transport, None)
        if connection is not None and connection.client is not None:
            self._clients[connection.client] -= 1
            if not self._clients[connection.client]:
                del self._clients[connection.client]

    def established(self, transport: asyncio.Transport) -> None:
        """The WebSocket on this connection is open, or was denied: the time for its handshake is over."""
        connection = self._open.get(transport)
        if connection is not None:
            connection.due = None

    def check_unsent(self) -> None:
        """Disconnect clients, the one with the most first, until what is sent and not taken is within its limit."""
        sizes = {transport: transport.get_write_buffer_size() for transport in self._open}
        total = sum(sizes.values())
        for transport in sorted(sizes, key=sizes.__getitem__, reverse=True):
            if total <= self.limits.unsent_bytes:
                return
            total -= sizes[transport]
            self._abort(self._open[transport], "too much is waiting to be read")

    def _is_trusted(self, peer: tuple[str, int] | None) -> bool:
        if not self._trusted or peer is None:
            return False
        address = ip_address(peer[0].partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._trusted)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in list(self._open.values()):
            if connection.due is not None and now > connection.due:
                connection.due = None
                connection.transport.close()
            self._check_stalled(connection, now)
        self.check_unsent()
        self._timer = loop.call_later(self.limits.sweep_seconds, self._sweep) if self._open else None

    def _check_stalled(self, connection: Connection, now: float) -> None:
        before, connection.unsent = connection.unsent, connection.transport.get_write_buffer_size()
        if before == 0 or connection.unsent < before:
            connection.stalled_since = now
        elif now - connection.stalled_since > self.limits.stalled_seconds:
            self._abort(connection, f"nothing was read for {self.limits.stalled_seconds:g} s")

    def _abort(self, connection: Connection, why: str) -> None:
        details = {"why": why, "client": connection.client, "bytes": connection.transport.get_write_buffer_size()}
        log.info("connection aborted", extra={"details": details})
        connection.transport.abort()
