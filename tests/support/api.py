"""Asking the API as an owner's client does, and looking at everything that is stored."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from crm_graph.models import Owner, PipelineStage, table
from tests.support.webhooks import bearer

Json = dict[str, Any]


async def send(client: httpx.AsyncClient, who: object, document: str, **variables: Any) -> httpx.Response:
    """The raw answer to a document run as the owner `who` (an id or e-mail)."""
    body = json.dumps({"query": document, "variables": variables})  # in ASCII: a lone surrogate travels as \ud800
    return await client.post("/graphql", content=body, headers=bearer(who) | {"Content-Type": "application/json"})


async def ask(client: httpx.AsyncClient, who: object, document: str, **variables: Any) -> Any:
    """The data of an answer that must have no errors."""
    answer = await send(client, who, document, **variables)
    body = answer.json()
    assert answer.status_code == 200, body
    assert "errors" not in body, body
    return body["data"]


async def refusal(client: httpx.AsyncClient, who: object, document: str, **variables: Any) -> Json:
    """The one error of an answer that has no data; its code must lead the message."""
    answer = await send(client, who, document, **variables)
    body = answer.json()
    assert not any(value is not None for value in (body.get("data") or {}).values()), body
    [error] = body["errors"]
    assert error["message"].startswith(f"[{error['extensions']['code']}] "), error
    return dict(error)


def reason(error: Json) -> tuple[str, str | None]:
    """The code of an error and the field that it names."""
    return error["extensions"]["code"], error["extensions"].get("field")


async def add(sql: AsyncConnection, model: type[SQLModel], **columns: Any) -> Any:
    """A row that no verb would make; returns its id."""
    found = await sql.execute(insert(table(model)).values(**columns).returning(table(model).c.id))
    return found.scalar_one()


async def stages(sql: AsyncConnection) -> dict[str, Any]:
    """The ids of the default pipeline's stages by key, and the pipeline's own under `pipeline`."""
    c = table(PipelineStage).c
    query = select(c.key, c.id, c.pipeline_id).where(c.pipeline_id.in_(_default_pipeline()))
    found = list(await sql.execute(query))
    return {row.key: row.id for row in found} | {"pipeline": found[0].pipeline_id}


def _default_pipeline() -> Any:
    pipelines = Owner.metadata.tables["pipelines"].c
    return select(pipelines.id).where(pipelines.is_default)


async def everything(sql: AsyncConnection) -> dict[str, list[Any]]:
    """Every row of every table, so that a refusal can show that it changed nothing."""
    found = {}
    for stored in Owner.metadata.sorted_tables:
        rows = await sql.execute(select(stored))
        found[stored.name] = sorted((tuple(row) for row in rows), key=repr)
    return found


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
