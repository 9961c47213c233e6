"""Ranks: a deal stays exactly where it was put in its column, whatever other deals are put there."""

import asyncio
from typing import Any

import httpx
from fractional_indexing import generate_key_between
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.domain.deals.ranks import LENGTH_MAX
from tests.support.api import Json, ask, reason, refusal, send
from tests.support.database import unchanged
from tests.support.factories import ADA, BOB, ROOT, World, add_deal
from tests.support.pipelines import Board

MOVE = "mutation ($in: MoveDealStageInput!) { moveDealStage(input: $in) { deal { id version } } }"
CREATE = "mutation ($in: CreateDealInput!) { createDeal(input: $in) { deal { id } } }"
COLUMN = "query ($id: UUID!) { deals(filter: {stageId: $id}, first: 1) { totalCount } }"
BOARD = "{ pipeline { stages { key deals(first: 100) { nodes { id } } } } }"


async def column(client: httpx.AsyncClient, key: str, who: str = ROOT) -> list[str]:
    """The ids of a column, top first."""
    stages = (await ask(client, who, BOARD))["pipeline"]["stages"]
    return next([node["id"] for node in stage["deals"]["nodes"]] for stage in stages if stage["key"] == key)


async def fill(
    client: httpx.AsyncClient, world: World, count: int, key: str = "qualified", who: str = ADA
) -> list[str]:
    """New deals in a column, in its order."""
    made = []
    for i in range(count):
        given = {"title": f"{i}", "stageId": str(world.stage[key])}
        made.append((await ask(client, who, CREATE, **{"in": given}))["createDeal"]["deal"]["id"])
    return made[::-1]


def moving(world: World, deal: Any, key: str = "qualified", **place: Any) -> Json:
    return {"in": {"dealId": str(deal), "stageId": str(world.stage[key]), **place}}


async def ranks(sql: AsyncConnection, world: World, key: str = "qualified") -> list[str]:
    query = text("SELECT rank FROM deals WHERE stage_id = :stage AND deleted_at IS NULL ORDER BY rank, id")
    return list((await sql.scalars(query, {"stage": world.stage[key]})).all())


async def test_a_deal_is_where_it_was_put(client: httpx.AsyncClient, world: World) -> None:
    a, b, c = await fill(client, world, 3)
    deal = str(world.ada.deal)
    for place, expected in (
        ({}, [deal, a, b, c]),
        ({"afterDealId": a}, [a, deal, b, c]),
        ({"afterDealId": c}, [a, b, c, deal]),
        ({"beforeDealId": a}, [deal, a, b, c]),
        ({"beforeDealId": c}, [a, b, deal, c]),
        ({"afterDealId": a, "beforeDealId": b}, [a, deal, b, c]),
        ({"afterDealId": a, "beforeDealId": c}, [a, deal, b, c]),
        ({"afterDealId": None, "beforeDealId": None}, [a, deal, b, c]),  # no place given: it stays
    ):
        await ask(client, ADA, MOVE, **moving(world, deal, **place))
        assert await column(client, "qualified") == expected


async def test_a_new_place_in_the_same_column_is_not_a_move(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    a, _, c = await fill(client, world, 3)
    before = (await sql.execute(text("SELECT version, updated_at FROM deals WHERE id = :id"), {"id": a})).one()

    await ask(client, ADA, MOVE, **moving(world, a, afterDealId=c))

    assert (await column(client, "qualified"))[-1] == a
    assert (await sql.execute(text("SELECT version, updated_at FROM deals WHERE id = :id"), {"id": a})).one() == before
    assert await sql.scalar(text("SELECT count(*) FROM deal_stage_history WHERE deal_id = :id"), {"id": a}) == 1


async def test_missing_neighbours_are_refused(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    a, b = await fill(client, world, 2)
    [colleagues] = await fill(client, world, 1, who=BOB)
    deal = world.ada.deal
    async with unchanged(sql):
        for name in ("afterDealId", "beforeDealId"):
            for other in (colleagues, str(world.company)):
                error = await refusal(client, ADA, MOVE, **moving(world, deal, **{name: other}))
                assert reason(error) == ("NOT_FOUND", name)
            elsewhere = await refusal(client, ADA, MOVE, **moving(world, deal, **{name: str(world.ada.cross)}))
            assert reason(elsewhere) == ("CONFLICT", name)
            itself = await refusal(client, ADA, MOVE, **moving(world, deal, **{name: str(deal)}))
            assert reason(itself) == ("VALIDATION", name)
        crossed = await refusal(client, ADA, MOVE, **moving(world, deal, afterDealId=b, beforeDealId=a))
        assert reason(crossed) == ("CONFLICT", "afterDealId")


async def test_a_colleagues_deal_between_two_is_not_revealed(client: httpx.AsyncClient, world: World) -> None:
    [low] = await fill(client, world, 1)
    [colleagues] = await fill(client, world, 1, who=BOB)
    [high] = await fill(client, world, 1)

    await ask(client, ADA, MOVE, **moving(world, world.ada.deal, afterDealId=high, beforeDealId=low))

    assert await column(client, "qualified") == [high, str(world.ada.deal), colleagues, low]
    assert await column(client, "qualified", ADA) == [high, str(world.ada.deal), low]


async def test_ranks_stay_short_when_one_gap_is_halved_again_and_again(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    top, low = await fill(client, world, 2)
    long = "a0" + "V" * (LENGTH_MAX - 2)
    place = text("UPDATE deals SET rank = :rank WHERE id = :id")
    await sql.execute(place, {"rank": long, "id": top})
    await sql.execute(place, {"rank": long + "V", "id": low})

    await ask(client, ADA, MOVE, **moving(world, world.ada.deal, afterDealId=top))
    await ask(client, ADA, MOVE, **moving(world, world.ada.cross, beforeDealId=low))

    assert await column(client, "qualified") == [top, str(world.ada.deal), str(world.ada.cross), low]
    assert max(map(len, await ranks(sql, world))) < 5


async def test_a_rank_may_have_64_letters_before_its_column_is_renumbered(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    top, low = await fill(client, world, 2)
    long = "a0" + "V" * 61
    place = text("UPDATE deals SET rank = :rank WHERE id = :id")
    await sql.execute(place, {"rank": long, "id": top})
    await sql.execute(place, {"rank": long + "V", "id": low})

    await ask(client, ADA, MOVE, **moving(world, world.ada.deal, afterDealId=top))

    assert [len(rank) for rank in await ranks(sql, world)] == [63, 64, 64]


async def test_a_deal_that_was_deleted_is_no_neighbour(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    top, gone, low = await fill(client, world, 3)
    await sql.execute(text("UPDATE deals SET deleted_at = now() WHERE id = :id"), {"id": gone})
    rank = text("SELECT rank FROM deals WHERE id = :id")
    before, after = await sql.scalar(rank, {"id": top}), await sql.scalar(rank, {"id": low})

    await ask(client, ADA, MOVE, **moving(world, world.ada.deal, afterDealId=top))

    assert await sql.scalar(rank, {"id": world.ada.deal}) == generate_key_between(before, after)


async def test_a_deal_on_top_of_its_column_keeps_its_rank_there(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    below, top = (await fill(client, world, 1)), str(world.ada.deal)
    await ask(client, ADA, MOVE, **moving(world, top))
    first = (await ranks(sql, world))[0]

    await ask(client, ADA, MOVE, **moving(world, top, beforeDealId=below[0]))

    assert await column(client, "qualified") == [top, *below]
    assert (await ranks(sql, world))[0] == first


async def test_a_move_to_a_stage_that_is_not_there_is_refused(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    async with unchanged(sql):
        nowhere = moving(world, world.ada.deal)
        nowhere["in"]["stageId"] = str(world.ada.deal)
        error = await refusal(client, ADA, MOVE, **nowhere)
    assert (reason(error), error["message"]) == (("NOT_FOUND", "stageId"), "[NOT_FOUND] stageId: stage not found")


async def test_a_deal_stays_in_its_pipeline(client: httpx.AsyncClient, board: Board, sql: AsyncConnection) -> None:
    there = await board.deal("new")
    async with unchanged(sql):
        for deal, stage in ((board.world.ada.deal, board.stage["new"]), (there, board.world.stage["new"])):
            error = await refusal(client, ADA, MOVE, **{"in": {"dealId": str(deal), "stageId": str(stage)}})
            assert reason(error) == ("VALIDATION", "stageId")


async def test_a_deal_is_not_won_in_another_pipeline(
    client: httpx.AsyncClient, board: Board, sql: AsyncConnection
) -> None:
    win = "mutation ($in: MarkDealWonInput!) { markDealWon(input: $in) { deal { id } } }"
    async with unchanged(sql):
        wish = {"dealId": str(board.world.ada.deal), "stageId": str(board.stage["won"])}
        assert reason(await refusal(client, ADA, win, **{"in": wish})) == ("VALIDATION", "stageId")


async def test_deals_with_the_same_rank_are_separated(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    ada, there = world.ada, {"stage_id": world.stage["qualified"]}
    deals = [str(await add_deal(sql, world.stage, ada.owner, ada.contact, **there)) for _ in range(4)]
    first, second, *rest = sorted(deals)

    await ask(client, ADA, MOVE, **moving(world, world.ada.deal, afterDealId=first))

    assert await column(client, "qualified") == [first, str(world.ada.deal), second, *rest]
    assert len(set(await ranks(sql, world))) == 5


async def test_concurrent_moves_never_give_two_deals_one_rank(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    a, b = await fill(client, world, 2)
    deals = [await add_deal(sql, world.stage, world.ada.owner, world.ada.contact) for _ in range(20)]

    def call(i: int) -> Any:
        if i % 3 == 0:
            return send(client, ADA, CREATE, **{"in": {"title": "new", "stageId": str(world.stage["qualified"])}})
        return send(client, ADA, MOVE, **moving(world, deals[i], **({"afterDealId": a} if i % 2 else {})))

    answers = await asyncio.gather(*map(call, range(20)))

    assert [answer.text for answer in answers if "errors" in answer.json()] == []
    found = await ranks(sql, world)
    assert len(found) == len(set(found)) == 22
    order = await column(client, "qualified")
    assert order.index(a) < order.index(b)


Step = tuple[int, int, str]  # which deal goes to which place of the column, and how that is expressed
steps = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from(["after", "before", "both"])), max_size=15
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=steps)
async def test_a_column_is_ordered_like_a_list(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, plan: list[Step]
) -> None:
    await sql.execute(text("DELETE FROM deals"))
    model = await fill(client, world, 6)
    for which, where, how in plan:
        deal = model.pop(which)
        place = min(where, len(model))
        between = {}
        if place > 0 and how in ("after", "both"):
            between["afterDealId"] = model[place - 1]
        if place < len(model) and (how in ("before", "both") or not between):
            between["beforeDealId"] = model[place]
        if not between:
            between["afterDealId"] = model[-1]
        await ask(client, ADA, MOVE, **moving(world, deal, **between))
        model.insert(place, deal)
    assert await column(client, "qualified") == model
