"""Assignees: who may get a task, who may assign it, and who has it after its deal or contact has a new owner."""

import uuid

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Role
from tests.support.api import ask, reason
from tests.support.database import recorded, unchanged
from tests.support.factories import ADA, BOB, READER, ROOT, World, add_owner
from tests.support.tasks import COMPLETE, CREATE, MINE, UPDATE, assignee, do, made, no, task_entries

ASSIGN_DEAL = "mutation ($in: AssignDealInput!) { assignDeal(input: $in) { deal { id } } }"
UPDATE_CONTACT = "mutation ($in: UpdateContactInput!) { updateContact(input: $in) { contact { id } } }"
CLAIM_DEAL = "mutation ($in: ClaimDealInput!) { claimDeal(input: $in) { deal { id } } }"


async def test_an_admin_assigns_a_task_to_somebody_who_can_do_it(
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
    assert (await task_entries(sql))[-1].meta_json["changes"] == changes


async def test_somebody_who_could_not_do_a_task_is_refused(
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


async def test_a_salesperson_assigns_tasks_to_nobody_else_and_learns_nothing_from_trying(
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


async def test_an_admins_creation_takes_one_more_statement(client: httpx.AsyncClient, world: World) -> None:
    given = {"content": "x", "dealId": str(world.ada.deal), "assigneeId": str(world.ada.owner), "idempotencyKey": "one"}
    await ask(client, ROOT, "{ __typename }")
    with recorded() as sent:
        await ask(client, ROOT, CREATE, **{"in": given})
    assert len(sent) == 6


async def test_open_tasks_follow_their_deal_except_admins(
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


async def test_open_tasks_follow_their_contact_unless_they_belong_to_a_deal(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact, deal = str(world.ada.contact), str(world.ada.deal)
    own = await made(client, world, contactId=contact)
    of_deal = await made(client, world, contactId=contact, dealId=deal)

    given = {"contactId": contact, "ownerId": str(world.bob.owner)}
    await ask(client, ROOT, UPDATE_CONTACT, **{"in": given})

    assert [await assignee(sql, id_) for id_ in (own, of_deal)] == [world.bob.owner, world.ada.owner]
