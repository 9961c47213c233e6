"""The outbox: who may write it, what PostgreSQL notifies of, and when events are purged."""

import json
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.database import connected
from tests.support.events import all_events, deliveries, subscribe, types
from tests.support.factories import World


def received(connection: psycopg.Connection[Any], count: int) -> list[tuple[str, str]]:
    """The notifications of PostgreSQL, at least so many."""
    found = connection.notifies(timeout=5, stop_after=count)
    return [(one.channel, one.payload) for one in found]


async def test_every_change_emits_an_event_and_no_one_can_write_false_events(
    admin_url: URL, world: World, sql: AsyncConnection
) -> None:
    await sql.execute(text("DELETE FROM events"))
    with connected(admin_url, "app_user") as connection:
        connection.execute("UPDATE deals SET title = 'By hand' WHERE id = %s", [world.ada.deal])
        for forbidden in (
            "INSERT INTO events (type, occurred_at, owner_ids, source, payload) SELECT 'test', now(), '{}', '', '{}'",
            "UPDATE events SET type = 'test'",
            "DELETE FROM events",
            "SELECT crm_emit_event('test', now(), '{}', NULL, NULL, NULL, '{}', '{}')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)

    assert types(await all_events(sql)) == ["deal_updated"]


async def test_a_program_can_set_the_source_of_a_transaction(
    admin_url: URL, world: World, sql: AsyncConnection
) -> None:
    await sql.execute(text("DELETE FROM events"))
    with connected(admin_url, "app_user") as connection:
        with connection.transaction():
            connection.execute("SET LOCAL crm.source = 'my tool'")
            connection.execute("UPDATE deals SET title = 'One' WHERE id = %s", [world.ada.deal])
            connection.execute("UPDATE deals SET title = 'Two' WHERE id = %s", [world.ada.deal])
        connection.execute("UPDATE deals SET title = 'Three' WHERE id = %s", [world.ada.deal])

    events = await all_events(sql)
    changes = [event.payload["data"]["changes"]["title"] for event in events]
    assert [event.source for event in events] == ["my tool", "my tool", "sql"]
    assert [(change["old"], change["new"]) for change in changes] == [
        ("ada-own", "One"), ("One", "Two"), ("Two", "Three"),
    ]  # fmt: skip
    titles = [event.payload["data"]["deal"]["title"] for event in events]
    assert titles == ["Two", "Two", "Three"]  # as the transaction left it


async def test_report_readers_see_no_secret_and_purge_nothing(admin_url: URL, world: World) -> None:
    with connected(admin_url, "readonly") as connection:
        for forbidden in ("SELECT secret FROM webhook_endpoints", "SELECT crm_purge_events(now(), 1)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)


async def test_a_rolled_back_transaction_emits_nothing(admin_url: URL, world: World, sql: AsyncConnection) -> None:
    before = await all_events(sql)
    with connected(admin_url, "app_user") as connection, connection.transaction(force_rollback=True):
        connection.execute("UPDATE deals SET title = 'By hand'")
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")

    assert await all_events(sql) == before


async def test_listeners_are_notified_of_a_new_rank_which_is_no_event(
    admin_url: URL, world: World, sql: AsyncConnection
) -> None:
    await subscribe(sql, world.ada.owner)
    before = await all_events(sql)
    with connected(admin_url, "app_user") as connection:
        connection.execute("LISTEN crm_changes; LISTEN crm_deliveries")
        await sql.execute(text("UPDATE deals SET rank = 'b7' WHERE id = :id"), {"id": world.ada.deal})
        [(channel, payload)] = received(connection, 1)

    owner = str(world.ada.owner)
    assert channel == "crm_changes"
    assert json.loads(payload) == {
        "kind": "deal", "id": str(world.ada.deal), "pipeline_id": str(world.stage["pipeline"]),
        "owner_id": owner, "old_owner_id": owner, "member_ids": None,
    }  # fmt: skip
    assert await all_events(sql) == before


async def test_listeners_are_notified_of_the_former_owner_and_of_due_deliveries(
    admin_url: URL, world: World, sql: AsyncConnection
) -> None:
    await subscribe(sql, world.bob.owner)
    ada, bob, contact = world.ada.owner, world.bob.owner, world.ada.contact
    with connected(admin_url, "app_user") as connection:
        connection.execute("LISTEN crm_changes; LISTEN crm_deliveries")
        await sql.execute(text("UPDATE contacts SET owner_id = :bob WHERE id = :id"), {"bob": bob, "id": contact})
        announced = received(connection, 2)

    assert ("crm_deliveries", "") in announced
    [change] = [json.loads(payload) for channel, payload in announced if channel == "crm_changes"]
    assert change == {"kind": "contact", "id": str(contact), "owner_id": str(bob), "old_owner_id": str(ada)}


async def test_old_events_are_purged_unless_their_delivery_is_pending(
    admin_url: URL, world: World, sql: AsyncConnection
) -> None:
    # given
    endpoint, stopped = await subscribe(sql, world.ada.owner), await subscribe(sql, world.ada.owner)
    rename = text("UPDATE deals SET title = :title WHERE id = :id")
    for title in ("Delivered", "Waiting"):
        await sql.execute(rename, {"title": title, "id": world.ada.deal})
    for statement in (
        "UPDATE events SET created_at = now() - interval '40 days'",
        """UPDATE webhook_deliveries SET status = 'delivered', settled_at = now() - interval '39 days'
           WHERE position = (SELECT min(position) FROM webhook_deliveries)""",
        f"""UPDATE webhook_endpoints SET disabled_at = now() - interval '35 days', disabled_reason = 'by its owner'
            WHERE id = '{stopped}'""",
    ):
        await sql.execute(text(statement))
    await sql.execute(rename, {"title": "New", "id": world.ada.deal})
    count = len(await all_events(sql))
    forget = "SELECT crm_purge_events(now() - make_interval(days => %s), %s)"

    with connected(admin_url, "app_user") as connection:
        # when
        none_is_so_old = connection.execute(forget, [41, 100]).fetchone()
        batches = [connection.execute(forget, [30, 3]).fetchone() for _ in range(count)]

    # then
    assert none_is_so_old == (0,)
    assert batches[0] == (2 + 3,)  # the settled deliveries, and the first events
    assert batches[-1] == (0,)
    assert [event.payload["data"]["deal"]["title"] for event in await all_events(sql)] == ["Waiting", "New"]
    assert await deliveries(sql, endpoint) == ["deal_updated", "deal_updated"]
    assert await deliveries(sql, stopped) == ["deal_updated"]  # with its event, which another one waits for
