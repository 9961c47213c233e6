"""Companies through the API: found by domain, else by name; every change has an entry, every refusal a field."""

import json
import uuid
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.values import FREE_MAIL_DOMAINS
from tests.support.api import Json
from tests.support.companies import DETAILS, UPDATE, UPSERT, count, entries, refused, stored, update, upsert
from tests.support.database import unchanged
from tests.support.factories import ADA, BOB, READER, ROOT, World

DEEP: Any = json.loads("[" * 100 + "]" * 100)


async def test_a_new_domain_creates_a_company(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    company, created = await upsert(
        client, domain=" Fresh.Example. ", name="Fresh Ltd.", enrichment={"a": 1, "b": None}, **DETAILS
    )

    row = await stored(sql, company["id"])
    assert created
    assert (row.name, row.name_key, row.domain) == ("Fresh Ltd.", "fresh ltd", "fresh.example")
    assert (row.location, row.size, row.industry, row.website, row.linkedin_url) == tuple(DETAILS.values())
    assert row.enrichment_json == {"a": 1}
    [entry] = await entries(sql, company["id"])
    assert (entry.type, entry.content, entry.created_by) == ("system", "Company created", world.ada.owner)
    assert (entry.contact_id, entry.deal_id) == (None, None)
    assert company["activities"]["nodes"][0]["createdBy"] == {"email": ADA}

    unnamed, _ = await upsert(client, domain="later.example")
    named, created = await upsert(client, domain="later.example", name="Later")
    assert (unnamed["name"], named["name"], created) == ("later.example", "Later", False)
    assert (await stored(sql, named["id"])).name_key == "later"


async def test_a_known_domain_changes_its_company(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await update(client, world.company, **DETAILS)

    company, created = await upsert(client, BOB, domain="ACME.example", industry="Müzik", size=None, location="İzmir")

    assert (company["id"], created) == (str(world.company), False)
    row = await stored(sql, world.company)
    assert (row.name, row.industry, row.size, row.location, row.website) == (
        "Acme", "Müzik", None, "İzmir", "https://x.example",
    )  # fmt: skip
    entry = (await entries(sql, world.company))[-1]
    assert (entry.content, entry.created_by) == ("Company changed: location, size, industry", world.bob.owner)
    assert entry.meta_json["changes"]["size"] == {"old": "11-50", "new": None}
    assert row.updated_at > row.created_at


async def test_without_a_domain_the_name_identifies_the_company(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    first, new = await upsert(client, name="Öz  İnşaat A.Ş.")
    again, old = await upsert(client, name="OZ INSAAT a.ş.", size="5", domain=None)
    known, _ = await upsert(client, name="acme")

    assert (new, old, again["id"], again["name"]) == (True, False, first["id"], "Öz  İnşaat A.Ş.")
    assert known["id"] == str(world.company)  # though it has a domain
    assert (await stored(sql, first["id"])).size == "5"
    assert await count(sql) == 2


async def test_a_company_known_by_name_takes_the_domain_that_comes_with_it(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    named, _ = await upsert(client, name="Globex")
    taken, created = await upsert(client, name="GLOBEX", domain="globex.example")
    other, is_new = await upsert(client, name="Globex", domain="globex.org.example")

    assert (taken["id"], taken["name"], taken["domain"], created) == (named["id"], "GLOBEX", "globex.example", False)
    assert is_new
    assert other["id"] != named["id"]
    changes = (await entries(sql, named["id"]))[-1].meta_json["changes"]
    assert changes["domain"] == {"old": None, "new": "globex.example"}


async def test_an_update_changes_name_and_domain(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    changed = await update(client, world.company, name="Açme Söhne", domain="Köln.example")

    row = await stored(sql, world.company)
    assert (row.name, row.name_key, row.domain) == ("Açme Söhne", "acme sohne", "xn--kln-sna.example")
    assert (await upsert(client, name="acme söhne"))[0]["id"] == changed["id"]
    [entry] = await entries(sql, world.company)
    assert entry.content == "Company changed: name, domain"

    cleared = await update(client, world.company, domain=None)
    assert cleared["domain"] is None
    unnamed, _ = await upsert(client, domain="old.example")
    renamed = await update(client, unnamed["id"], domain="new.example")
    assert (renamed["name"], renamed["domain"]) == ("new.example", "new.example")  # it has no name of its own yet


async def test_the_domain_or_name_of_another_company_is_a_conflict(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    globex, _ = await upsert(client, domain="globex.example", name="Globex")
    nameless, _ = await upsert(client, name="Initech")

    async with unchanged(sql):
        for taken in ({"domain": "Globex.example"}, {"domain": "globex.example", "name": "New"}):
            assert await refused(client, UPDATE, companyId=str(world.company), **taken) == ("CONFLICT", "domain")
        for name in ("initech", "Initech!"):
            given = {"companyId": globex["id"], "name": name, "domain": None}
            assert await refused(client, UPDATE, **given) == ("CONFLICT", "domain")
    await update(client, globex["id"], domain=None)
    async with unchanged(sql):
        assert await refused(client, UPDATE, companyId=nameless["id"], name="GLOBEX") == ("CONFLICT", "name")
    assert (await update(client, globex["id"], name="GLOBEX"))["name"] == "GLOBEX"
    assert (await update(client, globex["id"], name="Initech", domain="initech.example"))["name"] == "Initech"


async def test_enrichment_is_merged_at_every_level(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await update(client, world.company, enrichment={"funding": {"round": "A", "usd": 1}, "tags": ["x"], "old": 1})

    changed, _ = await upsert(
        client,
        domain="acme.example",
        enrichment={"funding": {"usd": 5, "round": None}, "tags": ["y", None], "old": None},
    )

    assert changed["enrichment"] == {"funding": {"usd": 5}, "tags": ["y", None]}
    assert (await stored(sql, world.company)).enrichment_json == changed["enrichment"]
    entry = (await entries(sql, world.company))[-1]
    assert entry.content == "Company changed: enrichment"
    assert entry.meta_json["changes"] == {"enrichment": {
        "old": {"funding": {"round": "A", "usd": 1}, "tags": ["x"], "old": 1},
        "new": {"funding": {"usd": 5}, "tags": ["y", None]},
    }}  # fmt: skip

    await update(client, world.company, enrichment={"extra": 1})
    await update(client, world.company, enrichment={"extra": True})  # equal in Python
    changes = (await entries(sql, world.company))[-1].meta_json["changes"]
    assert changes == {"enrichment": {"old": {"extra": 1}, "new": {"extra": True}}}
    assert (await update(client, world.company, enrichment=None))["enrichment"] == {}


async def test_calls_without_changes_write_nothing(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await update(client, world.company, enrichment={"a": {"b": 1}})
    no_changes: list[Json] = [
        {}, {"name": "Acme"}, {"size": None}, {"enrichment": {}}, {"enrichment": {"a": {"b": 1}, "c": None}},
    ]  # fmt: skip
    async with unchanged(sql):
        for given in no_changes:
            await update(client, world.company, **given)
            await upsert(client, domain="acme.example", **given)
        await upsert(client, name="ACME!")


NOT_DOCUMENTS: list[Any] = ["x", 5, [], {"a": DEEP}, {"a": "\x00"}, {"a": 2**63}, {str(i): i for i in range(501)}]
NOT_DOMAINS = ["", " ", "acme", "a b.example", "https://acme.example", "x@acme.example", "-.example", "a\x00.example",
               "localhost", "x" * 300 + ".example", "_.example"]  # fmt: skip


async def test_invalid_values_are_refused_naming_the_field(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    known = {"companyId": str(world.company)}
    async with unchanged(sql):
        for domain in (*NOT_DOMAINS, *sorted(FREE_MAIL_DOMAINS)[:3], "GMail.com."):
            assert await refused(client, UPSERT, domain=domain) == ("VALIDATION", "domain")
            assert await refused(client, UPDATE, **known, domain=domain) == ("VALIDATION", "domain")
        for name in ("", " \n", "a\x00b", "x" * 501):
            assert await refused(client, UPSERT, domain="new.example", name=name) == ("VALIDATION", "name")
            assert await refused(client, UPDATE, **known, name=name) == ("VALIDATION", "name")
        assert await refused(client, UPDATE, **known, name=None) == ("VALIDATION", "name")
        for given in ({}, {"name": None, "domain": None}, {"size": "5"}):
            assert await refused(client, UPSERT, **given) == ("VALIDATION", "domain")
        assert await refused(client, UPSERT, name="\U0001f600") == ("VALIDATION", "name")
        assert await refused(client, UPDATE, **known, name="\U0001f600", domain=None) == ("VALIDATION", "name")
        for field in DETAILS:
            for wrong in ("a\x00", "\ud800", "x" * 501):
                assert await refused(client, UPSERT, domain="new.example", **{field: wrong}) == ("VALIDATION", field)
        for document in NOT_DOCUMENTS:
            given = {"domain": "acme.example", "enrichment": document}
            assert await refused(client, UPSERT, **given) == ("VALIDATION", "enrichment")
    emoji, _ = await upsert(client, name="\U0001f600", domain="smile.example")
    assert (await stored(sql, emoji["id"])).name_key == "smile example"


async def test_enrichment_has_a_maximum_size(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await update(client, world.company, enrichment={f"key{i}": i for i in range(500)})
    async with unchanged(sql):
        for more in ({"one more": 1}, {"key0": "x" * 100_000}):
            assert await refused(client, UPDATE, companyId=str(world.company), enrichment=more) == (
                "VALIDATION",
                "enrichment",
            )
    swapped = await update(client, world.company, enrichment={"key0": None, "one more": "x" * 50_000})
    assert len(swapped["enrichment"]) == 500


async def test_everybody_but_a_reader_may_change_a_company(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    async with unchanged(sql):
        assert await refused(client, UPDATE, companyId=str(uuid.uuid4())) == ("NOT_FOUND", "companyId")
        for mutation, given in ((UPSERT, {"name": "New"}), (UPDATE, {"companyId": str(world.company), "size": "5"})):
            assert await refused(client, mutation, READER, **given) == ("FORBIDDEN", None)
    for who in (ADA, BOB, ROOT):
        assert (await update(client, world.company, who, size=who))["size"] == who
