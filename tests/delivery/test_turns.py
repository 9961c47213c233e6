"""The share of one owner's endpoints in the workers' jobs, and the turns of endpoints above it."""

import asyncio
import socket
import threading
import uuid
from contextlib import AsyncExitStack

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.delivery import queue
from crm_graph.egress import lookups
from crm_graph.models import Role, WebhookAttempt, WebhookEndpoint, table
from crm_graph.server import worker as worker_module
from crm_graph.server.worker import working
from crm_graph.settings import Settings
from tests.support.deliveries import create, settled, subscribe, until
from tests.support.factories import add_owner
from tests.support.http_receiver import Reaction, Received, Receiver, answer

pytestmark = pytest.mark.slow

TEST = text("SELECT crm_test_endpoint(:id, now())")
SHARE, ENDPOINTS, WORKERS, JOBS = 2, 8, 2, 3  # one owner's endpoints want more jobs than the workers run


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "OWNER_JOBS_MAX", SHARE)
    monkeypatch.setattr(worker_module, "CONCURRENCY", JOBS)
    monkeypatch.setattr(worker_module, "CROWDED_POLL_SECONDS", 0.05)


async def test_endpoints_that_do_not_answer_delay_those_of_their_owner_only(
    client: httpx.AsyncClient,
    sql: AsyncConnection,
    boss: uuid.UUID,
    receiver: Receiver,
    working_settings: Settings,
    database: Database,
    admin_url: URL,
) -> None:
    slow_owner = uuid.UUID(str(await add_owner(sql, "slow@seller.com", role=Role.ADMIN)))
    released = asyncio.Event()

    async def wait(writer: asyncio.StreamWriter) -> None:
        await released.wait()
        await answer(204)(writer)

    def decide(request: Received) -> Reaction:
        return wait if request.path.startswith("/slow") else answer(200)

    receiver.decide = decide
    for number in range(ENDPOINTS):
        slow = await subscribe(sql, slow_owner, receiver.url(f"/slow/{number}"), event_types=["deal_updated"])
        await sql.execute(TEST, {"id": slow})
    url = admin_url.update_query_dict({"options": "-c role=app_user"})
    async with AsyncExitStack() as stack:
        for _ in range(WORKERS):
            await stack.enter_async_context(working(working_settings, database, url))
        await receiver.wait(SHARE, seconds=5)
        await subscribe(sql, boss, receiver.url("/quick"), event_types=["deal_created"])
        await create(client, boss, "Pilot")
        requests = await receiver.wait(SHARE + 1, seconds=2)
        assert [request.path for request in requests][SHARE:] == ["/quick"]
        await asyncio.sleep(0.2)
        assert len(receiver.requests) == SHARE + 1
        released.set()
        requests = await receiver.wait(ENDPOINTS + 1, seconds=5)
        assert {request.path for request in requests} == {"/quick", *(f"/slow/{n}" for n in range(ENDPOINTS))}


async def test_every_endpoint_above_the_share_gets_a_turn(
    sql: AsyncConnection, boss: uuid.UUID, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "TURN_SECONDS", 0.001)
    ids = {await subscribe(sql, boss, f"https://1.1.1.1/{number}") for number in range(5)}
    for endpoint in ids:
        await sql.execute(TEST, {"id": endpoint})
    seen: set[uuid.UUID] = set()
    for _ in range(100):
        async with database.transaction() as transaction:
            due = await queue.due_endpoints(transaction)
        turns = [one.id for one in due if one.is_its_turn]
        assert (len(due), len(turns)) == (5, SHARE)
        seen |= set(turns)
        if seen == ids:
            return
    raise AssertionError(f"no turn for {ids - seen}")


async def test_a_lookup_that_could_not_start_is_no_failure_of_the_endpoint(
    sql: AsyncConnection, boss: uuid.UUID, receiver: Receiver, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    def getaddrinfo(host: str, *_: object, **__: object) -> list[object]:
        if host == "slow.example":
            released.wait(10)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(lookups, "OWNER_LOOKUPS_MAX", 1)
    monkeypatch.setattr(lookups, "WAIT_SECONDS", 0.05)
    hanging = asyncio.create_task(lookups.resolve("slow.example", boss))
    await asyncio.sleep(0.02)
    await sql.execute(TEST, {"id": await subscribe(sql, boss, receiver.url(host="quick.example"))})
    leased = text("SELECT id FROM webhook_deliveries WHERE leased_until IS NOT NULL")
    await until(lambda: sql.scalar(leased), 5)
    await asyncio.sleep(0.2)
    endpoint = (await sql.execute(select(table(WebhookEndpoint)))).one()
    assert (receiver.requests, list(await sql.execute(select(table(WebhookAttempt)))), endpoint.failures) == ([], [], 0)
    released.set()
    await hanging
    await sql.execute(text("UPDATE webhook_deliveries SET leased_until = now()"))  # as if that time had passed
    [delivery] = await settled(sql, 1, 5)
    assert (delivery.status, delivery.attempts) == ("delivered", 1)
