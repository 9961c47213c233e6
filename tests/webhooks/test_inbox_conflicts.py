"""An event that loses every race against other changes is stored all the same, and can be replayed."""

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import WebhookLog
from tests.support.database import rows
from tests.support.webhooks import fixture, post


@pytest.fixture(params=["deadlock_detected", "foreign_key_violation"])
async def obstacle(
    client: httpx.AsyncClient, sql: AsyncConnection, request: pytest.FixtureRequest
) -> AsyncIterator[None]:
    """Inserting a contact always loses the race. `client` comes first, so that its clean-up comes last."""
    await sql.execute(
        text(f"""CREATE FUNCTION obstacle() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN RAISE EXCEPTION 'too slow' USING ERRCODE = '{request.param}'; END $$""")
    )
    await sql.execute(text("CREATE TRIGGER obstacle BEFORE INSERT ON contacts EXECUTE FUNCTION obstacle()"))
    yield
    await sql.execute(text("DROP FUNCTION IF EXISTS obstacle CASCADE"))


async def test_an_event_that_loses_every_race_is_stored_and_replayed(
    obstacle: None, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    event = fixture("instantly", "reply_received")

    answer = await post(client, "instantly", event)

    assert (answer.status_code, answer.json()["status"]) == (202, "stored")
    [row] = await rows(sql, WebhookLog)
    assert (row.status.value, row.error) == ("error", "it kept conflicting with other changes; replay it")
    await sql.execute(text("DROP FUNCTION obstacle CASCADE"))
    assert (await post(client, "instantly", event)).json()["status"] == "ok"
