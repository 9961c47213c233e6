"""The owner rule in mutations: a colleague's row can't be changed or linked, and its existence stays hidden."""

import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import ContactEmail, WebhookLog, table
from tests.support.api import ask, reason, refusal
from tests.support.database import unchanged
from tests.support.factories import ADA, BOB, ROOT, START, World, add
from tests.support.pipelines import Board

UPDATE_DEAL = "mutation ($in: UpdateDealInput!) { updateDeal(input: $in) { deal { id contact { id } } } }"
CREATE_DEAL = "mutation ($in: CreateDealInput!) { createDeal(input: $in) { deal { id owner { email } } } }"
MOVE = "mutation ($in: MoveDealStageInput!) { moveDealStage(input: $in) { deal { id } } }"
UPDATE_CONTACT = "mutation ($in: UpdateContactInput!) { updateContact(input: $in) { contact { id owner { email } } } }"
UPSERT = "mutation ($in: UpsertContactInput!) { upsertContact(input: $in) { created contact { id } } }"
REPLAY = "mutation ($in: ReplayWebhookInput!) { replayWebhook(input: $in) { applied } }"


async def assert_refused(
    client: httpx.AsyncClient, sql: AsyncConnection, who: str, document: str, expected: Any, **given: Any
) -> dict[str, Any]:
    """The call fails for that reason, and every table is as before."""
    async with unchanged(sql):
        error = await refusal(client, who, document, **{"in": given})
    assert reason(error) == expected
    return error


@pytest.mark.parametrize(
    ("document", "key", "given"),
    [
        (UPDATE_DEAL, "dealId", {"title": "mine now"}),
        (UPDATE_DEAL, "dealId", {}),
        (UPDATE_DEAL, "dealId", {"ownerId": "me"}),
        (MOVE, "dealId", {"stageId": "qualified"}),
        (MOVE, "dealId", {"stageId": "new"}),
        (UPDATE_CONTACT, "contactId", {"fullName": "mine now"}),
        (UPDATE_CONTACT, "contactId", {}),
    ],
)
async def test_changing_a_colleagues_row_fails_as_for_a_random_id(
    document: str, key: str, given: dict[str, Any], client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    known = {"me": str(world.ada.owner)} | {name: str(id_) for name, id_ in world.stage.items()}
    given = {name: known.get(value, value) for name, value in given.items()}
    of_a_colleague = world.bob.deal if key == "dealId" else world.bob.contact

    one = await assert_refused(client, sql, ADA, document, ("NOT_FOUND", key), **{key: str(of_a_colleague)}, **given)
    other = await assert_refused(client, sql, ADA, document, ("NOT_FOUND", key), **{key: str(uuid.uuid4())}, **given)

    assert one == other


async def test_linking_a_deal_to_a_colleagues_contact_fails_as_for_a_random_id(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    for document, given in ((UPDATE_DEAL, {"dealId": str(world.ada.deal)}), (CREATE_DEAL, {"title": "Linked"})):
        expected = ("NOT_FOUND", "contactId")
        of_a_colleague = str(world.bob.contact)
        one = await assert_refused(client, sql, ADA, document, expected, **given, contactId=of_a_colleague)
        other = await assert_refused(client, sql, ADA, document, expected, **given, contactId=str(uuid.uuid4()))
        assert one == other


async def test_a_stage_of_another_pipeline_is_refused(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, board: Board
) -> None:
    invalid = ("VALIDATION", "stageId")
    stage, pipeline = str(board.stage["new"]), str(world.stage["pipeline"])

    await assert_refused(client, sql, ADA, MOVE, invalid, dealId=str(world.ada.deal), stageId=stage)
    await assert_refused(client, sql, ADA, CREATE_DEAL, invalid, title="x", stageId=stage, pipelineId=pipeline)
    missing = ("NOT_FOUND", "stageId")
    await assert_refused(client, sql, ADA, MOVE, missing, dealId=str(world.ada.deal), stageId=str(uuid.uuid4()))


@pytest.mark.parametrize("name", ["companyId", "pipelineId", "stageId"])
async def test_shared_ids_that_do_not_exist_are_not_found(
    name: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await assert_refused(client, sql, ADA, CREATE_DEAL, ("NOT_FOUND", name), title="x", **{name: str(uuid.uuid4())})


async def test_only_an_admin_changes_the_owner(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    forbidden = ("FORBIDDEN", "ownerId")
    deal, contact, bob = str(world.ada.deal), str(world.ada.contact), str(world.bob.owner)

    for owner in (bob, str(uuid.uuid4()), None):
        await assert_refused(client, sql, ADA, UPDATE_DEAL, forbidden, dealId=deal, ownerId=owner)
        await assert_refused(client, sql, ADA, UPDATE_CONTACT, forbidden, contactId=contact, ownerId=owner)
    await assert_refused(client, sql, ADA, CREATE_DEAL, forbidden, title="x", ownerId=bob)
    await assert_refused(client, sql, ADA, UPSERT, forbidden, email="new@acme.example", ownerId=bob)

    given = await ask(client, ROOT, UPDATE_CONTACT, **{"in": {"contactId": contact, "ownerId": bob}})
    assert given["updateContact"]["contact"]["owner"] == {"email": BOB}


async def test_an_admin_assigns_only_to_active_owners(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await sql.execute(text("UPDATE owners SET active = false WHERE email = :email"), {"email": BOB})

    for owner in (str(world.bob.owner), str(uuid.uuid4())):
        missing = ("NOT_FOUND", "ownerId")
        deal, contact = str(world.ada.deal), str(world.ada.contact)
        await assert_refused(client, sql, ROOT, UPDATE_DEAL, missing, dealId=deal, ownerId=owner)
        await assert_refused(client, sql, ROOT, UPDATE_CONTACT, missing, contactId=contact, ownerId=owner)


async def test_a_salesperson_claims_from_the_pool(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    me = str(world.ada.owner)

    await ask(client, ADA, UPDATE_DEAL, **{"in": {"dealId": str(world.pool.deal), "ownerId": me}})
    await ask(client, ADA, UPDATE_CONTACT, **{"in": {"contactId": str(world.pool.contact), "ownerId": me}})

    query = text("SELECT owner_id FROM deals WHERE id = :deal UNION ALL SELECT owner_id FROM contacts WHERE id = :one")
    owners = await sql.execute(query, {"deal": world.pool.deal, "one": world.pool.contact})
    assert [row.owner_id for row in owners] == [world.ada.owner] * 2
    await assert_refused(client, sql, BOB, UPDATE_DEAL, ("NOT_FOUND", "dealId"), dealId=str(world.pool.deal), title="x")


async def test_upserting_a_colleagues_address_is_a_conflict(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await add_alias(sql, "bobs.other@acme.example", world.bob.contact)
    conflict = ("CONFLICT", "email")

    for email in (world.bob.email, f"  {world.bob.email.upper()} ", "Bobs.Other@acme.example"):
        await assert_refused(
            client, sql, ADA, UPSERT, conflict, email=email, fullName="Mine", companyName="Brand New Company"
        )


async def add_alias(sql: AsyncConnection, email: str, contact_id: Any) -> None:
    await sql.execute(table(ContactEmail).insert().values(email=email, contact_id=contact_id))


async def test_upserting_a_deleted_address_is_a_conflict(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await sql.execute(text("UPDATE contacts SET deleted_at = now() WHERE id = :id"), {"id": world.ada.contact})

    for who in (ADA, ROOT):
        await assert_refused(client, sql, who, UPSERT, ("CONFLICT", "email"), email=world.ada.email)


async def test_only_an_admin_replays(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    stored = await add(
        sql, WebhookLog, source="instantly", event_type="x", dedupe_key="k", body=b"{}", received_at=START,
        status="error",
    )  # fmt: skip

    for id_ in (stored, uuid.uuid4()):
        await assert_refused(client, sql, ADA, REPLAY, ("FORBIDDEN", None), webhookId=str(id_))
    await assert_refused(client, sql, ROOT, REPLAY, ("NOT_FOUND", "webhookId"), webhookId=str(uuid.uuid4()))
