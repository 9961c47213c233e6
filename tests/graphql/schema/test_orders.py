"""Orders of lists: as Python would sort the rows, whatever the pages, with cursors that no other order accepts."""

import base64
import json
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from graphql import GraphQLEnumType, get_nullable_type
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.graphql.engine.library_internals import graphql_schema
from crm_graph.graphql.transport.schema import build_schema
from crm_graph.models import Activity, Company, Contact, Deal, table
from crm_graph.values import name_key
from tests.support.api import ask, reason, refusal
from tests.support.factories import ADA, BOB, START, add_owner, stages

Row = dict[str, Any]
Key = Callable[[Row], Any]
PAGE = """query ($first: Int! = 100, $after: String) { %s(orderBy: %s, first: $first, after: $after) {
    totalCount nodes { id } pageInfo { hasNextPage endCursor } } }"""
MOMENTS = [START, START, START + timedelta(microseconds=1), START + timedelta(days=1), START - timedelta(days=1)]
LAST_MOMENT = datetime.max.replace(tzinfo=UTC) - timedelta(microseconds=1)
AMOUNTS = ["10.00", "9.50", None, "10.00", "0.00", None, "999999999999.99", "100.00", "0.01"]
DAYS = [date(2026, 3, 1), None, date(2026, 3, 1), date(2026, 2, 28), date.min, date.max, None]
DUE = [*MOMENTS, None, None, LAST_MOMENT, LAST_MOMENT.replace(year=1)]
NAMES = ["acme", "Acme", "ACME GmbH", "zeta", "Ägäis", "10 Downing", "9 Lives", "İstanbul", "漢字", "acme-b"]
ORDERS: dict[str, dict[str, tuple[Key, bool]]] = {
    "deals": {
        "CREATED_AT_DESC": (lambda row: row["created_at"], True),
        "CREATED_AT_ASC": (lambda row: row["created_at"], False),
        "UPDATED_AT_DESC": (lambda row: row["updated_at"], True),
        "UPDATED_AT_ASC": (lambda row: row["updated_at"], False),
        "AMOUNT_DESC": (lambda row: (row["amount"] is not None, row["amount"] or 0), True),
        "AMOUNT_ASC": (lambda row: (row["amount"] is not None, row["amount"] or 0), False),
        "CLOSE_DATE_DESC": (lambda row: row["close_date"] or date.min, True),
        "CLOSE_DATE_ASC": (lambda row: row["close_date"] or date.max, False),
    },
    "contacts": {
        "CREATED_AT_DESC": (lambda row: row["created_at"], True),
        "CREATED_AT_ASC": (lambda row: row["created_at"], False),
        "UPDATED_AT_DESC": (lambda row: row["updated_at"], True),
        "UPDATED_AT_ASC": (lambda row: row["updated_at"], False),
    },
    "companies": {
        "NAME_ASC": (lambda row: row["name_key"], False),
        "NAME_DESC": (lambda row: row["name_key"], True),
        "CREATED_AT_DESC": (lambda row: row["created_at"], True),
        "CREATED_AT_ASC": (lambda row: row["created_at"], False),
    },
    "activities": {
        "OCCURRED_AT_DESC": (lambda row: row["occurred_at"], True),
        "OCCURRED_AT_ASC": (lambda row: row["occurred_at"], False),
        "DUE_AT_DESC": (lambda row: (row["due_at"] is not None, row["due_at"]), True),
        "DUE_AT_ASC": (lambda row: (row["due_at"] is None, row["due_at"]), False),
    },
}
EVERY = [(name, order) for name, orders in ORDERS.items() for order in orders]
Rows = dict[str, list[Row]]


@pytest.fixture
async def rows(client: httpx.AsyncClient, sql: AsyncConnection) -> Rows:
    """What Ada sees, with ties and nulls in every column; `client` first, so that its clean-up comes last."""
    ada, bob = await add_owner(sql, ADA), await add_owner(sql, BOB)
    stage = await stages(sql)
    owners = [ada, None, ada, bob]
    made: Rows = {
        "companies": [{"name": n, "name_key": name_key(n), "domain": f"d{i}.example"} for i, n in enumerate(NAMES)],
        "contacts": [{"email": f"lead{i}@acme.example", "owner_id": owners[i % 4]} for i in range(9)],
        "deals": [
            {"title": f"deal {i}", "owner_id": owners[i % 4], "amount": Decimal(amount) if amount else None,
             "close_date": DAYS[i % len(DAYS)], "currency": "USD", "rank": "a0", "status": "open",
             "pipeline_id": stage["pipeline"], "stage_id": stage["new"]}
            for i, amount in enumerate(AMOUNTS)
        ],
    }  # fmt: skip
    for i, row in enumerate(row for some in made.values() for row in some):
        row |= {"id": uuid.uuid4(), "created_at": MOMENTS[i % 5], "updated_at": MOMENTS[i * 2 % 5]}
    made["activities"] = [
        {"id": uuid.uuid4(), "type": "task", "content": f"{i}", "deal_id": made["deals"][i % 9]["id"],
         "occurred_at": MOMENTS[i % 5], "due_at": DUE[i % len(DUE)]}
        for i in range(12)
    ]  # fmt: skip
    for model, name in ((Company, "companies"), (Contact, "contacts"), (Deal, "deals"), (Activity, "activities")):
        await sql.execute(insert(table(model)), made[name])
    hidden = {row["id"] for row in made["deals"] if row["owner_id"] == bob}
    made["activities"] = [row for row in made["activities"] if row["deal_id"] not in hidden]
    return {name: [row for row in some if row.get("owner_id") != bob] for name, some in made.items()}


def in_order(rows: Rows, name: str, order: str) -> list[str]:
    """The ids as Python sorts them; the id breaks ties, in the direction of the order."""
    key, descending = ORDERS[name][order]
    found = sorted(rows[name], key=lambda row: (key(row), row["id"].int), reverse=descending)
    return [str(row["id"]) for row in found]


async def paged(client: httpx.AsyncClient, name: str, order: str, first: int) -> list[str]:
    """The ids of all pages."""
    found: list[str] = []
    after = None
    while True:
        page = (await ask(client, ADA, PAGE % (name, order), first=first, after=after))[name]
        found += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(found)
            return found
        assert len(page["nodes"]) == first


def test_every_order_of_the_schema_is_here() -> None:
    query = graphql_schema(build_schema()).query_type
    assert query is not None
    for name, orders in ORDERS.items():
        type_ = get_nullable_type(query.fields[name].args["orderBy"].type)
        assert isinstance(type_, GraphQLEnumType)
        assert set(type_.values) == set(orders)


@pytest.mark.parametrize("name", ORDERS)
async def test_rows_come_in_the_requested_order_on_pages_of_any_size(
    name: str, client: httpx.AsyncClient, rows: Rows
) -> None:
    for order in ORDERS[name]:
        expected = in_order(rows, name, order)
        assert len(expected) > 4
        for first in (100, 1, 2, 3):
            assert await paged(client, name, order, first) == expected, (order, first)


@pytest.mark.parametrize(
    ("name", "order"),
    [("deals", "CREATED_AT_DESC"), ("contacts", "CREATED_AT_DESC"), ("companies", "NAME_ASC"),
     ("activities", "OCCURRED_AT_DESC")],
)  # fmt: skip
async def test_the_default_order(name: str, order: str, client: httpx.AsyncClient, rows: Rows) -> None:
    plain = await ask(client, ADA, f"{{ {name} {{ nodes {{ id }} }} }}")
    default = f"query ($by: {name_of_order(name)}! = {order}) {{ {name}(orderBy: $by) {{ nodes {{ id }} }} }}"

    assert [node["id"] for node in plain[name]["nodes"]] == in_order(rows, name, order)
    assert await ask(client, ADA, default) == plain


async def test_one_document_takes_every_order_as_a_variable(client: httpx.AsyncClient, rows: Rows) -> None:
    document = "query ($by: DealOrder!) { deals(orderBy: $by) { nodes { id } } }"
    for _ in range(2):  # the second time from cached plans
        for order in ORDERS["deals"]:
            answer = await ask(client, ADA, document, by=order)
            assert [node["id"] for node in answer["deals"]["nodes"]] == in_order(rows, "deals", order)


def name_of_order(name: str) -> str:
    query = graphql_schema(build_schema()).query_type
    assert query is not None
    return str(get_nullable_type(query.fields[name].args["orderBy"].type))


@pytest.mark.parametrize("name", ORDERS)
async def test_a_cursor_of_one_order_is_refused_by_the_others(name: str, client: httpx.AsyncClient, rows: Rows) -> None:
    cursors = {}
    for order in ORDERS[name]:
        page = (await ask(client, ADA, PAGE % (name, order), first=1))[name]
        cursors[order] = page["pageInfo"]["endCursor"]

    for order in ORDERS[name]:
        for other, cursor in cursors.items():
            if other != order:
                error = await refusal(client, ADA, PAGE % (name, order), after=cursor)
                assert reason(error) == ("VALIDATION", "after"), (order, other)


def forged(*keys: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).rstrip(b"=").decode()


ID, NOW = str(uuid.UUID(int=1)), START.isoformat()
NOT_AMOUNTS: list[Any] = ["NaN", "1e5", "9" * 400, "9" * 16, "Infinity", "", " 1", "1_000", "١", "0x1", None, 1, [], {}]
NOT_DAYS: list[Any] = [
    "10000-01-01",
    "0000-01-01",
    "2026-02-30",
    "infinity",
    "-infinity",
    "",
    "2026-1-1",
    "20260101",
    NOW,
    None,
    5,
]
NOT_TIMES: list[Any] = [
    "10000-01-01T00:00:00Z",
    "infinity",
    "2026-01-05T09:00:00",
    "",
    "now",
    "2026-01-05T25:00:00Z",
    None,
    5,
    [],
]
NOT_NAMES: list[Any] = ["a\x00", "\ud800", "a\nb", "\u200b", None, 5, ["a"], "x" * 1_000]
FORGED = {
    ("deals", "AMOUNT_DESC", "amount-"): NOT_AMOUNTS,
    ("deals", "AMOUNT_ASC", "amount+"): NOT_AMOUNTS,
    ("deals", "CLOSE_DATE_DESC", "close_date-"): NOT_DAYS,
    ("deals", "CLOSE_DATE_ASC", "close_date+"): NOT_DAYS,
    ("deals", "UPDATED_AT_ASC", "updated_at+"): NOT_TIMES,
    ("contacts", "CREATED_AT_DESC", "created_at-"): NOT_TIMES,
    ("activities", "OCCURRED_AT_ASC", "occurred_at+"): NOT_TIMES,
    ("activities", "DUE_AT_ASC", "due_at+"): NOT_TIMES,
    ("companies", "NAME_ASC", "name_key+"): NOT_NAMES,
}  # fmt: skip


@pytest.mark.parametrize("place", FORGED, ids=lambda place: place[1])
async def test_a_forged_cursor_of_the_right_order_is_refused(
    place: tuple[str, str, str], client: httpx.AsyncClient, rows: Rows
) -> None:
    name, order, keys = place
    for value in FORGED[place]:
        for cursor in (
            forged(keys, value, ID),
            forged(keys, ID, value),
            forged(keys, value),
            forged(keys, ID, ID, value),
        ):
            error = await refusal(client, ADA, PAGE % (name, order), after=cursor)
            assert reason(error) == ("VALIDATION", "after"), ascii(value)


async def test_a_forged_cursor_beyond_all_values_is_an_end_of_the_list(client: httpx.AsyncClient, rows: Rows) -> None:
    every = in_order(rows, "deals", "AMOUNT_ASC")
    for order, keys, value, expected in (
        ("AMOUNT_ASC", "amount+", "-999999999999999", set(every)),
        ("AMOUNT_ASC", "amount+", "999999999999999.999999", set()),
        ("AMOUNT_DESC", "amount-", "999999999999999", set(every)),
        ("CLOSE_DATE_ASC", "close_date+", "0001-01-01", set(every)),
    ):
        page = await ask(client, ADA, PAGE % ("deals", order), after=forged(keys, value, str(uuid.UUID(int=0))))
        assert {node["id"] for node in page["deals"]["nodes"]} == expected
