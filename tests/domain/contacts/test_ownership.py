"""Ownership: contacts are assigned to an owner or to the pool, or claimed from it, with their open deals."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Activity
from tests.support.api import Json, ask, reason, refusal, send
from tests.support.database import recorded, unchanged
from tests.support.factories import ADA, BOB, READER, ROOT, START, World, add, add_deal

ASSIGN = """mutation ($in: AssignContactInput!) { assignContact(input: $in) { replayed contact {
    id owner { email } ownerSource version } } }"""
CLAIM = """mutation ($in: ClaimContactInput!) { claimContact(input: $in) { replayed contact {
    id owner { email } ownerSource version } } }"""
NAMES = {ASSIGN: "assignContact", CLAIM: "claimContact"}


async def call(client: httpx.AsyncClient, document: str, contact: Any, who: str, **given: Any) -> Json:
    answer = await ask(client, who, document, **{"in": {"contactId": str(contact), **given}})
    return dict(answer[NAMES[document]])


async def owners(sql: AsyncConnection) -> dict[str, Any]:
    """The owner of each deal, by its title."""
    return {row.title: row.owner_id for row in await sql.execute(text("SELECT title, owner_id FROM deals"))}


async def add_more(sql: AsyncConnection, world: World) -> None:
    """More deals of Ada's contact: Ada's own (open, won and deleted), one of the pool's, one of Bob's."""
    contact, ada = world.ada.contact, world.ada.owner
    await add_deal(sql, world.stage, ada, contact, title="second")
    await add_deal(sql, world.stage, ada, contact, title="won", status="won", stage_id=world.stage["won"])
    deleted = await add_deal(sql, world.stage, ada, contact, title="deleted")
    await sql.execute(text("UPDATE deals SET deleted_at = now() WHERE id = :id"), {"id": deleted})
    await add_deal(sql, world.stage, None, contact, title="pooled")
    await add_deal(sql, world.stage, world.bob.owner, contact, title="bobs")


async def test_the_open_deals_of_the_same_owner_follow(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await add_more(sql, world)
    before = await owners(sql)

    given = await call(client, ASSIGN, world.ada.contact, ROOT, ownerId=str(world.bob.owner))

    assert given["contact"] == {
        "id": str(world.ada.contact), "owner": {"email": BOB}, "ownerSource": "PERSON", "version": 2,
    }  # fmt: skip
    assert await owners(sql) == before | {"ada-own": world.bob.owner, "second": world.bob.owner}
    query = "SELECT content, deal_id, contact_id, meta_json AS meta FROM activities WHERE type = 'system'"
    entries = list(await sql.execute(text(query)))
    of_contact = [entry for entry in entries if entry.contact_id is not None]
    of_deals = [entry for entry in entries if entry.deal_id is not None]
    assert [entry.content for entry in of_contact] == ["Contact changed: owner_id, owner_source"]
    assert [entry.content for entry in of_deals] == ["Deal changed: owner_id"] * 2
    changed = {"owner_id": {"old": str(world.ada.owner), "new": str(world.bob.owner)}}
    assert [entry.meta for entry in of_deals] == [{"source": "graphql", "changes": changed}] * 2
    versions = await sql.scalars(text("SELECT version FROM deals WHERE title IN ('ada-own', 'second', 'won', 'bobs')"))
    assert sorted(versions) == [1, 1, 2, 2]


async def test_open_tasks_follow_the_contact_and_its_deals(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    task = {"type": "task", "content": "Call", "occurred_at": START, "assignee_id": world.ada.owner}
    for content, about in (
        ("contact's", {"contact_id": world.ada.contact}),
        ("deal's", {"deal_id": world.ada.deal}),
        ("another's", {"deal_id": world.ada.cross}),
    ):
        await add(sql, Activity, **{**task, "content": content}, **about)
    query = text("SELECT content, assignee_id FROM activities WHERE type = 'task' ORDER BY content")

    await call(client, ASSIGN, world.ada.contact, ROOT, ownerId=None)
    assert {row.assignee_id for row in await sql.execute(query)} == {world.ada.owner}  # Ada still sees the pool
    await call(client, CLAIM, world.ada.contact, BOB)

    assert [tuple(row) for row in await sql.execute(query)] == [
        ("another's", world.ada.owner),
        ("contact's", world.bob.owner),
        ("deal's", world.bob.owner),
    ]


async def test_deals_stay_without_include_deals(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    before = await owners(sql)

    given = await call(client, ASSIGN, world.ada.contact, ROOT, ownerId=None, includeDeals=False)

    assert (given["contact"]["owner"], given["contact"]["ownerSource"]) == (None, "PERSON")
    assert await owners(sql) == before


async def test_assigning_to_the_present_owner_makes_it_a_persons_choice(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    before = await owners(sql)

    given = await call(client, ASSIGN, world.ada.contact, ADA, ownerId=str(world.ada.owner))

    assert given["contact"]["ownerSource"] == "PERSON"
    assert await owners(sql) == before
    async with unchanged(sql):
        await call(client, ASSIGN, world.ada.contact, ADA, ownerId=str(world.ada.owner))


async def test_a_claimed_contact_brings_its_deals_out_of_the_pool(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await add_deal(sql, world.stage, world.bob.owner, world.pool.contact, title="bobs")
    before = await owners(sql)

    claimed = await call(client, CLAIM, world.pool.contact, ADA)

    assert (claimed["contact"]["owner"], claimed["contact"]["ownerSource"]) == ({"email": ADA}, "PERSON")
    assert await owners(sql) == before | {"pool-own": world.ada.owner}
    async with unchanged(sql):
        await call(client, CLAIM, world.pool.contact, ADA)


@pytest.mark.parametrize("document", [ASSIGN, CLAIM], ids=NAMES.get)
async def test_refusals_change_nothing(
    document: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    given = {"ownerId": str(world.ada.owner)} if document == ASSIGN else {}

    async def refused(who: str, contact: Any, **more: Any) -> tuple[str, str | None]:
        return reason(await refusal(client, who, document, **{"in": {"contactId": str(contact)} | given | more}))

    async with unchanged(sql):
        assert await refused(READER, world.ada.contact) == ("FORBIDDEN", None)
        assert await refused(ADA, world.bob.contact) == await refused(ADA, world.company) == ("NOT_FOUND", "contactId")
        assert await refused(ADA, world.pool.contact, expectedVersion=2) == ("VERSION_CONFLICT", "expectedVersion")
        if document == CLAIM:
            assert await refused(ROOT, world.bob.contact) == ("CONFLICT", "contactId")
            return
        assert await refused(ADA, world.ada.contact, ownerId=str(world.bob.owner)) == ("FORBIDDEN", "ownerId")
        assert await refused(ADA, world.ada.contact, ownerId=None) == ("FORBIDDEN", "ownerId")
        assert await refused(ROOT, world.ada.contact, ownerId=str(world.company)) == ("NOT_FOUND", "ownerId")


async def test_a_contact_is_not_assigned_to_an_inactive_owner(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await sql.execute(text("UPDATE owners SET active = false WHERE id = :id"), {"id": world.bob.owner})

    async with unchanged(sql):
        given = {"contactId": str(world.ada.contact), "ownerId": str(world.bob.owner)}
        assert reason(await refusal(client, ROOT, ASSIGN, **{"in": given})) == ("NOT_FOUND", "ownerId")


@pytest.mark.parametrize("document", [ASSIGN, CLAIM], ids=NAMES.get)
async def test_a_repeated_call_has_one_effect_in_few_statements(
    document: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    for i in range(5):
        await add_deal(sql, world.stage, None, world.pool.contact, title=f"{i}")
    given: Json = {"ownerId": str(world.bob.owner)} if document == ASSIGN else {}
    await ask(client, ROOT, "{ me { id } }")  # knows the token
    with recorded() as statements:
        first = await call(client, document, world.pool.contact, ROOT, idempotencyKey="once", **given)
    assert len(statements) <= 5, statements

    async with unchanged(sql):
        again = await call(client, document, world.pool.contact, ROOT, idempotencyKey="once", **given)

    assert again == {**first, "replayed": True}


async def test_of_two_callers_who_claim_one_gets_the_contact(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    given = {"contactId": str(world.pool.contact)}

    answers = await asyncio.gather(*(send(client, (ADA, BOB)[i % 2], CLAIM, **{"in": given}) for i in range(10)))

    bodies = [answer.json() for answer in answers]
    codes = [body["errors"][0]["extensions"]["code"] for body in bodies if "errors" in body]
    assert codes == ["NOT_FOUND"] * 5
    owner = await sql.scalar(text("SELECT owner_id FROM contacts WHERE id = :id"), {"id": world.pool.contact})
    assert (await owners(sql))["pool-own"] == owner
    query = "SELECT count(*) FROM activities WHERE content = 'Contact changed: owner_id, owner_source'"
    assert await sql.scalar(text(query)) == 1


async def test_opposite_assignments_of_many_deals_never_deadlock(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    for i in range(8):
        await add_deal(sql, world.stage, world.ada.owner, world.ada.contact, title=f"{i}")
    move = "mutation ($in: MoveDealStageInput!) { moveDealStage(input: $in) { deal { version } } }"
    sides = (str(world.ada.owner), str(world.bob.owner))

    def assignment(i: int) -> Any:
        return send(client, ROOT, ASSIGN, **{"in": {"contactId": str(world.ada.contact), "ownerId": sides[i % 2]}})

    def movement(i: int) -> Any:
        stage = world.stage[("new", "qualified")[i % 2]]
        return send(client, ROOT, move, **{"in": {"dealId": str(world.ada.deal), "stageId": str(stage)}})

    answers = await asyncio.gather(*(call(i) for i in range(10) for call in (assignment, movement)))

    assert [answer.text for answer in answers if "errors" in answer.json()] == []
    query = """SELECT DISTINCT owner_id FROM deals
               WHERE contact_id = :id AND title NOT IN ('bob-cross', 'pool-cross')"""
    deal_owners = await sql.scalars(text(query), {"id": world.ada.contact})
    owner = await sql.scalar(text("SELECT owner_id FROM contacts WHERE id = :id"), {"id": world.ada.contact})
    assert list(deal_owners) == [owner]
