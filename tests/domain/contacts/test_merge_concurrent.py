"""Merges at the same time as events, edits and other merges: nothing fails, gets lost or is stored twice."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.domain.contacts import merge
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.identity.principal import Principal
from crm_graph.models import ContactEmail, Role, table
from crm_graph.values import utc_now
from tests.support.api import Json, ask, send
from tests.support.database import somebody_waits
from tests.support.factories import ADA, ROOT, World
from tests.support.instantly import BOOKING, event
from tests.support.webhooks import post

MERGE = "mutation ($in: MergeContactsInput!) { mergeContacts(input: $in) { contact { id } } }"
UPSERT = "mutation ($in: UpsertContactInput!) { upsertContact(input: $in) { created contact { id } } }"
UPDATE = "mutation ($in: UpdateContactInput!) { updateContact(input: $in) { contact { id } } }"
ALIAS = "old@acme.example"


@pytest.fixture
async def world(world: World, sql: AsyncConnection) -> World:
    """The team, and a further address of the pool's contact."""
    await sql.execute(table(ContactEmail).insert().values(email=ALIAS, contact_id=world.pool.contact))
    return world


def no_show(email: str) -> Json:
    """An event that creates no contact when CALCOM_EVENT_TYPES is set; here it finds one."""
    attendees = [{"email": email, "noShow": True}]
    payload = {"bookingUid": "u1", "message": "x", "attendees": attendees}
    return {"triggerEvent": "BOOKING_NO_SHOW_UPDATED", "createdAt": "2026-01-05T10:00:00Z", "payload": payload}


def booking(world: World) -> Json:
    """A booking with the loser's id and an unknown address."""
    payload = BOOKING["payload"] | {"metadata": {"contact_id": str(world.pool.contact)}}
    return {**BOOKING, "payload": payload}


@pytest.mark.parametrize("how", ["address", "further address", "id", "no-show"])
async def test_an_event_during_a_merge_reaches_the_survivor(
    how: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection, database: Database
) -> None:
    events = {
        "address": ("instantly", event("email_sent", lead_email=world.pool.email)),
        "further address": ("instantly", event("email_sent", lead_email=ALIAS)),
        "id": ("calcom", booking(world)),
        "no-show": ("calcom", no_show(world.pool.email)),
    }
    async with database.transaction() as session:
        ids = {"survivor_id": world.ada.contact, "loser_id": world.pool.contact}
        await merge.merge(UnitOfWork(session, Principal(world.ada.owner, Role.ADMIN), utc_now()), **ids)
        arriving = asyncio.create_task(post(client, *events[how]))
        await somebody_waits(sql)
    answer = await arriving

    assert answer.json() | {"status": "ok", "contact_id": str(world.ada.contact)} == answer.json()
    assert await sql.scalar(text("SELECT count(*) FROM contacts")) == 3
    query = "SELECT contact_id FROM activities WHERE type IN ('email_out', 'meeting', 'no_show')"
    assert list(await sql.scalars(text(query))) == [world.ada.contact]


async def test_an_upsert_during_a_merge_changes_the_survivor(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, database: Database
) -> None:
    await ask(client, ADA, "{ me { id } }")
    async with database.transaction() as session:
        ids = {"survivor_id": world.ada.contact, "loser_id": world.pool.contact}
        await merge.merge(UnitOfWork(session, Principal(world.ada.owner, Role.ADMIN), utc_now()), **ids)
        arriving = asyncio.create_task(send(client, ADA, UPSERT, **{"in": {"email": ALIAS, "title": "CEO"}}))
        await somebody_waits(sql)

    found = (await arriving).json()["data"]["upsertContact"]
    assert found == {"created": False, "contact": {"id": str(world.ada.contact)}}
    assert list(await sql.scalars(text("SELECT id FROM contacts WHERE title = 'CEO'"))) == [world.ada.contact]


async def test_a_deal_created_for_the_loser_moves_with_it_or_is_refused(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    create = "mutation ($in: CreateDealInput!) { createDeal(input: $in) { deal { id contact { id } } } }"
    new = {"title": "New", "contactId": str(world.pool.contact)}
    asked = {"survivorId": str(world.ada.contact), "loserId": str(world.pool.contact)}
    calls = [send(client, ROOT, create, **{"in": new}) for _ in range(12)]
    calls.insert(6, send(client, ROOT, MERGE, **{"in": asked}))

    answers = [answer.json() for answer in await asyncio.gather(*calls)]

    assert "errors" not in answers.pop(6)
    codes = [error["extensions"]["code"] for answer in answers for error in answer.get("errors", [])]
    assert set(codes) <= {"NOT_FOUND"}
    assert (
        list(await sql.scalars(text("SELECT id FROM deals WHERE contact_id = :id"), {"id": world.pool.contact})) == []
    )
    made = await sql.scalars(text("SELECT contact_id FROM deals WHERE title = 'New'"))
    assert list(made) == [world.ada.contact] * (12 - len(codes))


async def test_many_events_around_a_merge_all_reach_the_survivor(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    addresses = (world.ada.email, world.pool.email, ALIAS)
    sent = [event("email_sent", f"2026-01-05T12:00:{i:02}Z", lead_email=addresses[i % 3]) for i in range(24)]
    asked = {"survivorId": str(world.ada.contact), "loserId": str(world.pool.contact)}
    calls: list[Any] = [post(client, "instantly", one) for one in sent]
    calls.insert(8, send(client, ROOT, MERGE, **{"in": asked}))
    calls.insert(16, send(client, ROOT, UPDATE, **{"in": {"contactId": str(world.ada.contact), "title": "CEO"}}))

    answers = [answer.json() for answer in await asyncio.gather(*calls)]

    assert [answer for answer in answers if "errors" in answer or answer.get("status", "ok") != "ok"] == []
    query = "SELECT contact_id, count(*) FROM activities WHERE type = 'email_out' GROUP BY contact_id"
    assert [tuple(row) for row in await sql.execute(text(query))] == [(world.ada.contact, 24)]
    assert await sql.scalar(text("SELECT count(*) FROM contacts")) == 3


async def test_of_two_opposite_merges_one_wins(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    one, other = str(world.ada.contact), str(world.pool.contact)
    pairs = [(one, other), (other, one)] * 5

    answers = await asyncio.gather(
        *(send(client, ROOT, MERGE, **{"in": {"survivorId": a, "loserId": b}}) for a, b in pairs)
    )

    codes = [body["errors"][0]["extensions"]["code"] for body in (a.json() for a in answers) if "errors" in body]
    assert codes == ["NOT_FOUND"] * 9
    assert await sql.scalar(text("SELECT count(*) FROM contacts WHERE merged_into_id IS NOT NULL")) == 1
    assert await sql.scalar(text("SELECT count(*) FROM activities WHERE content LIKE 'Merged%'")) == 1
