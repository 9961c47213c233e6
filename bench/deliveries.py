"""Deliveries: the events per second that one worker sends, and the time from commit to receipt."""

import asyncio
import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from bench.databases import Database, bench_dir
from bench.figures import ContestantFailed, Figure, of_latencies
from bench.servers import KINDS
from crm_graph.web.signatures import new_webhook_secret

RATE = 50  # events per second, at which the time from commit to receipt is measured
WAIT_SECONDS = 120
ADMIN = "SELECT id FROM owners WHERE role = 'admin' LIMIT 1"
ENDPOINT = "INSERT INTO webhook_endpoints (owner_id, url, secret, event_types) VALUES (%s, %s, %s, '{deal_updated}')"
ONE_DEAL = "UPDATE deals SET title = title || '.', version = version + 1, updated_at = now() WHERE id = %s"
MANY_DEALS = """UPDATE deals SET title = title || '.', version = version + 1, updated_at = now()
WHERE id IN (SELECT id FROM deals ORDER BY id LIMIT %s)"""


@dataclass
class _Receiver:
    """Responds to every request with 200, and records when an event about each deal arrived."""

    port: int = 0
    received_at: dict[str, float] = field(default_factory=dict)
    count: int = 0

    async def serve(self, ready: threading.Event) -> None:
        """Serve until the process ends."""
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.lower().split(b"\r\n")
                size = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
                body = await reader.readexactly(size)
                self.received_at[json.loads(body)["deal_id"]] = time.perf_counter()
                self.count += 1
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def measure_deliveries(database: Database, events: int, seconds: float) -> dict[str, Figure]:
    """Measure a backlog and a steady rate of events through one worker. Raises ContestantFailed."""
    receiver, ready = _Receiver(), threading.Event()
    threading.Thread(target=lambda: asyncio.run(receiver.serve(ready)), daemon=True).start()
    ready.wait(10)
    with database.connect() as connection, _worker(database):
        owner = connection.execute(ADMIN).fetchone()
        assert owner is not None
        url = f"http://127.0.0.1:{receiver.port}/events"
        connection.execute(ENDPOINT, [owner[0], url, new_webhook_secret()])
        steady = _steady(connection, receiver, seconds)
        return {
            f"deliveries: {RATE} events/s, p95 from commit to receipt in ms": steady,
            "deliveries: a backlog, events/s through one worker": _backlog(connection, receiver, events),
        }


@contextmanager
def _worker(database: Database) -> Iterator[None]:
    _, environment = KINDS[0].command(database, 0)
    settings = environment | {"OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8:*", "LOG_LEVEL": "warning"}
    settings.pop("PORT")
    with (bench_dir() / "logs" / "worker.log").open("w") as log:
        command = [sys.executable, "-m", "crm_graph", "worker"]
        process = subprocess.Popen(command, env=settings, cwd=bench_dir(), stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


def _steady(connection: psycopg.Connection, receiver: _Receiver, seconds: float) -> Figure:
    """Measure single events. Those before the worker has started do not count."""
    deals = [str(row[0]) for row in connection.execute("SELECT id FROM deals ORDER BY id DESC LIMIT 5000")]
    _change(connection, deals[0])
    _until(lambda: deals[0] in receiver.received_at)
    count = int(RATE * seconds)
    sent: dict[str, float] = {}
    began = time.perf_counter()
    for place, deal in enumerate(deals[1 : 1 + count]):
        time.sleep(max(0.0, began + place / RATE - time.perf_counter()))
        sent[deal] = time.perf_counter()
        _change(connection, deal)
    _until(lambda: all(deal in receiver.received_at for deal in sent))
    latencies = [1000 * (receiver.received_at[deal] - at) for deal, at in sent.items()]
    return of_latencies(latencies, time.perf_counter() - began, 0, len(sent))


def _change(connection: psycopg.Connection, deal: str) -> None:
    connection.execute(ONE_DEAL, [uuid.UUID(deal)])


def _backlog(connection: psycopg.Connection, receiver: _Receiver, events: int) -> Figure:
    connection.execute("UPDATE deployment SET paused_at = now(), paused_reason = 'a benchmark'")
    time.sleep(1.5)  # for deliveries in progress
    before = receiver.count
    connection.execute(MANY_DEALS, [events])
    began = time.perf_counter()
    connection.execute("UPDATE deployment SET paused_at = NULL, paused_reason = NULL")
    connection.execute("NOTIFY crm_deliveries")
    _until(lambda: receiver.count >= before + events)
    took = time.perf_counter() - began
    return Figure(events, events / took, 0, 0, 0, events)


def _until(check: Callable[[], bool]) -> None:
    ends = time.monotonic() + WAIT_SECONDS
    while not check():
        if time.monotonic() > ends:
            raise ContestantFailed(f"not all events arrived within {WAIT_SECONDS} s")
        time.sleep(0.005)
