"""Idempotency keys: a repeated call has one effect, however often and however fast it is repeated."""

import asyncio
import hashlib
import json
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.graphql.execution import idempotency
from crm_graph.graphql.execution.idempotency import Call
from crm_graph.values import utc_now
from tests.support.api import Json, ask, bearer, reason, refusal, send
from tests.support.database import unchanged
from tests.support.factories import ADA, BOB, READER, ROOT, World

CREATE = "mutation ($in: CreateDealInput!) { createDeal(input: $in) { replayed deal { id title amount } } }"
UPSERT = "mutation ($in: UpsertContactInput!) { upsertContact(input: $in) { replayed created contact { id email } } }"
DELETE = "mutation ($in: DeleteDealInput!) { deleteDeal(input: $in) { replayed deletedDealId } }"
TWO = """mutation ($in: CreateDealInput!) {
    a: createDeal(input: $in) { deal { id } } b: createDeal(input: $in) { deal { id } } }"""


async def create(client: httpx.AsyncClient, key: str, who: str = ADA, **given: Any) -> Json:
    answer = await ask(client, who, CREATE, **{"in": {"title": "Deal", "idempotencyKey": key, **given}})
    return dict(answer["createDeal"])


async def count(sql: AsyncConnection, table: str) -> int:
    return int(await sql.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


async def test_the_same_call_again_changes_nothing_and_returns_the_same(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    first = await create(client, "k1", amount="10.00")

    async with unchanged(sql):
        again = await create(client, "k1", amount="10.00")

    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["deal"] == first["deal"]


async def test_a_result_is_read_again(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    first = await create(client, "k1")
    await sql.execute(text("UPDATE deals SET title = 'Renamed' WHERE id = :id"), {"id": first["deal"]["id"]})

    again = await create(client, "k1")

    assert again["deal"] == {**first["deal"], "title": "Renamed"}


async def test_a_result_is_authorised_again(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    first = await create(client, "k1")
    given_away = text("UPDATE deals SET owner_id = :owner WHERE id = :id")
    await sql.execute(given_away, {"owner": world.bob.owner, "id": first["deal"]["id"]})

    async with unchanged(sql):
        error = await refusal(client, ADA, CREATE, **{"in": {"title": "Deal", "idempotencyKey": "k1"}})

    assert reason(error)[0] == "NOT_FOUND"


async def test_plain_values_of_a_result_come_back_too(client: httpx.AsyncClient, world: World) -> None:
    given = {"email": "new@fresh.example", "idempotencyKey": "k1"}
    first = (await ask(client, ADA, UPSERT, **{"in": given}))["upsertContact"]
    again = (await ask(client, ADA, UPSERT, **{"in": given}))["upsertContact"]
    assert again == first | {"replayed": True}
    assert again["created"] is True

    given = {"dealId": str(world.ada.deal), "idempotencyKey": "k1"}
    first = (await ask(client, ADA, DELETE, **{"in": given}))["deleteDeal"]
    again = (await ask(client, ADA, DELETE, **{"in": given}))["deleteDeal"]
    assert again == first | {"replayed": True} == {"replayed": True, "deletedDealId": str(world.ada.deal)}


@pytest.mark.parametrize("other", [{"title": "Other"}, {"amount": "1.00"}, {"notes": None}, {"contactId": "ada"}])
async def test_another_input_under_the_key_is_refused(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, other: dict[str, Any]
) -> None:
    await create(client, "k1")
    other = {name: str(world.ada.contact) if value == "ada" else value for name, value in other.items()}

    async with unchanged(sql):
        error = await refusal(client, ADA, CREATE, **{"in": {"title": "Deal", "idempotencyKey": "k1", **other}})

    assert reason(error) == ("IDEMPOTENCY_MISMATCH", "idempotencyKey")


async def test_a_key_is_one_owners_and_one_operations(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await create(client, "k1", ADA)
    assert (await create(client, "k1", BOB))["replayed"] is False
    assert (await create(client, "k1", ROOT))["replayed"] is False

    given = {"email": "new@fresh.example", "idempotencyKey": "k1"}
    assert (await ask(client, ADA, UPSERT, **{"in": given}))["upsertContact"]["replayed"] is False

    assert await count(sql, "idempotency_keys") == 4


async def test_a_call_that_failed_leaves_its_key_free(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    async with unchanged(sql):
        await refusal(client, ADA, CREATE, **{"in": {"title": " ", "idempotencyKey": "k1"}})
        await refusal(client, READER, CREATE, **{"in": {"title": "x", "idempotencyKey": "k1"}})

    assert (await create(client, "k1"))["replayed"] is False


async def test_50_at_once_have_one_effect(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    before = await count(sql, "deals")
    given = {"in": {"title": "Deal", "idempotencyKey": "k1"}}

    answers = [
        answer.json() for answer in await asyncio.gather(*(send(client, ADA, CREATE, **given) for _ in range(50)))
    ]

    assert await count(sql, "deals") == before + 1
    done = [body["data"]["createDeal"] for body in answers if "errors" not in body]
    assert len({payload["deal"]["id"] for payload in done}) == 1
    assert sum(not payload["replayed"] for payload in done) == 1
    for body in answers:  # calls that arrive while the first one runs are CONFLICT: retry later
        assert "errors" not in body or body["errors"][0]["extensions"]["code"] == "CONFLICT"


async def test_a_call_under_way_is_a_conflict_at_once(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, database: Database
) -> None:
    asked = {"title": "Deal"}
    call = Call(world.ada.owner, "createDeal", "k1", idempotency.hash_of(asked), utc_now())
    await ask(client, ADA, "{ me { id } }")

    async with asyncio.timeout(30), database.transaction() as session:
        assert await idempotency.claim(session, call) is None
        async with unchanged(sql):
            error = await refusal(client, ADA, CREATE, **{"in": {**asked, "idempotencyKey": "k1"}})

    assert reason(error) == ("CONFLICT", "idempotencyKey")
    assert "retry" in error["message"]


async def test_a_key_counts_for_seven_days(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    for key in ("old", "older", "oldest", "kept"):
        await create(client, key)
    age = text("UPDATE idempotency_keys SET created_at = now() - CAST(:age AS interval) WHERE key = :key")
    for key, days in (("old", 7.01), ("older", 8), ("oldest", 9), ("kept", 6.99)):
        await sql.execute(age, {"age": timedelta(days=days), "key": key})

    assert (await create(client, "kept"))["replayed"] is True
    assert (await create(client, "old"))["replayed"] is False
    assert (await create(client, "old"))["replayed"] is True
    await create(client, "new")

    left = set((await sql.scalars(text("SELECT key FROM idempotency_keys"))).all())
    assert left == {"kept", "old", "new"}  # new keys carry the expired ones away


async def with_expired_keys(client: httpx.AsyncClient, sql: AsyncConnection, *keys: str) -> None:
    """Keys that expired at different times, the first one first."""
    age = text("UPDATE idempotency_keys SET created_at = now() - CAST(:age AS interval) WHERE key = :key")
    for key in keys:
        await create(client, key)
    for days, key in enumerate(reversed(keys), start=8):
        await sql.execute(age, {"age": timedelta(days=days), "key": key})


async def test_a_new_key_deletes_the_two_oldest_expired_ones(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await with_expired_keys(client, sql, "1st", "2nd", "3rd", "4th")

    await create(client, "new")

    left = set((await sql.scalars(text("SELECT key FROM idempotency_keys"))).all())
    assert left == {"3rd", "4th", "new"}


async def test_claims_at_once_do_not_wait_for_each_others_clean_up(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, database: Database
) -> None:
    await with_expired_keys(client, sql, "1st", "2nd", "3rd")
    one, other = (Call(world.ada.owner, "createDeal", key, idempotency.hash_of(key), utc_now()) for key in "ab")

    async with asyncio.timeout(5), database.transaction() as first:
        assert await idempotency.claim(first, one) is None  # has locked the two oldest ones
        async with database.transaction() as second:
            assert await idempotency.claim(second, other) is None

    assert await count(sql, "idempotency_keys") == 2


async def test_the_header_names_the_key_of_a_single_mutation(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    headers = bearer(ADA) | {"Idempotency-Key": "k1"}
    body = {"query": CREATE, "variables": {"in": {"title": "Deal"}}}

    first = (await client.post("/graphql", json=body, headers=headers)).json()["data"]["createDeal"]
    again = (await client.post("/graphql", json=body, headers=headers)).json()["data"]["createDeal"]

    assert again == first | {"replayed": True}
    assert (await create(client, "k1"))["replayed"] is True  # the same key, wherever it stands
    async with unchanged(sql):
        two = (await client.post("/graphql", json=body | {"query": TWO}, headers=headers)).json()
    assert two["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    given = {"in": {"title": "Deal", "idempotencyKey": "own"}}
    async with unchanged(sql):
        differs = (await client.post("/graphql", json=body | {"variables": given}, headers=headers)).json()
    assert differs["errors"][0]["extensions"] == {"code": "BAD_REQUEST", "field": "idempotencyKey"}


@pytest.mark.parametrize("key", ["", "  ", "x" * 256, "a\x00b", "\ud800"])
async def test_keys_that_cannot_be_kept(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, key: str
) -> None:
    async with unchanged(sql):
        error = await refusal(client, ADA, CREATE, **{"in": {"title": "Deal", "idempotencyKey": key}})
    assert reason(error) == ("VALIDATION", "idempotencyKey")


async def test_two_of_one_key_in_one_document(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    before = await count(sql, "deals")

    answer = await ask(client, ADA, TWO, **{"in": {"title": "Deal", "idempotencyKey": str(uuid.uuid4())}})

    assert answer["a"] == answer["b"]
    assert await count(sql, "deals") == before + 1


async def test_a_stored_hash_matches_after_an_upgrade(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    """Keys live for 7 days, so the form that is hashed must not change: a call may be repeated after an upgrade."""
    given: Json = {"amount": "10.50", "contactId": str(world.ada.contact), "closeDate": "2027-01-31", "notes": None}
    await create(client, "deal", **given)
    values = {"fullName": "New", "custom": {"b": [1, None], "a": {"c": True}}, "lifecycleStage": "CUSTOMER"}
    items = {"items": [{"email": "New@fresh.example", **values}], "partial": True, "idempotencyKey": "contacts"}
    document = "mutation ($in: UpsertContactsInput!) { upsertContacts(input: $in) { replayed } }"
    await ask(client, ADA, document, **{"in": items})

    rows = await sql.execute(text("SELECT key, request_hash FROM idempotency_keys"))
    stored = {row.key: row.request_hash for row in rows}

    deal = {"amount": "10.50", "close_date": "2027-01-31", "contact_id": str(world.ada.contact), "notes": None}
    contact = {"custom": {"a": {"c": True}, "b": [1, None]}, "email": "New@fresh.example", "full_name": "New"}
    contacts = {"items": [{**contact, "lifecycle_stage": "customer"}], "partial": True}
    hashed = {"deal": {**deal, "title": "Deal"}, "contacts": contacts}
    for key, form in hashed.items():
        assert stored[key] == hashlib.sha256(json.dumps(form, sort_keys=True).encode()).digest()


def test_the_order_of_fields_plays_no_part_in_a_hash() -> None:
    one, two = {"a": 1, "b": {"c": [1, 2], "d": None}}, {"b": {"d": None, "c": [1, 2]}, "a": 1}
    assert idempotency.hash_of(one) == idempotency.hash_of(two)
    assert idempotency.hash_of(one) != idempotency.hash_of(two | {"a": 2})
