"""Names and numbers that Python and the functions in the database must agree on."""

import re

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database import channels, locks

SOURCES = text("SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'crm\\_%'")


async def names_in_functions(sql: AsyncConnection, pattern: str) -> set[str]:
    sources = "\n".join(await sql.scalars(SOURCES))
    return set(re.findall(pattern, sources))


async def test_the_triggers_notify_the_channels_with_listeners(sql: AsyncConnection) -> None:
    assert await names_in_functions(sql, r"pg_notify\('(\w+)'") == {channels.CHANGES, channels.DELIVERIES}


async def test_the_functions_use_advisory_locks_with_distinct_keys(sql: AsyncConnection) -> None:
    assert await names_in_functions(sql, r"pg_advisory_xact_lock\((\d+),") == {str(locks.COLUMN)}
    assert len({locks.MIGRATION, locks.COLUMN, locks.CONFIGURATION}) == 3
