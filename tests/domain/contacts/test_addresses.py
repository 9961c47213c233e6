"""A contact's addresses: another one becomes the primary one, and all of them lead to the contact."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Contact, ContactEmail, table
from tests.support.api import ask, reason, refusal, send
from tests.support.database import unchanged
from tests.support.factories import ADA, BOB, ROOT, World, add

UPDATE = "mutation ($in: UpdateContactInput!) { updateContact(input: $in) { contact { email emails version } } }"
BY_EMAIL = "query ($e: String!) { contactByEmail(email: $e) { id } }"
MERGE = "mutation ($in: MergeContactsInput!) { mergeContacts(input: $in) { contact { emails } } }"
ERASE = "mutation ($in: EraseContactInput!) { eraseContact(input: $in) { erasedContactId } }"


async def update(client: httpx.AsyncClient, contact: Any, email: str, **more: Any) -> Any:
    answer = await ask(client, ADA, UPDATE, **{"in": {"contactId": str(contact), "email": email, **more}})
    return answer["updateContact"]["contact"]


@pytest.mark.parametrize("known", [True, False])
async def test_another_address_becomes_the_primary_one_and_both_lead_to_the_contact(
    known: bool, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    if known:
        await sql.execute(insert(table(ContactEmail)).values(email="new@lead.example", contact_id=world.ada.contact))
    contact = await update(client, world.ada.contact, " New@LEAD.example ", fullName="Nia")

    assert (contact["email"], contact["emails"]) == ("new@lead.example", ["new@lead.example", world.ada.email])
    for email in contact["emails"]:
        found = await ask(client, ADA, BY_EMAIL, e=email)
        assert found["contactByEmail"] == {"id": str(world.ada.contact)}
    entry = """SELECT meta_json #> '{changes,email}' FROM activities WHERE contact_id = :id
        ORDER BY created_at DESC LIMIT 1"""
    expected = {"old": world.ada.email, "new": "new@lead.example"}
    assert await sql.scalar(text(entry), {"id": world.ada.contact}) == expected
    event = "SELECT payload #> '{data,changes,email}' FROM events WHERE type = 'contact_updated' AND contact_id = :id"
    assert await sql.scalar(text(event), {"id": world.ada.contact}) == expected


async def test_the_same_address_changes_nothing(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        assert (await update(client, world.ada.contact, world.ada.email.upper()))["emails"] == [world.ada.email]


async def test_going_back_leaves_the_addresses_as_they_were(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await update(client, world.ada.contact, "new@lead.example")
    contact = await update(client, world.ada.contact, world.ada.email)
    assert contact["emails"] == [world.ada.email, "new@lead.example"]


async def test_an_address_that_came_by_a_merge_can_be_the_primary_one(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    loser = await add(sql, Contact, email="old@lead.example", owner_id=world.ada.owner)
    await ask(client, ADA, MERGE, **{"in": {"survivorId": str(world.ada.contact), "loserId": str(loser)}})
    contact = await update(client, world.ada.contact, "old@lead.example")
    assert contact["emails"] == ["old@lead.example", world.ada.email]
    left = (await sql.execute(text("SELECT email, merged_into_id FROM contacts WHERE id = :id"), {"id": loser})).one()
    assert tuple(left) == (f"merged-{loser}@crm-graph.invalid", world.ada.contact)
    given = {"contactId": str(world.bob.contact), "email": world.ada.email}
    taken = await refusal(client, ROOT, UPDATE, **{"in": given})
    assert reason(taken) == ("CONFLICT", "email")


async def test_an_address_of_another_contact_is_refused_alike_whoever_sees_it(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await add(sql, Contact, email="own@lead.example", owner_id=world.ada.owner)
    await sql.execute(insert(table(ContactEmail)).values(email="further@lead.example", contact_id=world.bob.contact))
    refused = []
    for email in ("own@lead.example", world.bob.email, "further@lead.example"):
        async with unchanged(sql):
            given = {"contactId": str(world.ada.contact), "email": email}
            refused.append(await refusal(client, ADA, UPDATE, **{"in": given}))
    assert refused[0] == refused[1] == refused[2]
    assert reason(refused[0]) == ("CONFLICT", "email")


async def test_the_address_of_a_person_who_was_erased_is_refused(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    gone = await add(sql, Contact, email="gone@lead.example", owner_id=world.ada.owner)
    await ask(client, ROOT, ERASE, **{"in": {"contactId": str(gone)}})
    async with unchanged(sql):
        given = {"contactId": str(world.ada.contact), "email": "gone@lead.example"}
        assert reason(await refusal(client, ADA, UPDATE, **{"in": given})) == ("CONFLICT", "email")


@pytest.mark.parametrize("email", [None, "", "nobody", "a@b c.example"])
async def test_what_is_no_address_is_refused(
    email: str | None, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    async with unchanged(sql):
        given = {"contactId": str(world.ada.contact), "email": email}
        assert reason(await refusal(client, ADA, UPDATE, **{"in": given})) == ("VALIDATION", "email")


async def test_a_colleagues_contact_is_not_found(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        for contact in (world.ada.contact, uuid.uuid4()):
            given = {"contactId": str(contact), "email": "new@lead.example"}
            assert reason(await refusal(client, BOB, UPDATE, **{"in": given})) == ("NOT_FOUND", "contactId")


async def test_of_two_contacts_that_want_an_address_at_once_one_gets_it(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    second = await add(sql, Contact, email="second@lead.example", owner_id=world.ada.owner)
    given = [{"contactId": str(contact), "email": "new@lead.example"} for contact in (world.ada.contact, second)]
    answers = await asyncio.gather(*(send(client, ADA, UPDATE, **{"in": one}) for one in given))
    codes = sorted(str(answer.json().get("errors", [{}])[0].get("extensions", {}).get("code")) for answer in answers)
    assert codes == ["CONFLICT", "None"]


async def test_an_address_that_is_given_up_leads_to_nobody_else(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    """Whatever is first: the old address stays a further one, or the new contact is made by it and the change fails."""
    upsert = "mutation ($in: UpsertContactInput!) { upsertContact(input: $in) { contact { id } } }"
    for i in range(8):
        old, new = f"old{i}@lead.example", f"new{i}@lead.example"
        contact = await add(sql, Contact, email=old, owner_id=world.ada.owner)
        await asyncio.gather(
            send(client, ADA, UPDATE, **{"in": {"contactId": str(contact), "email": new}}),
            send(client, ADA, upsert, **{"in": {"email": old}}),
        )
        query = """SELECT count(*) FROM contacts WHERE email = :old AND merged_into_id IS NULL
            AND EXISTS (SELECT FROM contact_emails WHERE email = :old AND contact_id <> contacts.id)"""
        assert await sql.scalar(text(query), {"old": old}) == 0
