"""Values that come in through GraphQL: what can't be stored exactly is refused, the field named."""

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Deal
from tests.support.api import ask, bearer, reason, refusal
from tests.support.database import rows, unchanged
from tests.support.factories import ADA, ROOT, World

CREATE_DEAL = """mutation ($in: CreateDealInput!) {
    createDeal(input: $in) { deal { title amount currency closeDate notes } } }"""
UPDATE_DEAL = "mutation ($in: UpdateDealInput!) { updateDeal(input: $in) { deal { amount currency } } }"
MOVE = "mutation ($in: MoveDealStageInput!) { moveDealStage(input: $in) { deal { id } } }"
UPSERT = "mutation ($in: UpsertContactInput!) { upsertContact(input: $in) { created contact { id email custom } } }"
BY_EMAIL = "query ($e: String!) { contactByEmail(email: $e) { id } }"
UPDATE_CONTACT = "mutation ($in: UpdateContactInput!) { updateContact(input: $in) { contact { id } } }"
DEEP: Any = json.loads("[" * 100 + "]" * 100)


async def assert_refused(client: httpx.AsyncClient, document: str, field: str, given: dict[str, Any]) -> None:
    """A VALIDATION error that names the field."""
    error = await refusal(client, ADA, document, **{"in": given})
    assert reason(error) == ("VALIDATION", field), error
    assert len(error["message"]) < 500


NOT_MONEY = [
    "NaN", "nan", "sNaN", "Infinity", "-Infinity", "inf", "1e1000000", "1e5", "1E2", "1_000", "١٢٣", "１２", "0x10",
    "", " ", " 1", "1 ", "1,5", "1.", ".5", "+1", "--1", "-0.01", "0.005", "1e14", "100000000000000", "1000000000000",
    "9" * 5_000, "1\x00", "\ud800", True, [], {}, ["1"], -1, 0.005, 1e14, 1e300, 2**70,
]  # fmt: skip
NOT_CURRENCIES = ["usd", "Usd", "XXZ", "", "US", "USDT", "840", "$", "USD ", "U\x00D", "\ud800SD", "x" * 10_000]
NOT_TIMES = [
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-05T10:00:00", "2026-01-05", "2026-01-05 10:00",
    "2026-02-30T10:00:00Z", "2026-01-05T24:30:00Z", "2026-01-05T10:00:60Z", "2026-01-05T10:00:00+25:00", "now",
    "infinity", "2026-W01-1T10:00:00Z", "٢٠٢٦-01-05T10:00:00Z", "2026-01-05T10:00:00Z\x00", "", 1_767_600_000, True, [],
    "20260105T100000Z", "2026-01-05T10:00:00z ", "-2026-01-05T10:00:00Z", "12026-01-05T10:00:00Z", "\ud800",
]  # fmt: skip
NOT_DAYS = [
    "2026-02-30", "0000-01-01", "10000-01-01", "2026-1-5", "05.01.2026", "2026-01-05T00:00:00Z", "20260105", "infinity",
    "", 20260105, "٢٠٢٦-01-05", "-2026-01-05", "2026-01-05\x00",
]  # fmt: skip
NOT_IDS = [
    "", "x", "{123e4567-e89b-12d3-a456-426614174000}", "123e4567e89b12d3a456426614174000", 5, [], "\ud800" * 36,
    "123e4567-e89b-12d3-a456-42661417400\x00", "urn:uuid:123e4567-e89b-12d3-a456-426614174000",
]  # fmt: skip
NOT_ADDRESSES = [
    "", "ada", "ada@", "@x.com", "a b@x.com", "a@x.com\r\nBcc: b@y.com", "a\n@x.com", "a@x.com\x00", "\ud800@x.com",
    "a" * 10_000 + "@x.com", '"a"@x.com', "<a@x.com>", "a@b@x.com", "a" * 150 + "@" + ".".join(["ü" * 20] * 4),
]  # fmt: skip


async def test_what_is_no_money(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        for amount in NOT_MONEY:
            await assert_refused(client, CREATE_DEAL, "amount", {"title": "x", "amount": amount})
        for amount in ("NaN", "-0.01", "0.005", "1e14"):
            await assert_refused(client, UPDATE_DEAL, "amount", {"dealId": str(world.ada.deal), "amount": amount})


async def test_an_amount_in_the_document_is_checked_as_well(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    async with unchanged(sql):
        for literal in ("1e400", "NaN", "-0.01", '"NaN"', "1e1000000", "true", "9" * 5_000, "[1, 2]", "{a: 1}"):
            error = await refusal(
                client, ADA, f'mutation {{ createDeal(input: {{title: "x", amount: {literal}}}) {{ deal {{ id }} }} }}'
            )
            assert reason(error) == ("VALIDATION", "amount"), error


async def test_amounts_come_back_as_exact_text(client: httpx.AsyncClient, world: World) -> None:
    for amount, stored in (
        ("0", "0.00"), ("1200.5", "1200.50"), (1200.5, "1200.50"), (7, "7.00"), ("-0", "0.00"), (None, None),
        ("999999999999.99", "999999999999.99"), ("1.100000", "1.10"),
    ):  # fmt: skip
        answer = await ask(client, ADA, CREATE_DEAL, **{"in": {"title": "x", "amount": amount}})
        assert answer["createDeal"]["deal"]["amount"] == stored


async def test_a_currency_that_does_not_exist(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        for currency in NOT_CURRENCIES:
            await assert_refused(client, CREATE_DEAL, "currency", {"title": "x", "currency": currency})
        for currency in ("usd", "XXZ"):
            await assert_refused(client, UPDATE_DEAL, "currency", {"dealId": str(world.ada.deal), "currency": currency})


async def test_yen_have_no_decimals(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await sql.execute(text("UPDATE deals SET amount = 10.50 WHERE id = :id"), {"id": world.ada.deal})
    async with unchanged(sql):
        await assert_refused(client, CREATE_DEAL, "amount", {"title": "x", "amount": "10.50", "currency": "JPY"})
        await assert_refused(client, UPDATE_DEAL, "amount", {"dealId": str(world.ada.deal), "currency": "JPY"})

    answer = await ask(client, ADA, CREATE_DEAL, **{"in": {"title": "x", "amount": "1050", "currency": "JPY"}})
    assert answer["createDeal"]["deal"] == {
        "title": "x", "amount": "1050.00", "currency": "JPY", "closeDate": None, "notes": None,
    }  # fmt: skip


async def test_the_database_itself_holds_no_nan(world: World, sql: AsyncConnection) -> None:
    for amount in ("NaN", "-1"):
        with pytest.raises(Exception, match="deals_amount_check"):
            await sql.execute(text("UPDATE deals SET amount = :amount"), {"amount": amount})


async def test_text_that_postgresql_cannot_hold(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    deal, contact = {"dealId": str(world.ada.deal)}, {"contactId": str(world.ada.contact)}

    async with unchanged(sql):
        for bad in ("a\x00b", "x\udfffy"):
            for name in ("title", "notes", "source", "campaignId"):
                await assert_refused(client, CREATE_DEAL, name, {"title": "x", name: bad})
                await assert_refused(client, UPDATE_DEAL, name, deal | {name: bad})
            for name in ("fullName", "title", "phone", "website", "linkedinUrl"):
                await assert_refused(client, UPDATE_CONTACT, name, contact | {name: bad})
            for name in ("fullName", "companyName"):
                await assert_refused(client, UPSERT, name, {"email": "new@acme.example", name: bad})
            for custom in ({"a": bad}, {bad: 1}, {"a": [{"b": bad}]}):
                await assert_refused(client, UPDATE_CONTACT, "custom", contact | {"custom": custom})


async def test_text_that_is_too_long_or_empty(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        for name in ("title", "source", "campaignId"):
            await assert_refused(client, CREATE_DEAL, name, {"title": "x", name: "y" * 501})
        await assert_refused(client, CREATE_DEAL, "notes", {"title": "x", "notes": "y" * 100_001})
        await assert_refused(client, CREATE_DEAL, "title", {"title": " \t\n"})


async def test_markup_and_formulas_are_kept_as_text(client: httpx.AsyncClient, world: World) -> None:
    title = "<img src=x onerror=alert(1)>=cmd()|' /C calc'!A0\u202e 100% _\\"

    answer = await ask(client, ADA, CREATE_DEAL, **{"in": {"title": title, "notes": "a\r\n\tb"}})

    assert answer["createDeal"]["deal"]["title"] == title
    assert answer["createDeal"]["deal"]["notes"] == "a\r\n\tb"


async def test_an_address_that_is_none(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        for email in NOT_ADDRESSES:
            await assert_refused(client, UPSERT, "email", {"email": email})
            error = await refusal(client, ADA, BY_EMAIL, e=email)
            assert reason(error) == ("VALIDATION", "email")


async def test_every_spelling_of_an_address_is_one_contact(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    for spelling in ("  New.Lead@ACME.example\t", "new.lead@acme.example", "NEW.LEAD@acme.example."):
        answer = await ask(client, ADA, UPSERT, **{"in": {"email": spelling}})
        assert answer["upsertContact"]["contact"]["email"] == "new.lead@acme.example"
        found = await ask(client, ADA, BY_EMAIL, e=spelling)
        assert found["contactByEmail"]["id"] == answer["upsertContact"]["contact"]["id"]
    tagged = await ask(client, ADA, UPSERT, **{"in": {"email": "new.lead+crm@acme.example"}})
    assert tagged["upsertContact"]["created"]

    count = await sql.scalar(text("SELECT count(*) FROM contacts WHERE email LIKE 'new.lead%'"))
    assert count == 2


async def test_wildcards_in_an_address_are_literal(client: httpx.AsyncClient, world: World) -> None:
    for email in ("%@acme.example", "_das.lead@acme.example", "adas.lead%@acme.example", "*@acme.example"):
        assert await ask(client, ADA, BY_EMAIL, e=email) == {"contactByEmail": None}


async def test_custom_is_a_small_object(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        for custom in ("text", 5, [1], True, {str(i): i for i in range(501)}, {"a": DEEP}):
            await assert_refused(client, UPSERT, "custom", {"email": "new@acme.example", "custom": custom})
            await assert_refused(client, UPSERT, "custom", {"email": world.ada.email, "custom": custom})


async def test_a_whole_number_that_most_readers_of_json_refuse_is_refused(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    async with unchanged(sql):
        for number in (10**400, 2**63, -(2**63) - 1):
            await assert_refused(client, UPSERT, "custom", {"email": "new@acme.example", "custom": {"n": [number]}})


async def test_a_number_beyond_floats_is_refused(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    headers = bearer(ADA) | {"Content-Type": "application/json"}
    async with unchanged(sql):
        for number in ("1e999", "-1e999"):
            given = f'{{email: "n@acme.example", custom: {{a: {number}}}}}'
            error = await refusal(client, ADA, f"mutation {{ upsertContact(input: {given}) {{ created }} }}")
            assert reason(error) == ("VALIDATION", "custom")

            variables = f'{{"in": {{"email": "n@acme.example", "custom": {{"a": {number}}}}}}}'
            body = f'{{"query": {json.dumps(UPSERT)}, "variables": {variables}}}'
            answer = await client.post("/graphql", content=body, headers=headers)
            assert reason(answer.json()["errors"][0]) == ("VALIDATION", "custom")


async def test_a_time_that_is_none(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    given = {"dealId": str(world.ada.deal), "stageId": str(world.stage["qualified"])}

    async with unchanged(sql):
        for moment in NOT_TIMES:
            await assert_refused(client, MOVE, "occurredAt", given | {"occurredAt": moment})


async def test_the_first_day_of_the_calendar_is_late_not_an_accident(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    given = {"dealId": str(world.ada.deal), "stageId": str(world.stage["qualified"])}

    async with unchanged(sql):
        for moment in ("0001-01-01T00:00:00Z", "0001-01-02T00:00:00+14:00"):
            error = await refusal(client, ADA, MOVE, **{"in": given | {"occurredAt": moment}})
            assert reason(error) == ("CONFLICT", "occurredAt")


async def test_a_day_that_is_none(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        for day in NOT_DAYS:
            await assert_refused(client, CREATE_DEAL, "closeDate", {"title": "x", "closeDate": day})


async def test_days_of_the_whole_calendar_are_stored(client: httpx.AsyncClient, world: World) -> None:
    for day in ("0001-01-01", "9999-12-31", "2028-02-29"):
        answer = await ask(client, ADA, CREATE_DEAL, **{"in": {"title": "x", "closeDate": day}})
        assert answer["createDeal"]["deal"]["closeDate"] == day


async def test_an_id_that_is_none(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    async with unchanged(sql):
        for id_ in NOT_IDS:
            await assert_refused(client, MOVE, "dealId", {"dealId": id_, "stageId": str(world.stage["qualified"])})


async def test_what_every_row_has_cannot_be_cleared(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    cleared = {"lifecycleStage": None}
    async with unchanged(sql):
        for email in (world.ada.email, "new@acme.example"):
            await assert_refused(client, UPSERT, "lifecycleStage", {"email": email, **cleared})
        contact = {"contactId": str(world.ada.contact), **cleared}
        await assert_refused(client, UPDATE_CONTACT, "lifecycleStage", contact)
        for name in ("title", "currency"):
            await assert_refused(client, UPDATE_DEAL, name, {"dealId": str(world.ada.deal), name: None})


async def test_custom_does_not_grow_without_end(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    full = {f"key{i}": i for i in range(500)}
    await ask(client, ROOT, UPSERT, **{"in": {"email": world.ada.email, "custom": full}})

    async with unchanged(sql):
        await assert_refused(client, UPSERT, "custom", {"email": world.ada.email, "custom": {"one more": 1}})

    swapped = {"key0": None, "one more": 1}
    answer = await ask(client, ADA, UPSERT, **{"in": {"email": world.ada.email, "custom": swapped}})
    assert len(answer["upsertContact"]["contact"]["custom"]) == 500
    assert len(await rows(sql, Deal)) == 6


async def test_null_for_an_argument_that_has_a_default_is_named(client: httpx.AsyncClient, world: World) -> None:
    document = "query ($by: ContactOrder) { contacts(orderBy: $by) { totalCount } }"

    assert (await ask(client, ADA, document))["contacts"]["totalCount"] == 2
    error = await refusal(client, ADA, document, by=None)

    assert reason(error)[0] == "BAD_REQUEST"
    assert "orderBy" in error["message"]


async def test_a_bad_scalar_in_a_variable_of_its_own_names_the_variable(
    client: httpx.AsyncClient, world: World
) -> None:
    document = "query ($least: Decimal) { deals(filter: {minAmount: $least}) { totalCount } }"

    error = await refusal(client, ADA, document, least="1e5")

    assert reason(error) == ("VALIDATION", "least")
    assert error["message"].startswith("[VALIDATION] least: ")
