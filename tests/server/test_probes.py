"""What /readyz warns of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import RIGHTS_MESSAGE
from tests.support.api import ask, bearer
from tests.support.factories import ADA, World


@asynccontextmanager
async def refused(sql: AsyncConnection, right: str, name: str) -> AsyncIterator[None]:
    """The server's user lacks a right on a table."""
    await sql.execute(text(f"REVOKE {right} ON {name} FROM app_user"))
    try:
        yield
    finally:
        await sql.execute(text(f"GRANT {right} ON {name} TO app_user"))


async def test_a_ready_server_warns_of_nothing(client: httpx.AsyncClient) -> None:
    assert (await client.get("/readyz")).json()["warnings"] == []


@pytest.mark.parametrize(
    ("right", "name"), [("SELECT", "deals"), ("INSERT", "contacts"), ("UPDATE", "owners"), ("SELECT", "deployment")]
)
async def test_a_right_that_was_lost_is_a_warning(
    client: httpx.AsyncClient, sql: AsyncConnection, right: str, name: str
) -> None:
    async with refused(sql, right, name):
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["warnings"]) == (200, [f"{RIGHTS_MESSAGE}: {name}"])


async def test_a_call_without_its_right_says_what_to_do_and_works_again_with_it(
    client: httpx.AsyncClient, sql: AsyncConnection, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    query = "{ deals(first: 1) { nodes { id } } }"
    async with refused(sql, "SELECT", "deals"):
        answer = await client.post("/graphql", json={"query": query}, headers=bearer(ADA))
    [error] = answer.json()["errors"]
    assert (error["extensions"]["code"], error["message"]) == ("UNAVAILABLE", f"[UNAVAILABLE] {RIGHTS_MESSAGE}")
    assert "permission denied for table deals" in caplog.text
    assert (await ask(client, ADA, query))["deals"]["nodes"]
