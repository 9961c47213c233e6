"""One owner can't take what others need: requests, connections, webhooks, tokens' look-ups, probes."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.documents import REPORTS
from crm_graph.database.engine import Database
from crm_graph.graphql.transport.subscriptions import Limits
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from crm_graph.web import fair_queue, pacing
from tests.support.api import bearer, send
from tests.support.database import connected, everything, recorded, somebody_waits
from tests.support.factories import ADA, BOB, World
from tests.support.subscriptions import listening, serving
from tests.support.webhooks import fixture, post

DEALS = "{ deals(first: 1) { nodes { id } } }"
# A wrong cursor, so that graphql-core's executor reads the fields one by one.
FIELDS = (
    '{ a: deals(first: 1) { nodes { id } } b: deals(first: 1) { nodes { id } } c: deals(after: "x") { nodes { id } } }'
)
ME = "{ me { email } }"
CREATE = 'mutation { createDeal(input: {title: "slow"}) { deal { id } } }'
CONNECTIONS = 4
SHARE = CONNECTIONS // 2
TOKEN = "a-token-for-the-metrics-of-these-tests"
METRICS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"metrics_token": SecretStr(TOKEN)})


@pytest.fixture
async def small(admin_url: URL) -> AsyncIterator[Database]:
    database = Database(admin_url.update_query_dict({"options": "-c role=app_user"}), pool_size=CONNECTIONS)
    yield database
    await database.close()


@asynccontextmanager
async def opened(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        yield client


@pytest.fixture
def locker(admin_url: URL) -> Iterator[psycopg.Connection[Any]]:
    with connected(admin_url) as connection:
        yield connection


@contextmanager
def deals_locked(locker: psycopg.Connection[Any]) -> Iterator[None]:
    """No statement on deals ends while the block runs."""
    with locker.transaction():
        locker.execute("LOCK TABLE deals IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.mark.parametrize("document", [DEALS, CREATE, "export"])
async def test_an_owner_with_many_slow_requests_stops_nobody_else(
    small: Database,
    settings: Settings,
    world: World,
    sql: AsyncConnection,
    locker: psycopg.Connection[Any],
    document: str,
) -> None:
    async def slow(client: httpx.AsyncClient) -> httpx.Response:
        if document == "export":
            return await client.get("/export/deals.csv", headers=bearer(ADA))
        return await send(client, ADA, document)

    async with opened(create_app(settings, small)) as client:
        with deals_locked(locker):
            calls = [asyncio.create_task(slow(client)) for _ in range(10)]
            await somebody_waits(sql, SHARE)
            await asyncio.sleep(0.05)
            in_use = sum(pool.in_use for pool in small.pools())

            async with asyncio.timeout(2):
                assert (await send(client, BOB, ME)).json() == {"data": {"me": {"email": BOB}}}
                assert (await client.get("/readyz")).status_code == 200
                assert "crm_graph_database_up 1.0" in (await client.get("/metrics", headers=METRICS)).text
            assert in_use == SHARE
            assert not any(call.done() for call in calls)
        assert [(await call).status_code for call in calls] == [200] * 10


async def test_webhooks_and_look_ups_have_connections_when_every_other_is_taken(
    small: Database, settings: Settings, world: World
) -> None:
    async with opened(create_app(settings, small)) as client, asyncio.timeout(2), asyncio.TaskGroup() as group:
        release = asyncio.Event()

        async def hold(number: int) -> None:
            async with small.transaction() if number % 2 else small.read():
                await release.wait()

        for number in range(2 * CONNECTIONS):
            group.create_task(hold(number))
        await asyncio.sleep(0.05)
        assert (await post(client, "instantly", fixture("instantly", "reply_received"))).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
        assert "crm_graph_database_up 1.0" in (await client.get("/metrics", headers=METRICS)).text
        assert (await client.get("/export/x.csv", headers=bearer(ADA))).status_code == 404
        release.set()


async def test_a_call_that_waited_too_long_is_refused(
    small: Database,
    settings: Settings,
    world: World,
    sql: AsyncConnection,
    locker: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fair_queue, "WAIT_SECONDS", 0.1)
    before = await everything(sql)
    async with opened(create_app(settings, small)) as client:
        with deals_locked(locker):
            slow = [asyncio.create_task(send(client, ADA, DEALS)) for _ in range(SHARE)]
            await somebody_waits(sql, SHARE)
            refused = await send(client, ADA, CREATE)
            download = await client.get("/export/contacts.csv", headers=bearer(ADA))
        assert [(await call).status_code for call in slow] == [200] * SHARE
    [error] = refused.json()["errors"]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert error["message"].startswith("[LIMIT_REACHED] ")
    assert error["extensions"]["code"] == "LIMIT_REACHED"
    assert (download.status_code, download.headers["retry-after"]) == (429, "1")
    assert download.json()["error"] == "limit_reached"
    assert await everything(sql) == before


async def test_a_request_uses_one_connection_at_a_time(
    small: Database, settings: Settings, world: World, sql: AsyncConnection, locker: psycopg.Connection[Any]
) -> None:
    async with opened(create_app(settings, small)) as client:
        with deals_locked(locker):
            call = asyncio.create_task(send(client, ADA, FIELDS))
            await somebody_waits(sql)
            await asyncio.sleep(0.05)
            in_use = [pool.in_use for pool in small.pools() if pool.name == "reads"]
        answer = (await call).json()
    assert in_use == [1]
    assert answer["errors"][0]["path"] == ["c"]


async def test_heavy_queries_of_an_owner_run_one_by_one(
    small: Database, settings: Settings, world: World, sql: AsyncConnection, locker: psycopg.Connection[Any]
) -> None:
    async with opened(create_app(settings, small)) as client:
        with deals_locked(locker):
            calls = [asyncio.create_task(send(client, ADA, REPORTS["pipelineReport"])) for _ in range(SHARE)]
            await somebody_waits(sql)
            await asyncio.sleep(0.05)
            in_use = [pool.in_use for pool in small.pools() if pool.name == "reads"]
            assert (await send(client, BOB, ME)).json() == {"data": {"me": {"email": BOB}}}
        assert ["errors" in (await call).json() for call in calls] == [False] * SHARE
    assert in_use == [1]


async def test_subscriptions_read_in_their_owner_s_slots(
    small: Database, settings: Settings, world: World, sql: AsyncConnection, locker: psycopg.Connection[Any]
) -> None:
    deal = await sql.scalar(text("SELECT id FROM deals WHERE title = 'ada-own'"))
    notice = {"kind": "deal", "id": str(deal), "owner_id": str(world.ada.owner), "old_owner_id": None}
    app = create_app(settings, small, limits=Limits(linger=0.1))
    async with serving(app) as host, listening(host, ADA) as listener, opened(app) as client:
        names = [str(number) for number in range(3 * SHARE)]
        for name in names:
            await listener.subscribe(id=name)
        with deals_locked(locker):
            await sql.execute(text("SELECT pg_notify('crm_changes', :notice)"), {"notice": json.dumps(notice)})
            await somebody_waits(sql, SHARE)
            await asyncio.sleep(0.05)
            in_use = [pool.in_use for pool in small.pools() if pool.name == "reads"]
            assert (await send(client, BOB, ME)).json() == {"data": {"me": {"email": BOB}}}
        received = [(await listener.receive())["id"] for _ in names]
    assert in_use == [SHARE]
    assert sorted(received) == names


async def test_a_loop_of_500_items_never_reaches_a_limit(small: Database, settings: Settings, world: World) -> None:
    async with opened(create_app(settings, small)) as client:
        for batch in (50, 10):  # n8n's batches run in parallel
            for _ in range(250 // batch):
                answers = await asyncio.gather(*(send(client, ADA, ME) for _ in range(batch)))
                assert {answer.status_code for answer in answers} == {200}


async def test_valid_credentials_are_never_delayed_and_invalid_ones_are(
    small: Database, settings: Settings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("BURST", 3), ("DELAY_SECONDS", 3), ("PER_SECOND", 0.001)):
        monkeypatch.setattr(pacing, name, value)
    async with opened(create_app(settings, small)) as client:
        strangers = [asyncio.create_task(send(client, "unknown@seller.com", ME)) for _ in range(4)]
        done, delayed = await asyncio.wait(strangers, timeout=0.5)
        started = time.monotonic()
        assert (await send(client, ADA, ME)).status_code == 200
        assert (await post(client, "instantly", fixture("instantly", "reply_received"))).status_code == 200
        assert (await client.get("/export/deals.csv", headers=bearer(ADA))).status_code == 200
        assert time.monotonic() - started < pacing.DELAY_SECONDS
        for call in delayed:
            call.cancel()
        assert (len(done), {call.result().status_code for call in done}) == (3, {401})


async def test_a_refused_token_reaches_the_database_once(small: Database, settings: Settings, world: World) -> None:
    async with opened(create_app(settings, small)) as client:
        with recorded() as statements:
            for _ in range(5):
                assert (await send(client, "unknown@seller.com", ME)).status_code == 401
    assert len([one for one in statements if "FROM owners" in one]) == 1
