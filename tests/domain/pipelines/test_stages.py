"""Stages through the API: admins add, change and reorder them."""

import asyncio
import uuid
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.api import Json, ask, reason, refusal, send
from tests.support.database import recorded, unchanged
from tests.support.factories import ADA, ROOT
from tests.support.pipelines import Board

CREATE = """mutation ($in: CreateStageInput!) { createStage(input: $in) { replayed
    stage { id key name kind probability } } }"""
UPDATE = "mutation ($in: UpdateStageInput!) { updateStage(input: $in) { replayed stage { name kind probability } } }"
REORDER = """mutation ($in: ReorderStagesInput!) { reorderStages(input: $in) { replayed
    pipeline { stages { key } } } }"""
MOVE = "mutation ($in: MoveDealStageInput!) { moveDealStage(input: $in) { deal { status } } }"


async def create(client: httpx.AsyncClient, board: Board, **given: Any) -> Json:
    """The payload of a stage that an admin adds."""
    values = {"pipelineId": str(board.pipeline), "key": "proposal", "name": "Proposal", **given}
    return dict((await ask(client, ROOT, CREATE, **{"in": values}))["createStage"])


async def test_a_new_stage_is_the_last_or_follows_another(client: httpx.AsyncClient, board: Board) -> None:
    await create(client, board)
    await create(client, board, key="last", name="Last", kind="OPEN", probability=0.05, afterStageId=None)
    await create(client, board, key="paid", name="Paid", kind="WON", afterStageId=str(board.stage["talks"]))

    assert await board.stages() == [
        ("new", "New", "open", 0.0),
        ("talks", "Talks", "open", 0.1),
        ("paid", "Paid", "won", 1.0),
        ("won", "Won", "won", 0.2),
        ("lost", "Lost", "lost", 0.3),
        ("proposal", "Proposal", "open", 0.0),
        ("last", "Last", "open", 0.05),
    ]


BAD: list[tuple[Json, tuple[str, str]]] = [
    ({"key": "talks"}, ("CONFLICT", "key")),
    ({"key": "Proposal"}, ("VALIDATION", "key")),
    ({"key": "1st"}, ("VALIDATION", "key")),
    ({"key": "a" * 101}, ("VALIDATION", "key")),
    ({"key": "a\n"}, ("VALIDATION", "key")),
    ({"name": "\u200b"}, ("VALIDATION", "name")),
    ({"probability": -0.1}, ("VALIDATION", "probability")),
    ({"probability": 0.0001}, ("VALIDATION", "probability")),
    ({"afterStageId": str(uuid.uuid4())}, ("NOT_FOUND", "afterStageId")),
    ({"pipelineId": str(uuid.uuid4())}, ("NOT_FOUND", "pipelineId")),
]


async def test_invalid_stages_are_refused(client: httpx.AsyncClient, board: Board, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        for given, expected in BAD:
            values = {"pipelineId": str(board.pipeline), "key": "proposal", "name": "Proposal", **given}
            assert reason(await refusal(client, ROOT, CREATE, **{"in": values})) == expected


async def test_a_pipeline_has_50_stages_at_most(client: httpx.AsyncClient, board: Board, sql: AsyncConnection) -> None:
    query = """INSERT INTO pipeline_stages (pipeline_id, key, name, order_index, probability, kind)
               SELECT :id, 'k' || i, 'K', i, 0, 'open' FROM generate_series(5, 50) AS i"""
    await sql.execute(text(query), {"id": board.pipeline})

    async with unchanged(sql):
        given = {"pipelineId": str(board.pipeline), "key": "one_more", "name": "One more"}
        error = await refusal(client, ROOT, CREATE, **{"in": given})

    assert reason(error) == ("CONFLICT", "pipelineId")


async def test_concurrently_added_stages_get_different_places(client: httpx.AsyncClient, board: Board) -> None:
    shared = {"pipelineId": str(board.pipeline), "name": "S", "afterStageId": str(board.stage["new"])}
    given = [shared | {"key": f"s{i % 8}"} for i in range(16)]

    answers = await asyncio.gather(*(send(client, ROOT, CREATE, **{"in": one}) for one in given))

    errors = [body["errors"][0]["extensions"] for body in (answer.json() for answer in answers) if "errors" in body]
    assert errors == [{"code": "CONFLICT", "field": "key"}] * 8  # each key once
    assert sorted((await board.keys())[1:9]) == [f"s{i}" for i in range(8)]


async def test_a_repeated_call_creates_one_stage(client: httpx.AsyncClient, board: Board) -> None:
    first = await create(client, board, idempotencyKey="k")
    again = await create(client, board, idempotencyKey="k")

    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["stage"] == again["stage"]
    assert (await board.keys()).count("proposal") == 1


async def test_everything_but_the_key_of_a_stage_changes(client: httpx.AsyncClient, board: Board) -> None:
    given = {"stageId": str(board.stage["talks"]), "name": "Negotiation", "probability": 0.75, "kind": "LOST"}

    changed = await ask(client, ROOT, UPDATE, **{"in": given})

    assert changed["updateStage"]["stage"] == {"name": "Negotiation", "kind": "LOST", "probability": 0.75}
    assert (await board.stages())[1] == ("talks", "Negotiation", "lost", 0.75)


async def test_invalid_changes_are_refused(client: httpx.AsyncClient, board: Board, sql: AsyncConnection) -> None:
    bad: list[tuple[Json, tuple[str, str]]] = [
        ({"name": None}, ("VALIDATION", "name")),
        ({"kind": None}, ("VALIDATION", "kind")),
        ({"probability": None}, ("VALIDATION", "probability")),
        ({"probability": 1.1}, ("VALIDATION", "probability")),
        ({"stageId": str(uuid.uuid4()), "name": "x"}, ("NOT_FOUND", "stageId")),
    ]

    async with unchanged(sql):
        for given, expected in bad:
            values = {"stageId": str(board.stage["talks"]), **given}
            assert reason(await refusal(client, ROOT, UPDATE, **{"in": values})) == expected


async def test_the_kind_of_a_stage_with_deals_does_not_change(
    client: httpx.AsyncClient, board: Board, sql: AsyncConnection
) -> None:
    await board.deal("talks")
    await board.deal("talks", deleted_at="2026-01-05")

    async with unchanged(sql):
        error = await refusal(client, ROOT, UPDATE, **{"in": {"stageId": str(board.stage["talks"]), "kind": "WON"}})

    assert (reason(error), error["extensions"]["dealCount"]) == (("CONFLICT", "kind"), 2)
    same = {"stageId": str(board.stage["talks"]), "kind": "OPEN", "name": "Still open"}
    assert (await ask(client, ROOT, UPDATE, **{"in": same}))["updateStage"]["stage"]["name"] == "Still open"


async def test_the_last_open_stage_stays_open(client: httpx.AsyncClient, board: Board) -> None:
    ids = [board.stage["new"], board.stage["talks"]]

    answers = await asyncio.gather(
        *(send(client, ROOT, UPDATE, **{"in": {"stageId": str(id_), "kind": "LOST"}}) for id_ in ids)
    )

    errors = [body["errors"][0]["extensions"] for body in (answer.json() for answer in answers) if "errors" in body]
    assert errors == [{"code": "CONFLICT", "field": "kind"}]
    assert sorted(kind for key, _, kind, _ in await board.stages() if key in ("new", "talks")) == ["lost", "open"]


async def test_moves_into_a_stage_during_a_change_of_its_kind(
    client: httpx.AsyncClient, board: Board, sql: AsyncConnection
) -> None:
    talks = str(board.stage["talks"])
    deals = [await board.deal("new") for _ in range(10)]

    def moves(some: list[Any]) -> list[Any]:
        return [send(client, ADA, MOVE, **{"in": {"dealId": str(deal), "stageId": talks}}) for deal in some]

    change = send(client, ROOT, UPDATE, **{"in": {"stageId": talks, "kind": "WON"}})
    answers = [answer.json() for answer in await asyncio.gather(change, *moves(deals))]

    assert ["errors" in answer for answer in answers[1:]] == [False] * 10
    kind = "OPEN" if "errors" in answers[0] else "WON"
    assert {answer["data"]["moveDealStage"]["deal"]["status"] for answer in answers[1:]} == {kind}
    stored = await sql.scalars(text("SELECT status FROM deals WHERE stage_id = :id"), {"id": talks})
    assert list(stored) == [kind.lower()] * 10
    assert (await board.stages())[1][2] == kind.lower()


async def test_stages_are_reordered(client: httpx.AsyncClient, board: Board) -> None:
    order = ["talks", "lost", "new", "won"]
    given = {"pipelineId": str(board.pipeline), "stageIds": [str(board.stage[key]) for key in order]}

    answer = await ask(client, ROOT, REORDER, **{"in": {**given, "idempotencyKey": "k"}})
    await ask(client, ROOT, REORDER, **{"in": {**given, "stageIds": given["stageIds"][::-1]}})
    again = await ask(client, ROOT, REORDER, **{"in": {**given, "idempotencyKey": "k"}})

    assert [stage["key"] for stage in answer["reorderStages"]["pipeline"]["stages"]] == order
    assert await board.keys() == order[::-1]
    assert again["reorderStages"]["replayed"] is True


async def test_an_order_names_every_stage_once(client: httpx.AsyncClient, board: Board, sql: AsyncConnection) -> None:
    ids = [str(id_) for id_ in board.stage.values()]
    foreign = str(board.world.stage["new"])

    for wrong in (ids[:3], [*ids, ids[0]], [*ids[:3], ids[0]], [*ids[:3], foreign], [*ids, foreign], []):
        async with unchanged(sql):
            given = {"pipelineId": str(board.pipeline), "stageIds": wrong}
            assert reason(await refusal(client, ROOT, REORDER, **{"in": given})) == ("VALIDATION", "stageIds")


async def test_concurrent_reorderings(client: httpx.AsyncClient, board: Board) -> None:
    ids = [str(id_) for id_ in board.stage.values()]
    orders = [ids[i % 4 :] + ids[: i % 4] for i in range(12)]

    answers = await asyncio.gather(
        *(send(client, ROOT, REORDER, **{"in": {"pipelineId": str(board.pipeline), "stageIds": o}}) for o in orders)
    )

    assert ["errors" in answer.json() for answer in answers] == [False] * 12
    assert [str(board.stage[key]) for key in await board.keys()] in orders


async def test_number_of_statements(client: httpx.AsyncClient, board: Board) -> None:
    await ask(client, ROOT, "{ __typename }")
    with recorded() as sent:
        await create(client, board)
    assert len(sent) == 5  # the lock, the stages, the new one, their order, the payload
