"""Without a database, nothing is acknowledged."""

import json
import socket
import time

import httpx
import pytest
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database import engine
from crm_graph.database.engine import Database
from crm_graph.server import databases
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from tests.support import stored
from tests.support.webhooks import fixture, post

REPLY = json.loads(fixture("instantly", "reply_received"))


async def test_nothing_listens_on_the_database_s_port(settings: Settings) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = URL.create("postgresql+psycopg", "app_user", host="127.0.0.1", port=free.getsockname()[1], database="crm")
    await assert_unavailable(Database(url), settings, within=2)


async def test_the_database_hangs(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = URL.create("postgresql+psycopg", "app_user", host="127.0.0.1", port=port, database="crm")
        await assert_unavailable(Database(url, seconds=0.5), settings, within=2)


async def test_every_connection_is_taken_and_given_back(
    admin_url: URL, settings: Settings, monkeypatch: pytest.MonkeyPatch, clean: None, sql: AsyncConnection
) -> None:
    monkeypatch.setattr(engine, "WAIT_SECONDS", 1)
    monkeypatch.setattr(databases, "WEBHOOK_CONNECTIONS", 1)
    small = Database(admin_url, pool_size=1)
    async with databases.for_webhooks(small).transaction():
        await assert_unavailable(small, settings, within=2, close=False)
    assert await stored.counts(sql) == (0, 0, 0, 0)

    transport = httpx.ASGITransport(app=create_app(settings, small))
    async with httpx.AsyncClient(transport=transport, base_url="http://crm.test") as client:
        assert (await post(client, "instantly", REPLY)).status_code == 200
    await small.close()


async def assert_unavailable(database: Database, settings: Settings, *, within: float, close: bool = True) -> None:
    """503 with Retry-After, in time, and without a word about where the database is."""
    transport = httpx.ASGITransport(app=create_app(settings, database), raise_app_exceptions=False)
    started = time.monotonic()
    async with httpx.AsyncClient(transport=transport, base_url="http://crm.test") as client:
        answer = await post(client, "instantly", REPLY)
    if close:
        await database.close()
    assert answer.status_code == 503
    assert answer.headers["retry-after"].isdigit()
    assert answer.json()["error"] == "unavailable"
    assert "127.0.0.1" not in answer.text
    assert time.monotonic() - started < within
