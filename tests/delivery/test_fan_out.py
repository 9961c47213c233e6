"""The endpoints that get an event: the owner's and the admins' that subscribe to it and may see it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import DeliveryStatus, Role, WebhookDelivery
from tests.support.api import ask
from tests.support.database import rows
from tests.support.events import deliveries, new_events, subscribe, types
from tests.support.factories import ADA, ROOT, World, add_owner
from tests.support.mutation_calls import document


@pytest.fixture
async def root(world: World, sql: AsyncConnection) -> Any:
    return await sql.scalar(text("SELECT id FROM owners WHERE email = :email"), {"email": ROOT})


async def do(client: httpx.AsyncClient, name: str, who: str = ADA, **given: Any) -> None:
    await ask(client, who, document(name), **{"in": given})


async def test_an_event_goes_to_its_owner_and_to_admins(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, root: Any
) -> None:
    reader = await sql.scalar(text("SELECT id FROM owners WHERE role = 'readonly'"))
    hers, admins, his, readers = [
        await subscribe(sql, owner) for owner in (world.ada.owner, root, world.bob.owner, reader)
    ]
    await do(client, "updateDeal", dealId=str(world.ada.deal), title="New")

    assert await deliveries(sql, hers) == await deliveries(sql, admins) == ["deal_updated"]
    assert await deliveries(sql, his) == await deliveries(sql, readers) == []
    for one in await rows(sql, WebhookDelivery):
        assert (one.status, one.attempts, one.order_key) == (DeliveryStatus.PENDING, 0, world.ada.deal)


async def test_an_event_about_unassigned_rows_goes_only_to_admins(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, root: Any
) -> None:
    hers, admins = await subscribe(sql, world.ada.owner), await subscribe(sql, root)
    await do(client, "updateContact", contactId=str(world.pool.contact), fullName="New")
    assert (await deliveries(sql, hers), await deliveries(sql, admins)) == ([], ["contact_updated"])

    await do(client, "claimContact", contactId=str(world.pool.contact))
    assert sorted(await deliveries(sql, hers)) == ["contact_updated", "deal_updated"]  # hers from now on


async def test_an_entry_goes_to_the_owners_of_its_contact_and_of_its_deal(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    hers, his = await subscribe(sql, world.ada.owner), await subscribe(sql, world.bob.owner)
    # a deal of ada's with bob's contact
    given = {"dealId": str(world.ada.cross), "contactId": str(world.bob.contact), "type": "CALL", "content": "Hi"}
    async with new_events(sql) as events:
        await do(client, "logActivity", ROOT, **given)

    [event] = events
    assert set(event.owner_ids) == {world.ada.owner, world.bob.owner}
    assert await deliveries(sql, hers) == await deliveries(sql, his) == ["activity_logged"]


async def test_an_endpoint_gets_only_its_event_types(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    moves = await subscribe(sql, world.ada.owner, "deal_stage_changed", "reply_received")
    nothing = await subscribe(sql, world.ada.owner, "meeting_booked")
    await do(client, "updateDeal", dealId=str(world.ada.deal), title="New")
    await do(client, "markDealWon", dealId=str(world.ada.deal))

    assert await deliveries(sql, moves) == ["deal_stage_changed"]
    assert await deliveries(sql, nothing) == []


async def test_a_disabled_endpoint_gets_nothing_new_and_the_event_is_kept(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    off = {"disabled_at": await sql.scalar(text("SELECT now()")), "disabled_reason": "by its owner"}
    hers = await subscribe(sql, world.ada.owner, **off)
    async with new_events(sql) as events:
        await do(client, "markDealWon", dealId=str(world.ada.deal))

    assert types(events) == ["deal_stage_changed"]
    assert await deliveries(sql, hers) == []


async def test_an_inactive_owner_gets_nothing_from_the_moment_on(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, root: Any
) -> None:
    hers, admins = await subscribe(sql, world.ada.owner), await subscribe(sql, root)
    leaver = await add_owner(sql, "second.root@seller.com", role=Role.ADMIN, active=False)
    leavers = await subscribe(sql, leaver)
    await do(client, "deactivateOwner", ROOT, ownerId=str(world.ada.owner))

    assert await deliveries(sql, hers) == await deliveries(sql, leavers) == []
    assert await deliveries(sql, admins) == ["contact_updated", "deal_updated", "deal_updated"]


async def test_a_hand_over_goes_to_the_new_owner(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    his = await subscribe(sql, world.bob.owner)
    async with new_events(sql) as events:
        await do(client, "deactivateOwner", ROOT, ownerId=str(world.ada.owner), handOverTo=str(world.bob.owner))

    assert types(events) == await deliveries(sql, his)
    for event in events:
        change = event.payload["data"]["changes"]["owner_id"]
        assert change == {"old": str(world.ada.owner), "new": str(world.bob.owner)}


async def test_a_reassigned_deal_goes_to_its_new_owner(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    hers, his = await subscribe(sql, world.ada.owner), await subscribe(sql, world.bob.owner)
    await do(client, "assignDeal", ROOT, dealId=str(world.ada.deal), ownerId=str(world.bob.owner))

    assert (await deliveries(sql, hers), await deliveries(sql, his)) == ([], ["deal_updated"])


async def test_endpoint_disabled_goes_to_the_other_endpoints(world: World, sql: AsyncConnection, root: Any) -> None:
    hers, second, admins, his = [
        await subscribe(sql, owner) for owner in (world.ada.owner, world.ada.owner, root, world.bob.owner)
    ]
    disable = "UPDATE webhook_endpoints SET disabled_at = now(), disabled_reason = :why WHERE id = :id"
    async with new_events(sql) as events:
        await sql.execute(text(disable), {"why": "it answered 410 Gone", "id": hers})
        await sql.execute(text(disable), {"why": "by its owner", "id": his})

    [event] = events
    assert event.payload["endpoint_id"] == event.payload["data"]["endpoint"]["id"] == str(hers)
    assert await deliveries(sql, second) == await deliveries(sql, admins) == ["endpoint_disabled"]
    assert await deliveries(sql, hers) == await deliveries(sql, his) == []


async def test_a_test_goes_only_to_its_endpoint(world: World, sql: AsyncConnection, root: Any) -> None:
    hers, admins = await subscribe(sql, world.ada.owner, "deal_created"), await subscribe(sql, root)
    async with new_events(sql) as events:
        await sql.execute(text("SELECT crm_test_endpoint(:id, now())"), {"id": hers})

    assert types(events) == await deliveries(sql, hers) == ["test"]
    assert await deliveries(sql, admins) == []
