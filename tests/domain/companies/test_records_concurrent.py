"""Many calls for one company at once create one company, and no call's change is lost."""

import asyncio

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Company
from tests.support.api import reason, send
from tests.support.companies import UPDATE, UPSERT, count, entries, stored, upsert
from tests.support.factories import ADA, BOB, World, add


async def test_50_upserts_of_one_company_create_one(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    spellings = ("fresh.example", "FRESH.example", " fresh.example. ")
    by_domain = [{"domain": spellings[i % 3], "enrichment": {f"k{i}": i}} for i in range(50)]
    by_name = [{"name": ("Globex", "GLOBEX", "Glóbex")[i % 3], "enrichment": {f"k{i}": i}} for i in range(50)]

    for given in (by_domain, by_name):
        answers = await asyncio.gather(
            *(send(client, (ADA, BOB)[i % 2], UPSERT, **{"in": given[i]}) for i in range(50))
        )
        found = [answer.json()["data"]["upsertCompany"] for answer in answers]
        assert sum(one["created"] for one in found) == 1
        [id_] = {one["company"]["id"] for one in found}
        row = await stored(sql, id_)
        assert row.enrichment_json == {f"k{i}": i for i in range(50)}  # no change was overwritten
        assert len(await entries(sql, id_)) == 50
    assert await count(sql) == 3


async def test_a_named_company_takes_one_of_many_domains_and_the_others_are_new(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await upsert(client, name="Globex")
    given = [{"name": "Globex", "domain": f"globex{i // 2}.example"} for i in range(20)]

    answers = await asyncio.gather(*(send(client, ADA, UPSERT, **{"in": one}) for one in given))

    found = [answer.json()["data"]["upsertCompany"] for answer in answers]
    assert sum(one["created"] for one in found) == 9
    assert [one["company"]["domain"] for one in found] == [one["domain"] for one in given]
    assert await count(sql) == 11


async def test_upserts_and_updates_of_one_domain_leave_one_company_with_it(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    others = [str(await add(sql, Company, name=f"c{i}", name_key=f"c{i}")) for i in range(10)]
    calls = [send(client, ADA, UPDATE, **{"in": {"companyId": id_, "domain": "one.example"}}) for id_ in others]
    calls += [send(client, ADA, UPSERT, **{"in": {"name": f"c{i}", "domain": "one.example"}}) for i in range(10)]

    bodies = [answer.json() for answer in await asyncio.gather(*calls)]

    refusals = {reason(body["errors"][0]) for body in bodies if "errors" in body}
    assert refusals <= {("CONFLICT", "domain")}
    assert all("errors" not in body for body in bodies[10:])
    assert await sql.scalar(text("SELECT count(*) FROM companies WHERE domain = 'one.example'")) == 1
