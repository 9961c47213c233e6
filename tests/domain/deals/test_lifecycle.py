"""Deals after their creation: won, lost, reopened, deleted, restored, reassigned and claimed."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import PipelineStage
from tests.support.api import Json, ask, reason, refusal, send
from tests.support.database import recorded, unchanged
from tests.support.deals import assert_gap_free, history, stored, timeline
from tests.support.factories import ADA, BOB, READER, ROOT, World, add

SHOWN = "{ deal { id status lostReason version stage { key } owner { email } } replayed }"
WON = f"mutation ($in: MarkDealWonInput!) {{ done: markDealWon(input: $in) {SHOWN} }}"
LOST = f"mutation ($in: MarkDealLostInput!) {{ done: markDealLost(input: $in) {SHOWN} }}"
REOPEN = f"mutation ($in: ReopenDealInput!) {{ done: reopenDeal(input: $in) {SHOWN} }}"
ASSIGN = f"mutation ($in: AssignDealInput!) {{ done: assignDeal(input: $in) {SHOWN} }}"
CLAIM = f"mutation ($in: ClaimDealInput!) {{ done: claimDeal(input: $in) {SHOWN} }}"
RESTORE = f"mutation ($in: RestoreDealInput!) {{ done: restoreDeal(input: $in) {SHOWN} }}"
DELETE = "mutation ($in: DeleteDealInput!) { done: deleteDeal(input: $in) { deletedDealId replayed } }"
MOVE = f"mutation ($in: MoveDealStageInput!) {{ done: moveDealStage(input: $in) {SHOWN} }}"
UPDATE = f"mutation ($in: UpdateDealInput!) {{ done: updateDeal(input: $in) {SHOWN} }}"
SEEN = "query ($id: UUID!) { deal(id: $id) { id } deals { totalCount } pipeline { stages { dealCount } } }"


async def do(client: httpx.AsyncClient, mutation: str, deal: Any, who: str = ADA, **given: Any) -> Json:
    answer = await ask(client, who, mutation, **{"in": {"dealId": str(deal), **given}})
    return dict(answer["done"].get("deal") or answer["done"])


async def no(client: httpx.AsyncClient, mutation: str, deal: Any, who: str = ADA, **given: Any) -> Json:
    return await refusal(client, who, mutation, **{"in": {"dealId": str(deal), **given}})


async def test_a_deal_is_won_lost_and_reopened(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    deal = world.ada.deal
    await do(client, MOVE, deal, stageId=str(world.stage["qualified"]))

    lost = await do(client, LOST, deal, reason="No budget")
    assert (lost["status"], lost["lostReason"], lost["stage"]["key"]) == ("LOST", "No budget", "lost")
    reopened = await do(client, REOPEN, deal)
    assert (reopened["status"], reopened["lostReason"], reopened["stage"]["key"]) == ("OPEN", None, "qualified")
    won = await do(client, WON, deal)
    assert (won["status"], won["stage"]["key"], won["version"]) == ("WON", "won", 5)

    ways = [(None, "new"), ("new", "qualified"), ("qualified", "lost"), ("lost", "qualified"), ("qualified", "won")]
    assert await history(sql, deal) == ways
    contents = [entry.content for entry in await timeline(sql, deal)]
    assert contents == ["New -> Qualified", "Qualified -> Lost", "Lost -> Qualified", "Qualified -> Won"]
    assert (await timeline(sql, deal))[1].meta["lost_reason"] == "No budget"
    await assert_gap_free(sql, deal)


async def test_a_deal_reopens_in_its_own_last_stage_whatever_others_did_later(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    deal, other = world.ada.deal, world.ada.cross
    await do(client, MOVE, deal, stageId=str(world.stage["qualified"]))
    await do(client, LOST, deal, reason="No budget")
    await do(client, MOVE, other, stageId=str(world.stage["meeting_scheduled"]))

    assert (await do(client, REOPEN, deal))["stage"]["key"] == "qualified"


async def test_a_deal_that_was_never_open_reopens_in_the_first_stage(client: httpx.AsyncClient, world: World) -> None:
    create = "mutation ($in: CreateDealInput!) { createDeal(input: $in) { deal { id } } }"
    made = await ask(client, ADA, create, **{"in": {"title": "Won at once", "stageId": str(world.stage["won"])}})

    reopened = await do(client, REOPEN, made["createDeal"]["deal"]["id"])

    assert reopened["stage"]["key"] == "new"


async def test_a_mutation_to_the_present_status_changes_nothing(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await do(client, WON, world.ada.deal)
    await do(client, LOST, world.ada.cross, reason="No budget")
    async with unchanged(sql):
        await do(client, WON, world.ada.deal)
        await do(client, LOST, world.ada.cross, reason="No budget")
        await do(client, REOPEN, world.pool.deal)


async def test_a_lost_deal_gets_another_reason(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await do(client, LOST, world.ada.deal, reason="No budget")

    again = await do(client, LOST, world.ada.deal, reason="No answer")

    assert (again["lostReason"], again["version"]) == ("No answer", 3)
    assert len(await history(sql, world.ada.deal)) == 2
    changes = (await timeline(sql, world.ada.deal))[-1].meta["changes"]
    assert changes == {"lost_reason": {"old": "No budget", "new": "No answer"}}


async def test_a_stage_of_the_same_kind_can_be_named(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    place = {"pipeline_id": world.stage["pipeline"], "order_index": 90, "probability": 0, "kind": "lost"}
    later = await add(sql, PipelineStage, key="not_now", name="Not now", **place)
    try:
        lost = await do(client, LOST, world.ada.deal, reason="Next year", stageId=str(later))
        assert (lost["status"], lost["stage"]["key"]) == ("LOST", "not_now")
        async with unchanged(sql):
            error = await no(client, WON, world.pool.deal, stageId=str(later))
        assert reason(error) == ("VALIDATION", "stageId")
    finally:
        await sql.execute(text("DELETE FROM deals"))
        await sql.execute(text("DELETE FROM pipeline_stages WHERE key = 'not_now'"))


@pytest.mark.parametrize("why", ["", "   ", "x" * 501, "a\x00b"])
async def test_a_deal_is_not_lost_without_a_reason(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, why: str
) -> None:
    async with unchanged(sql):
        error = await no(client, LOST, world.ada.deal, reason=why)
    assert reason(error) == ("VALIDATION", "reason")


async def test_a_deleted_deal_is_hidden_and_restored_on_top(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    before = await ask(client, ADA, SEEN, id=str(world.ada.deal))

    deleted = await do(client, DELETE, world.ada.deal)

    assert deleted == {"deletedDealId": str(world.ada.deal), "replayed": False}
    deleted = await ask(client, ADA, SEEN, id=str(world.ada.deal))
    assert deleted["deal"] is None
    assert deleted["deals"]["totalCount"] == before["deals"]["totalCount"] - 1
    for mutation, more in ((MOVE, {"stageId": str(world.stage["won"])}), (UPDATE, {"title": "x"}), (DELETE, {})):
        async with unchanged(sql):
            assert reason(await no(client, mutation, world.ada.deal, **more)) == ("NOT_FOUND", "dealId")

    await do(client, RESTORE, world.ada.deal)
    assert await ask(client, ADA, SEEN, id=str(world.ada.deal)) == before
    row = await stored(sql, world.ada.deal)
    others = await sql.scalar(text("SELECT min(rank) FROM deals WHERE id <> :id"), {"id": world.ada.deal})
    assert (row["deleted_at"], row["version"], row["key"]) == (None, 3, "new")
    assert row["rank"] < others
    contents = [entry.content for entry in await timeline(sql, world.ada.deal)]
    assert contents == ["Deal deleted", "Deal restored"]
    async with unchanged(sql):
        await do(client, RESTORE, world.ada.deal)


async def test_a_deleted_deal_of_a_colleague_stays_deleted(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await do(client, DELETE, world.bob.deal, BOB)
    async with unchanged(sql):
        assert reason(await no(client, RESTORE, world.bob.deal)) == ("NOT_FOUND", "dealId")
    await do(client, RESTORE, world.bob.deal, ROOT)


async def test_an_admin_gives_a_deal_to_somebody_and_a_salesperson_does_not(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    for who in (world.bob.owner, None):
        async with unchanged(sql):
            error = await no(client, ASSIGN, world.ada.deal, ownerId=who and str(who))
        assert reason(error) == ("FORBIDDEN", "ownerId")

    given = await do(client, ASSIGN, world.ada.deal, ROOT, ownerId=str(world.bob.owner))
    assert (given["owner"]["email"], given["version"]) == (BOB, 2)
    pooled = await do(client, ASSIGN, world.ada.deal, ROOT, ownerId=None)
    assert pooled["owner"] is None
    contents = [entry.content for entry in await timeline(sql, world.ada.deal)]
    assert contents == ["Deal changed: owner_id", "Deal changed: owner_id"]


async def test_an_owner_who_could_not_work_on_a_deal_is_refused(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await sql.execute(text("UPDATE owners SET active = false WHERE email = :email"), {"email": BOB})
    reader = await sql.scalar(text("SELECT id FROM owners WHERE email = :email"), {"email": READER})
    for owner in (world.bob.owner, world.company, reader):
        async with unchanged(sql):
            error = await no(client, ASSIGN, world.ada.deal, ROOT, ownerId=str(owner))
        assert reason(error) == ("NOT_FOUND", "ownerId")


async def test_of_two_concurrent_claims_one_succeeds(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    given = {"in": {"dealId": str(world.pool.deal)}}

    answers = await asyncio.gather(*(send(client, (ADA, BOB)[i % 2], CLAIM, **given) for i in range(10)))

    bodies = [answer.json() for answer in answers]
    got = {body["data"]["done"]["deal"]["owner"]["email"] for body in bodies if "errors" not in body}
    codes = [body["errors"][0]["extensions"]["code"] for body in bodies if "errors" in body]
    assert len(got) == 1
    assert codes == ["NOT_FOUND"] * 5
    assert (await stored(sql, world.pool.deal))["version"] == 2
    assert len(await timeline(sql, world.pool.deal)) == 1


async def test_a_claimed_deal_can_not_be_claimed_by_others(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    async with unchanged(sql):
        await do(client, CLAIM, world.ada.deal)  # to have it already is success
        assert reason(await no(client, CLAIM, world.bob.deal)) == ("NOT_FOUND", "dealId")
        assert reason(await no(client, CLAIM, world.bob.deal, ROOT)) == ("CONFLICT", "dealId")


EVERY: list[tuple[str, dict[str, Any]]] = [
    (WON, {}),
    (LOST, {"reason": "No budget"}),
    (REOPEN, {}),
    (DELETE, {}),
    (ASSIGN, {"ownerId": "ada"}),
    (CLAIM, {}),
    (MOVE, {"stageId": "won"}),
    (UPDATE, {"title": "x"}),
]


def expected_input(world: World, more: dict[str, Any]) -> dict[str, Any]:
    """Names of the world as ids."""
    known = {"ada": str(world.ada.owner), "won": str(world.stage["won"])}
    return {name: known.get(value, value) for name, value in more.items()}


@pytest.mark.parametrize(("mutation", "more"), [*EVERY, (RESTORE, {})])
async def test_a_colleagues_deal_looks_like_a_missing_one_and_readers_write_nothing(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, mutation: str, more: dict[str, Any]
) -> None:
    given = expected_input(world, more)
    async with unchanged(sql):
        colleagues = await no(client, mutation, world.bob.deal, **given)
        missing = await no(client, mutation, world.company, **given)
        forbidden = await no(client, mutation, world.bob.deal, READER, **given)
    assert colleagues == missing
    assert (reason(colleagues), reason(forbidden)[0]) == (("NOT_FOUND", "dealId"), "FORBIDDEN")


@pytest.mark.parametrize(("mutation", "more"), EVERY)
async def test_a_stale_version_changes_nothing_and_returns_the_present_one(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, mutation: str, more: dict[str, Any]
) -> None:
    deal = world.pool.deal
    await do(client, UPDATE, deal, title="Changed meanwhile")
    async with unchanged(sql):
        error = await no(client, mutation, deal, ROOT, expectedVersion=1, **expected_input(world, more))
    assert reason(error) == ("VERSION_CONFLICT", "expectedVersion")
    assert error["extensions"]["version"] == 2
    assert "version 2" in error["message"]
    await do(client, mutation, deal, ROOT, expectedVersion=2, **expected_input(world, more))


@pytest.mark.parametrize(("mutation", "more"), EVERY)
async def test_a_mutation_takes_at_most_six_statements(
    client: httpx.AsyncClient, world: World, mutation: str, more: dict[str, Any]
) -> None:
    deal, who = (world.pool.deal, ROOT) if mutation == CLAIM else (world.ada.deal, ROOT)
    await ask(client, who, "{ me { id } }")
    await do(client, UPDATE, world.bob.deal, who, title="SQLAlchemy asks a new server about itself")
    with recorded() as statements:
        await do(client, mutation, deal, who, expectedVersion=1, idempotencyKey="k", **expected_input(world, more))
    assert 3 <= len(statements) <= 6, statements
