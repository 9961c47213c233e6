"""Merged contacts: the survivor has everything of both, and every address finds it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Activity, Contact, ContactEmail, ReplyVerdict, WebhookLog, table
from tests.support import instantly
from tests.support.api import Json, ask, reason, refusal
from tests.support.database import recorded, unchanged
from tests.support.factories import ADA, BOB, READER, ROOT, START, World, add
from tests.support.instantly import event

MERGE = """mutation ($in: MergeContactsInput!) { mergeContacts(input: $in) { replayed contact {
    id email version owner { email } deals { totalCount } activities { totalCount } } } }"""
UPSERT = "mutation ($in: UpsertContactInput!) { upsertContact(input: $in) { created contact { id } } }"
RESTORE = "mutation ($in: RestoreContactInput!) { restoreContact(input: $in) { contact { id } } }"


async def merge(client: httpx.AsyncClient, survivor: Any, loser: Any, who: str = ROOT, **given: Any) -> Json:
    asked = {"survivorId": str(survivor), "loserId": str(loser), **given}
    return dict((await ask(client, who, MERGE, **{"in": asked}))["mergeContacts"])


async def change(sql: AsyncConnection, contact: Any, **columns: Any) -> None:
    await sql.execute(table(Contact).update().where(table(Contact).c.id == contact).values(**columns))


async def stored(sql: AsyncConnection, contact: Any) -> Any:
    query = text("SELECT * FROM contacts WHERE id = CAST(:id AS uuid)")
    return (await sql.execute(query, {"id": str(contact)})).mappings().one()


async def count_of(sql: AsyncConnection, relation: str, contact: Any) -> int:
    """How many rows of a table belong to the contact."""
    count = await sql.scalar(text(f"SELECT count(*) FROM {relation} WHERE contact_id = :id"), {"id": contact})
    return int(count or 0)


async def test_the_survivor_has_everything_of_both(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    survivor, loser = world.ada.contact, world.bob.contact
    await instantly.send(client, event("reply_received", lead_email=world.bob.email, reply_text="Send me the price"))
    before = {
        name: await count_of(sql, name, loser) for name in ("deals", "activities", "reply_verdicts", "webhooks_log")
    }
    own = {name: await count_of(sql, name, survivor) for name in before}
    assert all(before.values())

    merged = await merge(client, survivor, loser)

    assert (merged["contact"]["id"], merged["contact"]["email"]) == (str(survivor), world.ada.email)
    for name in before:
        extra = 1 if name == "activities" else 0  # its own entry
        assert await count_of(sql, name, survivor) == own[name] + before[name] + extra, name
        assert await count_of(sql, name, loser) == 0, name
    query = text("SELECT content, created_by, meta_json AS meta FROM activities WHERE content LIKE 'Merged%'")
    entry = (await sql.execute(query)).one()
    assert (entry.content, entry.meta["merged"]) == (f"Merged with {world.bob.email}", str(loser))
    deal_entries = text(
        "SELECT deal_id, contact_id, meta_json AS meta FROM activities WHERE content = 'Deal changed: contact_id'"
    )
    entries = list(await sql.execute(deal_entries))
    assert {row.deal_id for row in entries} >= {world.bob.deal, world.ada.cross, world.pool.cross}
    assert {row.contact_id for row in entries} == {None}
    assert entries[0].meta["changes"] == {"contact_id": {"old": str(loser), "new": str(survivor)}}


async def test_the_survivors_values_win_and_empty_ones_are_filled(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    survivor, loser = world.pool.contact, world.ada.contact
    await change(
        sql, survivor, full_name="Sur Vivor", title="", phone=None, custom={"a": 1, "b": 1}, latest_email_sent_at=None,
        company_id=None,
    )  # fmt: skip
    await change(
        sql, loser, full_name="Lo Ser", title="CTO", phone="+90 1", custom={"b": 2, "c": 2}, lifecycle_stage="customer",
        latest_email_sent_at=START, do_not_contact_at=START, do_not_contact_reason="Asked", owner_source="mailbox",
    )  # fmt: skip

    merged = await merge(client, survivor, loser, ADA)

    row = await stored(sql, survivor)
    assert (row["full_name"], row["title"], row["phone"]) == ("Sur Vivor", "CTO", "+90 1")
    assert (row["company_id"], row["lifecycle_stage"]) == (world.company, "customer")
    assert row["custom"] == {"a": 1, "b": 1, "c": 2}
    assert (row["latest_email_sent_at"], row["do_not_contact_at"], row["do_not_contact_reason"]) == (
        START,
        START,
        "Asked",
    )
    assert (row["owner_id"], row["owner_source"]) == (world.ada.owner, "mailbox")
    assert merged["contact"]["version"] == row["version"] == 2
    merged_away = await stored(sql, loser)
    assert (merged_away["merged_into_id"], merged_away["deleted_at"] is None) == (survivor, False)


@pytest.mark.parametrize(
    ("survivors", "losers", "wins"),
    [
        (("question", "rules", 1), ("interested", "provider", 0), "interested"),
        (("question", "person", 0), ("interested", "rules", 1), "question"),
        (("question", "rules", 0), ("interested", "rules", 1), "interested"),
        (("question", "rules", 1), ("interested", "rules", 1), "question"),
        (("out_of_office", "provider", 1), ("interested", "rules", 0), "interested"),
        (("out_of_office", "person", 0), ("interested", "provider", 1), "out_of_office"),
        (None, ("interested", "rules", 0), "interested"),
        (("question", "rules", 0), None, "question"),
    ],
)
async def test_the_stronger_then_the_newer_reply_status_wins(
    survivors: Any, losers: Any, wins: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    for contact, verdict in ((world.ada.contact, survivors), (world.pool.contact, losers)):
        if verdict:
            at = START.replace(day=10 + verdict[2])
            summary = f"{verdict[0]}, in one line"
            status = {"reply_status": verdict[0], "reply_status_source": verdict[1], "reply_status_at": at}
            await change(sql, contact, **status, reply_summary=summary, needs_review=verdict[0] == "interested")

    await merge(client, world.ada.contact, world.pool.contact, ADA)

    row = await stored(sql, world.ada.contact)
    assert (row["reply_status"], row["reply_summary"]) == (wins, f"{wins}, in one line")
    assert row["needs_review"] == (wins == "interested")


async def test_every_address_of_the_loser_finds_the_survivor(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    survivor, loser, first = world.ada.contact, world.pool.contact, world.bob.contact
    await sql.execute(table(ContactEmail).insert().values(email="old@acme.example", contact_id=first))
    await merge(client, loser, first)
    await merge(client, survivor, loser)

    for address in (world.ada.email, world.pool.email, world.bob.email, "OLD@acme.example"):
        found = await ask(client, ROOT, "query ($e: String!) { contactByEmail(email: $e) { id } }", e=address)
        assert found["contactByEmail"] == {"id": str(survivor)}, address
        upserted = await ask(client, ROOT, UPSERT, **{"in": {"email": address, "title": "CEO"}})
        assert upserted["upsertContact"] == {"created": False, "contact": {"id": str(survivor)}}
        await instantly.send(client, event("email_sent", lead_email=address))
    assert await sql.scalar(text("SELECT count(*) FROM contacts")) == 3
    assert await sql.scalar(text("SELECT count(*) FROM activities WHERE type = 'email_out'")) == 4
    assert await sql.scalar(text("SELECT count(DISTINCT contact_id) FROM activities WHERE type = 'email_out'")) == 1
    merged_into = await sql.scalars(text("SELECT merged_into_id FROM contacts WHERE merged_into_id IS NOT NULL"))
    assert list(merged_into) == [survivor, survivor]
    async with unchanged(sql):
        for merged_away in (loser, first):
            error = await refusal(client, ROOT, RESTORE, **{"in": {"contactId": str(merged_away)}})
            assert reason(error) == ("CONFLICT", "contactId")


async def test_the_losers_open_tasks_go_to_the_survivors_owner(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    task = {"type": "task", "content": "Call", "occurred_at": START, "assignee_id": world.bob.owner}
    open_ = await add(sql, Activity, contact_id=world.bob.contact, **task)
    done = await add(sql, Activity, contact_id=world.bob.contact, completed_at=START, **task)

    await merge(client, world.ada.contact, world.bob.contact)

    query = "SELECT id, assignee_id FROM activities WHERE type = 'task' AND contact_id = :id"
    found = {row.id: row.assignee_id for row in await sql.execute(text(query), {"id": world.ada.contact})}
    assert found == {open_: world.ada.owner, done: world.bob.owner}


async def test_a_source_keeps_one_verdict_on_a_contact_without_replies(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    for contact, status in ((world.ada.contact, "interested"), (world.pool.contact, "question")):
        verdict = {"source": "person", "status": status, "judged_at": START}
        await add(sql, ReplyVerdict, contact_id=contact, **verdict)
    await add(sql, ReplyVerdict, contact_id=world.pool.contact, source="model", status="neutral", judged_at=START)

    await merge(client, world.ada.contact, world.pool.contact)

    verdicts = await sql.execute(text("SELECT contact_id, source, status FROM reply_verdicts ORDER BY source"))
    assert [tuple(row) for row in verdicts] == [
        (world.ada.contact, "model", "neutral"),
        (world.ada.contact, "person", "interested"),
    ]


async def test_an_event_with_the_losers_id_reaches_the_survivor(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await merge(client, world.ada.contact, world.pool.contact)
    booking = dict(instantly.BOOKING)
    payload = booking["payload"] | {"metadata": {"contact_id": str(world.pool.contact)}}

    await instantly.send(client, booking | {"payload": payload})

    meeting = text("SELECT contact_id FROM activities WHERE type = 'meeting'")
    assert await sql.scalar(meeting) == world.ada.contact
    assert await sql.scalar(text("SELECT count(*) FROM contacts")) == 3


async def test_refusals_change_nothing(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    own, pools, colleagues = (str(side.contact) for side in (world.ada, world.pool, world.bob))
    full = {f"k{i}": i for i in range(500)}
    await change(sql, world.pool.contact, custom=full)
    await change(sql, world.ada.contact, custom={"one": "more"})
    cases: list[tuple[str, Json, tuple[str, str | None]]] = [
        (READER, {}, ("FORBIDDEN", None)),
        (ADA, {"loserId": own}, ("VALIDATION", "loserId")),
        (ADA, {"loserId": colleagues}, ("NOT_FOUND", "loserId")),
        (ADA, {"loserId": str(world.company)}, ("NOT_FOUND", "loserId")),
        (ADA, {"survivorId": colleagues}, ("NOT_FOUND", "survivorId")),
        (BOB, {}, ("NOT_FOUND", "survivorId")),
        (ADA, {"expectedVersion": 2}, ("VERSION_CONFLICT", "expectedVersion")),
        (ADA, {}, ("CONFLICT", "loserId")),
    ]
    async with unchanged(sql):
        for who, given, expected in cases:
            asked = {"survivorId": own, "loserId": pools} | given
            assert reason(await refusal(client, who, MERGE, **{"in": asked})) == expected


async def test_a_merged_contact_can_not_be_merged_again(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await merge(client, world.ada.contact, world.pool.contact)

    async with unchanged(sql):
        for survivor, loser, field in ((world.pool, world.bob, "survivorId"), (world.bob, world.pool, "loserId")):
            asked = {"survivorId": str(survivor.contact), "loserId": str(loser.contact)}
            assert reason(await refusal(client, ROOT, MERGE, **{"in": asked})) == ("NOT_FOUND", field)


async def test_a_repeated_call_has_one_effect_in_few_statements(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    event_ = {"source": "instantly", "event_type": "x", "body": b"{}", "status": "processed", "received_at": START}
    for i in range(5):
        await add(sql, WebhookLog, **event_, dedupe_key=f"{i}", contact_id=world.pool.contact)
    await ask(client, ROOT, "{ me { id } }")  # knows the token
    with recorded() as statements:
        first = await merge(client, world.ada.contact, world.pool.contact, idempotencyKey="once")
    assert len(statements) <= 5, statements

    async with unchanged(sql):
        again = await merge(client, world.ada.contact, world.pool.contact, idempotencyKey="once")

    assert again == {**first, "replayed": True}
