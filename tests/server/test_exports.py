"""GET /export/...csv: the rows that the caller may see, as a file that ends normally only if it is complete."""

import asyncio
import csv
import io
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.identity.principal import Principal
from crm_graph.import_export import exporter
from crm_graph.import_export.exporter import PAGE_ROWS, Kind
from crm_graph.models import Role
from crm_graph.server.serve import server_config
from tests.support.api import bearer
from tests.support.database import unchanged
from tests.support.factories import ADA, BOB, READER, ROOT, World

CONTACTS, DEALS = "/export/contacts.csv", "/export/deals.csv"
NAMES = {
    "ada": "=cmd|' /C calc'!A0",
    "bob": "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "pool": '<script>alert("x")</script>, Jr.\r\n@evil',
}


async def table_of(client: httpx.AsyncClient, who: str, path: str) -> list[dict[str, str]]:
    answer = await client.get(path, headers=bearer(who))
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def many(sql: AsyncConnection, owner: Any, count: int) -> None:
    query = """INSERT INTO contacts (email, owner_id, created_at)
        SELECT 'n' || n || '@many.example', :owner, now() - n * interval '1 second' FROM generate_series(1, :count) n"""
    await sql.execute(text(query), {"owner": owner, "count": count})


async def test_callers_get_their_own_rows_and_the_pool(client: httpx.AsyncClient, world: World) -> None:
    seen = {who: await table_of(client, who, CONTACTS) for who in (ADA, BOB, ROOT, READER)}
    deals = {who: await table_of(client, who, DEALS) for who in (ADA, BOB, ROOT, READER)}

    emails = {who: {row["email"] for row in rows} for who, rows in seen.items()}
    assert emails[ADA] == {world.ada.email, world.pool.email}
    assert emails[BOB] == {world.bob.email, world.pool.email}
    assert emails[ROOT] == emails[READER] == emails[ADA] | emails[BOB]
    assert {row["title"] for row in deals[ADA]} == {"ada-own", "ada-cross", "pool-own", "pool-cross"}
    assert len(deals[ROOT]) == len(deals[READER]) == 6
    [crossing] = [row for row in deals[ADA] if row["title"] == "ada-cross"]
    assert (crossing["contactId"], crossing["contactEmail"], crossing["companyName"]) == ("", "", "Acme")
    [seen_by_root] = [row for row in deals[ROOT] if row["title"] == "ada-cross"]
    assert seen_by_root["contactEmail"] == world.bob.email


async def test_values_are_written_as_the_api_writes_them(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await sql.execute(
        text("""UPDATE contacts SET custom = '{"score": 1, "ü": ["ä"]}', reply_status = 'out_of_office',
                ooo_until = '2026-03-01', do_not_contact_at = '2026-02-01T10:00:00Z', phone = '+49 30 1234'
                WHERE id = :id"""),
        {"id": world.ada.contact},
    )
    await sql.execute(text("UPDATE deals SET close_date = '2026-04-01', deleted_at = NULL"))

    [contact] = [row for row in await table_of(client, ADA, CONTACTS) if row["email"] == world.ada.email]
    [deal] = [row for row in await table_of(client, ADA, DEALS) if row["title"] == "ada-own"]

    assert json.loads(contact["custom"]) == {"score": 1, "ü": ["ä"]}
    assert "ä" in contact["custom"]
    assert (contact["replyStatus"], contact["oooUntil"], contact["phone"]) == (
        "OUT_OF_OFFICE",
        "2026-03-01",
        "+49 30 1234",
    )
    assert (contact["doNotContactAt"], contact["needsReview"]) == ("2026-02-01T10:00:00+00:00", "false")
    assert (contact["companyId"], contact["companyName"], contact["ownerEmail"]) == (str(world.company), "Acme", ADA)
    assert (deal["amount"], deal["currency"], deal["closeDate"]) == ("101.00", "USD", "2026-04-01")
    assert (deal["stageKey"], deal["stageName"], deal["status"]) == ("new", "New", "OPEN")
    assert deal["pipelineName"] == "Default Sales"


async def test_formulas_in_names_are_escaped(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    for side, name in NAMES.items():
        await sql.execute(
            text("UPDATE contacts SET full_name = :name WHERE id = :id"),
            {"name": name, "id": getattr(world, side).contact},
        )

    names = {row["email"].partition("s.")[0]: row["fullName"] for row in await table_of(client, ROOT, CONTACTS)}

    assert names == NAMES | {"ada": "'" + NAMES["ada"]}


async def test_deleted_rows_are_left_out(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await sql.execute(text("UPDATE contacts SET deleted_at = now() WHERE owner_id IS NULL"))
    await sql.execute(text("UPDATE deals SET deleted_at = now() WHERE title LIKE 'pool%'"))

    assert [row["email"] for row in await table_of(client, ADA, CONTACTS)] == [world.ada.email]
    assert {row["title"] for row in await table_of(client, ADA, DEALS)} == {"ada-own", "ada-cross"}


async def test_a_file_of_many_pages_has_every_row_once(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await many(sql, world.ada.owner, 2 * PAGE_ROWS)

    emails = [row["email"] for row in await table_of(client, ADA, CONTACTS)]

    assert len(emails) == len(set(emails)) == 2 * PAGE_ROWS + 2
    assert emails[0] == f"n{2 * PAGE_ROWS}@many.example", "the oldest first"


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("role", [Role.SALES, Role.ADMIN])
@pytest.mark.parametrize("kind", Kind)
async def test_pages_of_any_size_make_the_same_file(
    database: Database, world: World, kind: Kind, role: Role, size: int
) -> None:
    principal = Principal(world.ada.owner, role)

    async def whole(size: int) -> bytes:
        return b"".join([part async for part in exporter.pages(database, principal, kind, size=size)])

    assert await whole(size) == await whole(1_000)
    assert (await whole(size)).count(b"\r\n") > 2


async def test_the_headers_of_the_response(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        plain = await client.get(DEALS, headers=bearer(ADA))
        excel = await client.get(DEALS, headers=bearer(ADA), params={"bom": "1"})

    assert plain.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert plain.headers["content-disposition"].startswith('attachment; filename="deals-')
    assert (plain.headers["cache-control"], plain.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert excel.content == b"\xef\xbb\xbf" + plain.content


@pytest.mark.parametrize("path", [CONTACTS, DEALS])
async def test_it_needs_a_token(client: httpx.AsyncClient, world: World, path: str) -> None:
    token = bearer(ADA)["Authorization"].removeprefix("Bearer ")
    for answer in (
        await client.get(path),
        await client.get(path, headers={"Authorization": "Bearer x"}),
        await client.get(path, headers=bearer("nobody@seller.com")),
        await client.get(path, params={"access_token": token}),
        await client.get(path, params={"access_token": token}, headers=bearer(ADA)),
    ):
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_not_allowed(client: httpx.AsyncClient, world: World, method: str) -> None:
    answer = await client.request(method, CONTACTS, headers=bearer(ADA))

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


async def test_unknown_parameters_are_refused(client: httpx.AsyncClient, world: World) -> None:
    for wrong in ({"first": "10"}, {"bom": "yes"}):
        answer = await client.get(CONTACTS, headers=bearer(ADA), params=wrong)
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
    assert (await client.get("/export/activities.csv", headers=bearer(ADA))).status_code == 404


@pytest.fixture
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The address of a server on a real socket."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(server_config(app, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving


async def test_a_failure_breaks_the_connection(served: str, world: World, sql: AsyncConnection) -> None:
    await many(sql, world.ada.owner, PAGE_ROWS)
    async with httpx.AsyncClient(base_url=served, headers=bearer(ADA), trust_env=False) as client:
        assert (await client.get(CONTACTS)).text.endswith("\r\n")
        # A time that Python has no value for, on the last page.
        await sql.execute(text("UPDATE contacts SET created_at = 'infinity' WHERE owner_id IS NULL"))

        received = bytearray()

        async def receive() -> None:
            async with client.stream("GET", CONTACTS) as answer:
                assert answer.status_code == 200
                async for part in answer.aiter_bytes():
                    received.extend(part)

        with pytest.raises(httpx.RemoteProtocolError):
            await receive()
        assert received.count(b"@many.example") == PAGE_ROWS

        await sql.execute(text("DELETE FROM contacts WHERE email LIKE '%@many.example'"))
        early = await client.get(CONTACTS)
        assert (early.status_code, early.json()["error"]) == (500, "internal")
