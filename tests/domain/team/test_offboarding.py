"""Offboarding: all that an owner has goes to somebody else, or to the unassigned pool, in one transaction."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.domain.team import offboarding
from crm_graph.models import Activity, ActivityType, Contact, Role
from tests.support.api import Json, ask, reason, refusal, send
from tests.support.database import recorded, unchanged
from tests.support.factories import ADA, BOB, READER, ROOT, START, World, add, add_deal, add_owner

DEACTIVATE = """mutation ($in: DeactivateOwnerInput!) { deactivateOwner(input: $in) {
    owner { active isDefault mailboxes } contactCount dealCount taskCount replayed } }"""
MOVE = "mutation ($in: MoveDealStageInput!) { moveDealStage(input: $in) { deal { id } } }"


async def deactivate(client: httpx.AsyncClient, owner: Any, to: Any = None, **given: Any) -> Json:
    """The payload of an owner whom an admin deactivates."""
    values = {"ownerId": str(owner), **({"handOverTo": str(to)} if to else {}), **given}
    return dict((await ask(client, ROOT, DEACTIVATE, **{"in": values}))["deactivateOwner"])


async def task(sql: AsyncConnection, world: World, **columns: Any) -> Any:
    """A task of ada's, by default about her deal; returns its id."""
    about = {} if {"deal_id", "contact_id"} & columns.keys() else {"deal_id": world.ada.deal}
    values = {"type": ActivityType.TASK, "content": "Call", "occurred_at": START, "assignee_id": world.ada.owner}
    return await add(sql, Activity, **values | about | columns)


async def owned(sql: AsyncConnection, model: str, owner: Any) -> set[Any]:
    """The ids of all rows of an owner, deleted ones included."""
    query = text(f"SELECT id FROM {model} WHERE owner_id IS NOT DISTINCT FROM CAST(:owner AS uuid)")
    return set(await sql.scalars(query, {"owner": owner}))


async def entries(sql: AsyncConnection, name: str, id_: Any) -> list[Any]:
    """The system's entries about a row."""
    query = text(f"SELECT * FROM activities WHERE {name} = :id AND type = 'system' ORDER BY occurred_at")
    return list(await sql.execute(query, {"id": id_}))


async def assignee(sql: AsyncConnection, task_id: Any) -> Any:
    return await sql.scalar(text("SELECT assignee_id FROM activities WHERE id = :id"), {"id": task_id})


async def test_a_colleague_gets_everything(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    ada, bob = world.ada.owner, world.bob.owner
    closed = await add_deal(sql, world.stage | {"new": world.stage["won"]}, ada, None, status="won")
    deleted = await add_deal(sql, world.stage, ada, None, deleted_at=START)
    hidden = await add(sql, Contact, email="hidden@x.example", owner_id=ada, deleted_at=START)
    todo = await task(sql, world)
    done = await task(sql, world, completed_at=START)
    await sql.execute(text("UPDATE owners SET is_default = (id = :ada)"), {"ada": ada})
    await sql.execute(text("INSERT INTO owner_mailboxes VALUES ('a@x.example', :ada)"), {"ada": ada})
    before = await owned(sql, "deals", bob), await owned(sql, "contacts", bob)

    counts = await deactivate(client, ada, bob)

    assert counts == {
        "owner": {"active": False, "isDefault": False, "mailboxes": []},
        "contactCount": 2, "dealCount": 4, "taskCount": 1, "replayed": False,
    }  # fmt: skip
    assert await owned(sql, "deals", bob) == before[0] | {world.ada.deal, world.ada.cross, closed, deleted}
    assert await owned(sql, "contacts", bob) == before[1] | {world.ada.contact, hidden}
    assert (await assignee(sql, todo), await assignee(sql, done)) == (bob, ada)
    [heir] = await sql.execute(text("SELECT * FROM owners WHERE is_default"))
    assert heir.id == bob
    assert list(await sql.scalars(text("SELECT owner_id FROM owner_mailboxes"))) == [bob]
    query = "SELECT version, updated_at > created_at, owner_source FROM contacts WHERE id = :id"
    [contact] = await sql.execute(text(query), {"id": world.ada.contact})
    assert tuple(contact) == (2, True, "person")
    assert await sql.scalar(text("SELECT version FROM deals WHERE id = :id"), {"id": world.ada.deal}) == 2


async def test_every_timeline_gets_an_entry(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    ada, bob = world.ada.owner, world.bob.owner
    todo = await task(sql, world)

    await deactivate(client, ada, bob)

    changes = {"changes": {"owner_id": {"old": str(ada), "new": str(bob)}}}
    for name, id_ in (("deal_id", world.ada.cross), ("contact_id", world.ada.contact)):
        [entry] = await entries(sql, name, id_)
        assert entry.content == "Owner changed: Ada -> Bob, hand-over"
        assert entry.meta_json == {"source": "graphql", **changes}
        assert entry.created_by == await sql.scalar(text("SELECT id FROM owners WHERE email = :e"), {"e": ROOT})
    [of_task] = [entry for entry in await entries(sql, "deal_id", world.ada.deal) if "task_id" in entry.meta_json]
    assert of_task.content == "Task changed: assignee_id, hand-over"
    assert of_task.meta_json["task_id"] == str(todo)
    assert of_task.meta_json["changes"] == {"assignee_id": {"old": str(ada), "new": str(bob)}}
    assert len(await entries(sql, "contact_id", world.bob.contact)) == 0


async def test_without_a_new_owner_everything_is_unassigned(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    ada = world.ada.owner
    todo = await task(sql, world)
    await sql.execute(text("UPDATE owners SET is_default = (id = :ada)"), {"ada": ada})
    await sql.execute(text("INSERT INTO owner_mailboxes VALUES ('a@x.example', :ada)"), {"ada": ada})

    await deactivate(client, ada, handOverTo=None)

    assert await owned(sql, "deals", ada) | await owned(sql, "contacts", ada) == set()
    assert {world.ada.deal, world.ada.cross} <= await owned(sql, "deals", None)
    assert await assignee(sql, todo) is None
    for table in ("owners WHERE is_default", "owner_mailboxes"):
        assert await sql.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    [entry] = await entries(sql, "contact_id", world.ada.contact)
    assert entry.content == "Owner changed: Ada -> the unassigned pool, hand-over"
    seen = await ask(client, BOB, f'{{ deal(id: "{world.ada.deal}") {{ owner {{ name }} }} }}')
    assert seen == {"deal": {"owner": None}}


async def test_a_task_is_unassigned_if_the_new_owner_does_not_see_its_subject(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    carl = await add_owner(sql, "carl@seller.com")
    about_bobs = await task(sql, world, deal_id=world.bob.deal)
    about_own = await task(sql, world, contact_id=world.ada.contact)

    await deactivate(client, world.ada.owner, carl)

    assert await assignee(sql, about_own) == carl
    assert await assignee(sql, about_bobs) is None  # carl would never find it
    [entry] = await entries(sql, "deal_id", world.bob.deal)
    assert entry.meta_json["changes"]["assignee_id"]["new"] is None


async def test_an_admin_gets_every_task(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    root = await sql.scalar(text("SELECT id FROM owners WHERE email = :e"), {"e": ROOT})
    about_bobs = await task(sql, world, deal_id=world.bob.deal)

    await deactivate(client, world.ada.owner, root)

    assert await assignee(sql, about_bobs) == root


async def test_a_second_call_hands_over_what_came_later(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    ada, bob = world.ada.owner, world.bob.owner
    first = await deactivate(client, ada, bob, idempotencyKey="k")
    late = await add_deal(sql, world.stage, ada, None)

    again = await deactivate(client, ada, bob, idempotencyKey="k")
    assert again == first | {"replayed": True}
    assert await owned(sql, "deals", ada) == {late}
    once_more = await deactivate(client, ada, bob)

    assert (once_more["dealCount"], once_more["contactCount"]) == (1, 0)
    assert await owned(sql, "deals", ada) == set()


async def test_invalid_new_owners_are_refused(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    inactive = await add_owner(sql, "gone@seller.com", active=False)
    reader = await sql.scalar(text("SELECT id FROM owners WHERE email = :e"), {"e": READER})
    ada = str(world.ada.owner)

    for given, expected in (
        ({"handOverTo": str(inactive)}, ("NOT_FOUND", "handOverTo")),
        ({"handOverTo": str(uuid.uuid4())}, ("NOT_FOUND", "handOverTo")),
        ({"handOverTo": str(reader)}, ("VALIDATION", "handOverTo")),
        ({"handOverTo": ada}, ("VALIDATION", "handOverTo")),
        ({"ownerId": str(uuid.uuid4())}, ("NOT_FOUND", "ownerId")),
    ):
        async with unchanged(sql):
            error = await refusal(client, ROOT, DEACTIVATE, **{"in": {"ownerId": ada, **given}})
        assert reason(error) == expected


async def test_deals_move_during_the_hand_over(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    deals = [world.ada.deal, world.ada.cross, *[await add_deal(sql, world.stage, world.ada.owner, None) for _ in "123"]]
    await ask(client, ADA, "{ __typename }")

    def move(i: int) -> Any:
        stage = ("contacted", "qualified", "new")[i % 3]
        given = {"dealId": str(deals[i % 5]), "stageId": str(world.stage[stage])}
        return send(client, (ADA, ROOT)[i % 2], MOVE, **{"in": given})

    leaves = {"ownerId": str(world.ada.owner), "handOverTo": str(world.bob.owner)}
    deactivation = send(client, ROOT, DEACTIVATE, **{"in": leaves})
    answers = await asyncio.gather(*(move(i) for i in range(12)), deactivation, *(move(i) for i in range(12)))

    assert "errors" not in answers[12].json()
    refused = [body["errors"][0] for body in (answer.json() for answer in answers) if "errors" in body]
    assert {reason(error) for error in refused} <= {("NOT_FOUND", "dealId"), ("UNAUTHENTICATED", None)}
    assert set(deals) <= await owned(sql, "deals", world.bob.owner)


async def test_opposite_hand_overs_never_give_to_an_inactive_owner(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    pairs = [(world.ada.owner, world.bob.owner), (world.bob.owner, world.ada.owner)]

    answers = await asyncio.gather(
        *(send(client, ROOT, DEACTIVATE, **{"in": {"ownerId": str(a), "handOverTo": str(b)}}) for a, b in pairs)
    )

    errors = [body["errors"][0] for body in (answer.json() for answer in answers) if "errors" in body]
    assert [reason(error) for error in errors] == [("NOT_FOUND", "handOverTo")]
    query = "SELECT count(*) FROM deals JOIN owners ON owners.id = owner_id WHERE NOT active"
    assert await sql.scalar(text(query)) == 0


async def test_the_token_of_a_deactivated_owner_is_refused(client: httpx.AsyncClient, world: World) -> None:
    await deactivate(client, world.ada.owner)

    assert (await send(client, ADA, "{ me { id } }")).status_code == 401


async def test_number_of_statements_is_the_same_for_many_rows(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await sql.execute(text("UPDATE owners SET is_default = (id = :ada)"), {"ada": world.ada.owner})
    for _ in range(20):
        await add_deal(sql, world.stage, world.ada.owner, None)
    counts = []
    for owner, to in ((world.ada.owner, world.bob.owner), (await add_owner(sql, "new@seller.com"), None)):
        await ask(client, ROOT, "{ __typename }")
        with recorded() as sent:
            await deactivate(client, owner, to)
        counts.append(len(sent))
    # lock, owner, inactive, both, size, contacts, deals, tasks, mailboxes, payload; and the default (2)
    assert counts == [13, 11]


async def test_too_many_rows_are_refused(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert offboarding.AT_ONCE == 20_000  # in the schema's description
    monkeypatch.setattr(offboarding, "AT_ONCE", 2)  # ada has a contact and two deals

    async with unchanged(sql):
        error = await refusal(client, ROOT, DEACTIVATE, **{"in": {"ownerId": str(world.ada.owner)}})

    assert reason(error) == ("CONFLICT", "ownerId")
    assert "crm-graph owner update --email ada@seller.com --inactive" in error["message"]


async def test_offboarding_an_admin(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    second = await add_owner(sql, "second@seller.com", role=Role.ADMIN)

    leaves = {"ownerId": str(second), "handOverTo": str(world.ada.owner)}
    result = await ask(client, "second@seller.com", DEACTIVATE, **{"in": leaves})

    assert result["deactivateOwner"]["owner"]["active"] is False
