"""Logs: one escaped line for each record, at any level without tokens, queries and personal data."""

import asyncio
import json
import logging
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.domain.deals import records as deals
from crm_graph.telemetry.logs import JsonLines, TextLines
from tests.support.api import bearer, send
from tests.support.factories import add_owner
from tests.support.logs import records, written
from tests.support.webhooks import post, relayed

ADA = "ada@seller.com"
NASTY = "x\r\nlevel=error forged\x1b[31mred\x1b[0m\u2028\u202eend"
CREATE = "mutation ($in: CreateDealInput!) { createDeal(input: $in) { deal { id title } } }"
SECRETS = ("hunter2", "the-private-title", "private@lead.example", "createDeal", "__typename")


@pytest.fixture(autouse=True)
async def ada(client: httpx.AsyncClient, sql: AsyncConnection) -> Any:
    """The caller; requests `client` first, so that it is cleaned up last."""
    return await add_owner(sql, ADA)


def test_a_record_is_one_line_whatever_is_in_it() -> None:
    record = logging.LogRecord("crm", logging.ERROR, __file__, 1, "a %s", (NASTY,), None)
    record.details = {"path": NASTY, NASTY: b"\x00\xff", "half": "\ud800"}
    try:
        raise RuntimeError(NASTY)
    except RuntimeError as error:
        record.exc_info = (type(error), error, error.__traceback__)

    [line] = records([JsonLines().format(record)])

    assert line["message"] == f"a {NASTY}"
    assert line["path"] == NASTY
    assert NASTY in line["exception"]


async def test_hostile_text_in_a_path_or_header_stays_inside_its_line(client: httpx.AsyncClient) -> None:
    with written() as lines:
        await client.get("/x%0d%0alevel=error%20forged%1b%5b31m%e2%80%a8")
        await client.get("/healthz", headers=[(b"user-agent", b"x\x1b[31m"), (b"x-request-id", b"forged\x1b")])
        await client.post("/crm/webhooks/%0d%0a%1b/x", content=b"{}")

    requests = [line for line in records(lines) if line["logger"] == "crm_graph.request"]
    assert [line["status"] for line in requests] == [404, 200, 404]
    assert requests[0]["path"] == "/x\r\nlevel=error forged\x1b[31m\u2028"
    assert all(len(line["request_id"]) == 32 for line in requests)


async def test_a_long_path_is_cut(client: httpx.AsyncClient) -> None:
    with written() as lines:
        await client.get("/" + "x" * 199)
        await client.get("/" + "x" * 6_000)

    paths = [line["path"] for line in records(lines) if line["logger"] == "crm_graph.request"]
    assert paths == ["/" + "x" * 199, "/" + "x" * 199 + "... (6,001 characters)"]


async def test_neither_token_nor_query_nor_body_is_logged(client: httpx.AsyncClient) -> None:
    token = bearer(ADA)["Authorization"].removeprefix("Bearer ")
    given = {"title": f"the-private-title {NASTY}", "notes": "hunter2"}
    with written() as lines:
        await send(client, ADA, CREATE, **{"in": given})
        await send(client, ADA, CREATE, **{"in": given | {"amount": "hunter2"}})
        await send(client, ADA, "{ me { hunter2 } }")
        await send(client, ADA, "{ hunter2 ")
        await send(client, ADA, '{ contactByEmail(email: "private@lead.example") { id __typename } }')
        await client.post(f"/graphql?query=hunter2&access_token={token}", json={"query": "{ me { id } }"})
        await client.post("/graphql", content=b"hunter2", headers=bearer("hunter2@seller.com"))
        await client.post("/graphql", content=b"hunter2", headers=bearer(ADA))

    text_of_all = "\n".join(lines)

    records(text_of_all.splitlines())
    assert token not in text_of_all
    assert bearer(ADA)["Authorization"].partition(".")[0] not in text_of_all
    for secret in SECRETS:
        assert secret not in text_of_all
    assert text_of_all.count('"logger": "crm_graph.request"') == 8


async def test_the_librarys_own_logger_prints_no_query(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    for document in ("{ me { hunter2 } }", "{ hunter2 ", '{ deals(first: 0, after: "hunter2") { totalCount } }'):
        await send(client, ADA, document)

    assert [record for record in caplog.records if record.name.startswith(("strawberry", "graphql"))] == []
    assert "hunter2" not in caplog.text


async def test_an_internal_error_is_one_line_without_the_query(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError(NASTY)

    monkeypatch.setattr(deals, "create", broken)
    with written() as lines:
        answer = await send(client, ADA, CREATE, **{"in": {"title": "the-private-title"}})

    [line] = [record for record in records(lines) if record["level"] == "error"]
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["path"] == "createDeal"
    assert "RuntimeError" in line["exception"]
    for secret in ("the-private-title", "CreateDealInput"):
        assert secret not in "\n".join(lines)


async def test_a_broken_statement_is_logged_without_its_values(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await sql.execute(text("ALTER TABLE contacts RENAME COLUMN title TO job"))
    try:
        with written() as lines:
            await send(client, ADA, '{ contactByEmail(email: "private@lead.example") { title __typename } }')
    finally:
        await sql.execute(text("ALTER TABLE contacts RENAME COLUMN job TO title"))

    [line] = [record for record in records(lines) if record["level"] == "error"]
    assert "UndefinedColumn" in line["exception"]
    for secret in SECRETS:
        assert secret not in "\n".join(lines)


async def test_a_refused_row_is_logged_without_its_values(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await sql.execute(text("ALTER TABLE deals ADD CONSTRAINT never CHECK (title <> 'the-private-title hunter2')"))
    try:
        with written() as lines:
            answer = await send(client, ADA, CREATE, **{"in": {"title": "the-private-title hunter2"}})
    finally:
        await sql.execute(text("ALTER TABLE deals DROP CONSTRAINT never"))

    assert answer.status_code == 500
    assert "CheckViolation" in "\n".join(lines)
    for secret in ("hunter2", "the-private-title"):
        assert secret not in "\n".join(lines)


async def test_webhooks_are_logged_without_their_bodies(client: httpx.AsyncClient, app: FastAPI) -> None:
    body = json.dumps({"event_type": "hunter2", "lead_email": "private@lead.example", "x": NASTY}).encode()
    with written() as lines:
        await post(client, "instantly", body)
        await client.post("/crm/webhooks/instantly/reply", content=body, headers=relayed("instantly", b"hunter2"))
        await client.post(
            "/crm/webhooks/calcom/booking?token=hunter2", content=b"{hunter2", headers=relayed("calcom", b"x")
        )

    records(lines)
    for secret in ("hunter2", "private@lead.example", "instantly-static-bearer-token", "sha256="):
        assert secret not in "\n".join(lines)


def test_as_text_a_record_is_one_line_too_and_its_traceback_is_indented() -> None:
    record = logging.LogRecord("crm", logging.ERROR, __file__, 1, "a %s", (NASTY,), None)
    record.details = {"path": NASTY, NASTY: b"\x00\xff", "half": "\ud800", "status": 500}
    try:
        raise RuntimeError(NASTY)
    except RuntimeError as error:
        record.exc_info = (type(error), error, error.__traceback__)

    first, *traceback = TextLines().format(record).split("\n")

    assert " ERROR   crm: a x" in first
    assert "status=500" in first
    assert all(line.isprintable() for line in (first, *traceback))
    assert len(traceback) >= 4
    assert all(line.startswith("    ") for line in traceback)


def test_libraries_write_through_the_same_handler() -> None:
    with written() as lines:
        for name in ("uvicorn.error", "asyncio", "procrastinate.worker", "opentelemetry.sdk.trace"):
            logging.getLogger(name).warning("it said %s", NASTY)

    assert [line["message"] for line in records(lines)] == [f"it said {NASTY}"] * 4


async def test_every_line_of_a_request_has_its_id_and_no_other_has(client: httpx.AsyncClient) -> None:
    with written() as lines:
        first, second = await asyncio.gather(post(client, "instantly", {}), post(client, "calcom", {}))
        logging.getLogger("crm_graph.x").warning("between requests")

    of = [line.get("request_id") for line in records(lines) if line["logger"].startswith(("crm_graph", "webhooks"))]
    assert set(of[:-1]) == {answer.headers["x-request-id"] for answer in (first, second)}
    assert of[-1] is None
