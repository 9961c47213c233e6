"""Keyset cursors: paging gives every row once and in order, and a forged cursor is refused."""

import base64
import json
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import DealStageHistory
from tests.support.api import ask, reason, refusal
from tests.support.factories import ADA, START, World, add, add_deal, add_note

PAGE = """query ($first: Int!, $after: String) { %s { totalCount nodes { id }
    edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } %s }"""

DEALS = "query ($after: String) { deals(after: $after) { nodes { id } } }"


async def all_ids(client: httpx.AsyncClient, path: list[str], document: str, first: int) -> list[str]:
    """The ids on all pages, each page checked against its pageInfo."""
    found: list[str] = []
    after = None
    while True:
        page: Any = await ask(client, ADA, document, first=first, after=after)
        for step in path:
            page = page[step]
        info, edges = page["pageInfo"], page["edges"]
        assert [edge["node"] for edge in edges] == page["nodes"]
        assert len(edges) <= first
        assert info["hasPreviousPage"] == (after is not None)
        assert (info["startCursor"], info["endCursor"]) == (edges[0]["cursor"], edges[-1]["cursor"])
        found += [node["id"] for node in page["nodes"]]
        assert page["totalCount"] >= len(found)
        after = info["endCursor"]
        if not info["hasNextPage"]:
            assert page["totalCount"] == len(found)
            return found
        assert len(edges) == first


@pytest.mark.parametrize("first", [2, 3, 100])
async def test_paging_gives_every_row_once_and_in_order(
    first: int, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    made: list[tuple[Any, str, uuid.UUID]] = []
    for i in range(9):  # ties in every order column, which the id must break
        at = START + timedelta(microseconds=i // 3)
        values = {"rank": ["a0", "a0V", "Zz"][i % 3], "created_at": at, "company_id": world.company}
        deal = await add_deal(sql, world.stage, world.ada.owner, world.ada.contact, **values)
        made.append((at, values["rank"], deal))
        await add_note(sql, None, made[0][2], f"{i}", occurred_at=at)
        await add(
            sql, DealStageHistory, deal_id=made[0][2], from_stage_id=world.stage["new"],
            to_stage_id=world.stage["won"], moved_at=START + timedelta(hours=i // 4), source="test",
        )  # fmt: skip
    newest = [str(deal) for _, _, deal in sorted(made, key=lambda row: (row[0], row[2].int), reverse=True)]
    board = [str(deal) for _, _, deal in sorted(made, key=lambda row: (row[1], row[2].int))]
    ours = set(newest)

    args = "(first: $first, after: $after)"
    deals = await all_ids(client, ["deals"], PAGE % (f"deals{args}", ""), first)
    by_company = PAGE % (f'company(id: "{world.company}") {{ deals{args}', "}")
    company = await all_ids(client, ["company", "deals"], by_company, first)
    column = await column_ids(client, first)
    deal = f'deal(id: "{made[0][2]}") {{ %s{args}'
    notes = await all_ids(client, ["deal", "activities"], PAGE % (deal % "activities", "}"), first)
    moves = await all_ids(client, ["deal", "stageHistory"], PAGE % (deal % "stageHistory", "}"), first)

    assert [one for one in deals if one in ours] == newest
    assert [one for one in company if one in ours] == newest
    assert [one for one in column if one in ours] == board
    for ids, count in ((deals, 13), (company, 13), (column, 13), (notes, 10), (moves, 10)):
        assert len(ids) == len(set(ids)) == count


async def column_ids(client: httpx.AsyncClient, first: int) -> list[str]:
    """The board's first column, page by page."""
    document = """query ($first: Int!, $after: String) { pipeline { stages {
        deals(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } } } }"""
    found: list[str] = []
    after = None
    while True:
        page = (await ask(client, ADA, document, first=first, after=after))["pipeline"]["stages"][0]["deals"]
        found += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


async def test_an_empty_list_has_an_empty_page(client: httpx.AsyncClient, world: World) -> None:
    document = PAGE % (f'company(id: "{world.company}") {{ deals(first: $first, after: $after)', "}")
    last = (await ask(client, ADA, document, first=100))["company"]["deals"]["pageInfo"]["endCursor"]

    page = (await ask(client, ADA, document, first=5, after=last))["company"]["deals"]

    assert page == {
        "nodes": [], "edges": [], "totalCount": 4,
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": True, "startCursor": None, "endCursor": None},
    }  # fmt: skip


async def test_rows_that_are_added_do_not_shift_pages(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    document = "query ($after: String) { deals(first: 2, after: $after) { nodes { id } pageInfo { endCursor } } }"
    one = (await ask(client, ADA, document))["deals"]
    await add_deal(sql, world.stage, world.ada.owner, None, title="newer")
    two = (await ask(client, ADA, document, after=one["pageInfo"]["endCursor"]))["deals"]

    ids = [node["id"] for node in one["nodes"] + two["nodes"]]
    assert len(set(ids)) == 4


def encoded(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


NOW, ID, ORDER = START.isoformat(), str(uuid.UUID(int=1)), "created_at-"
GARBAGE = [
    "", "x", "====", "é", "\x00", "\ud800", "a" * 5_000, ID, "null", "1", encoded(b"\xff\xfe"), encoded(b"{"),
 encoded(None),
    encoded(5), encoded({}), encoded([]), encoded([NOW]), encoded([NOW, ID, ID]), encoded([NOW, 5]), encoded([5, ID]),
    encoded([NOW, "x"]), encoded(["x", ID]), encoded([None, None]), encoded([[NOW], ID]),
 encoded(["2026-01-05T09:00:00", ID]),
    encoded(["infinity", ID]), encoded([NOW, "' OR true --"]), encoded(["\x00", ID]), encoded(b"[" * 700),
    encoded([ORDER]), encoded([ORDER, NOW]), encoded([ORDER, NOW, ID, ID]), encoded([ORDER, NOW, 5]),
    encoded([ORDER, NOW, "x"]), encoded([ORDER, "x", ID]), encoded([ORDER, "2026-01-05T09:00:00", ID]),
    encoded([ORDER, "infinity", ID]), encoded([ORDER, None, ID]), encoded(["created_at+", NOW, ID]),
    encoded([NOW, ID])[:-3], encoded([NOW, ID]) + "!", encoded(["0001-01-01T00:00:00", ID]),
]  # fmt: skip


async def test_a_forged_cursor_is_refused(client: httpx.AsyncClient, world: World) -> None:
    for garbage in GARBAGE:
        error = await refusal(
            client, ADA, "query ($after: String) { deals(after: $after) { nodes { id } } }", after=garbage
        )
        assert reason(error) == ("VALIDATION", "after"), ascii(garbage)


async def test_a_cursor_of_another_order_is_refused(client: httpx.AsyncClient, world: World) -> None:
    both = await ask(
        client, ADA,
        "{ pipeline { stages { deals(first: 1) { edges { cursor } } } } deals(first: 1) { edges { cursor } } }",
    )  # fmt: skip
    of_board = both["pipeline"]["stages"][0]["deals"]["edges"][0]["cursor"]
    of_list = both["deals"]["edges"][0]["cursor"]
    in_board = "query ($after: String) { pipeline { stages { deals(after: $after) { nodes { id } } } } }"

    assert reason(await refusal(client, ADA, DEALS, after=of_board)) == ("VALIDATION", "after")
    assert reason(await refusal(client, ADA, in_board, after=of_list)) == ("VALIDATION", "after")


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+00:00"]
)
async def test_a_forged_cursor_at_the_ends_of_the_calendar_is_no_internal_error(
    moment: str, client: httpx.AsyncClient, world: World
) -> None:
    answer = await ask(client, ADA, DEALS, after=encoded(["created_at-", moment, ID]))

    assert len(answer["deals"]["nodes"]) == (4 if moment.startswith("9999") else 0)


@pytest.mark.parametrize("fields", ["hasPreviousPage", "__typename", "hasPreviousPage __typename"])
@pytest.mark.parametrize("rows", ["deals(first: 2)", 'deals(filter: {campaignId: "none"})'])
async def test_a_page_is_one_row_whatever_is_selected(
    fields: str, rows: str, client: httpx.AsyncClient, world: World
) -> None:
    page = (await ask(client, ADA, f"{{ {rows} {{ pageInfo {{ {fields} }} }} }}"))["deals"]["pageInfo"]

    known = {"hasPreviousPage": False, "__typename": "PageInfo"}
    assert page == {name: known[name] for name in fields.split()}
