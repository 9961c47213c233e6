"""A database that is served elsewhere sends nothing until somebody resumes its deliveries."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.database.migrations import migrate
from crm_graph.delivery import pause
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.identity.principal import machine
from crm_graph.values import utc_now
from tests.support.database import connected, scratch_database

HOME, COPY = "https://crm.example.com", "https://staging.example.com"
STATE = text("SELECT public_url, paused_at IS NOT NULL, paused_reason FROM deployment")


async def start(database: Database, public_url: str | None) -> str | None:
    """What a server does when it starts."""
    async with database.transaction() as session:
        return await pause.pause_if_moved(session, public_url)


async def state(sql: AsyncConnection) -> tuple[str | None, bool, str | None]:
    return tuple((await sql.execute(STATE)).one())


@pytest.mark.parametrize("public_url", [None, HOME])
async def test_the_same_place_sends_after_every_start(
    public_url: str | None, database: Database, sql: AsyncConnection, clean: None
) -> None:
    assert [await start(database, public_url) for _ in range(2)] == [None, None]
    assert await state(sql) == (public_url, False, None)


@pytest.mark.parametrize(("before", "now"), [(HOME, COPY), (HOME, None)])
async def test_another_place_is_paused_with_a_reason_at_every_start(
    before: str | None, now: str | None, database: Database, sql: AsyncConnection, clean: None
) -> None:
    await start(database, before)

    reason = await start(database, now)
    again = await start(database, now)

    assert reason == again
    assert reason is not None
    assert "crm-graph deliveries resume" in reason
    assert await state(sql) == (before, True, reason)


async def test_resumed_it_sends_and_the_new_place_is_the_right_one(
    database: Database, sql: AsyncConnection, clean: None
) -> None:
    await start(database, HOME)
    await start(database, COPY)

    async with database.transaction() as session:
        await pause.resume(UnitOfWork(session, machine("crm-graph"), utc_now()), COPY)

    assert await start(database, COPY) is None
    assert await state(sql) == (COPY, False, None)
    assert await start(database, HOME) is not None


async def test_a_place_that_was_not_recorded_before_pauses_nothing(
    database: Database, sql: AsyncConnection, clean: None
) -> None:
    await start(database, None)
    assert await start(database, HOME) is None
    assert await state(sql) == (HOME, False, None)

    await sql.execute(text("UPDATE deployment SET database_identity = NULL"))  # as an earlier version leaves it
    assert await start(database, HOME) is None
    assert await sql.scalar(text("SELECT database_identity = crm_database_identity() FROM deployment"))


async def test_another_database_under_the_same_url_is_paused_and_the_reason_names_both(
    database: Database, sql: AsyncConnection, clean: None
) -> None:
    await start(database, HOME)
    moved = "UPDATE deployment SET database_identity = '7/16384' RETURNING crm_database_identity()"
    present = await sql.scalar(text(moved))

    reason = await start(database, HOME)

    assert reason is not None
    assert f"it was started as database {present} (cluster/database), and its content was served as 7/16384" in reason
    assert await state(sql) == (HOME, True, reason)

    async with database.transaction() as transaction:
        await pause.resume(UnitOfWork(transaction, machine("crm-graph"), utc_now()), HOME)
    assert await start(database, HOME) is None


async def test_a_copy_inside_the_cluster_is_another_database(server: URL) -> None:
    identity = "SELECT crm_database_identity()"
    with scratch_database(server) as original:
        migrate(original)
        with scratch_database(server, copy_of=original) as copy, connected(original) as here, connected(copy) as there:
            assert here.execute(identity).fetchone() != there.execute(identity).fetchone()
            [(as_superuser,)] = there.execute(identity)
            there.execute("SET ROLE app_user")  # what the server runs as
            assert there.execute(identity).fetchone() == (as_superuser,)


async def test_a_provider_that_hides_the_clusters_identifier_still_tells_databases_apart(server: URL) -> None:
    with scratch_database(server) as url:
        migrate(url)
        with connected(url) as connection:
            connection.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
            connection.execute("SET ROLE app_user")
            [(identity,)] = connection.execute("SELECT crm_database_identity()")
            [(number,)] = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
            assert identity == f"unknown/{number}"


async def test_several_processes_that_start_at_once_agree(
    database: Database, sql: AsyncConnection, clean: None
) -> None:
    assert await asyncio.gather(*(start(database, HOME) for _ in range(8))) == [None] * 8
    reasons = set(await asyncio.gather(*(start(database, COPY) for _ in range(8))))
    assert len(reasons) == 1
    assert reasons != {None}
