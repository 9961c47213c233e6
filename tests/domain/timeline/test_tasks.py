"""Tasks: those who see a task create, change, complete and reopen it, each once."""

import asyncio
import uuid
from datetime import UTC, datetime

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.api import Json, ask, reason, send
from tests.support.database import recorded, unchanged
from tests.support.factories import ADA, BOB, READER, ROOT, World
from tests.support.tasks import COMPLETE, CREATE, MINE, REOPEN, UPDATE, do, made, no, stored, task_entries

THEIRS = "query ($of: UUID!) { activities(filter: {type: TASK, assigneeId: $of}) { totalCount } }"
DUE = "2026-03-01T09:00:00+00:00"
NOT_TEXT = ["", " \n", "a\x00b", "\ud800", "\x07", "x" * 100_001]
CHANGES: list[tuple[str, Json]] = [(UPDATE, {"content": "x"}), (UPDATE, {}), (COMPLETE, {}), (REOPEN, {})]


async def test_a_task_is_assigned_to_the_caller_on_its_subjects_timeline(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    task = await do(client, CREATE, content="Call back\nafter lunch", dealId=str(world.ada.deal), dueAt=DUE)

    row = await stored(sql, task["id"])
    assert (row.type, row.content, row.created_by) == ("task", "Call back\nafter lunch", world.ada.owner)
    assert (row.deal_id, row.contact_id, row.assignee_id) == (world.ada.deal, None, world.ada.owner)
    assert (row.due_at, row.completed_at, row.effect_key) == (datetime(2026, 3, 1, 9, tzinfo=UTC), None, None)
    assert (task["dueAt"], task["assignee"], task["meta"]) == (DUE, {"email": ADA}, {"source": "graphql"})

    both = await do(client, CREATE, content="x", dealId=str(world.ada.deal), contactId=str(world.pool.contact))
    nothing = await do(client, CREATE, content="x", contactId=str(world.ada.contact), dueAt=None, assigneeId=None)
    assert (both["contact"], both["deal"]) == ({"id": str(world.pool.contact)}, {"id": str(world.ada.deal)})
    assert (nothing["dueAt"], nothing["assignee"]) == (None, {"email": ADA})


async def test_my_open_tasks_are_one_query(client: httpx.AsyncClient, world: World) -> None:
    await made(client, world, dueAt="2026-03-02T00:00:00Z", contactId=str(world.ada.contact))
    for content, due in (("no date", None), ("first", "2026-03-01T00:00:00Z"), ("done", DUE)):
        id_ = await made(client, world, dueAt=due)
        await do(client, UPDATE, taskId=id_, content=content)
    await do(client, COMPLETE, taskId=id_)
    await made(client, world, ROOT)
    await ask(client, ADA, "{ __typename }")

    with recorded() as sent:
        mine = (await ask(client, ADA, MINE))["activities"]

    assert [node["content"] for node in mine["nodes"]] == ["first", "Call back", "no date"]
    assert (mine["totalCount"], len(sent)) == (3, 1)


async def test_an_edit_records_old_and_new_values(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    id_ = await made(client, world, dueAt=DUE)

    changed = await do(client, UPDATE, taskId=id_, content="Write", dueAt=None)

    row = await stored(sql, id_)
    assert (row.content, row.due_at, row.assignee_id) == ("Write", None, world.ada.owner)
    assert (changed["content"], changed["dueAt"]) == ("Write", None)
    [entry] = await task_entries(sql)
    assert (entry.content, entry.created_by) == ("Task changed: content, due_at", world.ada.owner)
    assert (entry.deal_id, entry.contact_id) == (world.ada.deal, None)
    changes = {"content": {"old": "Call back", "new": "Write"}, "due_at": {"old": DUE, "new": None}}
    assert entry.meta_json == {"source": "graphql", "task_id": id_, "changes": changes}

    async with unchanged(sql):
        for nothing in ({}, {"content": "Write"}, {"dueAt": None}, {"assigneeId": str(world.ada.owner)}):
            await do(client, UPDATE, taskId=id_, **nothing)


async def test_a_task_is_completed_once_and_reopened(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    id_ = await made(client, world, dueAt=DUE)
    before = datetime.now(UTC)

    done = await do(client, COMPLETE, taskId=id_, outcome="They will sign")

    row = await stored(sql, id_)
    assert before <= row.completed_at <= datetime.now(UTC)
    assert done["meta"] == {"source": "graphql", "outcome": "They will sign"}
    async with unchanged(sql):
        for again in ({}, {"outcome": "Another one"}):
            assert await do(client, COMPLETE, ROOT, taskId=id_, **again) == done

    reopened = await do(client, REOPEN, taskId=id_)

    assert (reopened["completedAt"], reopened["meta"]) == (None, {"source": "graphql"})
    async with unchanged(sql):
        assert await do(client, REOPEN, taskId=id_) == reopened
    assert [(entry.content, entry.meta_json.get("outcome")) for entry in await task_entries(sql)] == [
        ("Task completed: Call back", "They will sign"), ("Task reopened: Call back", None),
    ]  # fmt: skip
    assert (await do(client, COMPLETE, taskId=id_, outcome=None))["meta"] == {"source": "graphql"}


async def test_concurrent_calls_complete_a_task_once(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    id_ = await made(client, world)
    given = [{"taskId": id_, "outcome": f"{i}"} for i in range(20)]

    answers = await asyncio.gather(*(send(client, (ADA, ROOT)[i % 2], COMPLETE, **{"in": given[i]}) for i in range(20)))

    outcomes = {answer.json()["data"]["done"]["task"]["meta"]["outcome"] for answer in answers}
    assert len(outcomes) == len(await task_entries(sql)) == 1


async def test_a_colleagues_task_looks_like_a_missing_one(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    colleagues = [await made(client, world, BOB, dealId=str(world.bob.deal)),
              await made(client, world, BOB, contactId=str(world.bob.contact))]  # fmt: skip
    note = await sql.scalar(text("SELECT id FROM activities WHERE content = 'ada-note'"))

    async with unchanged(sql):
        for mutation, given in CHANGES:
            missing = await no(client, mutation, taskId=str(uuid.uuid4()), **given)
            assert reason(missing) == ("NOT_FOUND", "taskId")
            for id_ in (*colleagues, note):
                assert await no(client, mutation, taskId=str(id_), **given) == missing
        for name, own, other in (("dealId", "contactId", world.bob.deal), ("contactId", "dealId", world.bob.contact)):
            mine = {own: str(world.ada.contact if own == "contactId" else world.ada.deal)}
            one = await no(client, CREATE, content="x", **mine, **{name: str(other)})
            assert reason(one) == ("NOT_FOUND", name)
            assert await no(client, CREATE, content="x", **mine, **{name: str(uuid.uuid4())}) == one
    assert (await ask(client, ADA, THEIRS, of=str(world.bob.owner)))["activities"]["totalCount"] == 0


async def test_invalid_input_is_refused_by_field(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    deal, id_ = str(world.ada.deal), await made(client, world)
    async with unchanged(sql):
        for wrong in NOT_TEXT:
            assert reason(await no(client, CREATE, content=wrong, dealId=deal)) == ("VALIDATION", "content")
            assert reason(await no(client, UPDATE, taskId=id_, content=wrong)) == ("VALIDATION", "content")
            assert reason(await no(client, COMPLETE, taskId=id_, outcome=wrong)) == ("VALIDATION", "outcome")
        assert reason(await no(client, CREATE, content="x")) == ("VALIDATION", "contactId")
        assert reason(await no(client, CREATE, content="x", dealId=deal, dueAt="tomorrow")) == ("VALIDATION", "dueAt")
        for mutation, given in (*CHANGES, (CREATE, {"content": "x", "dealId": deal})):
            about = {} if mutation is CREATE else {"taskId": id_}
            assert reason(await no(client, mutation, READER, **about, **given)) == ("FORBIDDEN", None)
