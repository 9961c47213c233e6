"""Deals through the API: what a mutation stores, what it adds to the timeline, and what it does not change."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.api import Json, ask, reason, refusal
from tests.support.database import unchanged
from tests.support.deals import history, stored, timeline
from tests.support.factories import ADA, ROOT, START, World

CREATE = """mutation ($in: CreateDealInput!) { createDeal(input: $in) { deal {
    id title status amount currency source version stage { key } contact { id } company { id } owner { email }
    stageHistory { nodes { fromStage { key } toStage { key } movedBy { email } source } } } } }"""
UPDATE = "mutation ($in: UpdateDealInput!) { updateDeal(input: $in) { deal { id title amount notes version } } }"
MOVE = """mutation ($in: MoveDealStageInput!) { moveDealStage(input: $in) { deal {
    id status version lostReason stage { key } stageHistory { totalCount } } } }"""


async def create(client: httpx.AsyncClient, who: str = ADA, **given: Any) -> Json:
    answer = await ask(client, who, CREATE, **{"in": {"title": "Deal", **given}})
    return dict(answer["createDeal"]["deal"])


async def update(client: httpx.AsyncClient, deal: Any, **given: Any) -> Json:
    answer = await ask(client, ADA, UPDATE, **{"in": {"dealId": str(deal), **given}})
    return dict(answer["updateDeal"]["deal"])


async def move(client: httpx.AsyncClient, world: World, deal: Any, key: str, **given: Any) -> Json:
    values = {"dealId": str(deal), "stageId": str(world.stage[key]), **given}
    return dict((await ask(client, ADA, MOVE, **{"in": values}))["moveDealStage"]["deal"])


async def test_a_deal_needs_only_a_title(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    deal = await create(client, title="First")

    row = await stored(sql, deal["id"])
    assert (row["title"], row["key"], row["status"], row["currency"]) == ("First", "new", "open", "USD")
    assert (row["owner_id"], row["contact_id"], row["amount"], row["version"]) == (world.ada.owner, None, None, 1)
    assert await history(sql, deal["id"]) == [(None, "new")]
    assert deal["stageHistory"]["nodes"] == [
        {"fromStage": None, "toStage": {"key": "new"}, "movedBy": {"email": ADA}, "source": "graphql"}
    ]
    [entry] = await timeline(sql, deal["id"])
    assert (entry.content, entry.created_by) == ("Deal created in New", world.ada.owner)
    assert entry.meta == {"source": "graphql", "to_stage": "new"}


async def test_a_deal_stores_every_given_field(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    deal = await create(
        client, contactId=str(world.ada.contact), stageId=str(world.stage["qualified"]), amount="12.5", currency="EUR",
        closeDate="2026-06-30", source="n8n", notes="a\nb", campaignId="c-1", ownerId=str(world.ada.owner),
    )  # fmt: skip

    row = await stored(sql, deal["id"])
    given = ("key", "contact_id", "company_id", "currency", "source", "notes", "campaign_id")
    assert tuple(row[name] for name in given) == (
        "qualified", world.ada.contact, world.company, "EUR", "n8n", "a\nb", "c-1",
    )  # fmt: skip
    assert (str(row["amount"]), row["close_date"].isoformat()) == ("12.50", "2026-06-30")
    [entry] = await timeline(sql, deal["id"])
    assert entry.contact_id is None  # who sees the contact may not see the deal


async def test_null_at_creation_is_the_default(client: httpx.AsyncClient, world: World) -> None:
    nulls: dict[str, Any] = dict.fromkeys(
        ("contactId", "companyId", "pipelineId", "stageId", "ownerId", "amount", "currency", "closeDate", "source")
    )

    deal = await create(client, **nulls)

    assert (deal["currency"], deal["stage"], deal["owner"]) == ("USD", {"key": "new"}, {"email": ADA})


async def test_an_admins_deal_belongs_to_the_contacts_owner(client: httpx.AsyncClient, world: World) -> None:
    inherited = await create(client, ROOT, contactId=str(world.bob.contact))
    pooled = await create(client, ROOT, contactId=str(world.pool.contact))
    own = await create(client, ROOT)
    named = await create(client, ROOT, ownerId=str(world.ada.owner), contactId=str(world.bob.contact))
    claimed = await create(client, ADA, contactId=str(world.pool.contact))

    assert [deal["owner"] for deal in (inherited, pooled, own, named, claimed)] == [
        {"email": "bob@seller.com"}, None, {"email": ROOT}, {"email": ADA}, {"email": ADA},
    ]  # fmt: skip


@pytest.mark.parametrize(("key", "status"), [("won", "WON"), ("lost", "LOST"), ("proposal_sent", "OPEN")])
async def test_the_status_follows_the_stage_from_the_start(
    key: str, status: str, client: httpx.AsyncClient, world: World
) -> None:
    assert (await create(client, stageId=str(world.stage[key])))["status"] == status


async def test_new_deals_are_on_top_of_their_column(client: httpx.AsyncClient, world: World) -> None:
    made = [(await create(client, title=f"{i}"))["id"] for i in range(5)]

    board = "{ pipeline { stages { deals(first: 5) { nodes { id } } } } }"
    column = (await ask(client, ADA, board))["pipeline"]["stages"][0]["deals"]["nodes"]
    assert [node["id"] for node in column] == made[::-1]


async def test_a_move_writes_history_and_an_entry(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    deal = (await create(client, contactId=str(world.ada.contact), stageId=str(world.stage["qualified"])))["id"]

    moved = await move(client, world, deal, "meeting_scheduled")

    assert moved["stage"] == {"key": "meeting_scheduled"}
    row = await stored(sql, deal)
    assert (row["key"], row["status"], row["version"]) == ("meeting_scheduled", "open", 2)
    assert await history(sql, deal) == [(None, "qualified"), ("qualified", "meeting_scheduled")]
    entry = (await timeline(sql, deal))[-1]
    assert entry.content == "Qualified -> Meeting Scheduled"
    assert entry.meta == {"source": "graphql", "from_stage": "qualified", "to_stage": "meeting_scheduled"}
    assert (entry.created_by, entry.contact_id) == (world.ada.owner, None)


async def test_winning_losing_and_reopening(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    deal = (await create(client))["id"]

    statuses = []
    for key in ("won", "contacted", "lost", "won", "lost"):
        statuses.append((await move(client, world, deal, key))["status"])
    await sql.execute(text("UPDATE deals SET lost_reason = 'price' WHERE id = CAST(:id AS uuid)"), {"id": deal})
    reopened = await move(client, world, deal, "qualified")

    assert statuses == ["WON", "OPEN", "LOST", "WON", "LOST"]
    assert (reopened["status"], reopened["lostReason"]) == ("OPEN", None)
    row = await stored(sql, deal)
    assert (row["status"], row["lost_reason"], row["version"]) == ("open", None, 7)
    keys = ["new", "won", "contacted", "lost", "won", "lost", "qualified"]
    assert await history(sql, deal) == list(zip([None, *keys], keys, strict=False))


async def test_moving_to_the_same_stage_writes_nothing(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    deal = (await create(client))["id"]

    async with unchanged(sql):
        for occurred in (None, "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"):
            assert (await move(client, world, deal, "new", occurredAt=occurred))["version"] == 1


async def test_a_late_report_is_a_conflict(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    deal = world.ada.deal
    await move(client, world, deal, "qualified", occurredAt="2026-01-06T10:00:00+03:00")
    given = {"dealId": str(deal), "stageId": str(world.stage["contacted"])}

    async with unchanged(sql):
        for late in ("2026-01-06T06:59:59.999999Z", "2026-01-05T08:59:59Z", "1999-01-01T00:00:00Z"):
            error = await refusal(client, ADA, MOVE, **{"in": given | {"occurredAt": late}})
            assert reason(error) == ("CONFLICT", "occurredAt")

    newer = await move(client, world, deal, "contacted", occurredAt="2026-01-06T07:00:01Z")
    assert newer["stage"] == {"key": "contacted"}
    times = await sql.scalars(
        text("SELECT moved_at FROM deal_stage_history WHERE deal_id = :id ORDER BY moved_at"), {"id": deal}
    )
    assert list(times) == [START, datetime(2026, 1, 6, 7, tzinfo=UTC), datetime(2026, 1, 6, 7, 0, 1, tzinfo=UTC)]


async def test_a_report_from_the_future_is_refused(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    given = {"dealId": str(world.ada.deal), "stageId": str(world.stage["won"])}
    ahead = (datetime.now(UTC) + timedelta(minutes=6)).isoformat()

    async with unchanged(sql):
        for future in (ahead, "9999-12-31T23:59:59Z"):
            error = await refusal(client, ADA, MOVE, **{"in": given | {"occurredAt": future}})
            assert reason(error) == ("VALIDATION", "occurredAt")


async def test_a_time_slightly_in_the_future_counts_as_now(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    ahead = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()

    await move(client, world, world.ada.deal, "won", occurredAt=ahead)

    last = await sql.scalar(text("SELECT max(moved_at) FROM deal_stage_history"))
    assert last <= datetime.now(UTC)


async def test_absent_fields_stay_and_null_clears(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    deal = (await create(client, title="Old", amount="5", notes="n", source="s", contactId=str(world.ada.contact)))[
        "id"
    ]

    changed = await update(client, deal, title="New", notes=None)

    assert (changed["title"], changed["amount"], changed["notes"], changed["version"]) == ("New", "5.00", None, 2)
    row = await stored(sql, deal)
    assert (row["source"], row["contact_id"], row["notes"]) == ("s", world.ada.contact, None)
    entry = (await timeline(sql, deal))[-1]
    assert entry.content == "Deal changed: title, notes"
    assert entry.meta["changes"] == {"title": {"old": "Old", "new": "New"}, "notes": {"old": "n", "new": None}}
    assert await history(sql, deal) == [(None, "new")]


async def test_an_edit_records_old_and_new_values_of_every_type(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    deal = (await create(client, amount="5", closeDate="2026-01-01"))["id"]

    await update(client, deal, amount="7.25", closeDate="2026-02-01", currency="EUR", contactId=str(world.pool.contact))

    changes = (await timeline(sql, deal))[-1].meta["changes"]
    assert changes == {
        "amount": {"old": "5.00", "new": "7.25"},
        "close_date": {"old": "2026-01-01", "new": "2026-02-01"},
        "currency": {"old": "USD", "new": "EUR"},
        "contact_id": {"old": None, "new": str(world.pool.contact)},
    }
    shown = await ask(client, ADA, "query ($id: UUID!) { deal(id: $id) { activities { nodes { meta } } } }", id=deal)
    assert json.dumps(changes["amount"]) in json.dumps(shown)


async def test_an_edit_that_changes_nothing_writes_nothing(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    deal = (await create(client, amount="5"))["id"]

    async with unchanged(sql):
        for given in ({}, {"title": "Deal"}, {"amount": "5.00"}, {"notes": None}):
            assert (await update(client, deal, **given))["version"] == 1
