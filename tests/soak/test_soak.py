"""Nothing is lost and nothing done twice while servers, workers and PostgreSQL are killed under load.

`make soak`; SOAK_SECONDS says how long. Afterwards everything runs, and what waits must be delivered in bounded time.
"""

import asyncio
import os
import random
import shutil
import uuid
from collections.abc import Iterator
from time import monotonic

import httpx
import pytest

from crm_graph.web.signatures import new_webhook_secret
from tests.soak import checks
from tests.soak.installation import Installation, installed
from tests.soak.load import Acknowledged, Callers
from tests.soak.processes import Processes, restart_postgres
from tests.soak.subscriber import UnreliableSubscriber
from tests.support.commands import free_port
from tests.support.http_receiver import Receiver

SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))
SEED = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6))
KILL_EVERY = 3.0  # seconds in which both servers run: in turns a server and a worker
OUTAGE_SECONDS = 6.0  # of the receiver
DRAIN_SECONDS = 150.0  # an endpoint that was down is asked again within a minute, and what failed as well
SETTLED = "SELECT count(*) FROM webhook_deliveries WHERE status = 'pending'"
APPLIED = "SELECT count(*) FROM webhooks_log WHERE status IN ('received', 'error')"
DOING = "SELECT count(*) FROM crm_jobs.procrastinate_jobs WHERE status = 'doing'"


@pytest.fixture
def installation() -> Iterator[Installation]:
    with installed() as made:
        yield made


def subscribe(installation: Installation, url: str) -> tuple[str, str]:
    """Create an admin, who receives every event, and an endpoint; returns the admin's id and the endpoint's secret."""
    owner, secret = uuid.uuid4(), new_webhook_secret()
    installation.rows(
        "INSERT INTO owners (id, name, email, role, is_default) VALUES (%s, 'Boss', 'boss@seller.com', 'admin', true)",
        owner,
    )
    installation.rows("INSERT INTO webhook_endpoints (owner_id, url, secret) VALUES (%s, %s, %s)", owner, url, secret)
    return str(owner), secret


async def harm(installation: Installation, processes: Processes, subscriber: UnreliableSubscriber) -> None:
    """Kill servers and workers in turns; once PostgreSQL crashes, and once the receiver is down."""
    started, number = monotonic(), 0
    postgres_at, outage_at = started + SECONDS * 0.4, started + SECONDS * 0.7
    victims = ("server", "worker-1", "server-and-worker", "worker-2")
    while monotonic() < started + SECONDS:
        await processes.ready("server", "server-and-worker")  # no kill without a load, however slow the machine is
        await asyncio.sleep(KILL_EVERY)
        await processes.kill(victims[number % len(victims)])
        number += 1
        if monotonic() > postgres_at:
            postgres_at = float("inf")
            await asyncio.to_thread(restart_postgres, installation.embedded, installation.data_dir)
            processes.kills["postgres"] += 1
        subscriber.is_down = outage_at < monotonic() < outage_at + OUTAGE_SECONDS
    subscriber.is_reliable = True


async def drained(installation: Installation) -> float:
    """The seconds until nothing waits any more. Raises AssertionError after DRAIN_SECONDS."""
    started = monotonic()
    while True:
        waiting = {query: await asyncio.to_thread(installation.count, query) for query in (SETTLED, APPLIED, DOING)}
        if not any(waiting.values()):
            return monotonic() - started
        assert monotonic() < started + DRAIN_SECONDS, f"after {DRAIN_SECONDS} s there still wait {waiting}"
        await asyncio.sleep(0.2)


def effects(installation: Installation, done: Acknowledged) -> list[str]:
    """Complaints about what the acknowledged calls did."""

    def stored(query: str) -> list[str]:
        return [next(iter(row.values())) for row in installation.rows(query)]

    processed = stored("SELECT convert_from(body, 'UTF8') FROM webhooks_log WHERE status = 'processed'")
    refused = stored("SELECT id::text || ' is ' || status FROM webhooks_log WHERE status <> 'processed'")
    happened = (
        "SELECT c.email FROM activities a JOIN contacts c ON c.id = a.contact_id WHERE type IN ('email_in', 'meeting')"
    )
    changes = "SELECT payload #>> '{data,changes,notes,new}' FROM events WHERE type = 'deal_updated'"
    moves = "SELECT deal_id::text AS deal, to_stage_id::text AS stage FROM deal_stage_history ORDER BY moved_at, id"
    return [
        *refused,
        *checks.not_once("webhook", [body.decode() for body in done.bodies.values()], processed),
        *checks.not_once("the lead's event", done.bodies, stored(happened)),
        *checks.not_once("deal", done.titles, stored("SELECT title FROM deals")),
        *checks.not_once("entry", done.entries, stored("SELECT content FROM activities WHERE type = 'note'")),
        *checks.not_once("change", done.notes, stored(changes)),
        *checks.other_moves(done.moves, [(row["deal"], row["stage"]) for row in installation.rows(moves)]),
    ]


def outbox(installation: Installation) -> list[checks.OutboxEvent]:
    """Every event, in the order of the outbox."""
    query = "SELECT id::text, position, coalesce(deal_id, contact_id)::text AS order_key FROM events ORDER BY position"
    return [checks.OutboxEvent(**row) for row in installation.rows(query)]


async def under_load(
    installation: Installation, callers: Callers, processes: Processes, subscriber: UnreliableSubscriber
) -> None:
    """Call two servers while they, two workers, PostgreSQL and the receiver fail; returns once all of them run."""
    processes.start("server", "serve", PORT=str(callers.ports[0]), WORKER_INSIDE="false")
    processes.start("server-and-worker", "serve", PORT=str(callers.ports[1]))
    processes.start("worker-1", "worker")
    processes.start("worker-2", "worker")
    await processes.ready()
    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(callers.provide(f"lead-{number}", pause=0.4))
            group.create_task(callers.sell(f"deal-{number}", pause=0.4))
        await harm(installation, processes, subscriber)
        await processes.ready()
        callers.stop()


def stop(installation: Installation, processes: Processes) -> list[str]:
    """End every process; complaints about those that don't end well. SOAK_LOGS names a folder for their logs."""
    codes = processes.stop()
    if keep := os.environ.get("SOAK_LOGS"):
        for log in installation.folder.glob("*.log"):
            shutil.copy(log, keep)
    return [f"{name} ended with {code} on SIGTERM" for name, code in codes.items() if code]


def summary(
    callers: Callers, processes: Processes, subscriber: UnreliableSubscriber, events: int, drained_in: float
) -> str:
    """What happened, in one line."""
    receipts = subscriber.receipts
    return (
        f"soak: {callers.done.calls} calls acknowledged ({callers.done.repeated} times repeated), {events} events, "
        f"{len(receipts)} receipts ({len(receipts) - len(set(receipts))} duplicates), "
        f"answers {dict(subscriber.answers)}, kills {dict(processes.kills)}, {processes.failed_starts} failed starts, "
        f"drained in {drained_in:.1f} s"
    )


async def test_kills_lose_nothing_and_double_nothing(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\nsoak: {SECONDS:.0f} s with SOAK_SEED={SEED}", flush=True)
    random.seed(SEED)
    stages = [
        row["id"]
        for row in installation.rows("SELECT id::text FROM pipeline_stages WHERE kind = 'open' ORDER BY order_index")
    ]
    async with Receiver() as receiver, httpx.AsyncClient(timeout=15) as client:
        subscriber = UnreliableSubscriber(receiver, SEED)
        owner, secret = subscribe(installation, receiver.url())
        callers = Callers(client, [free_port(), free_port()], owner, stages)
        processes = Processes(installation.folder, installation.environment())
        try:
            await under_load(installation, callers, processes, subscriber)
            drained_in = await drained(installation)
            complaints = effects(installation, callers.done)
        finally:
            ended_badly = stop(installation, processes)
    events = outbox(installation)
    complaints += [
        *checks.lost(events, subscriber.receipts),
        *checks.invented(events, subscriber.receipts),
        *checks.out_of_order(events, subscriber.receipts),
        *checks.unsigned(receiver.requests, secret),
        *ended_badly,
    ]
    with capsys.disabled():
        print(summary(callers, processes, subscriber, len(events), drained_in), flush=True)
    assert complaints == []
    assert callers.done.calls > SECONDS
    assert processes.kills["postgres"] == 1
