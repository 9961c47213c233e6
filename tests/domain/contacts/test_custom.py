"""The size of a contact's custom fields: over many calls, from providers, and of rows from before there was a limit."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.domain.contacts import custom
from crm_graph.json_documents import DOCUMENT_MAX, json_size
from tests.support.api import ask, bearer, reason, refusal
from tests.support.database import unchanged
from tests.support.events import new_events
from tests.support.factories import ADA, ROOT, World
from tests.support.instantly import event
from tests.support.webhooks import post

UPDATE = "mutation ($in: UpdateContactInput!) { updateContact(input: $in) { contact { custom phone } } }"
UPDATE_DEAL = "mutation ($in: UpdateDealInput!) { updateDeal(input: $in) { deal { id } } }"
LOG = "mutation ($in: LogActivityInput!) { logActivity(input: $in) { activity { id } } }"
MERGE = "mutation ($in: MergeContactsInput!) { mergeContacts(input: $in) { contact { id } } }"
SET_CUSTOM = text("UPDATE contacts SET custom = CAST(:custom AS jsonb) WHERE id = :id")
EVENT_MAX = 1_000_000  # bytes

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
fields = st.dictionaries(texts, st.none() | st.integers(0, 99) | texts | st.just("x" * 30_000), max_size=8)


async def store_large(sql: AsyncConnection, contact: object, size: int) -> None:
    """Custom fields as they were stored before there was a limit."""
    await sql.execute(text("SET session_replication_role = replica"))
    await sql.execute(SET_CUSTOM, {"id": contact, "custom": json.dumps({"old": "x" * size})})
    await sql.execute(text("SET session_replication_role = DEFAULT"))


async def as_utf8(client: httpx.AsyncClient, document: str, given: dict[str, Any]) -> None:
    """A call whose body has no escapes, which are three times as long."""
    body = json.dumps({"query": document, "variables": {"in": given}}, ensure_ascii=False).encode()
    answer = await client.post("/graphql", content=body, headers=bearer(ADA) | {"content-type": "application/json"})
    assert "errors" not in answer.json(), answer.text[:500]


@given(fields, fields)
def test_what_fits_is_added_and_the_rest_is_named(stored: dict[str, Any], added: dict[str, Any]) -> None:
    fitted = custom.fit(stored, added)
    assert fitted.custom == {**{k: v for k, v in added.items() if k not in fitted.left_out}, **stored}
    assert set(fitted.left_out) <= set(added) - set(stored)
    assert json_size(fitted.custom) <= max(custom.EVENT_MAX, json_size(stored))


async def test_many_calls_together_stay_below_the_limit(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    given: dict[str, Any] = {"contactId": str(world.ada.contact)}
    for number in range(3):
        await ask(client, ADA, UPDATE, **{"in": {**given, "custom": {f"part{number}": "x" * 20_000}}})
    async with unchanged(sql):
        error = await refusal(client, ADA, UPDATE, **{"in": {**given, "custom": {"part3": "x" * 20_000}}})
    assert reason(error) == ("VALIDATION", "custom")
    assert error["message"].endswith("custom gets 80,052 bytes of JSON; the limit is 65,536")
    await ask(client, ADA, UPDATE, **{"in": {**given, "custom": {"part0": None, "part3": "x" * 20_000}}})


async def test_of_a_webhook_what_does_not_fit_is_left_out_and_noted(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    variables = {f"variable{number}": "ğ" * 5_000 for number in range(10)}
    await post(client, "instantly", event("email_sent", lead_email="new@big.example", **variables))

    stored, content = (
        await sql.execute(
            text("""SELECT c.custom, a.content FROM contacts c JOIN activities a ON a.contact_id = c.id
                    WHERE c.email = 'new@big.example'""")
        )
    ).one()
    assert json_size(stored) <= DOCUMENT_MAX
    assert stored["variable0"] == "ğ" * 5_000
    assert "variable9" not in stored
    assert "Not stored" in content
    assert "variable9" in content
    assert await sql.scalar(text("SELECT status FROM webhooks_log")) == "processed"


async def test_an_event_leaves_room_for_what_people_add(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    given: dict[str, Any] = {"contactId": str(world.ada.contact)}
    email = await sql.scalar(text("SELECT email FROM contacts WHERE id = :id"), {"id": world.ada.contact})
    crowd = {f"v{number:04}": "x" for number in range(2_000)}

    await post(client, "instantly", event("email_sent", lead_email=email, **crowd))
    of_event = await sql.scalar(text("SELECT custom FROM contacts WHERE id = :id"), {"id": world.ada.contact})
    mine = {f"mine{number}": "x" * 100 for number in range(custom.EVENT_KEYS_MAX)}
    answer = await ask(client, ADA, UPDATE, **{"in": {**given, "custom": mine}})

    assert list(of_event) == [f"v{number:04}" for number in range(custom.EVENT_KEYS_MAX)]
    assert answer["updateContact"]["contact"]["custom"] == {**of_event, **mine}


async def test_a_larger_stored_document_breaks_no_other_edit(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await store_large(sql, world.ada.contact, 3_000_000)
    given: dict[str, Any] = {"contactId": str(world.ada.contact)}

    async with new_events(sql) as events:
        await ask(client, ADA, UPDATE, **{"in": {**given, "phone": "+90 1"}})
        await ask(client, ADA, UPDATE_DEAL, **{"in": {"dealId": str(world.ada.deal), "title": "Renamed"}})
        email = await sql.scalar(text("SELECT email FROM contacts WHERE id = :id"), {"id": world.ada.contact})
        await post(client, "instantly", event("email_opened", lead_email=email, colour="red"))
        smaller = await ask(client, ADA, UPDATE, **{"in": {**given, "custom": {"old": "x"}}})

    assert smaller["updateContact"]["contact"] == {"custom": {"old": "x"}, "phone": "+90 1"}
    assert events
    assert max(len(json.dumps(one.payload)) for one in events) < 10_000
    assert events[0].payload["data"]["contact"]["custom"] == {"too_large": 3_000_011}


async def test_the_database_refuses_what_is_too_large(world: World, sql: AsyncConnection) -> None:
    for table, column, value in (
        ("contacts", "custom", json.dumps({"a": "x" * 66_000})),
        ("contacts", "full_name", "x" * 2_001),
        ("companies", "enrichment_json", json.dumps({"a": "x" * 66_000})),
        ("deals", "notes", "x" * 400_001),
        ("activities", "meta_json", json.dumps({"a": "x" * 1_000_000})),
    ):
        type_ = "jsonb" if value.startswith("{") else "text"
        with pytest.raises(IntegrityError, match=f"{column} of {table} has"):
            await sql.execute(text(f"UPDATE {table} SET {column} = CAST(:v AS {type_})"), {"v": value})


async def test_two_contacts_whose_custom_fields_are_too_large_together_are_not_merged(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    for name, contact in (("a", world.ada.contact), ("b", world.bob.contact)):
        await sql.execute(SET_CUSTOM, {"id": contact, "custom": json.dumps({name: "x" * 40_000})})
    async with unchanged(sql):
        both = {"survivorId": str(world.ada.contact), "loserId": str(world.bob.contact)}
        error = await refusal(client, ROOT, MERGE, **{"in": both})
    assert reason(error) == ("CONFLICT", "loserId")
    assert "65,536" in error["message"]


async def test_the_largest_events_stay_below_a_megabyte(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    line, prose = "😀" * 500, "😀" * 100_000
    full = dict.fromkeys(("fullName", "title", "phone"), line)
    contact: dict[str, Any] = {"contactId": str(world.ada.contact)}
    deal: dict[str, Any] = {"dealId": str(world.ada.deal), "title": line, "source": line, "campaignId": line}

    async with new_events(sql) as events:
        for letter in "xy":
            large = {**full, "custom": {"a": letter * 65_527}}
            await ask(client, ADA, UPDATE, **{"in": contact | large})
            await as_utf8(client, UPDATE_DEAL, deal | {"notes": letter + prose[1:]})
        entry = {"type": "NOTE", "content": prose, "meta": {"a": "x" * 65_527}}
        await as_utf8(client, LOG, contact | {"dealId": deal["dealId"]} | entry)

    largest = await sql.scalar(text("SELECT max(octet_length(payload::text)) FROM events"))
    assert {str(one.type) for one in events} == {"contact_updated", "deal_updated", "activity_logged"}
    assert 800_000 < largest < EVENT_MAX
