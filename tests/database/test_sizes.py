"""Sizes: what PostgreSQL itself refuses to store, however it is written."""

import json
import uuid
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from tests.support.endpoints import add_endpoint
from tests.support.factories import World

TEXT, NOTES, JSON, META = 2_000, 400_000, 65_536, 1_000_000
# Bytes by table and column.
LIMITS = {
    "contacts": {
        "custom": JSON,
        **dict.fromkeys(("full_name", "title", "linkedin_url", "website", "phone"), TEXT),
        **dict.fromkeys(("reply_summary", "do_not_contact_reason"), TEXT),
    },
    "companies": {
        "enrichment_json": JSON,
        **dict.fromkeys(("name", "location", "size", "industry", "website", "linkedin_url"), TEXT),
    },
    "deals": {"notes": NOTES, **dict.fromkeys(("title", "source", "campaign_id", "lost_reason"), TEXT)},
    "activities": {"content": NOTES, "meta_json": META},
    "webhook_endpoints": {"headers": 131_072},
    "idempotency_keys": {"result": META},
}
DOCUMENTS = {"custom", "enrichment_json", "meta_json", "headers", "result"}
# What a copy of a row must have of its own.
OWN = {"contacts": ("email",), "companies": ("name_key", "domain"), "webhook_endpoints": ("url",)}


def value(column: str, size: int) -> str | dict[str, str]:
    """A value that PostgreSQL writes in so many bytes, in letters of two."""
    if column in DOCUMENTS:
        return {"a": "é" * ((size - 9) // 2) + "x" * ((size - 9) % 2)}
    return "é" * (size // 2) + "x" * (size % 2)


async def insert(sql: AsyncConnection, name: str, given: dict[str, Any]) -> None:
    """Store a copy of a row with other values."""
    own = {column: f"{uuid.uuid4().hex}@x.example" for column in OWN.get(name, ())}
    own |= {"key" if name == "idempotency_keys" else "id": str(uuid.uuid4())}
    columns = [column.name for column in SQLModel.metadata.tables[name].columns if column.computed is None]
    query = f"""INSERT INTO {name} ({", ".join(columns)})
        SELECT {", ".join(f"made.{column}" for column in columns)} FROM {name} AS one,
            jsonb_populate_record(CAST(NULL AS {name}), to_jsonb(one) || CAST(:values AS jsonb)) AS made
        ORDER BY one.ctid LIMIT 1"""
    await sql.execute(text(query), {"values": json.dumps(given | own)})


async def update(sql: AsyncConnection, name: str, column: str, given: Any) -> None:
    """Change the column of every row."""
    query = f"""UPDATE {name} AS one SET {column} = made.{column}
        FROM jsonb_populate_record(CAST(NULL AS {name}), CAST(:values AS jsonb)) AS made"""
    await sql.execute(text(query), {"values": json.dumps({column: given})})


def refused(column: str, size: int, limit: int) -> Any:
    message = rf"{column} of \w+ has {size} bytes; the limit is {limit}"
    return pytest.raises(IntegrityError, match=message)


@pytest.fixture
async def stored(sql: AsyncConnection, world: World) -> None:
    """A row in every table that has limits."""
    await add_endpoint(sql, world.ada.owner)
    lost = text("UPDATE deals SET status = 'lost', stage_id = :stage")  # only a lost deal has a reason
    await sql.execute(lost, {"stage": world.stage["lost"]})
    key = """INSERT INTO idempotency_keys (owner_id, operation, key, request_hash, created_at)
        VALUES (:owner, 'createDeal', 'k', '', now())"""
    await sql.execute(text(key), {"owner": world.ada.owner})


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("name", LIMITS)
async def test_a_value_at_its_limit_is_stored_and_a_larger_one_refused(sql: AsyncConnection, name: str) -> None:
    for column, limit in LIMITS[name].items():
        await insert(sql, name, {column: value(column, limit)})
        with refused(column, limit + 1, limit):
            await insert(sql, name, {column: value(column, limit + 1)})
        await update(sql, name, column, value(column, limit))
        with refused(column, limit + 1, limit):
            await update(sql, name, column, value(column, limit + 1))


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("name", LIMITS)
async def test_what_was_too_large_before_there_were_limits_may_stay_but_not_grow(
    sql: AsyncConnection, name: str
) -> None:
    for column, limit in LIMITS[name].items():
        await sql.execute(text("SET session_replication_role = replica"))  # without triggers
        await update(sql, name, column, value(column, limit + 10))
        await sql.execute(text("RESET session_replication_role"))
        await update(sql, name, column, value(column, limit + 10))
        with refused(column, limit + 11, limit):
            await update(sql, name, column, value(column, limit + 11))
        await update(sql, name, column, value(column, limit + 9))
        await update(sql, name, column, value(column, 10))
