"""Databases: made for a test, emptied after it, and looked at: what is stored, what changed, which statements ran."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Owner, table

CATALOGUE = {
    "columns": """
        SELECT attrelid::regclass || '.' || attname,
               format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
                   || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')
                   || coalesce(' COLLATE ' || collname, '')
        FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r'
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        LEFT JOIN pg_collation ON pg_collation.oid = attcollation
        WHERE attnum > 0 AND NOT attisdropped AND relnamespace = 'public'::regnamespace
    """,
    "constraints": """
        SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 't'
    """,
    "indexes": """
        SELECT indrelid::regclass || '.' || indexrelid::regclass, pg_get_indexdef(indexrelid)
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
    """,
}


@contextmanager
def scratch_database(server: URL, locale: str = "C", *, copy_of: URL | None = None) -> Iterator[URL]:
    """An empty database on the server, as its superuser, where letters are what the locale says; or a copy of one."""
    name = f"crm_scratch_{uuid.uuid4().hex[:12]}"
    maintenance = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(maintenance, autocommit=True) as connection:
        template = copy_of.database if copy_of else "template0"
        made = f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE '{locale}'"
        connection.execute(made.encode())
    try:
        yield server.set(database=name)
    finally:
        with psycopg.connect(maintenance, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def connected(url: URL, role: str | None = None) -> Iterator[psycopg.Connection[Any]]:
    """A plain connection in autocommit, as a superuser or with the rights of a role."""
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True, options=f"-c role={role}" if role else "") as connection:
        yield connection


def catalogue(connection: Connection) -> dict[str, dict[str, str]]:
    """What a database consists of: the definition of each column, constraint and index; Alembic's own table aside."""
    found = {}
    for kind, query in CATALOGUE.items():
        rows = connection.execute(text(query))
        found[kind] = {name: definition for name, definition in rows if not name.startswith("alembic_version.")}
    return found


TABLES = Owner.metadata.sorted_tables
REFERENCE_TABLES = {"pipelines", "pipeline_stages", "suppression_key"}
_DELETES = "; ".join(f"DELETE FROM {one.name}" for one in reversed(TABLES) if one.name not in REFERENCE_TABLES)
_EVERYTHING = " UNION ALL ".join(
    f"SELECT '{one.name}' AS name, ARRAY(SELECT {one.name}::text FROM {one.name} ORDER BY 1) AS rows" for one in TABLES
)


async def empty(sql: AsyncConnection) -> None:
    """Delete every row but those that the migrations made (DELETE takes 3 ms where TRUNCATE takes 22)."""
    await sql.exec_driver_sql(_DELETES)  # in one round trip, and one transaction


async def rows(sql: AsyncConnection, model: Any) -> list[Any]:
    """Every row of a table."""
    found = await sql.execute(select(table(model)))
    return list(found)


async def everything(sql: AsyncConnection) -> dict[str, list[str]]:
    """Every row of every table as PostgreSQL writes it, so that a refusal can show that it changed nothing."""
    found = await sql.exec_driver_sql(_EVERYTHING)
    return {row.name: row.rows for row in found}


@asynccontextmanager
async def unchanged(sql: AsyncConnection) -> AsyncIterator[None]:
    """Whatever is tried inside the block, every table is as before."""
    before = await everything(sql)
    yield
    assert await everything(sql) == before


@asynccontextmanager
async def changed(sql: AsyncConnection) -> AsyncIterator[None]:
    """What is done inside the block leaves something other than keys behind."""
    before = await everything(sql)
    yield
    after = await everything(sql)
    assert after | {"idempotency_keys": []} != before | {"idempotency_keys": []}


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Every statement that this process sends to PostgreSQL inside the block, BEGIN and COMMIT aside."""
    statements: list[str] = []
    execute = psycopg.AsyncCursor.execute

    async def record(self: Any, query: Any, *args: Any, **options: Any) -> Any:
        if not str(query).startswith("BEGIN"):
            statements.append(str(query))
        return await execute(self, query, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.AsyncCursor, "execute", record)
        yield statements


_JOB_TABLES = """SELECT 'crm_jobs.' || relname FROM pg_class
    WHERE relnamespace = 'crm_jobs'::regnamespace AND relkind = 'r'"""


async def dump(sql: AsyncConnection) -> str:
    """Every row of every table as PostgreSQL writes it, in lower case, and the bytes of bodies as what they say."""
    found = []
    jobs = list(await sql.scalars(text(_JOB_TABLES)))
    for name in (*(stored.name for stored in TABLES), *jobs):
        found += list(await sql.scalars(text(f"SELECT one::text FROM {name} AS one")))
    bodies = await sql.scalars(text("SELECT body FROM webhooks_log"))
    said = [bytes(body).decode() for body in bodies]
    found += [json.dumps(json.loads(body), ensure_ascii=False) for body in said if body] + said
    return "\n".join(found).lower()


async def somebody_waits(sql: AsyncConnection, count: int = 1, event: str = "Lock") -> None:
    """Returns when that many statements in this database wait for a lock (or another type of event of PostgreSQL's).

    Raises TimeoutError after 30 seconds.
    """
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = :event"
    )
    async with asyncio.timeout(30):
        while (await sql.scalar(waiting, {"event": event}) or 0) < count:  # noqa: ASYNC110 - PostgreSQL has no event for it
            await asyncio.sleep(0.005)
