"""Tasks: made, changed, completed and reopened; who may do them, and whose they are when their deal changes hands."""

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Role
from tests.builders import add_owner
from tests.graphql.asking import Json, ask, reason, recorded, refusal, send, unchanged
from tests.graphql.world import ADA, BOB, READER, ROOT, World

SHOWN = """{ replayed task { id type content meta dueAt completedAt assignee { email } createdBy { email }
    contact { id } deal { id } } }"""
CREATE = f"mutation ($in: CreateTaskInput!) {{ done: createTask(input: $in) {SHOWN} }}"
UPDATE = f"mutation ($in: UpdateTaskInput!) {{ done: updateTask(input: $in) {SHOWN} }}"
COMPLETE = f"mutation ($in: CompleteTaskInput!) {{ done: completeTask(input: $in) {SHOWN} }}"
REOPEN = f"mutation ($in: ReopenTaskInput!) {{ done: reopenTask(input: $in) {SHOWN} }}"
ASSIGN_DEAL = "mutation ($in: AssignDealInput!) { assignDeal(input: $in) { deal { id } } }"
UPDATE_CONTACT = "mutation ($in: UpdateContactInput!) { updateContact(input: $in) { contact { id } } }"
CLAIM_DEAL = "mutation ($in: ClaimDealInput!) { claimDeal(input: $in) { deal { id } } }"
MINE = """{ activities(filter: {type: TASK, open: true, assignedToMe: true}, orderBy: DUE_AT_ASC) {
    totalCount nodes { content } } }"""
THEIRS = "query ($of: UUID!) { activities(filter: {type: TASK, assigneeId: $of}) { totalCount } }"
DUE = "2026-03-01T09:00:00+00:00"
NOT_TEXT = ["", " \n", "a\x00b", "\ud800", "\x07", "x" * 100_001]
CHANGES: list[tuple[str, Json]] = [(UPDATE, {"content": "x"}), (UPDATE, {}), (COMPLETE, {}), (REOPEN, {})]


async def do(client: httpx.AsyncClient, mutation: str, who: str = ADA, **given: Any) -> Json:
    return dict((await ask(client, who, mutation, **{"in": given}))["done"]["task"])


async def no(client: httpx.AsyncClient, mutation: str, who: str = ADA, **given: Any) -> Json:
    return await refusal(client, who, mutation, **{"in": given})


async def made(client: httpx.AsyncClient, world: World, who: str = ADA, **given: Any) -> str:
    """The id of a new task."""
    about = {} if given.keys() & {"contactId", "dealId"} else {"dealId": str(world.ada.deal)}
    return str((await do(client, CREATE, who, content="Call back", **about, **given))["id"])


async def stored(sql: AsyncConnection, id_: str) -> Any:
    query = text("SELECT * FROM activities WHERE id = CAST(:id AS uuid)")
    return (await sql.execute(query, {"id": id_})).one()


async def told(sql: AsyncConnection) -> list[Any]:
    """The system's entries about tasks, oldest first."""
    query = "SELECT * FROM activities WHERE type = 'system' AND content LIKE 'Task %' ORDER BY occurred_at"
    return list(await sql.execute(text(query)))


async def assignee(sql: AsyncConnection, id_: str) -> Any:
    return (await stored(sql, id_)).assignee_id


async def test_a_task_is_the_callers_and_stands_where_it_was_put(
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


async def test_an_edit_keeps_old_and_new(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    id_ = await made(client, world, dueAt=DUE)

    changed = await do(client, UPDATE, taskId=id_, content="Write", dueAt=None)

    row = await stored(sql, id_)
    assert (row.content, row.due_at, row.assignee_id) == ("Write", None, world.ada.owner)
    assert (changed["content"], changed["dueAt"]) == ("Write", None)
    [entry] = await told(sql)
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
    assert [(entry.content, entry.meta_json.get("outcome")) for entry in await told(sql)] == [
        ("Task completed: Call back", "They will sign"), ("Task reopened: Call back", None),
    ]  # fmt: skip
    assert (await do(client, COMPLETE, taskId=id_, outcome=None))["meta"] == {"source": "graphql"}


async def test_of_many_who_complete_it_one_does(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    id_ = await made(client, world)
    given = [{"taskId": id_, "outcome": f"{i}"} for i in range(20)]

    answers = await asyncio.gather(*(send(client, (ADA, ROOT)[i % 2], COMPLETE, **{"in": given[i]}) for i in range(20)))

    outcomes = {answer.json()["data"]["done"]["task"]["meta"]["outcome"] for answer in answers}
    assert len(outcomes) == len(await told(sql)) == 1


async def test_an_admin_gives_a_task_to_who_can_do_it(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    other_admin = await add_owner(sql, "second@seller.com", role=Role.ADMIN)
    ada, bob = str(world.ada.owner), str(world.bob.owner)
    for about, who in (
        ({"dealId": str(world.ada.deal)}, ada),
        ({"dealId": str(world.pool.deal)}, bob),
        ({"contactId": str(world.bob.contact)}, bob),
        ({"contactId": str(world.bob.contact), "dealId": str(world.ada.deal)}, ada),
        ({"contactId": str(world.bob.contact)}, str(other_admin)),
    ):
        id_ = await made(client, world, ROOT, **about, assigneeId=who)
        assert str(await assignee(sql, id_)) == who

    moved = await do(client, UPDATE, ROOT, taskId=id_, assigneeId=bob)
    assert moved["assignee"] == {"email": BOB}
    changes = {"assignee_id": {"old": str(other_admin), "new": bob}}
    assert (await told(sql))[-1].meta_json["changes"] == changes


async def test_who_could_not_do_it_is_no_assignee(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    inactive = await add_owner(sql, "gone@seller.com", role=Role.ADMIN, active=False)
    reader = await sql.scalar(text("SELECT id FROM owners WHERE email = :email"), {"email": READER})
    deal, id_ = str(world.ada.deal), await made(client, world)

    async with unchanged(sql):
        for wrong in (world.bob.owner, inactive, reader, uuid.uuid4()):
            for mutation, given in ((CREATE, {"content": "x", "dealId": deal}), (UPDATE, {"taskId": id_})):
                error = await no(client, mutation, ROOT, **given, assigneeId=str(wrong))
                assert reason(error) == ("VALIDATION", "assigneeId"), wrong
        assert reason(await no(client, UPDATE, ROOT, taskId=id_, assigneeId=None)) == ("VALIDATION", "assigneeId")
        assert reason(await no(client, UPDATE, ROOT, taskId=id_, content=None)) == ("VALIDATION", "content")


async def test_a_salesperson_gives_tasks_to_nobody_else_and_learns_nothing_from_trying(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    shared = await made(client, world, ROOT, dealId=str(world.bob.cross), contactId=str(world.ada.contact))
    async with unchanged(sql):
        errors = []
        for owner in (world.bob.owner, world.ada.owner, uuid.uuid4()):
            if owner != world.ada.owner:
                errors.append(await no(client, UPDATE, taskId=shared, assigneeId=str(owner)))
                given = {"content": "x", "dealId": str(world.pool.deal), "assigneeId": str(owner)}
                assert reason(await no(client, CREATE, **given)) == ("FORBIDDEN", "assigneeId")
    assert errors[0] == errors[1]
    assert reason(errors[0]) == ("FORBIDDEN", "assigneeId")

    assert (await do(client, UPDATE, taskId=shared, content="x"))["assignee"] == {"email": ROOT}
    assert (await do(client, UPDATE, taskId=shared, assigneeId=str(world.ada.owner)))["assignee"] == {"email": ADA}


async def test_a_colleagues_task_answers_as_one_that_does_not_exist(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    theirs = [await made(client, world, BOB, dealId=str(world.bob.deal)),
              await made(client, world, BOB, contactId=str(world.bob.contact))]  # fmt: skip
    note = await sql.scalar(text("SELECT id FROM activities WHERE content = 'ada-note'"))

    async with unchanged(sql):
        for mutation, given in CHANGES:
            missing = await no(client, mutation, taskId=str(uuid.uuid4()), **given)
            assert reason(missing) == ("NOT_FOUND", "taskId")
            for id_ in (*theirs, note):
                assert await no(client, mutation, taskId=str(id_), **given) == missing
        for name, own, other in (("dealId", "contactId", world.bob.deal), ("contactId", "dealId", world.bob.contact)):
            mine = {own: str(world.ada.contact if own == "contactId" else world.ada.deal)}
            one = await no(client, CREATE, content="x", **mine, **{name: str(other)})
            assert reason(one) == ("NOT_FOUND", name)
            assert await no(client, CREATE, content="x", **mine, **{name: str(uuid.uuid4())}) == one
    assert (await ask(client, ADA, THEIRS, of=str(world.bob.owner)))["activities"]["totalCount"] == 0


async def test_what_cannot_be_meant_is_refused_by_name(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
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


async def test_what_is_repeated_has_one_effect(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    id_ = await made(client, world)
    for mutation, given in (
        (CREATE, {"content": "x", "contactId": str(world.ada.contact)}),
        (UPDATE, {"taskId": id_, "content": "New"}),
        (COMPLETE, {"taskId": id_, "outcome": "y"}),
        (REOPEN, {"taskId": id_}),
    ):
        await ask(client, ADA, "{ __typename }")
        with recorded() as sent:
            first = (await ask(client, ADA, mutation, **{"in": given | {"idempotencyKey": "one"}}))["done"]
        assert len(sent) <= 6
        async with unchanged(sql):
            again = (await ask(client, ADA, mutation, **{"in": given | {"idempotencyKey": "one"}}))["done"]
        assert again == first | {"replayed": True}


async def test_an_admins_create_looks_once_more(client: httpx.AsyncClient, world: World) -> None:
    given = {"content": "x", "dealId": str(world.ada.deal), "assigneeId": str(world.ada.owner), "idempotencyKey": "one"}
    await ask(client, ROOT, "{ __typename }")
    with recorded() as sent:
        await ask(client, ROOT, CREATE, **{"in": given})
    assert len(sent) == 6


async def test_open_tasks_follow_their_deal_but_for_an_admins(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    deal, bob = str(world.ada.deal), str(world.bob.owner)
    adas, done, roots = [await made(client, world, who, dealId=deal) for who in (ADA, ADA, ROOT)]
    other = await made(client, world, dealId=str(world.ada.cross))
    await do(client, COMPLETE, taskId=done)

    await ask(client, ROOT, ASSIGN_DEAL, **{"in": {"dealId": deal, "ownerId": bob}})

    root = await sql.scalar(text("SELECT id FROM owners WHERE email = :email"), {"email": ROOT})
    found = [await assignee(sql, id_) for id_ in (adas, done, roots, other)]
    assert found == [world.bob.owner, world.ada.owner, root, world.ada.owner]
    assert (await ask(client, BOB, MINE))["activities"]["totalCount"] == 1

    await ask(client, ROOT, ASSIGN_DEAL, **{"in": {"dealId": deal, "ownerId": None}})
    assert await assignee(sql, adas) == world.bob.owner  # who still sees it, in the pool

    await ask(client, ADA, CLAIM_DEAL, **{"in": {"dealId": deal}})
    assert await assignee(sql, adas) == world.ada.owner


async def test_open_tasks_follow_their_contact_unless_they_are_a_deals(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact, deal = str(world.ada.contact), str(world.ada.deal)
    own = await made(client, world, contactId=contact)
    of_deal = await made(client, world, contactId=contact, dealId=deal)

    given = {"contactId": contact, "ownerId": str(world.bob.owner)}
    await ask(client, ROOT, UPDATE_CONTACT, **{"in": given})

    assert [await assignee(sql, id_) for id_ in (own, of_deal)] == [world.bob.owner, world.ada.owner]
