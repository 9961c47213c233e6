"""Pipelines through the API: admins set them up, and one is always the default."""

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

CREATE = """mutation ($in: CreatePipelineInput!) { createPipeline(input: $in) { replayed
    pipeline { id name isDefault stages { key name kind probability } } } }"""
UPDATE = "mutation ($in: UpdatePipelineInput!) { updatePipeline(input: $in) { pipeline { name isDefault } } }"
DELETE = "mutation ($in: DeletePipelineInput!) { deletePipeline(input: $in) { deletedPipelineId replayed } }"
PIPELINES = "{ pipelines { name isDefault } }"


async def create(client: httpx.AsyncClient, **given: Any) -> Json:
    """The payload of a pipeline that an admin creates."""
    return dict((await ask(client, ROOT, CREATE, **{"in": {"name": "Resellers", **given}}))["createPipeline"])


async def defaults(sql: AsyncConnection) -> list[str]:
    return list(await sql.scalars(text("SELECT name FROM pipelines WHERE is_default")))


async def test_a_pipeline_without_stages_gets_the_contracts_seven(client: httpx.AsyncClient, board: Board) -> None:
    made = (await create(client, name="  Resellers "))["pipeline"]

    default = await ask(client, ROOT, "{ pipeline { stages { key name kind probability } } }")
    assert (made["name"], made["isDefault"]) == ("Resellers", False)
    assert made["stages"] == default["pipeline"]["stages"]
    assert [stage["key"] for stage in made["stages"]][:2] == ["new", "contacted"]


async def test_a_pipeline_with_its_own_stages(client: httpx.AsyncClient, board: Board) -> None:
    stages = [
        {"key": "first_talk", "name": "First talk", "probability": 0.125},
        {"key": "won", "name": "Won", "kind": "WON"},
        {"key": "lost", "name": "Lost", "kind": "LOST", "probability": 0},
    ]

    made = (await create(client, stages=stages))["pipeline"]

    assert made["stages"] == [
        {"key": "first_talk", "name": "First talk", "kind": "OPEN", "probability": 0.125},
        {"key": "won", "name": "Won", "kind": "WON", "probability": 1},
        {"key": "lost", "name": "Lost", "kind": "LOST", "probability": 0},
    ]


BAD: list[tuple[Json, tuple[str, str]]] = [
    ({"name": "Partners"}, ("CONFLICT", "name")),
    ({"name": " "}, ("VALIDATION", "name")),
    ({"name": "two\nlines"}, ("VALIDATION", "name")),
    ({"name": "x" * 501}, ("VALIDATION", "name")),
    ({"stages": []}, ("VALIDATION", "stages")),
    ({"stages": [{"key": f"s{i}", "name": "S"} for i in range(51)]}, ("VALIDATION", "stages")),
    ({"stages": [{"key": "won", "name": "Won", "kind": "WON"}]}, ("VALIDATION", "stages")),
    ({"stages": [{"key": "new", "name": "A"}, {"key": "new", "name": "B"}]}, ("VALIDATION", "stages")),
    ({"stages": [{"key": "New", "name": "New"}]}, ("VALIDATION", "stages")),
    ({"stages": [{"key": "new", "name": ""}]}, ("VALIDATION", "stages")),
    ({"stages": [{"key": "new", "name": "New", "probability": 1.001}]}, ("VALIDATION", "stages")),
]


async def test_invalid_pipelines_are_refused(client: httpx.AsyncClient, board: Board, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        for given, expected in BAD:
            error = await refusal(client, ROOT, CREATE, **{"in": {"name": "Resellers", **given}})
            assert reason(error) == expected


async def test_one_pipeline_is_always_the_default(
    client: httpx.AsyncClient, board: Board, sql: AsyncConnection
) -> None:
    await create(client, isDefault=True)
    assert await defaults(sql) == ["Resellers"]

    await ask(client, ROOT, UPDATE, **{"in": {"pipelineId": str(board.pipeline), "isDefault": True}})
    assert await defaults(sql) == ["Partners"]
    await ask(client, ROOT, UPDATE, **{"in": {"pipelineId": str(board.pipeline), "isDefault": True}})
    assert await defaults(sql) == ["Partners"]
    made = await ask(client, ADA, 'mutation { createDeal(input: {title: "x"}) { deal { pipeline { name } } } }')
    assert made["createDeal"]["deal"]["pipeline"] == {"name": "Partners"}

    async with unchanged(sql):
        error = await refusal(client, ROOT, UPDATE, **{"in": {"pipelineId": str(board.pipeline), "isDefault": False}})
    assert reason(error) == ("CONFLICT", "isDefault")


async def test_concurrent_changes_leave_one_default(
    client: httpx.AsyncClient, board: Board, sql: AsyncConnection
) -> None:
    ids = [board.pipeline, board.world.stage["pipeline"], (await create(client))["pipeline"]["id"]]

    given = ({"pipelineId": str(ids[i % 3]), "isDefault": True} for i in range(12))
    answers = await asyncio.gather(*(send(client, ROOT, UPDATE, **{"in": one}) for one in given))

    assert ["errors" in answer.json() for answer in answers] == [False] * 12
    assert len(await defaults(sql)) == 1


async def test_a_pipeline_is_renamed(client: httpx.AsyncClient, board: Board, sql: AsyncConnection) -> None:
    pipeline = str(board.pipeline)

    renamed = await ask(client, ROOT, UPDATE, **{"in": {"pipelineId": pipeline, "name": "Channel"}})
    same = await ask(client, ROOT, UPDATE, **{"in": {"pipelineId": pipeline, "name": "Channel", "isDefault": False}})

    assert renamed == same
    assert renamed["updatePipeline"]["pipeline"] == {"name": "Channel", "isDefault": False}
    for given, expected in (
        ({"name": "Default Sales"}, ("CONFLICT", "name")),
        ({"name": None}, ("VALIDATION", "name")),
        ({"pipelineId": str(uuid.uuid4()), "name": "x"}, ("NOT_FOUND", "pipelineId")),
    ):
        async with unchanged(sql):
            error = await refusal(client, ROOT, UPDATE, **{"in": {"pipelineId": pipeline, **given}})
        assert reason(error) == expected


async def test_a_pipeline_is_deleted_with_its_stages(client: httpx.AsyncClient, board: Board) -> None:
    given = {"pipelineId": str(board.pipeline), "idempotencyKey": "k"}

    result = await ask(client, ROOT, DELETE, **{"in": given})
    again = await ask(client, ROOT, DELETE, **{"in": given})

    assert result["deletePipeline"] == {"deletedPipelineId": str(board.pipeline), "replayed": False}
    assert again["deletePipeline"] == {"deletedPipelineId": str(board.pipeline), "replayed": True}
    assert (await ask(client, ADA, PIPELINES))["pipelines"] == [{"name": "Default Sales", "isDefault": True}]
    assert await board.stages() == []


async def test_a_pipeline_with_deals_and_the_default_one_are_not_deleted(
    client: httpx.AsyncClient, board: Board, sql: AsyncConnection
) -> None:
    await board.deal("new")
    await board.deal("won", deleted_at="2026-01-05")

    async with unchanged(sql):
        used = await refusal(client, ROOT, DELETE, **{"in": {"pipelineId": str(board.pipeline)}})
        default = await refusal(client, ROOT, DELETE, **{"in": {"pipelineId": str(board.world.stage["pipeline"])}})
        missing = await refusal(client, ROOT, DELETE, **{"in": {"pipelineId": str(uuid.uuid4())}})

    assert [reason(error) for error in (used, default)] == [("CONFLICT", "pipelineId")] * 2
    assert used["extensions"]["dealCount"] == 2
    assert reason(missing) == ("NOT_FOUND", "pipelineId")


async def test_deals_created_while_their_pipeline_is_deleted(
    client: httpx.AsyncClient, board: Board, sql: AsyncConnection
) -> None:
    new = "mutation ($in: CreateDealInput!) { createDeal(input: $in) { deal { id } } }"
    given = {"title": "x", "pipelineId": str(board.pipeline)}

    made = [send(client, ADA, new, **{"in": given}) for _ in range(10)]
    deletion = send(client, ROOT, DELETE, **{"in": {"pipelineId": str(board.pipeline)}})
    answers = [answer.json() for answer in await asyncio.gather(*made[:5], deletion, *made[5:])]

    deleted, created = answers[5], answers[:5] + answers[6:]
    stored = text("SELECT count(*) FROM deals WHERE pipeline_id = :id")
    deals = await sql.scalar(stored, {"id": board.pipeline})
    codes = [body["errors"][0]["extensions"]["code"] for body in created if "errors" in body]
    if "errors" in deleted:
        assert (codes, deals, deleted["errors"][0]["extensions"]["code"]) == ([], 10, "CONFLICT")
    else:
        assert (codes, deals) == (["NOT_FOUND"] * 10, 0)


async def test_a_repeated_call_creates_one_pipeline(
    client: httpx.AsyncClient, board: Board, sql: AsyncConnection
) -> None:
    first = await create(client, idempotencyKey="k", stages=[{"key": "new", "name": "New"}])
    async with unchanged(sql):
        again = await create(client, idempotencyKey="k", stages=[{"key": "new", "name": "New"}])

    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["pipeline"] == again["pipeline"]


async def test_number_of_statements(client: httpx.AsyncClient, board: Board) -> None:
    await ask(client, ROOT, "{ __typename }")
    with recorded() as sent:
        await create(client, idempotencyKey="k", isDefault=True)
    assert len(sent) == 9  # key, lock, limit, pipeline, stages, default (2), payload, key
