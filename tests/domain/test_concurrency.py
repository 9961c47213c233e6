"""Many callers at once: histories have no gaps, an address has one row, and no client gets a deadlock."""

import asyncio
from collections.abc import Iterable
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.domain.contacts import records as contacts
from crm_graph.domain.deals import of_contact
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.identity.principal import machine
from crm_graph.values import utc_now
from tests.support.api import ask, send
from tests.support.deals import assert_gap_free
from tests.support.factories import ADA, BOB, ROOT, World

MOVE = "mutation ($in: MoveDealStageInput!) { moveDealStage(input: $in) { deal { version } } }"
TWO = """mutation ($a: MoveDealStageInput!, $b: MoveDealStageInput!) {
    a: moveDealStage(input: $a) { deal { version } } b: moveDealStage(input: $b) { deal { version } } }"""
UPSERT = "mutation ($in: UpsertContactInput!) { upsertContact(input: $in) { created contact { id } } }"
UPDATE = "mutation ($in: UpdateContactInput!) { updateContact(input: $in) { contact { version } } }"
STAGES = ("new", "contacted", "qualified", "meeting_scheduled", "won", "lost")


async def all_succeed(calls: Iterable[Any]) -> list[Any]:
    """The data of the responses to concurrent calls."""
    answers = await asyncio.gather(*calls)
    failed = [answer.text for answer in answers if answer.status_code != 200 or "errors" in answer.json()]
    assert failed == []
    return [answer.json()["data"] for answer in answers]


async def test_50_moves_of_one_deal_leave_a_gap_free_history(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    deal = world.ada.deal
    moves = [{"dealId": str(deal), "stageId": str(world.stage[STAGES[i % 6]])} for i in range(50)]

    await all_succeed(send(client, (ADA, ROOT)[i % 2], MOVE, **{"in": given}) for i, given in enumerate(moves))

    await assert_gap_free(sql, deal)
    entries = await sql.scalar(
        text("SELECT count(*) FROM activities WHERE deal_id = :id AND type = 'system'"), {"id": deal}
    )
    count = await sql.scalar(text("SELECT count(*) FROM deal_stage_history WHERE deal_id = :id"), {"id": deal})
    assert entries == count - 1


async def test_50_upserts_of_one_new_address_create_one_contact(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    spellings = ("new.lead@fresh.example", "New.Lead@Fresh.Example", " NEW.LEAD@fresh.example ")
    given = [{"email": spellings[i % 3], "custom": {f"k{i}": i}, "companyName": "Fresh"} for i in range(50)]

    answers = await all_succeed(send(client, ADA, UPSERT, **{"in": one}) for one in given)

    assert sum(answer["upsertContact"]["created"] for answer in answers) == 1
    assert len({answer["upsertContact"]["contact"]["id"] for answer in answers}) == 1
    [row] = await sql.execute(text("SELECT * FROM contacts WHERE email LIKE 'new.lead%'"))
    assert row.custom == {f"k{i}": i for i in range(50)}  # nobody's part was overwritten
    assert row.version == 50
    assert await sql.scalar(text("SELECT count(*) FROM companies WHERE domain = 'fresh.example'")) == 1


async def test_of_two_owners_with_one_new_address_the_second_gets_a_conflict(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    given = {"email": "both@fresh.example"}

    answers = await asyncio.gather(*(send(client, (ADA, BOB)[i % 2], UPSERT, **{"in": given}) for i in range(10)))

    codes = [body["errors"][0]["extensions"]["code"] for body in (a.json() for a in answers) if "errors" in body]
    assert codes == ["CONFLICT"] * 5
    assert await sql.scalar(text("SELECT count(*) FROM contacts WHERE email = 'both@fresh.example'")) == 1


async def test_opposing_moves_of_two_deals_do_not_block_each_other(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    one, two = str(world.ada.deal), str(world.ada.cross)

    def both(i: int) -> Any:
        first, second = (one, two) if i % 2 else (two, one)
        stage = str(world.stage[STAGES[i % 6]])
        return send(client, ADA, TWO, a={"dealId": first, "stageId": stage}, b={"dealId": second, "stageId": stage})

    await all_succeed(map(both, range(20)))

    await assert_gap_free(sql, world.ada.deal)
    await assert_gap_free(sql, world.ada.cross)


async def test_a_move_does_not_wait_for_a_lock_of_the_deals_contact(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    # An event locks the contact and then its deals, a move the deal and then, by its foreign key, the contact.
    given = {"dealId": str(world.ada.deal), "stageId": str(world.stage["won"])}
    await ask(client, ADA, "{ me { id } }")

    async with asyncio.timeout(30), database.transaction() as session:
        assert await contacts.LOCK.one(UnitOfWork(session, machine("test"), utc_now()), world.ada.contact)
        await ask(client, ADA, MOVE, **{"in": given})


async def test_edits_and_moves_around_one_contact_never_deadlock(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, database: Database
) -> None:
    contact, deal = world.ada.contact, world.ada.deal

    async def event() -> None:
        async with database.transaction() as session:
            assert await contacts.LOCK.one(UnitOfWork(session, machine("test"), utc_now()), contact)
            await asyncio.sleep(0.01)
            assert await of_contact.lock_newest_open(session, contact)

    def call(i: int) -> Any:
        if i % 2:
            return send(client, ADA, UPDATE, **{"in": {"contactId": str(contact), "title": f"{i}"}})
        given = {"dealId": str(deal), "stageId": str(world.stage[STAGES[i % 4]])}
        return send(client, ADA, MOVE, **{"in": given})

    events = asyncio.gather(*(event() for _ in range(10)))
    await all_succeed(map(call, range(30)))
    await events

    await assert_gap_free(sql, deal)
