"""Subscriptions: a change reaches those who may see it at once, and nobody else; gaps are reported."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.graphql.transport.subscriptions import Limits
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from tests.support.api import ask, bearer
from tests.support.database import recorded
from tests.support.factories import ADA, BOB, READER, ROOT, World
from tests.support.subscriptions import DEALS, listeners, listening, opened, serving, streaming

UPDATE = "mutation ($in: UpdateDealInput!) { updateDeal(input: $in) { deal { id } } }"
DELETE = "mutation ($in: DeleteDealInput!) { deleteDeal(input: $in) { replayed } }"
MOVE = "mutation ($in: MoveDealStageInput!) { moveDealStage(input: $in) { deal { id } } }"
ASSIGN = "mutation ($in: AssignDealInput!) { assignDeal(input: $in) { deal { id } } }"
CREATE = "mutation ($in: CreateDealInput!) { createDeal(input: $in) { deal { id } } }"
CONTACTS = "subscription { contactChanged { refetch contactId contact { id fullName } } }"
RENAME = "mutation ($in: UpdateContactInput!) { updateContact(input: $in) { contact { id } } }"
ACTIVITIES = "subscription { activityLogged { refetch activityId activity { content deal { id } } } }"
LOG = "mutation ($in: LogActivityInput!) { logActivity(input: $in) { activity { id } } }"


@pytest.fixture
async def host(settings: Settings, database: Database, world: World) -> AsyncIterator[str]:
    async with serving(create_app(settings, database, limits=Limits(linger=0.2))) as host:
        yield host


async def rename(client: httpx.AsyncClient, who: str, deal: Any, title: str) -> None:
    await ask(client, who, UPDATE, **{"in": {"dealId": str(deal), "title": title}})


def changed(deal: Any, title: str) -> dict[str, Any]:
    return {"refetch": False, "dealId": str(deal), "deal": {"id": str(deal), "title": title}}


def hidden(deal: Any) -> dict[str, Any]:
    return {"refetch": False, "dealId": str(deal), "deal": None}


async def test_a_change_reaches_everyone_who_may_see_it_at_once(
    host: str, client: httpx.AsyncClient, world: World
) -> None:
    async with listening(host, ADA) as ada, listening(host, BOB) as bob, listening(host, READER) as reader:
        for listener in (ada, bob, reader):
            await listener.subscribe()

        await rename(client, ADA, world.ada.deal, "Renamed")

        assert await ada.deal() == changed(world.ada.deal, "Renamed")
        assert await reader.deal() == changed(world.ada.deal, "Renamed")
        await bob.silence()
        await rename(client, ROOT, world.pool.deal, "Anybody's")
        for listener in (ada, bob, reader):
            assert await listener.deal() == changed(world.pool.deal, "Anybody's")


async def test_a_new_deal_a_move_and_a_new_position_in_the_column_are_reported(
    host: str, client: httpx.AsyncClient, world: World
) -> None:
    stage = str(world.stage["qualified"])
    async with listening(host, ADA) as ada:
        await ada.subscribe()
        made = []
        for title in ("one", "two"):
            deal = (await ask(client, ADA, CREATE, **{"in": {"title": title, "stageId": stage}}))["createDeal"]["deal"]
            made.append(deal["id"])
            assert await ada.deal() == changed(deal["id"], title)

        await ask(client, ADA, MOVE, **{"in": {"dealId": str(world.ada.deal), "stageId": stage}})
        assert await ada.deal() == changed(world.ada.deal, "ada-own")

        place = {"dealId": made[0], "stageId": stage, "beforeDealId": made[1]}
        await ask(client, ADA, MOVE, **{"in": place})
        assert await ada.deal() == changed(made[0], "one")


async def test_a_deal_that_is_reassigned_or_deleted_becomes_null_for_those_who_could_see_it(
    host: str, client: httpx.AsyncClient, world: World
) -> None:
    async with listening(host, ADA) as ada, listening(host, BOB) as bob:
        await ada.subscribe()
        await bob.subscribe()

        await ask(client, ROOT, ASSIGN, **{"in": {"dealId": str(world.ada.deal), "ownerId": str(world.bob.owner)}})
        assert await ada.deal() == hidden(world.ada.deal)
        assert await bob.deal() == changed(world.ada.deal, "ada-own")

        await rename(client, BOB, world.ada.deal, "Bob's now")
        assert await bob.deal() == changed(world.ada.deal, "Bob's now")
        await ask(client, BOB, DELETE, **{"in": {"dealId": str(world.ada.deal)}})
        assert await bob.deal() == hidden(world.ada.deal)
        await ada.silence()

        await ask(client, ROOT, ASSIGN, **{"in": {"dealId": str(world.pool.deal), "ownerId": str(world.bob.owner)}})
        assert await ada.deal() == hidden(world.pool.deal)


async def test_a_change_takes_one_statement_per_subscriber(host: str, client: httpx.AsyncClient, world: World) -> None:
    rich = """subscription { changed: dealChanged { __typename refetch id: dealId deal { ...Card contact { email
              activities(first: 2) { nodes { content } } } stage { key } } } }
              fragment Card on Deal { amount owner { name } }"""
    async with listening(host, ADA) as ada:
        await ada.send(id="1", type="subscribe", payload={"query": rich})
        first = (await ada.next())["changed"]
        assert first == {"__typename": "DealChange", "refetch": True, "id": None, "deal": None}
        await rename(client, ADA, world.ada.deal, "Warm")
        await ada.next()

        with recorded() as with_one_subscriber:
            await rename(client, ADA, world.ada.deal, "Hot")
            received = (await ada.next())["changed"]
    with recorded() as with_no_subscriber:
        await rename(client, ADA, world.ada.deal, "Cold")

    assert received["deal"]["contact"]["email"] == world.ada.email
    assert received["deal"]["amount"] == world.ada.amount
    assert received["deal"]["stage"] == {"key": "new"}
    assert len(with_one_subscriber) == len(with_no_subscriber) + 1


async def test_only_deals_of_the_requested_pipeline(host: str, client: httpx.AsyncClient, world: World) -> None:
    async with listening(host, ADA) as ada:
        await ada.subscribe(id="1", document=DEALS)
        await ada.send(id="2", type="complete")
        await ada.send(id="1", type="complete")
        other = str(uuid.uuid4())
        await ada.send(id="3", type="subscribe", payload={"query": DEALS, "variables": {"id": other}})
        assert (await ada.next("3"))["dealChanged"]["refetch"]

        await rename(client, ADA, world.ada.deal, "Renamed")
        await ada.silence()

        pipeline = str(world.stage["pipeline"])
        await ada.send(id="4", type="subscribe", payload={"query": DEALS, "variables": {"id": pipeline}})
        assert (await ada.next("4"))["dealChanged"]["refetch"]
        await rename(client, ADA, world.ada.deal, "Again")
        assert (await ada.next("4"))["dealChanged"] == changed(world.ada.deal, "Again")


async def test_what_a_change_shows_obeys_the_owner_rule_at_every_level(
    host: str, client: httpx.AsyncClient, world: World
) -> None:
    nested = "subscription { dealChanged { refetch deal { title contact { email } } } }"
    async with listening(host, ADA) as ada:
        await ada.subscribe(nested)
        await rename(client, ADA, world.ada.cross, "With bob's contact")
        assert (await ada.deal())["deal"] == {"title": "With bob's contact", "contact": None}


async def test_contacts(host: str, client: httpx.AsyncClient, world: World) -> None:
    async with listening(host, ADA) as ada, listening(host, BOB) as bob:
        await ada.subscribe(CONTACTS)
        await bob.subscribe(CONTACTS)

        await ask(client, ADA, RENAME, **{"in": {"contactId": str(world.ada.contact), "fullName": "Jane"}})

        contact = {"id": str(world.ada.contact), "fullName": "Jane"}
        received = (await ada.next())["contactChanged"]
        assert received == {"refetch": False, "contactId": contact["id"], "contact": contact}
        await bob.silence()


async def test_activities(host: str, client: httpx.AsyncClient, world: World) -> None:
    ids = "subscription { activityLogged { refetch activityId } }"
    async with listening(host, ADA) as ada, listening(host, BOB) as bob:
        await ada.subscribe(ACTIVITIES)
        await bob.subscribe(ids)  # the selection doesn't matter for what bob may see

        entry = {"dealId": str(world.ada.deal), "type": "CALL", "content": "Was not in"}
        made = (await ask(client, ADA, LOG, **{"in": entry}))["logActivity"]["activity"]["id"]

        activity = {"content": "Was not in", "deal": {"id": str(world.ada.deal)}}
        received = (await ada.next())["activityLogged"]
        assert received == {"refetch": False, "activityId": made, "activity": activity}
        await bob.silence()


async def test_one_listener_serves_the_process_and_ends_after_the_last_subscription(
    host: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    async with asyncio.timeout(10):
        while await listeners(sql):  # noqa: ASYNC110 - there is no notification
            await asyncio.sleep(0.01)
    async with listening(host, ADA) as ada, listening(host, BOB) as bob, streaming(host, ROOT) as stream:
        await ada.subscribe()
        await ada.subscribe(CONTACTS, id="2")
        await bob.subscribe()
        await stream.started()
        [pid] = await listeners(sql)
    async with listening(host, ADA) as ada:  # a client that is back at once finds it
        await ada.subscribe()
        assert await listeners(sql) == [pid]
    async with asyncio.timeout(10):
        while await listeners(sql):  # noqa: ASYNC110 - there is no notification
            await asyncio.sleep(0.01)


async def test_after_a_lost_connection_everyone_has_to_refetch(
    host: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    async with listening(host, ADA) as ada, streaming(host, BOB) as bob:
        await ada.subscribe()
        await bob.started()
        [pid] = await listeners(sql)

        await sql.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

        assert await ada.deal() == {"refetch": True, "dealId": None, "deal": None}
        await bob.started()
        await rename(client, ADA, world.ada.deal, "Back")
        assert await ada.deal() == changed(world.ada.deal, "Back")
        assert await listeners(sql) != [pid]


async def test_a_foreign_notification_is_ignored(
    host: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    async with listening(host, ADA) as ada:
        await ada.subscribe()
        for payload in ("", "{", "[]", "null", "{}", '{"kind": "deal", "id": 5}', '{"kind": "else", "id": "x"}'):
            await sql.execute(text("SELECT pg_notify('crm_changes', :payload)"), {"payload": payload})
        await rename(client, ADA, world.ada.deal, "Still here")
        assert await ada.deal() == changed(world.ada.deal, "Still here")


async def test_a_stream_of_events(host: str, client: httpx.AsyncClient, world: World) -> None:
    async with streaming(host, ADA) as ada, streaming(host, BOB) as bob:
        assert ada.answer.status_code == 200
        assert ada.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        await ada.started()
        await bob.started()

        await rename(client, ADA, world.ada.deal, "Renamed")
        assert await ada.event() == ("next", {"data": {"dealChanged": changed(world.ada.deal, "Renamed")}})
        await rename(client, BOB, world.bob.deal, "Other")
        assert await bob.event() == ("next", {"data": {"dealChanged": changed(world.bob.deal, "Other")}})


async def test_the_token_may_come_with_the_upgrade(host: str, client: httpx.AsyncClient, world: World) -> None:
    async with opened(host, additional_headers=bearer(ADA)) as ada:
        await ada.send(type="connection_init")
        assert await ada.receive() == {"type": "connection_ack"}
        await ada.subscribe()


async def test_a_database_that_is_restarted_costs_a_refetch_and_no_connection(
    host: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    everybody = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
    async with listening(host, ADA) as ada, streaming(host, BOB) as bob:
        await ada.subscribe()
        await bob.started()

        await sql.execute(text(f"{everybody} pg_backend_pid()"))

        assert (await ada.deal())["refetch"]
        await bob.started()
        await rename(client, ADA, world.ada.deal, "Back")
        assert await ada.deal() == changed(world.ada.deal, "Back")


async def test_a_client_that_reads_nothing_delays_nobody(
    host: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    async with listening(host, ADA, max_queue=1) as deaf, listening(host, ADA) as ada:
        for listener in (deaf, ada):
            await listener.subscribe("subscription { dealChanged { refetch deal { id notes } } }")
        notes = "x" * 90_000
        for place in range(100):
            await sql.execute(
                text("UPDATE deals SET notes = :notes WHERE id = :id"),
                {"notes": f"{notes}{place}", "id": world.ada.deal},
            )
            assert (await ada.deal())["deal"]["notes"] == f"{notes}{place}"
        received = 0
        while not (await deaf.deal())["deal"]["notes"].endswith("x99"):
            received += 1
        assert received < 99  # only the latest of the waiting changes was sent
