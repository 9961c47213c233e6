"""The load generator: a process of its own, raw sockets, keep-alive, closed loop.

`python -m bench.load PORT REQUESTS.json --seconds 5` prints one Figure as JSON. Each connection sends its next request
as soon as it has read the last response, so N connections are N users who never pause.
"""

import argparse
import asyncio
import gc
import json
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import cast

import httptools
import uvloop

from bench.figures import Figure, of_latencies
from bench.postings import Feed, read_postings

CONNECTIONS = 8
ERRORS = b'"errors":'  # GraphQL errors have status 200 too


@dataclass
class Phase:
    """A period of load: until a time, or for a number of requests."""

    until: float
    budget: int
    started: float = field(default_factory=perf_counter)
    latencies: list[float] = field(default_factory=list)
    size: int = 0
    errors: int = 0
    first_error: str = ""
    running: int = CONNECTIONS
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def may_send(self) -> bool:
        """Whether a connection may send another request, which counts against the budget."""
        self.budget -= 1
        return self.budget >= 0 and perf_counter() < self.until

    def leave(self) -> None:
        """Called when a connection has read its last response."""
        self.running -= 1
        if not self.running and not self.done.done():
            self.done.set_result(None)

    def figure(self, sent: int) -> Figure:
        """The measurement. Its time ends with the last response, so that slow servers are not cut off."""
        seconds = perf_counter() - self.started
        latencies = [1000 * latency for latency in self.latencies]
        figure = of_latencies(latencies, seconds, self.size / max(1, len(latencies)), sent)
        return replace(figure, errors=self.errors, first_error=self.first_error)


class Connection(asyncio.Protocol):
    """One user: sends a request, reads the whole response, sends the next one."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._phase: Phase | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._sent, self._head, self._is_error = 0.0, b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's transports do not inherit from it

    def begin(self, phase: Phase) -> None:
        """Take part in a phase."""
        self._phase = phase
        self._send()

    def _send(self) -> None:
        assert self._phase
        assert self._transport
        if not self._phase.may_send():
            self._phase.leave()
            return
        self._head, self._is_error = b"", False
        request = self._feed.next_request()
        self._sent = perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Called by the parser for each part of a body."""
        assert self._phase
        self._phase.size += len(body)
        self._is_error = self._is_error or ERRORS in body
        if len(self._head) < 500:
            self._head += body[:500]

    def on_message_complete(self) -> None:
        """Called by the parser at the end of a response."""
        phase = self._phase
        assert phase
        phase.latencies.append(perf_counter() - self._sent)
        status = self._parser.get_status_code()
        if status != 200 or self._is_error:
            phase.errors += 1
            phase.first_error = phase.first_error or f"HTTP {status} {self._head[:500].decode(errors='replace')}"
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if self._phase and not self._phase.done.done():
            self._phase.done.set_exception(ConnectionError(f"the server closed the connection: {error}"))


async def measure(port: int, feed: Feed, *, warmup: float, seconds: float, budget: int) -> Figure:
    """Warm up, then measure, on the same connections."""
    loop = asyncio.get_running_loop()
    connections: list[Connection] = []
    for _ in range(CONNECTIONS):
        _, connection = await loop.create_connection(partial(Connection, feed), "127.0.0.1", port)
        connections.append(connection)
    sent = 0
    for length, limit in ((warmup, 10**9), (seconds, budget)):
        phase = Phase(until=perf_counter() + length, budget=limit)
        for connection in connections:
            connection.begin(phase)
        await phase.done
        sent += len(phase.latencies)
    return phase.figure(sent)


def main() -> None:
    """Run the load generator."""
    parser = argparse.ArgumentParser(prog="bench.load", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("requests", type=Path, help="a file of request_file")
    parser.add_argument("--warmup", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--requests", dest="budget", type=int, default=10**9, help="stop after this number of requests")
    arguments = parser.parse_args()
    feed = Feed(read_postings(arguments.requests), arguments.port)
    gc.disable()
    work = measure(arguments.port, feed, warmup=arguments.warmup, seconds=arguments.seconds, budget=arguments.budget)
    print(json.dumps(asdict(uvloop.run(work))))


if __name__ == "__main__":
    main()
