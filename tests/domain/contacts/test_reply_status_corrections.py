"""Corrected reply statuses: the deal that is deleted with them, repeated calls, and many calls at once."""

import asyncio

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support import instantly
from tests.support.api import Json, ask, send
from tests.support.database import recorded, unchanged
from tests.support.instantly import event
from tests.support.reply_status import ANA, ASKS, BOB, ROOT, SET, add_team, live_deals, replied, say


@pytest.fixture(autouse=True)
async def team(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    """`client` first, so that its clean-up comes last."""
    await add_team(sql)


async def test_the_deal_that_the_reply_opened_is_deleted_with_the_correction(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    contact = await replied(client, sql)
    [deal] = await live_deals(sql)
    interested = await say(client, contact, "INTERESTED", deleteDeal=True)
    assert (interested["deletedDealId"], await live_deals(sql)) == (None, [deal])

    result = await say(client, contact, "QUESTION", deleteDeal=True)

    assert result["deletedDealId"] == deal
    assert await live_deals(sql) == []
    query = "SELECT content, created_by IS NOT NULL AS by_person, contact_id FROM activities WHERE deal_id = :id"
    entries = (await sql.execute(text(f"{query} ORDER BY created_at DESC LIMIT 1"), {"id": deal})).one()
    assert tuple(entries) == ("Deal deleted: the reply that opened it was judged wrongly", True, None)
    async with unchanged(sql):
        assert (await say(client, contact, "QUESTION", deleteDeal=True))["deletedDealId"] is None


async def test_the_deal_can_be_deleted_later(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    contact = await replied(client, sql)
    await say(client, contact, "QUESTION")
    [deal] = await live_deals(sql)

    again = await say(client, contact, "QUESTION", deleteDeal=True)

    assert (again["deletedDealId"], await live_deals(sql)) == (deal, [])


@pytest.mark.parametrize("touch", ["note", "edit", "move", "booking", "win", "older reply", "colleague"])
async def test_a_deal_that_was_changed_since_stays(touch: str, client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    contact = await replied(client, sql)
    [deal] = await live_deals(sql)
    stage = await sql.scalar(text("SELECT id FROM pipeline_stages WHERE key = 'proposal_sent'"))
    change = "mutation ($in: UpdateDealInput!) { updateDeal(input: $in) { deal { id } } }"
    move = "mutation ($in: MoveDealStageInput!) { moveDealStage(input: $in) { deal { id } } }"
    if touch == "edit":
        await ask(client, ANA, change, **{"in": {"dealId": deal, "title": "A real one"}})
    elif touch == "move":
        await ask(client, ANA, move, **{"in": {"dealId": deal, "stageId": str(stage)}})
    elif touch == "booking":
        await instantly.send(client, event("lead_meeting_booked"))
    elif touch == "win":
        won = "SELECT id FROM pipeline_stages WHERE key = 'won' AND pipeline_id = deals.pipeline_id"
        await sql.execute(text(f"UPDATE deals SET status = 'won', stage_id = ({won})"))
    elif touch == "older reply":
        await replied(client, sql, "2026-01-06T12:00:00Z", **ASKS)
    elif touch == "colleague":
        await sql.execute(text("UPDATE deals SET owner_id = (SELECT id FROM owners WHERE email = :e)"), {"e": BOB})
    else:
        by_ana = "SELECT 'note', :id, 'Called', now(), id FROM owners WHERE email = :e"
        insert = "INSERT INTO activities (type, deal_id, content, occurred_at, created_by)"
        await sql.execute(text(f"{insert} {by_ana}"), {"id": deal, "e": ANA})

    result = await say(client, contact, "QUESTION", deleteDeal=True)

    assert (result["applied"], result["deletedDealId"]) == (True, None)
    assert await live_deals(sql) == [deal]


async def test_a_verdict_that_does_not_apply_deletes_no_deal(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    contact = await replied(client, sql)
    await say(client, contact, "INTERESTED")

    result = await say(client, contact, "NOT_INTERESTED", source="MODEL", deleteDeal=True)

    assert (result["applied"], result["deletedDealId"]) == (False, None)
    assert len(await live_deals(sql)) == 1


async def test_a_repeated_call_has_one_effect_in_six_statements(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    contact = await replied(client, sql)
    asked: Json = {"deleteDeal": True, "idempotencyKey": "once"}
    await ask(client, ANA, "{ me { id } }")  # knows the token
    with recorded() as statements:
        first = await say(client, contact, "QUESTION", **asked)
    assert len(statements) <= 6, statements

    async with unchanged(sql):
        again = await say(client, contact, "QUESTION", **asked)

    assert again == {**first, "replayed": True}
    assert first["deletedDealId"] is not None


async def test_many_corrections_at_once_add_one_entry(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    contact = await replied(client, sql)
    asked = {"contactId": str(contact), "status": "QUESTION", "deleteDeal": True}

    answers = await asyncio.gather(*(send(client, (ANA, ROOT)[i % 2], SET, **{"in": asked}) for i in range(20)))

    assert all("errors" not in answer.json() for answer in answers)
    deleted = [answer.json()["data"]["setReplyStatus"]["deletedDealId"] for answer in answers]
    assert sum(one is not None for one in deleted) == 1
    entries = await sql.scalar(text("SELECT count(*) FROM activities WHERE content LIKE 'Reply judged%'"))
    assert entries == 1
    assert await sql.scalar(text("SELECT count(*) FROM reply_verdicts WHERE source = 'person'")) == 1


async def test_a_persons_verdict_prevails_over_replies_at_the_same_time(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    contact = await replied(client, sql)
    events = [event("reply_received", f"2026-01-06T12:00:{i:02}Z", **ASKS) for i in range(10)]
    calls = [{"contactId": str(contact), "status": "NEUTRAL"}] * 10

    answers, _ = await asyncio.gather(
        asyncio.gather(*(send(client, ANA, SET, **{"in": asked}) for asked in calls)),
        asyncio.gather(*(instantly.send(client, one) for one in events)),
    )

    assert all("errors" not in answer.json() for answer in answers)
    row = (await sql.execute(text("SELECT reply_status, reply_status_source FROM contacts"))).one()
    assert tuple(row) == ("neutral", "person")
    assert await sql.scalar(text("SELECT count(*) FROM reply_verdicts WHERE source = 'rules'")) == 11


async def test_a_providers_label_without_a_reply_can_be_corrected(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await instantly.send(client, event("lead_interested"))
    [deal] = await live_deals(sql)
    row = (await sql.execute(text("SELECT id, reply_summary FROM contacts"))).one()

    result = await say(client, row.id, "NOT_INTERESTED", deleteDeal=True)

    assert (result["deletedDealId"], await live_deals(sql)) == (deal, [])
    status = (await sql.execute(text("SELECT reply_status, reply_summary FROM contacts"))).one()
    assert tuple(status) == ("not_interested", row.reply_summary)


async def test_of_verdicts_at_once_the_stored_one_is_the_status(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    new = "INSERT INTO contacts (email, owner_id) SELECT 'silent@lead.example', id FROM owners WHERE email = :e"
    contact = await sql.scalar(text(f"{new} RETURNING id"), {"e": ANA})
    for turn in range(6):
        statuses = ("UNSUBSCRIBED", "NEUTRAL", "QUESTION", "INTERESTED")
        results = await asyncio.gather(*(say(client, contact, status) for status in statuses))
        stored = await sql.scalar(text("SELECT status FROM reply_verdicts"))
        assert await sql.scalar(text("SELECT reply_status FROM contacts")) == stored, turn
        assert all(result["applied"] for result in results)
