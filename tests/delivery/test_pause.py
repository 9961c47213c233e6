"""A database that is served elsewhere sends nothing until somebody resumes its deliveries."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.delivery import pause
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import SetupError
from crm_graph.identity.principal import machine
from crm_graph.values import utc_now

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


@pytest.mark.parametrize(("before", "now"), [(HOME, COPY), (HOME, None), (None, COPY)])
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


async def test_a_worker_elsewhere_does_not_start_and_pauses_nothing(
    database: Database, sql: AsyncConnection, clean: None
) -> None:
    await start(database, HOME)

    async with database.transaction() as session:
        await pause.check_public_url(session, HOME)
        with pytest.raises(
            SetupError, match=r"PUBLIC_URL is https://staging.example.com, but the server has https://crm"
        ):
            await pause.check_public_url(session, COPY)

    assert await state(sql) == (HOME, False, None)
