"""upsertContacts: many items in one call, each with the result that upsertContact would return."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.domain.batches import ITEMS_MAX
from crm_graph.models import ActivityType, ContactEmail, Suppression, table
from tests.support.api import Json, ask, reason, refusal
from tests.support.database import recorded, unchanged
from tests.support.factories import ADA, READER, ROOT, World, add_note

UPSERT = """mutation ($in: UpsertContactsInput!) { upsertContacts(input: $in) { replayed results {
    index created contact { id email fullName title version company { name domain } owner { email } }
    error { code message field } __typename } __typename } }"""


async def upsert(client: httpx.AsyncClient, *items: Json, who: str = ADA, **given: Any) -> list[Json]:
    answer = await ask(client, who, UPSERT, **{"in": {"items": items, **given}})
    assert [one["index"] for one in answer["upsertContacts"]["results"]] == list(range(len(items)))
    return list(answer["upsertContacts"]["results"])


async def refused(client: httpx.AsyncClient, *items: Json, who: str = ADA, **given: Any) -> Json:
    return await refusal(client, who, UPSERT, **{"in": {"items": items, **given}})


async def entries(sql: AsyncConnection, contact: Any) -> list[Any]:
    query = """SELECT content, meta_json AS meta, created_by FROM activities
               WHERE contact_id = CAST(:id AS uuid) AND type = 'system'"""
    return list(await sql.execute(text(query), {"id": str(contact)}))


async def test_items_are_created_changed_or_left_as_they_are(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    new, changed, same, claimed = await upsert(
        client,
        {"email": " New@Fresh.Example ", "fullName": "New Lead", "custom": {"a": 1}},
        {"email": world.ada.email.title(), "title": "CEO"},
        {"email": world.pool.email, "fullName": world.pool.email},
        {"email": "second@fresh.example", "companyName": "Fresh Ltd"},
    )

    assert (new["created"], changed["created"], same["created"], claimed["created"]) == (True, False, False, True)
    assert new["contact"]["email"] == "new@fresh.example"
    assert (
        new["contact"]["company"] == claimed["contact"]["company"] == {"name": "Fresh Ltd", "domain": "fresh.example"}
    )
    assert (new["contact"]["owner"], new["contact"]["version"]) == ({"email": ADA}, 1)
    assert (changed["contact"]["id"], changed["contact"]["title"]) == (str(world.ada.contact), "CEO")
    assert (changed["contact"]["version"], same["contact"]["version"]) == (2, 1)
    assert [one["error"] for one in (new, changed, same, claimed)] == [None] * 4
    [made], [edit] = await entries(sql, new["contact"]["id"]), await entries(sql, world.ada.contact)
    assert (made.content, made.meta, made.created_by) == ("Contact created", {"source": "graphql"}, world.ada.owner)
    assert edit.content == "Contact changed: title"
    assert edit.meta["changes"] == {"title": {"old": None, "new": "CEO"}}
    assert await entries(sql, world.pool.contact) == []


async def test_a_bad_item_refuses_the_whole_call(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        error = await refused(client, {"email": "a@fresh.example"}, {"email": world.ada.email}, {"email": "nonsense"})

    assert error["message"] == "[VALIDATION] items[2].email: email is not an e-mail address"
    assert error["extensions"] == {"code": "VALIDATION", "field": "items[2].email", "index": 2}


async def test_of_many_bad_items_ten_are_listed(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    bad = [{"email": "ok@fresh.example"}, {"email": world.bob.email}, {"email": "x@y.example", "fullName": "x" * 501}]

    async with unchanged(sql):
        error = await refused(client, *bad, *[{"email": f"{n}"} for n in range(20)])

    assert reason(error) == ("CONFLICT", "items[1].email")
    listed = error["extensions"]["errors"]
    assert [one["index"] for one in listed] == list(range(1, 11))
    assert listed[1] == {
        "index": 2,
        "code": "VALIDATION",
        "field": "fullName",
        "message": "fullName is longer than 500 characters: it has 501",
    }


async def test_a_partial_call_does_the_valid_items(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await sql.execute(table(ContactEmail).insert().values(email="alias@acme.example", contact_id=world.ada.contact))
    await sql.execute(text("UPDATE contacts SET deleted_at = now() WHERE owner_id IS NULL"))
    await sql.execute(
        table(Suppression)
        .insert()
        .values(address_hmac=text("crm_address_hmac('erased@x.example')"), suppressed_at=text("now()"))
    )
    items: list[tuple[Json, tuple[str, str | None, str] | None]] = [
        ({"email": "new@fresh.example"}, None),
        ({"email": "two@@"}, ("VALIDATION", "email", "is not an e-mail address")),
        ({"email": world.bob.email}, ("CONFLICT", "email", "belongs to a colleague's contact")),
        ({"email": world.pool.email}, ("CONFLICT", "email", "set restoreDeleted to true to restore it")),
        ({"email": "Erased@x.example"}, ("CONFLICT", "email", "was erased")),
        ({"email": world.ada.email, "expectedVersion": 7}, ("VERSION_CONFLICT", "expectedVersion", "version 1")),
        ({"email": "alias@acme.example"}, ("VALIDATION", "email", "the same contact as items[5]")),
        ({"email": "NEW@fresh.example"}, ("VALIDATION", "email", "the same e-mail as items[0]")),
        ({"email": "b@fresh.example", "ownerId": str(world.bob.owner)}, ("FORBIDDEN", "ownerId", "only an admin")),
        ({"email": "c@fresh.example", "companyId": str(world.ada.deal)}, ("NOT_FOUND", "companyId", "not found")),
        ({"email": "d@fresh.example", "custom": {"a": [1]}, "companyName": "Fresh"}, None),
        ({"email": "e@lost.example", "custom": {str(n): n for n in range(501)}}, ("VALIDATION", "custom", "is 500")),
    ]  # fmt: skip

    results = await upsert(client, *(item for item, _ in items), partial=True)

    for result, (_, expected) in zip(results, items, strict=True):
        if expected is None:
            assert (result["error"], result["created"]) == (None, True)
            continue
        code, field, words = expected
        assert (result["contact"], result["created"]) == (None, False)
        assert (result["error"]["code"], result["error"]["field"]) == (code, field)
        assert words in result["error"]["message"]
    assert await sql.scalar(text("SELECT count(*) FROM contacts")) == 5
    assert await sql.scalar(text("SELECT count(*) FROM companies")) == 2, "a failed item creates no company"
    assert (
        await sql.execute(text("SELECT name FROM companies WHERE domain = 'fresh.example'"))
    ).scalar_one() == "Fresh"


async def test_restore_deleted_restores_contacts(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await sql.execute(text("UPDATE contacts SET deleted_at = now() WHERE email = :email"), {"email": world.ada.email})

    [result] = await upsert(client, {"email": world.ada.email, "title": "CEO"}, restoreDeleted=True)

    assert (result["contact"]["id"], result["created"]) == (str(world.ada.contact), False)
    [entry] = await entries(sql, world.ada.contact)
    assert entry.content == "Contact restored; Contact changed: title"


async def test_roles(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        assert reason(await refused(client, {"email": "a@fresh.example"}, who=READER, partial=True)) == (
            "FORBIDDEN",
            None,
        )

    [given] = await upsert(client, {"email": world.bob.email, "ownerId": str(world.ada.owner)}, who=ROOT)
    assert given["contact"]["owner"] == {"email": ADA}


async def test_open_tasks_go_with_their_contact(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    for contact in (world.ada.contact, world.pool.contact):
        await add_note(sql, contact, None, "call", type=ActivityType.TASK, assignee_id=world.ada.owner)

    given = {"email": world.ada.email, "ownerId": str(world.bob.owner)}
    await upsert(client, given, {"email": world.pool.email, "title": "CEO"}, who=ROOT)

    left = await sql.execute(text("SELECT contact_id, assignee_id FROM activities WHERE type = 'task'"))
    assert {row.contact_id: row.assignee_id for row in left} == {
        world.ada.contact: world.bob.owner,
        world.pool.contact: world.ada.owner,
    }


async def test_sizes(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    assert await upsert(client) == []
    async with unchanged(sql):
        error = await refused(client, *[{"email": f"{n}@many.example"} for n in range(ITEMS_MAX + 1)], partial=True)
    assert reason(error) == ("VALIDATION", "items")
    assert "501" in error["message"]


@pytest.mark.parametrize("partial", [False, True])
async def test_a_value_of_the_wrong_type_refuses_the_call(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, partial: bool
) -> None:
    async with unchanged(sql):
        error = await refused(
            client, {"email": "a@b.example"}, {"email": "c@d.example", "companyId": "x"}, partial=partial
        )

    assert reason(error) == ("VALIDATION", "items[1].companyId")


async def test_a_repeated_call_reads_its_results_again(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    given: Json = {
        "items": [{"email": "a@fresh.example"}, {"email": "x"}, {"email": world.ada.email, "title": "CEO"}],
        "partial": True,
        "idempotencyKey": "k1",
    }
    first = (await ask(client, ADA, UPSERT, **{"in": given}))["upsertContacts"]
    await sql.execute(text("UPDATE contacts SET full_name = 'Later' WHERE email = 'a@fresh.example'"))
    await sql.execute(
        text("UPDATE contacts SET owner_id = :bob WHERE id = :id"), {"bob": world.bob.owner, "id": world.ada.contact}
    )

    async with unchanged(sql):
        again = (await ask(client, ADA, UPSERT, **{"in": given}))["upsertContacts"]

    assert (first["replayed"], again["replayed"]) == (False, True)
    assert [one["created"] for one in again["results"]] == [True, False, False]
    assert again["results"][0]["contact"]["fullName"] == "Later"
    assert again["results"][1] == first["results"][1]
    assert again["results"][2]["contact"] is None, "by now it belongs to a colleague"
    mismatch = await refusal(client, ADA, UPSERT, **{"in": given | {"partial": False}})
    assert reason(mismatch) == ("IDEMPOTENCY_MISMATCH", "idempotencyKey")


async def test_500_items_take_as_many_statements_as_one(client: httpx.AsyncClient, world: World) -> None:
    await upsert(client, {"email": "first@x.example"})  # compiles
    counts = {}
    for size in (1, 50, ITEMS_MAX):
        # Half of the items are new, each with its own company; half are known.
        known = [{"email": f"{n}@many{n}.example"} for n in range(size)]
        await upsert(client, *known)
        items = [item | {"title": f"{size}"} for item in known[size // 2 :]]
        items += [{"email": f"new{size}-{n}@new{size}-{n}.example"} for n in range(size - len(items) or 1)]
        with recorded() as sent:
            await upsert(client, *items[:ITEMS_MAX], idempotencyKey=f"k{size}")
        counts[size] = len(sent)

    # The key, the contacts, the companies, the missing companies, the changes, the payload, and the key again.
    assert set(counts.values()) == {7}, counts


async def test_two_calls_with_the_same_new_addresses(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    items = [{"email": f"{n}@company{n % 7}.example", "companyName": f"Company {n % 5}"} for n in range(40)]

    both = await asyncio.gather(
        *(upsert(client, *(item | {"title": str(turn)} for item in items[:: (-1) ** turn])) for turn in range(4))
    )

    made = [one["created"] for results in both for one in results]
    assert sum(made) == len(items)
    assert all(one["error"] is None for results in both for one in results)
    assert await sql.scalar(text("SELECT count(*) FROM contacts WHERE email LIKE '%@company%'")) == len(items)
    assert await sql.scalar(text("SELECT count(*) FROM companies WHERE domain LIKE 'company%'")) == 7
    versions = list(await sql.scalars(text("SELECT DISTINCT version FROM contacts WHERE email LIKE '%@company%'")))
    assert versions == [4], "one call creates each contact, and each of the others changes it"


async def test_calls_for_the_same_contacts_in_any_order_wait_for_each_other(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    emails = [f"{n}@acme.example" for n in range(30)]
    await upsert(client, *({"email": email} for email in emails))

    await asyncio.gather(
        *(
            upsert(client, *({"email": email, "title": f"{turn}"} for email in emails[:: (-1) ** turn]), who=who)
            for turn, who in enumerate([ADA, ROOT, ADA, ROOT])
        )
    )

    left = await sql.execute(text("SELECT DISTINCT version, title FROM contacts WHERE email ~ '^[0-9]+@acme'"))
    assert [row.version for row in left] == [5]


async def test_the_owner_rule_holds_below_the_results(client: httpx.AsyncClient, world: World) -> None:
    document = """mutation ($in: UpsertContactsInput!) { upsertContacts(input: $in) { results {
        contact { deals(first: 5) { nodes { title } } } } } }"""
    given = {"items": [{"email": world.ada.email}, {"email": world.pool.email}]}

    seen = (await ask(client, ADA, document, **{"in": given}))["upsertContacts"]["results"]

    titles = [{node["title"] for node in one["contact"]["deals"]["nodes"]} for one in seen]
    assert titles == [{"ada-own"}, {"pool-own"}]
    everything = (await ask(client, ROOT, document, **{"in": given}))["upsertContacts"]["results"]
    assert {node["title"] for node in everything[0]["contact"]["deals"]["nodes"]} == {"ada-own", "bob-cross"}


async def test_the_cost_rule_counts_the_items(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    nested = "{ results { contact { deals(first: 100) { nodes { id title } } } } }"
    literal = ", ".join(f'{{email: "{n}@b.example"}}' for n in range(500))
    written = "mutation { upsertContacts(input: {items: [%s]}) { ...F } } fragment F on UpsertContactsPayload %s"
    sent = f"mutation ($in: [UpsertContactItem!]!) {{ upsertContacts(input: {{items: $in}}) {nested} }}"

    def items(count: int) -> list[Json]:
        return [{"email": f"{n}@b.example"} for n in range(count)]

    for number in (1, 40):
        answer = await ask(client, ADA, sent, **{"in": items(number)})
        assert len(answer["upsertContacts"]["results"]) == number
    async with unchanged(sql):
        for document, variables in ((sent, {"in": items(500)}), (written % (literal, nested), {})):
            assert reason(await refusal(client, ADA, document, **variables))[0] == "QUERY_TOO_COMPLEX"
