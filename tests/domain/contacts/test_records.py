"""Contacts through the API: found by any of their addresses and changed field by field, with an entry per change."""

from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Company, ContactEmail, Owner, table
from tests.support.api import Json, ask, reason, refusal
from tests.support.database import unchanged
from tests.support.factories import ADA, BOB, ROOT, World, add

UPSERT = """mutation ($in: UpsertContactInput!) { upsertContact(input: $in) { created contact {
    id email fullName title custom version company { id name domain } owner { email } ownerSource } } }"""
UPDATE = """mutation ($in: UpdateContactInput!) { updateContact(input: $in) { contact {
    id fullName title custom version company { id } owner { email } ownerSource
    activities { nodes { type content meta createdBy { email } } } } } }"""


async def upsert(client: httpx.AsyncClient, email: str, who: str = ADA, **given: Any) -> tuple[Json, bool]:
    answer = (await ask(client, who, UPSERT, **{"in": {"email": email, **given}}))["upsertContact"]
    return answer["contact"], answer["created"]


async def update(client: httpx.AsyncClient, contact: Any, who: str = ADA, **given: Any) -> Json:
    answer = await ask(client, who, UPDATE, **{"in": {"contactId": str(contact), **given}})
    return dict(answer["updateContact"]["contact"])


async def stored(sql: AsyncConnection, contact: Any) -> Any:
    query = text("SELECT * FROM contacts WHERE id = CAST(:id AS uuid)")
    return (await sql.execute(query, {"id": str(contact)})).mappings().one()


async def entries(sql: AsyncConnection, contact: Any) -> list[Any]:
    """The system entries of a contact, oldest first."""
    query = """SELECT content, meta_json AS meta, created_by FROM activities
               WHERE contact_id = CAST(:id AS uuid) AND type = 'system' ORDER BY created_at, occurred_at"""
    return list(await sql.execute(text(query), {"id": str(contact)}))


async def test_a_new_address_creates_a_contact(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    contact, created = await upsert(client, " New@Fresh.Example ", fullName="New Lead", title="CTO", custom={"a": 1})

    assert created
    row = await stored(sql, contact["id"])
    assert (row["email"], row["full_name"], row["title"], row["custom"]) == (
        "new@fresh.example",
        "New Lead",
        "CTO",
        {"a": 1},
    )
    assert (row["owner_id"], row["owner_source"], row["lifecycle_stage"]) == (world.ada.owner, "person", "lead")
    assert row["version"] == 1
    assert contact["company"]["domain"] == contact["company"]["name"] == "fresh.example"
    [entry] = await entries(sql, contact["id"])
    assert (entry[0], entry[2]) == ("Contact created", world.ada.owner)


async def test_a_known_address_changes_its_contact(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact, created = await upsert(client, world.ada.email.title(), title="CEO")

    assert not created
    assert contact["id"] == str(world.ada.contact)
    row = await stored(sql, world.ada.contact)
    assert (row["title"], row["full_name"], row["version"]) == ("CEO", world.ada.email, 2)
    [entry] = await entries(sql, world.ada.contact)
    assert entry.content == "Contact changed: title"
    assert entry.meta == {"source": "graphql", "changes": {"title": {"old": None, "new": "CEO"}}}
    assert entry.created_by == world.ada.owner


async def test_an_upsert_without_changes_writes_nothing(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    no_changes: list[Json] = [
        {}, {"fullName": world.ada.email}, {"title": None}, {"custom": {}}, {"custom": {"a": None}},
    ]  # fmt: skip
    async with unchanged(sql):
        for given in no_changes:
            contact, created = await upsert(client, world.ada.email, **given)
            assert (contact["version"], created) == (1, False)


async def test_an_alias_finds_the_survivor(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await sql.execute(table(ContactEmail).insert().values(email="old@acme.example", contact_id=world.ada.contact))

    contact, created = await upsert(client, "OLD@acme.example", title="CEO")
    by_email = await ask(client, ADA, '{ contactByEmail(email: "Old@Acme.Example") { id email } }')

    assert (contact["id"], contact["email"], created) == (str(world.ada.contact), world.ada.email, False)
    assert by_email["contactByEmail"] == {"id": str(world.ada.contact), "email": world.ada.email}
    assert await sql.scalar(text("SELECT count(*) FROM contacts WHERE email = 'old@acme.example'")) == 0


async def test_a_changed_contact_of_the_pool_stays_there(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact, created = await upsert(client, world.pool.email, title="CEO")

    assert (contact["id"], created, contact["owner"]) == (str(world.pool.contact), False, None)
    assert (await stored(sql, world.pool.contact))["owner_id"] is None


async def test_custom_is_merged_key_by_key(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await upsert(client, world.ada.email, custom={"a": 1, "b": {"x": 1, "y": 2}, "c": [1]})
    contact, _ = await upsert(
        client, world.ada.email, custom={"a": None, "b": {"x": 2, "absent": None}, "d": "new", "absent": None}
    )

    assert contact["custom"] == {"b": {"x": 2, "y": 2}, "c": [1], "d": "new"}
    assert (await stored(sql, world.ada.contact))["custom"] == contact["custom"]
    change = (await entries(sql, world.ada.contact))[-1].meta["changes"]["custom"]
    assert change["old"] == {"a": 1, "b": {"x": 1, "y": 2}, "c": [1]}
    assert change["new"] == contact["custom"]

    cleared = await update(client, world.ada.contact, custom=None)
    assert cleared["custom"] == {}


async def test_nulls_in_custom_are_not_stored_for_a_new_contact(client: httpx.AsyncClient, world: World) -> None:
    contact, _ = await upsert(client, "new@fresh.example", custom={"a": None, "b": 1})

    assert contact["custom"] == {"b": 1}


async def test_the_company_is_found_by_domain_then_by_name(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    by_domain, _ = await upsert(client, "x@acme.example")
    named, _ = await upsert(client, "x@fresh.example", companyName="Fresh Ltd")
    unnamed_before, _ = await upsert(client, "x@later.example")
    named_later, _ = await upsert(client, "y@later.example", companyName="Later Ltd")
    free_mail, _ = await upsert(client, "x@gmail.com")
    free_named, _ = await upsert(client, "y@gmail.com", companyName="Nameless GmbH")
    again, _ = await upsert(client, "z@gmail.com", companyName="  NAMELESS gmbh")

    assert by_domain["company"]["id"] == str(world.company)
    assert (named["company"]["name"], named["company"]["domain"]) == ("Fresh Ltd", "fresh.example")
    assert unnamed_before["company"]["name"] == "later.example"
    assert named_later["company"] == {
        "id": unnamed_before["company"]["id"],
        "name": "Later Ltd",
        "domain": "later.example",
    }
    assert free_mail["company"] is None
    assert (free_named["company"]["name"], free_named["company"]["domain"]) == ("Nameless GmbH", None)
    assert again["company"]["id"] == free_named["company"]["id"]
    assert await sql.scalar(text("SELECT count(*) FROM companies")) == 4


async def test_a_company_that_a_person_chose_stays(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    other = await add(sql, Company, name="Other", name_key="other")
    await update(client, world.ada.contact, companyId=str(other))

    unchanged_company, _ = await upsert(client, world.ada.email, title="CEO")
    cleared = await update(client, world.ada.contact, companyId=None)

    assert unchanged_company["company"]["id"] == str(other)
    assert cleared["company"] is None


async def test_absent_fields_stay_and_null_clears(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await update(client, world.ada.contact, title="CEO", phone="+90 555", website="https://x.example")

    changed = await update(client, world.ada.contact, fullName="Lead", title=None)

    row = await stored(sql, world.ada.contact)
    assert (row["full_name"], row["title"], row["phone"], row["website"]) == (
        "Lead",
        None,
        "+90 555",
        "https://x.example",
    )
    assert (row["version"], changed["version"]) == (3, 3)
    entry = next(
        node for node in changed["activities"]["nodes"] if node["content"] == "Contact changed: full_name, title"
    )
    assert entry["createdBy"] == {"email": ADA}
    assert entry["meta"]["changes"] == {
        "full_name": {"old": world.ada.email, "new": "Lead"},
        "title": {"old": "CEO", "new": None},
    }


async def test_the_entry_of_an_edit_has_old_and_new_values_of_every_type(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await update(
        client, world.ada.contact, ROOT, lifecycleStage="CUSTOMER", ownerId=str(world.bob.owner), companyId=None
    )

    row = await stored(sql, world.ada.contact)
    assert (row["lifecycle_stage"], row["owner_id"], row["owner_source"]) == ("customer", world.bob.owner, "person")
    changes = (await entries(sql, world.ada.contact))[-1].meta["changes"]
    assert changes == {
        "lifecycle_stage": {"old": "lead", "new": "customer"},
        "owner_id": {"old": str(world.ada.owner), "new": str(world.bob.owner)},
        "owner_source": {"old": None, "new": "person"},
        "company_id": {"old": str(world.company), "new": None},
    }


async def test_an_admin_names_the_owner_of_a_new_contact(client: httpx.AsyncClient, world: World) -> None:
    own, _ = await upsert(client, "a@fresh.example", ROOT)
    given, _ = await upsert(client, "b@fresh.example", ROOT, ownerId=str(world.bob.owner))

    assert (own["owner"], own["ownerSource"]) == ({"email": ROOT}, "PERSON")
    assert (given["owner"], given["ownerSource"]) == ({"email": BOB}, "PERSON")


async def test_an_update_without_changes_writes_nothing(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    async with unchanged(sql):
        for given in ({}, {"fullName": world.ada.email}, {"phone": None}, {"companyId": str(world.company)}):
            assert (await update(client, world.ada.contact, **given))["version"] == 1


async def test_a_contact_with_an_owners_address_leaves_the_owner_alone(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    before = list(await sql.execute(table(Owner).select()))

    contact, created = await upsert(client, BOB, fullName="A lead with a colleague's address")

    assert created
    assert contact["email"] == BOB
    assert list(await sql.execute(table(Owner).select())) == before


async def test_an_expected_version_of_an_unknown_contact_creates_none(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    document = "mutation ($in: UpsertContactInput!) { upsertContact(input: $in) { created } }"
    async with unchanged(sql):
        error = await refusal(client, ADA, document, **{"in": {"email": "new@fresh.example", "expectedVersion": 1}})
    assert reason(error) == ("NOT_FOUND", "email")
