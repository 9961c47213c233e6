"""Filters of lists: each criterion finds its rows and no others, however it is sent, and no rows of a colleague."""

import json
import random
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, get_nullable_type
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.graphql.engine.library_internals import graphql_schema
from crm_graph.graphql.transport.schema import build_schema
from tests.support.api import ask, reason, refusal
from tests.support.database import unchanged
from tests.support.factories import ADA, BOB, ROOT, START
from tests.support.filter_cases import ALL, cases_of
from tests.support.filter_rows import Row, Scene, build_scene

# And the value by which to tell rows apart.
LISTS = {"deals": "title", "contacts": "email", "companies": "name", "activities": "content"}


@pytest.fixture
async def scene(client: httpx.AsyncClient, sql: AsyncConnection) -> Scene:
    """The rows; `client` first, so that its clean-up comes last."""
    return await build_scene(sql)


def filter_of(name: str) -> tuple[str, dict[str, Any]]:
    """The type of a list's filter, and its fields with their types."""
    query = graphql_schema(build_schema()).query_type
    assert query is not None
    type_ = get_nullable_type(query.fields[name].args["filter"].type)
    assert isinstance(type_, GraphQLInputObjectType)
    return type_.name, {key: field.type for key, field in type_.fields.items()}


async def found(client: httpx.AsyncClient, who: str, name: str, head: str, filter_: str, **variables: Any) -> set[str]:
    """The values that identify the rows that a filter finds; checks their number."""
    document = f"query {head} {{ {name}(filter: {filter_}) {{ totalCount nodes {{ it: {LISTS[name]} }} }} }}"
    answer = (await ask(client, who, document, **variables))[name]
    names = [node["it"] for node in answer["nodes"]]
    assert answer["totalCount"] == len(names) == len(set(names))
    return set(names)


def ways(name: str, key: str, value: Any) -> Iterator[tuple[str, str, Row]]:
    """A criterion as a literal, as a variable of its own and in a variable for the whole filter."""
    whole, fields = filter_of(name)
    is_enum = isinstance(get_nullable_type(fields[key]), GraphQLEnumType)
    yield "", f"{{{key}: {value if is_enum else json.dumps(value)}}}", {}
    yield f"($v: {fields[key]})", f"{{{key}: $v}}", {"v": value}
    yield f"($f: {whole})", "$f", {"f": {key: value}}


@pytest.mark.parametrize("name", LISTS)
async def test_each_criterion_finds_its_rows_however_it_is_sent(
    name: str, client: httpx.AsyncClient, scene: Scene
) -> None:
    cases = cases_of(scene)[name]
    assert {key for key, _, _ in cases} == set(filter_of(name)[1])

    for key, value, expected in cases:
        sent = str(value) if isinstance(value, uuid.UUID) else value
        for head, filter_, variables in ways(name, key, sent):
            answer = await found(client, ADA, name, head, filter_, **variables)
            assert answer == expected, (key, value, head or filter_)


@pytest.mark.parametrize("name", LISTS)
async def test_null_and_omitted_criteria_exclude_nothing(name: str, client: httpx.AsyncClient, scene: Scene) -> None:
    whole, fields = filter_of(name)
    for key, type_ in fields.items():
        for head, filter_, variables in ways(name, key, None):
            assert await found(client, ADA, name, head, filter_.replace("None", "null"), **variables) == ALL[name]
        assert await found(client, ADA, name, f"($v: {type_})", f"{{{key}: $v}}") == ALL[name]
    for filter_ in ("{}", "null"):
        assert await found(client, ADA, name, "", filter_) == ALL[name]
    assert await found(client, ADA, name, f"($f: {whole})", "$f") == ALL[name]
    assert await found(client, ADA, name, f"($f: {whole})", "$f", f=dict.fromkeys(fields)) == ALL[name]


async def test_all_criteria_of_a_filter_are_met(client: httpx.AsyncClient, scene: Scene) -> None:
    both = '{status: OPEN, minAmount: "99.99", createdAfter: "%s", text: "%s"}'

    assert await found(client, ADA, "deals", "", both % (START.isoformat(), "ed")) == {"edge"}
    assert await found(client, ADA, "deals", "", both % (START.isoformat(), "plain")) == set()
    assert await found(client, ADA, "deals", "", '{minAmount: "100.00", maxAmount: "100"}') == {"edge"}
    assert await found(client, ADA, "deals", "", "{unassigned: true, ownerId: null}") == {"high", "lost 100% sure"}
    mine = f'{{unassigned: true, ownerId: "{scene.owner[ADA]}"}}'
    assert await found(client, ADA, "deals", "", mine) == set()
    assert await found(client, ADA, "contacts", "", '{replyStatus: INTERESTED, text: "cag"}') == {"ada@a.example"}


async def test_an_admin_finds_the_rows_of_all_owners_but_no_deleted(client: httpx.AsyncClient, scene: Scene) -> None:
    async def of(name: str, key: str, value: Any) -> set[str]:
        return await found(client, ROOT, name, "", f'{{{key}: "{value}"}}')

    assert await of("deals", "ownerId", scene.owner[BOB]) == {"theirs"}
    assert await of("deals", "ownerId", scene.owner[ADA]) == {"plain", "low Straße", "edge"}
    assert await of("deals", "contactId", scene.contact["theirs"]) == {"theirs"}
    assert await of("deals", "companyId", scene.company["theirs"]) == {"theirs"}
    assert await of("contacts", "ownerId", scene.owner[BOB]) == {"theirs@a.example"}
    assert await of("contacts", "companyId", scene.company["Acme"]) == {"ada@a.example", "theirs@a.example"}
    assert await of("contacts", "text", "cagri") == {"ada@a.example", "theirs@a.example"}
    assert await of("activities", "dealId", scene.id("theirs")) == {"theirs", "theirs to do"}
    assert await found(client, ROOT, "deals", "", "{}") == ALL["deals"] | {"theirs"}


async def test_the_total_of_a_filtered_list_is_of_all_its_pages(client: httpx.AsyncClient, scene: Scene) -> None:
    document = """query ($after: String) {
        deals(filter: {minAmount: 0}, orderBy: CREATED_AT_ASC, first: 3, after: $after) {
            totalCount nodes { title } pageInfo { hasNextPage endCursor } } }"""
    one = (await ask(client, ADA, document))["deals"]
    two = (await ask(client, ADA, document, after=one["pageInfo"]["endCursor"]))["deals"]

    assert [node["title"] for node in one["nodes"] + two["nodes"]] == ["low Straße", "edge", "high", "lost 100% sure"]
    assert (one["totalCount"], two["totalCount"]) == (4, 4)
    assert (one["pageInfo"]["hasNextPage"], two["pageInfo"]["hasNextPage"]) == (True, False)


NUL, HALF = "a\x00b", "a\ud800b"
REFUSED: list[tuple[str, str, list[Any]]] = [
    ("deals", "text", [NUL, HALF, "", " \n", "%", "_", "&|!'", "x" * 501]),
    ("deals", "campaignId", [NUL, HALF, "x" * 501]), ("deals", "maxAmount", ["1e5"]),
    ("deals", "staleForDays", [-1, 36_501, 10**9]),
    ("deals", "minAmount", ["1e5", "NaN", "Infinity", "", "1,5", " 1", "9" * 400, True, []]),
    ("deals", "closeDateFrom", ["2026-02-30", "2026-1-5", ""]), ("deals", "closeDateTo", ["10000-01-01"]),
    ("deals", "createdAfter", ["2026-01-05", "2026-01-05T09:00:00", "9999-12-31T23:59:59-14:00", "now"]),
    ("deals", "ownerId", ["", "x", 5]), ("contacts", "text", [NUL, HALF, ""]), ("companies", "text", [NUL, HALF, "!"]),
    ("companies", "domain", [NUL, HALF, "", "a b", "%", "_.example", "x" * 300]), ("activities", "dealId", ["x"]),
    ("activities", "occurredAfter", ["x"]),
]  # fmt: skip


async def test_an_invalid_value_is_refused_with_its_field(
    client: httpx.AsyncClient, scene: Scene, sql: AsyncConnection
) -> None:
    async with unchanged(sql):
        for name, key, values in REFUSED:
            for value in values:
                for head, filter_, variables in ways(name, key, value):
                    if value == HALF and not variables:  # no GraphQL document can hold it
                        continue
                    document = f"query {head} {{ {name}(filter: {filter_}) {{ totalCount }} }}"
                    error = await refusal(client, ADA, document.replace("True", "true"), **variables)
                    named = {key, "v"} if "v" in variables else {key}  # no scalar knows what a variable is for
                    assert reason(error)[0] == "VALIDATION", (key, value, error)
                    assert reason(error)[1] in named, (key, value, error)


Meets = Callable[[Row, Any], bool]
MEETS: dict[str, Meets] = {
    "status": lambda row, value: row["status"] == value.lower(),
    "ownerId": lambda row, value: str(row["owner_id"]) == value,
    "unassigned": lambda row, value: (row["owner_id"] is None) == value,
    "campaignId": lambda row, value: row["campaign_id"] == value,
    "minAmount": lambda row, value: row["amount"] is not None and row["amount"] >= Decimal(value),
    "closeDateTo": lambda row, value: row["close_date"] is not None and row["close_date"].isoformat() <= value,
    "createdAfter": lambda row, value: row["created_at"] > datetime.fromisoformat(value),
    "text": lambda row, value: row["title"].startswith(value),
}


async def test_a_cached_plan_never_answers_with_the_values_or_the_rows_of_another_request(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    chance = random.Random(1)
    values: dict[str, list[Any]] = {
        "status": ["OPEN", "WON", "LOST", None],
        "ownerId": [str(scene.owner[ADA]), str(scene.owner[BOB]), str(uuid.uuid4()), None],
        "unassigned": [True, False, None],
        "campaignId": ["c-1", "C-1", None],
        "minAmount": ["0", "99.99", "100", None],
        "closeDateTo": ["2026-01-31", "2026-02-01", "9999-12-31", None],
        "createdAfter": [START.isoformat(), (START + timedelta(1)).isoformat(), None],
        "text": ["plain", "edge", "theirs", None],
    }
    whole, types = filter_of("deals")
    one_by_one = "{" + " ".join(f"{key}: ${key}" for key in values) + "}"
    heads = {"$f": f"($f: {whole})", one_by_one: "(" + " ".join(f"${key}: {types[key]}" for key in values) + ")"}

    answers = set()
    for _ in range(150):
        who, filter_ = chance.choice([ADA, BOB, ROOT]), chance.choice(list(heads))
        criteria = {key: chance.choice(values[key]) for key in chance.sample(list(values), chance.randint(0, 3))}
        expected = {row["title"] for row in scene.deals if sees(scene, who, row) and meets(row, criteria)}
        variables = {"f": criteria} if filter_ == "$f" else criteria
        answer = await found(client, who, "deals", heads[filter_], filter_, **variables)
        assert answer == expected, (who, criteria)
        answers.add(frozenset(answer))
    assert len(answers) > 15


def sees(scene: Scene, who: str, row: Row) -> bool:
    """The owner rule for deals."""
    return row["deleted_at"] is None and (who == ROOT or row["owner_id"] in (None, scene.owner[who]))


def meets(row: Row, criteria: Row) -> bool:
    return all(MEETS[key](row, value) for key, value in criteria.items() if value is not None)
