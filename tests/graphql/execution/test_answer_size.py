"""The size of an answer: its limit at the boundary, on every way to an answer, and that nothing larger is ever held."""

import tracemalloc
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.documents import OURS
from crm_graph.graphql.engine.weights import ANSWER_MAX
from tests.support.api import ask, reason, refusal, send
from tests.support.database import recorded, unchanged
from tests.support.factories import ADA, World, add_deal

LONG, CUSTOM = 100_000, 60_000


@pytest.fixture
async def deal(world: World, sql: AsyncConnection) -> str:
    """A deal with notes, and a contact with custom fields, as long as they may be."""
    await sql.execute(
        text(f"UPDATE deals SET title = 't', notes = repeat('x', {LONG}) WHERE id = :id"), {"id": world.ada.deal}
    )
    await sql.execute(
        text(f"UPDATE contacts SET custom = jsonb_build_object('k', repeat('x', {CUSTOM})) WHERE id = :id"),
        {"id": world.ada.contact},
    )
    return str(world.ada.deal)


def many(count: int, field: str) -> str:
    return " ".join(f"a{number:03}: {field}" for number in range(count))


def of_deal(fields: str) -> str:
    return f"query ($id: UUID!) {{ deal(id: $id) {{ {fields} }} }}"


async def test_an_answer_may_have_so_many_bytes(
    deal: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    document = of_deal(f"{many(110, 'notes')} title")
    change = text("UPDATE deals SET title = repeat('t', :title), notes = repeat('x', :notes) WHERE id = :id")

    async def answered(title: int, notes: int) -> httpx.Response:
        await sql.execute(change, {"title": title, "notes": notes, "id": deal})
        return await send(client, ADA, document, id=deal)

    size = len((await answered(1, 1)).content) - len('{"data":{"deal":}}')
    notes, title = divmod(ANSWER_MAX - size, 110)
    longest = await answered(1 + title, 1 + notes)
    await answered(2 + title, 1 + notes)
    error = await refusal(client, ADA, document, id=deal)

    assert len(longest.content) == ANSWER_MAX + len('{"data":{"deal":}}')
    assert "errors" not in longest.json()
    assert reason(error) == ("QUERY_TOO_COMPLEX", None)
    assert "the answer is larger than 6 MB: ask for fewer rows at once (first), or leave out" in error["message"]


@pytest.mark.parametrize("fields", [many(190, "notes"), f"contact {{ {many(190, 'custom')} }}"])
async def test_what_is_too_large_never_leaves_the_database(fields: str, deal: str, client: httpx.AsyncClient) -> None:
    await ask(client, ADA, of_deal("id"), id=deal)
    tracemalloc.start()
    try:
        error = await refusal(client, ADA, of_deal(fields), id=deal)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert reason(error) == ("QUERY_TOO_COMPLEX", None)
    assert peak < ANSWER_MAX


async def test_each_answer_counts_from_zero(deal: str, client: httpx.AsyncClient) -> None:
    document = of_deal(many(40, "notes"))

    for _request in range(3):
        assert len((await ask(client, ADA, document, id=deal))["deal"]) == 40


async def test_root_fields_share_the_limit_where_one_of_them_fails(deal: str, client: httpx.AsyncClient) -> None:
    fields = many(25, "notes")
    both = f"a: deal(id: $id) {{ {fields} }} b: deal(id: $id) {{ {fields} }} c: deal(id: $id) {{ {fields} }}"
    document = f'query ($id: UUID!) {{ {both} wrong: contactByEmail(email: "x") {{ id }} }}'

    body = (await send(client, ADA, document, id=deal)).json()

    errors = {error["path"][0]: reason(error)[0] for error in body["errors"]}
    assert (errors.pop("wrong"), *errors.values()) == ("VALIDATION", "QUERY_TOO_COMPLEX")
    assert sorted(key for key in "abc" if body["data"][key] is None) == sorted(errors)


async def test_a_payload_that_is_too_large_undoes_its_mutation(
    deal: str, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    selected = f"deal {{ {many(190, 'notes')} }}"
    document = f"mutation ($id: UUID!) {{ updateDeal(input: {{dealId: $id, amount: 7}}) {{ {selected} }} }}"
    async with unchanged(sql):
        error = await refusal(client, ADA, document, id=deal)

    assert reason(error) == ("QUERY_TOO_COMPLEX", None)


async def test_payloads_of_one_request_share_the_limit(deal: str, client: httpx.AsyncClient) -> None:
    update = f"updateDeal(input: {{dealId: $id, amount: #}}) {{ deal {{ amount {many(25, 'notes')} }} }}"
    fields = " ".join(f"m{number}: " + update.replace("#", str(number)) for number in (1, 2, 3))

    body = (await send(client, ADA, f"mutation ($id: UUID!) {{ {fields} }}", id=deal)).json()

    [error] = body["errors"]
    assert (reason(error)[0], error["path"]) == ("QUERY_TOO_COMPLEX", ["m3"])
    assert (await ask(client, ADA, of_deal("amount"), id=deal))["deal"]["amount"] == "2.00"


async def test_results_of_a_bulk_call_are_counted_however_many_the_plan_was_made_for(
    deal: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    document = f"""mutation ($items: [MoveDealItem!]!) {{ moveDeals(input: {{items: $items}}) {{
        results {{ deal {{ contact {{ {many(30, "custom")} }} }} }} }} }}"""
    others = [await add_deal(sql, world.stage, world.ada.owner, world.ada.contact, title=f"{n}") for n in range(5)]
    items = [{"dealId": str(id), "stageId": str(world.stage["won"])} for id in (deal, *others)]
    await ask(client, ADA, document, items=items[:1])

    async with unchanged(sql):
        error = await refusal(client, ADA, document, items=items)

    assert reason(error) == ("QUERY_TOO_COMPLEX", None)


VARIABLES: dict[str, dict[str, Any]] = {
    "board": {"first": 50},
    "counts": {"first": 50},
    "page": {"first": 50, "status": "OPEN", "stage": "00000000-0000-0000-0000-000000000000"},
    "search": {"first": 20, "text": "a"},
}


@pytest.mark.parametrize("name", VARIABLES)
async def test_an_answer_that_cant_be_too_large_is_not_counted(
    name: str, client: httpx.AsyncClient, world: World
) -> None:
    """A call for each text of the board would take longer than the board."""
    with recorded() as statements:
        await ask(client, ADA, OURS[name].query, **VARIABLES[name])

    assert statements
    assert not any("crm_counted" in statement for statement in statements)
