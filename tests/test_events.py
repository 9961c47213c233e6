"""What the triggers tell: an event for each change, in its transaction, with what a workflow needs to know of it."""

from typing import Any

import httpx
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Event, table
from tests.builders import fixture, post
from tests.graphql.world import World


async def told(sql: AsyncConnection) -> list[Any]:
    """Every event, in order."""
    found = await sql.execute(select(table(Event)).order_by(table(Event).c.position))
    return list(found)


async def test_an_interested_reply_tells_what_became_of_it(
    client: httpx.AsyncClient, sql: AsyncConnection, world: World
) -> None:
    await sql.execute(text("DELETE FROM events"))
    answer = await post(client, "instantly", fixture("instantly", "reply_received"))
    events = await told(sql)
    assert [event.type for event in events] == [
        "contact_created",
        "activity_logged",
        "reply_received",
        "contact_status_changed",
        "deal_created",
    ]
    assert {event.source for event in events} == {"instantly"}
    reply = events[2].payload
    assert (reply["related_type"], reply["related_id"]) == ("deal", answer.json()["deal_id"])
    assert reply["data"]["contact"]["email"] == "john.doe@example.com"
    assert reply["data"]["stage"]["key"] == "qualified"
