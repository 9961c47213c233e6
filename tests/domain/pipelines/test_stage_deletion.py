"""Deleting a stage: its deals move to another one, history still names it, and no deal can enter it any more."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.domain.pipelines import stage_deletion
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.identity.principal import Principal
from crm_graph.models import Role, WebhookLog
from crm_graph.values import utc_now
from tests.support.api import Json, ask, reason, refusal, send
from tests.support.database import recorded, rows, somebody_waits, unchanged
from tests.support.factories import ADA, ROOT
from tests.support.pipelines import Board
from tests.support.webhooks import fixture, post

DELETE = "mutation ($in: DeleteStageInput!) { deleteStage(input: $in) { deletedStageId movedDealCount replayed } }"
MOVE = "mutation ($in: MoveDealStageInput!) { moveDealStage(input: $in) { deal { id } } }"
WIN = "mutation ($in: MarkDealWonInput!) { markDealWon(input: $in) { deal { stage { key } status } } }"
CREATE = "mutation ($in: CreateDealInput!) { createDeal(input: $in) { deal { stage { key } } } }"
RESTORE = "mutation ($in: RestoreDealInput!) { restoreDeal(input: $in) { deal { stage { key } } } }"


async def delete(client: httpx.AsyncClient, board: Board, key: str, to: str | None = None, **given: Any) -> Json:
    """The payload of a stage that an admin deletes."""
    return dict((await ask(client, ROOT, DELETE, **{"in": doomed(board, key, to) | given}))["deleteStage"])


def doomed(board: Board, key: str, to: str | None = None) -> Json:
    target = {"targetStageId": str(board.stage[to])} if to else {}
    return {"stageId": str(board.stage[key]), **target}


async def column(board: Board, key: str) -> list[Any]:
    """The deals of a stage from top to bottom, deleted ones included."""
    query = "SELECT * FROM deals WHERE stage_id = :id ORDER BY rank, id"
    return list(await board.sql.execute(text(query), {"id": board.stage[key]}))


async def moves(board: Board, deal: Any) -> list[tuple[Any, Any]]:
    query = "SELECT from_stage_id, to_stage_id FROM deal_stage_history WHERE deal_id = :id ORDER BY moved_at"
    return [(row.from_stage_id, row.to_stage_id) for row in await board.sql.execute(text(query), {"id": deal})]


async def test_an_empty_stage_disappears_from_the_board(client: httpx.AsyncClient, board: Board) -> None:
    deleted = await delete(client, board, "talks", idempotencyKey="k")
    again = await delete(client, board, "talks", idempotencyKey="k")

    assert deleted == {"deletedStageId": str(board.stage["talks"]), "movedDealCount": 0, "replayed": False}
    assert again == deleted | {"replayed": True}
    seen = await ask(client, ADA, "query ($id: UUID) { pipeline(id: $id) { stages { key } } }", id=str(board.pipeline))
    assert [stage["key"] for stage in seen["pipeline"]["stages"]] == ["new", "won", "lost"]
    new = {"pipelineId": str(board.pipeline), "key": "talks", "name": "Talks"}
    create = "mutation ($in: CreateStageInput!) { createStage(input: $in) { stage { id } } }"
    made = await ask(client, ROOT, create, **{"in": new})  # the key is free again
    assert made["createStage"]["stage"]["id"] != str(board.stage["talks"])


async def test_deals_move_to_the_top_of_the_target_in_their_order(client: httpx.AsyncClient, board: Board) -> None:
    there = [await board.deal("new", rank) for rank in ("a0", "a1")]
    moved = {rank: await board.deal("talks", rank) for rank in ("a2", "a0", "a1")}
    hidden = await board.deal("talks", "Zz", deleted_at="2026-01-05")

    deleted = await delete(client, board, "talks", "new")

    assert deleted["movedDealCount"] == 4
    found = await column(board, "new")
    assert [row.id for row in found] == [hidden, moved["a0"], moved["a1"], moved["a2"], *there]
    assert len({row.rank for row in found}) == 6
    assert [(row.version, row.deleted_at is None) for row in found] == [(2, False), *[(2, True)] * 3, *[(1, True)] * 2]


async def test_every_deal_gets_a_move_and_an_entry(client: httpx.AsyncClient, board: Board) -> None:
    deals = [await board.deal("talks"), await board.deal("talks", deleted_at="2026-01-05")]

    await delete(client, board, "talks", "new")

    talks, new = board.stage["talks"], board.stage["new"]
    query = "SELECT * FROM activities WHERE deal_id = :id AND type = 'system'"
    for deal in deals:
        assert await moves(board, deal) == [(None, talks), (talks, new)]
        [entry] = await board.sql.execute(text(query), {"id": deal})
        assert entry.content == "Talks -> New, because the stage was deleted"
        assert entry.meta_json == {"source": "graphql", "from_stage": "talks", "to_stage": "new"}
        assert entry.contact_id is None
        assert entry.created_by is not None
    seen = await ask(
        client,
        ADA,
        "query ($id: UUID!) { deal(id: $id) { stageHistory { nodes { fromStage { name } toStage { name } } } } }",
        id=str(deals[0]),
    )
    assert seen["deal"]["stageHistory"]["nodes"] == [
        {"fromStage": None, "toStage": {"name": "Talks"}},
        {"fromStage": {"name": "Talks"}, "toStage": {"name": "New"}},
    ]


@pytest.mark.parametrize(
    ("key", "to", "status", "lost_reason"),
    [("talks", "won", "won", None), ("talks", "lost", "lost", None), ("lost", "new", "open", None)],
)
async def test_deals_get_the_status_of_the_target(
    key: str, to: str, status: str, lost_reason: str | None, client: httpx.AsyncClient, board: Board
) -> None:
    await board.deal(key, lost_reason="too dear" if key == "lost" else None)

    await delete(client, board, key, to)

    [row] = await column(board, to)
    assert (row.status, row.lost_reason) == (status, lost_reason)


async def test_lost_deals_keep_their_reason(client: httpx.AsyncClient, board: Board) -> None:
    create = """mutation ($in: CreateStageInput!) { createStage(input: $in) { stage { id } } }"""
    given = {"pipelineId": str(board.pipeline), "key": "no_answer", "name": "No answer", "kind": "LOST"}
    board.stage["no_answer"] = (await ask(client, ROOT, create, **{"in": given}))["createStage"]["stage"]["id"]
    await board.deal("lost", lost_reason="too dear")

    await delete(client, board, "lost", "no_answer")

    [row] = await column(board, "no_answer")
    assert (row.status, row.lost_reason) == ("lost", "too dear")


async def test_refused_deletions_change_nothing(client: httpx.AsyncClient, board: Board, sql: AsyncConnection) -> None:
    await board.deal("talks")
    await board.deal("talks", deleted_at="2026-01-05")
    foreign = {"targetStageId": str(board.world.stage["new"])}
    talks = doomed(board, "talks")

    for given, expected in (
        (talks, ("CONFLICT", "targetStageId")),
        (talks | foreign, ("VALIDATION", "targetStageId")),
        (doomed(board, "talks", "talks"), ("VALIDATION", "targetStageId")),
        (talks | {"targetStageId": str(uuid.uuid4())}, ("NOT_FOUND", "targetStageId")),
        (talks | {"stageId": str(uuid.uuid4())}, ("NOT_FOUND", "stageId")),
    ):
        async with unchanged(sql):
            error = await refusal(client, ROOT, DELETE, **{"in": given})
        assert reason(error) == expected
        assert error["extensions"].get("dealCount") == (2 if given == talks else None)


async def test_too_many_deals_are_refused(
    client: httpx.AsyncClient, board: Board, sql: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stage_deletion.DEALS_MAX == 10_000  # in the schema's description
    monkeypatch.setattr(stage_deletion, "DEALS_MAX", 1)
    for _ in range(2):
        await board.deal("talks")

    async with unchanged(sql):
        error = await refusal(client, ROOT, DELETE, **{"in": doomed(board, "talks", "new")})

    assert (reason(error), error["extensions"]["dealCount"]) == (("CONFLICT", "stageId"), 2)


async def test_the_last_open_stage_is_not_deleted(client: httpx.AsyncClient, board: Board) -> None:
    answers = await asyncio.gather(
        send(client, ROOT, DELETE, **{"in": doomed(board, "new", "talks")}),
        send(client, ROOT, DELETE, **{"in": doomed(board, "talks", "new")}),
    )

    [error] = [body["errors"][0] for body in (answer.json() for answer in answers) if "errors" in body]
    assert reason(error) == ("CONFLICT", "stageId")
    assert len({"new", "talks"} & set(await board.keys())) == 1


async def test_a_deleted_stage_accepts_no_deals(client: httpx.AsyncClient, board: Board, sql: AsyncConnection) -> None:
    deal = await board.deal("new")
    await delete(client, board, "talks")
    talks = {"stageId": str(board.stage["talks"])}

    for document, given in (
        (MOVE, {"dealId": str(deal), **talks}),
        (CREATE, {"title": "x", **talks}),
        (DELETE, talks),
        (DELETE, doomed(board, "won", "talks")),
        ("mutation ($in: UpdateStageInput!) { updateStage(input: $in) { replayed } }", {"name": "x", **talks}),
    ):
        async with unchanged(sql):
            error = await refusal(client, ROOT, document, **{"in": given})
        assert error["extensions"]["code"] == "NOT_FOUND"


async def test_a_deleted_deal_is_restored_in_the_target(client: httpx.AsyncClient, board: Board) -> None:
    deal = await board.deal("talks", deleted_at="2026-01-05")
    await delete(client, board, "talks", "new")

    back = await ask(client, ADA, RESTORE, **{"in": {"dealId": str(deal)}})

    assert back["restoreDeal"]["deal"]["stage"] == {"key": "new"}


async def test_calls_that_waited_for_the_stage_find_it_deleted(
    client: httpx.AsyncClient, board: Board, sql: AsyncConnection, database: Database
) -> None:
    deal, other = await board.deal("new"), await board.deal("new")
    root = await sql.scalar(text("SELECT id FROM owners WHERE email = :email"), {"email": ROOT})
    create = "mutation ($in: CreateStageInput!) { createStage(input: $in) { stage { id } } }"
    second = {"pipelineId": str(board.pipeline), "key": "paid", "name": "Paid", "kind": "WON"}
    await ask(client, ROOT, create, **{"in": second})

    async with database.transaction() as session:
        admin, won = Principal(root, Role.ADMIN), board.stage["won"]
        await stage_deletion.delete(UnitOfWork(session, admin, utc_now()), stage_id=won)
        waiting = [
            asyncio.create_task(send(client, ADA, MOVE, **{"in": {"dealId": str(deal), "stageId": str(won)}})),
            asyncio.create_task(send(client, ADA, CREATE, **{"in": {"title": "x", "stageId": str(won)}})),
            asyncio.create_task(send(client, ADA, WIN, **{"in": {"dealId": str(other)}})),
        ]
        await somebody_waits(sql, len(waiting))
    moved, created, marked = [answer.json() for answer in await asyncio.gather(*waiting)]

    for refused in (moved, created):
        assert reason(refused["errors"][0]) == ("NOT_FOUND", "stageId")
    assert marked["data"]["markDealWon"]["deal"] == {"stage": {"key": "paid"}, "status": "WON"}
    assert await column(board, "won") == []


async def test_an_event_that_waited_for_its_stage_reports_what_is_missing(
    client: httpx.AsyncClient, board: Board, sql: AsyncConnection, database: Database
) -> None:
    root = await sql.scalar(text("SELECT id FROM owners WHERE email = :email"), {"email": ROOT})

    async with database.transaction() as session:
        qualified = board.world.stage["qualified"]
        await stage_deletion.delete(UnitOfWork(session, Principal(root, Role.ADMIN), utc_now()), stage_id=qualified)
        event = asyncio.create_task(post(client, "instantly", fixture("instantly", "lead_interested")))
        await somebody_waits(sql)

    assert (await event).json()["status"] == "stored"
    [row] = await rows(sql, WebhookLog)
    assert row.error.endswith(" has no stage with the key 'qualified': add it, then replay")


async def test_no_deal_ends_in_a_stage_that_is_deleted_during_moves(
    client: httpx.AsyncClient, board: Board, sql: AsyncConnection
) -> None:
    deals = [await board.deal(("new", "talks")[i % 2]) for i in range(12)]
    for i, deal in enumerate(deals[:4]):
        await sql.execute(text("UPDATE deals SET rank = :rank WHERE id = :id"), {"rank": f"a{i}", "id": deal})

    def move(i: int) -> Any:
        key = ("talks", "talks", "new", "won")[i % 4]
        given = {"dealId": str(deals[i % 12]), "stageId": str(board.stage[key])}
        return send(client, (ADA, ROOT)[i % 2], MOVE, **{"in": given})

    def make() -> Any:
        return send(client, ADA, CREATE, **{"in": {"title": "x", "stageId": str(board.stage["talks"])}})

    deletion = send(client, ROOT, DELETE, **{"in": doomed(board, "talks", "new")})
    answers = await asyncio.gather(
        *(move(i) for i in range(16)), deletion, *(move(i) for i in range(16)), make(), make()
    )

    refused = [body["errors"][0] for body in (answer.json() for answer in answers) if "errors" in body]
    assert {reason(error) for error in refused} <= {("NOT_FOUND", "stageId")}
    assert "errors" not in answers[16].json()
    assert await column(board, "talks") == []
    found = await column(board, "new")
    assert len({row.rank for row in found if row.version > 1}) == sum(row.version > 1 for row in found)
    for deal in deals:
        walked = await moves(board, deal)
        assert [step[0] for step in walked[1:]] == [step[1] for step in walked[:-1]]
        assert walked[-1][1] in (board.stage["new"], board.stage["won"])


async def test_number_of_statements_is_the_same_for_many_deals(client: httpx.AsyncClient, board: Board) -> None:
    counts = []
    for deals, (key, to) in ((1, ("won", "lost")), (30, ("talks", "new"))):
        for _ in range(deals):
            await board.deal(key)
        await ask(client, ROOT, "{ __typename }")
        with recorded() as sent:
            await delete(client, board, key, to)
        counts.append(len(sent))
    assert counts[0] + 1 == counts[1] == 9  # only of an open stage it is checked whether another one is left
