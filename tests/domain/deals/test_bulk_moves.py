"""moveDeals: many moves in one call, each by the rules of moveDealStage."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.domain.batches import ITEMS_MAX
from crm_graph.models import Deal, table
from tests.support.api import Json, ask, reason, refusal
from tests.support.database import recorded, unchanged
from tests.support.factories import ADA, BOB, READER, ROOT, START, World, add_deal
from tests.support.pipelines import Board

MOVE = """mutation ($in: MoveDealsInput!) { moveDeals(input: $in) { replayed results {
    index moved deal { id status version stage { key } stageHistory(first: 3) { nodes { toStage { key } movedAt } } }
    error { code message field } } } }"""


def item(deal: Any, stage: Any, **more: Any) -> Json:
    return {"dealId": str(deal), "stageId": str(stage), **more}


async def move(client: httpx.AsyncClient, *items: Json, who: str = ADA, **given: Any) -> list[Json]:
    answer = await ask(client, who, MOVE, **{"in": {"items": items, **given}})
    return list(answer["moveDeals"]["results"])


async def column(sql: AsyncConnection, stage: Any) -> list[Any]:
    """The deals of a column from its top."""
    query = "SELECT id FROM deals WHERE stage_id = :stage AND deleted_at IS NULL ORDER BY rank, id"
    return list(await sql.scalars(text(query), {"stage": stage}))


async def test_deals_move_to_the_tops_of_their_columns_in_order(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    stage, ada = world.stage, world.ada
    there = await add_deal(sql, stage | {"new": stage["won"]}, ada.owner, ada.contact, rank="a0", status="won")
    more = [await add_deal(sql, stage, ada.owner, ada.contact, rank=f"b0{n}") for n in range(3)]
    asked = [(ada.deal, "won"), (more[0], "qualified"), (more[1], "won"), (world.pool.deal, "qualified")]

    results = await move(client, *(item(deal, stage[key]) for deal, key in asked))

    assert [(one["index"], one["moved"], one["error"]) for one in results] == [(n, True, None) for n in range(4)]
    assert await column(sql, stage["won"]) == [ada.deal, more[1], there]
    assert await column(sql, stage["qualified"]) == [more[0], world.pool.deal]
    assert (results[0]["deal"]["status"], results[0]["deal"]["version"]) == ("WON", 2)
    for deal, key in asked:
        query = """SELECT content, meta_json AS meta, contact_id, created_by FROM activities
                   WHERE deal_id = :deal AND type = 'system'"""
        [entry] = list(await sql.execute(text(query), {"deal": deal}))
        assert entry.content.startswith("New -> ")
        assert entry.meta == {"source": "graphql", "from_stage": "new", "to_stage": key}
        assert (entry.contact_id, entry.created_by) == (None, ada.owner)
        query = """SELECT from_stage_id, to_stage_id, moved_by FROM deal_stage_history
                   WHERE deal_id = :deal ORDER BY moved_at DESC LIMIT 1"""
        assert tuple((await sql.execute(text(query), {"deal": deal})).one()) == (stage["new"], stage[key], ada.owner)


async def test_a_move_to_the_same_stage_changes_nothing(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    async with unchanged(sql):
        [result] = await move(client, item(world.ada.deal, world.stage["new"]))

    assert (result["moved"], result["deal"]["id"], result["error"]) == (False, str(world.ada.deal), None)


async def test_a_partial_call_does_what_can_be_done(
    client: httpx.AsyncClient, world: World, board: Board, sql: AsyncConnection
) -> None:
    deleted_stage = world.stage["lost"]
    await sql.execute(text("UPDATE pipeline_stages SET deleted_at = now() WHERE id = :id"), {"id": deleted_stage})
    deals = [await add_deal(sql, world.stage, world.ada.owner, world.ada.contact) for _ in range(6)]
    to = world.stage["contacted"]
    early, ahead = (START - timedelta(days=1)).isoformat(), "2999-01-01T00:00:00Z"
    items: list[tuple[Json, tuple[str, str | None, str] | None]] = [
        (item(deals[0], to), None),
        (item(world.bob.deal, to), ("NOT_FOUND", "dealId", "deal not found")),
        (item(world.company, to), ("NOT_FOUND", "dealId", "deal not found")),
        (item(deals[0], world.stage["won"]), ("VALIDATION", "dealId", "the same deal as items[0]")),
        (item(deals[1], world.company), ("NOT_FOUND", "stageId", "stage not found")),
        (item(deals[1], deleted_stage), ("VALIDATION", "dealId", "the same deal as items[4]")),
        (item(deals[2], board.stage["new"]), ("VALIDATION", "stageId", "a different pipeline")),
        (item(deals[3], to, expectedVersion=2), ("VERSION_CONFLICT", "expectedVersion", "version 1")),
        (item(deals[4], to, occurredAt=early), ("CONFLICT", "occurredAt", "the deal was moved later, at")),
        (item(deals[5], to, occurredAt=ahead), ("VALIDATION", "occurredAt", "is in the future")),
        (item(world.ada.deal, to, expectedVersion=1, occurredAt="2026-02-01T00:00:00Z"), None),
    ]  # fmt: skip

    results = await move(client, *(item for item, _ in items), partial=True)

    for result, (_, expected) in zip(results, items, strict=True):
        assert result["moved"] == (expected is None)
        if expected is not None:
            code, field, words = expected
            assert (result["deal"], result["error"]["code"], result["error"]["field"]) == (None, code, field)
            assert words in result["error"]["message"]
    assert await column(sql, to) == [deals[0], world.ada.deal]
    moved_at = results[-1]["deal"]["stageHistory"]["nodes"][-1]["movedAt"]
    assert moved_at == "2026-02-01T00:00:00+00:00"


async def test_a_bad_item_refuses_the_whole_call(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    to = world.stage["contacted"]
    async with unchanged(sql):
        late = await refusal(
            client,
            ADA,
            MOVE,
            **{"in": {"items": [item(world.ada.deal, to), item(world.pool.deal, to, expectedVersion=4)]}},
        )
        reader = await refusal(client, READER, MOVE, **{"in": {"items": [item(world.ada.deal, to)], "partial": True}})
        many = await refusal(client, ADA, MOVE, **{"in": {"items": [item(world.ada.deal, to)] * (ITEMS_MAX + 1)}})

    assert late["extensions"] == {
        "code": "VERSION_CONFLICT",
        "field": "items[1].expectedVersion",
        "index": 1,
        "version": 1,
    }
    assert late["message"].startswith("[VERSION_CONFLICT] items[1].expectedVersion: ")
    assert (reason(reader)[0], reason(many)) == ("FORBIDDEN", ("VALIDATION", "items"))


async def test_a_repeated_call_moves_nothing(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    given = {"items": [item(world.ada.deal, world.stage["won"])], "idempotencyKey": "k"}
    first = (await ask(client, ADA, MOVE, **{"in": given}))["moveDeals"]

    async with unchanged(sql):
        again = (await ask(client, ADA, MOVE, **{"in": given}))["moveDeals"]

    assert again == first | {"replayed": True}


async def test_number_of_statements_is_the_same_for_500_moves(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    columns = [world.stage[key] for key in ("contacted", "qualified", "won", "lost")]
    await move(client, item(world.ada.deal, columns[0], occurredAt="2026-02-01T00:00:00Z"))  # compiles
    counts = {}
    for size in (1, 50, ITEMS_MAX):
        query = """INSERT INTO deals (title, currency, pipeline_id, stage_id, owner_id, status, rank)
            SELECT 'Deal', 'USD', :pipeline, :stage, :owner, 'open', 'z' || n FROM generate_series(1, :size) n
            RETURNING id"""
        values = {
            "pipeline": world.stage["pipeline"],
            "stage": world.stage["new"],
            "owner": world.ada.owner,
            "size": size,
        }
        deals = list(await sql.scalars(text(query), values))
        items = [item(deal, columns[n % 4], occurredAt="2026-02-01T00:00:00Z") for n, deal in enumerate(deals)]
        with recorded() as sent:
            results = await move(client, *items, idempotencyKey=f"k{size}")
        counts[size] = len(sent)
        assert all(one["moved"] for one in results)

    # The key, the deals, their last moves, the columns, the moves, the payload, the key again.
    assert set(counts.values()) == {7}, counts
    for key in columns:
        ranks = list(await sql.scalars(text("SELECT rank FROM deals WHERE stage_id = :stage"), {"stage": key}))
        assert len(set(ranks)) == len(ranks)


async def test_opposing_moves_wait_for_each_other(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    deals = [await add_deal(sql, world.stage, world.ada.owner, world.ada.contact, rank=f"b{n}") for n in range(12)]
    keys = ["contacted", "qualified", "meeting_scheduled"]

    async def shuffle(turn: int) -> list[Json]:
        order = deals[:: (-1) ** turn]
        asked = [item(deal, world.stage[keys[(n + turn) % 3]]) for n, deal in enumerate(order)]
        return await move(client, *asked, who=[ADA, ROOT][turn % 2])

    answers = await asyncio.gather(*(shuffle(turn) for turn in range(8)))

    assert all(one["error"] is None for results in answers for one in results)
    query = """SELECT count(*) FILTER (WHERE from_stage_id IS DISTINCT FROM before) AS gaps, count(*) AS moves FROM
        (SELECT from_stage_id, lag(to_stage_id) OVER (PARTITION BY deal_id ORDER BY moved_at) AS before
         FROM deal_stage_history WHERE deal_id = ANY(:deals)) AS steps"""
    steps = (await sql.execute(text(query), {"deals": deals})).one()
    assert (steps.gaps, steps.moves) == (0, 12 + sum(one["moved"] for results in answers for one in results))
    ranks = list(await sql.execute(table(Deal).select().where(table(Deal).c.id.in_(deals))))
    assert len({(row.stage_id, row.rank) for row in ranks}) == len(deals)


async def test_a_colleagues_deal_looks_like_a_missing_one(client: httpx.AsyncClient, world: World) -> None:
    to = world.stage["contacted"]
    errors = [
        (await move(client, item(deal, to), who=BOB, partial=True))[0]["error"]
        for deal in (world.ada.deal, world.company)
    ]
    assert errors[0] == errors[1]
