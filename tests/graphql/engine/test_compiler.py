"""Selections: every way to select a field means what GraphQL says, in one SQL statement per root field."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from tests.support.api import ask, reason, refusal, send
from tests.support.database import recorded
from tests.support.factories import ADA, ROOT, World, add_deal, add_note

BOARD = """query Board($first: Int! = 20) { pipeline { id name stages {
    id key name orderIndex probability kind dealCount amountTotals { amount currency }
    deals(first: $first) { totalCount pageInfo { hasNextPage endCursor }
        nodes { id title amount currency closeDate contact { id fullName } company { name } owner { name } } } } } }"""
DEAL_PAGE = """query ($id: UUID!) { deal(id: $id) { id title status amount currency version
    stage { key pipeline { stages { key name } } }
    contact { fullName email replyStatus custom company { name } deals(first: 5) { nodes { id title } } }
    owner { name mailboxes }
    stageHistory { nodes { fromStage { key } toStage { key } movedAt movedBy { name } source } }
    activities(first: 20) { edges { cursor node { type content occurredAt createdBy { name } } } } } }"""
CONTACT_PAGE = """query ($email: String!) { contactByEmail(email: $email) { id email lifecycleStage
    company { name domain contacts(first: 3) { totalCount nodes { email } } }
    deals { nodes { title stage { name } stageHistory(first: 1) { nodes { movedAt } } } }
    activities { totalCount nodes { content deal { title contact { email } } } } } }"""


async def test_the_board_is_one_statement(client: httpx.AsyncClient, world: World) -> None:
    await ask(client, ADA, "{ me { id } }")

    with recorded() as statements:
        pipeline = (await ask(client, ADA, BOARD, first=3))["pipeline"]

    assert len(statements) == 1
    assert [stage["key"] for stage in pipeline["stages"]] == [
        "new", "contacted", "qualified", "meeting_scheduled", "proposal_sent", "won", "lost",
    ]  # fmt: skip
    new, *others = pipeline["stages"]
    assert (new["dealCount"], new["deals"]["totalCount"], len(new["deals"]["nodes"])) == (4, 4, 3)
    assert new["deals"]["pageInfo"]["hasNextPage"] is True
    assert new["amountTotals"] == [{"amount": "20402.00", "currency": "USD"}]
    assert new["probability"] == 0.1
    assert all(node["company"] == {"name": "Acme"} for node in new["deals"]["nodes"])
    for stage in others:
        assert (stage["dealCount"], stage["amountTotals"], stage["deals"]["nodes"]) == (0, [], [])
        assert stage["deals"]["pageInfo"] == {"hasNextPage": False, "endCursor": None}


async def test_pages_of_a_deal_and_a_contact_are_one_statement(client: httpx.AsyncClient, world: World) -> None:
    await ask(client, ADA, "{ me { id } }")

    with recorded() as statements:
        deal = (await ask(client, ADA, DEAL_PAGE, id=str(world.ada.deal)))["deal"]
        contact = (await ask(client, ADA, CONTACT_PAGE, email=world.ada.email))["contactByEmail"]

    assert len(statements) == 2
    assert (deal["title"], deal["status"], deal["amount"], deal["stage"]["key"]) == ("ada-own", "OPEN", "101.00", "new")
    assert [s["key"] for s in deal["stage"]["pipeline"]["stages"]][:2] == ["new", "contacted"]
    assert deal["contact"]["deals"]["nodes"] == [{"id": str(world.ada.deal), "title": "ada-own"}]
    assert deal["owner"] == {"name": "Ada", "mailboxes": []}
    [move] = deal["stageHistory"]["nodes"]
    assert move == {"fromStage": None, "toStage": {"key": "new"}, "movedAt": "2026-01-05T09:00:00+00:00",
                    "movedBy": None, "source": "test"}  # fmt: skip
    assert [edge["node"]["content"] for edge in deal["activities"]["edges"]] == ["ada-own-note"]
    assert contact["company"]["contacts"] == {
        "totalCount": 2, "nodes": contact["company"]["contacts"]["nodes"],
    }  # fmt: skip
    assert [node["title"] for node in contact["deals"]["nodes"]] == ["ada-own"]
    assert {a["content"] for a in contact["activities"]["nodes"]} == {"ada-note", "ada-own-note", "bob-cross-note"}


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ("{ me { id } deals { totalCount } contacts { nodes { id } } }", 1),
        ("{ a: deals(first: 1) { nodes { id } } b: deals(first: 2) { nodes { id } } }", 1),
        ("{ me { id } me { name } ... { me { email } } }", 1),
        ("{ __typename }", 0),
        ('mutation { createDeal(input: {title: "x"}) { deal { title stage { name } activities { totalCount } } } }', 3),
        ('mutation { upsertContact(input: {email: "a@b.example"}) { created contact { id company { name } } } }', 4),
        ('mutation { upsertContact(input: {email: "a@b.example"}) { created } }', 3),
    ],
)  # fmt: skip
async def test_a_query_is_one_statement_and_a_payload_one_more(
    document: str, count: int, client: httpx.AsyncClient, world: World, database: Database
) -> None:
    async with database.transaction() as session:
        await session.scalar(text("SELECT 1"))  # SQLAlchemy queries a new server for its version
    await ask(client, ADA, "{ me { id } }")

    with recorded() as statements:
        await ask(client, ADA, document)

    assert len(statements) == count, statements


async def test_writes_have_a_known_number_of_statements(client: httpx.AsyncClient, world: World) -> None:
    await ask(client, ADA, "{ me { id } }")
    deal, contact = world.ada.deal, world.ada.contact
    writes = {
        f'updateDeal(input: {{dealId: "{deal}", title: "y"}}) {{ deal {{ id }} }}': 3,
        f'moveDealStage(input: {{dealId: "{deal}", stageId: "{world.stage["won"]}"}}) {{ deal {{ id }} }}': 3,
        f'updateContact(input: {{contactId: "{contact}", title: "y"}}) {{ contact {{ id }} }}': 3,
    }
    for write, count in writes.items():
        with recorded() as statements:
            await ask(client, ADA, f"mutation {{ {write} }}")
        print(f"{len(statements)} statements: {write.partition('(')[0]}")
        assert len(statements) == count, statements


async def test_aliases_and_one_field_twice_with_other_arguments(client: httpx.AsyncClient, world: World) -> None:
    answer = await ask(
        client, ROOT,
        """query ($a: UUID!, $b: UUID!) {
            mine: deal(id: $a) { title name: title also: title } deal(id: $b) { title }
            one: deals(first: 1) { n: nodes { id } m: nodes { title } again: edges { node { id } } edges { c: cursor } }
            pipeline { stages { first: deals(first: 1) { nodes { id } } all: deals { totalCount }
                count: dealCount } } }""",
        a=str(world.ada.deal), b=str(world.bob.deal),
    )  # fmt: skip

    assert answer["mine"] == {"title": "ada-own", "name": "ada-own", "also": "ada-own"}
    assert answer["deal"] == {"title": "bob-own"}
    one = answer["one"]
    assert one["n"] == [edge["node"] for edge in one["again"]]
    assert set(one["m"][0]) == {"title"}
    assert set(one["edges"][0]) == {"c"}
    new = answer["pipeline"]["stages"][0]
    assert (len(new["first"]["nodes"]), new["all"]["totalCount"], new["count"]) == (1, 6, 6)


async def test_one_field_selected_in_parts_is_merged(client: httpx.AsyncClient, world: World) -> None:
    answer = await ask(
        client, ADA,
        """query ($id: UUID!) { deal(id: $id) { contact { id } ...A }
             deal(id: $id) { contact { email } ... on Deal { owner { id } } } }
           fragment A on Deal { contact { company { name } ...B } activities(first: 1) { totalCount } ...C }
           fragment B on Contact { fullName deals { nodes { id } } deals { totalCount } }
           fragment C on Deal { activities(first: 1) { nodes { content } } }""",
        id=str(world.ada.deal),
    )  # fmt: skip

    assert answer["deal"] == {
        "contact": {
            "id": str(world.ada.contact),
            "email": world.ada.email,
            "company": {"name": "Acme"},
            "fullName": world.ada.email,
            "deals": {"nodes": [{"id": str(world.ada.deal)}], "totalCount": 1},
        },
        "owner": {"id": str(world.ada.owner)},
        "activities": {"totalCount": 1, "nodes": [{"content": "ada-own-note"}]},
    }


async def test_variables_and_their_defaults(client: httpx.AsyncClient, world: World) -> None:
    document = """query ($first: Int! = 2, $after: String, $own: Boolean = false, $no: Boolean! = true) {
        deals(first: $first, after: $after) { nodes { id title @include(if: $own) } } me @skip(if: $no) { id } }"""

    default = await ask(client, ADA, document)
    answer = await ask(client, ADA, document, first=3, after=None, own=True, no=False)

    assert len(default["deals"]["nodes"]) == 2
    assert set(default["deals"]["nodes"][0]) == {"id"}
    assert "me" not in default
    assert len(answer["deals"]["nodes"]) == 3
    assert set(answer["deals"]["nodes"][0]) == {"id", "title"}
    assert answer["me"] == {"id": str(world.ada.owner)}


async def test_include_and_skip_on_fragments(client: httpx.AsyncClient, world: World) -> None:
    document = """query ($yes: Boolean!) { me { id ...F @include(if: $yes) ... @skip(if: $yes) { email } } }
        fragment F on Owner { name role @skip(if: $yes) }"""

    assert (await ask(client, ADA, document, yes=True))["me"] == {"id": str(world.ada.owner), "name": "Ada"}
    assert (await ask(client, ADA, document, yes=False))["me"] == {"id": str(world.ada.owner), "email": ADA}


async def test_typename_at_every_level(client: httpx.AsyncClient, world: World) -> None:
    answer = await ask(
        client, ADA,
        """{ __typename deals(first: 1) { __typename edges { __typename node { __typename } } nodes { t: __typename }
             pageInfo { __typename } } pipeline { stages { amountTotals { __typename } } } }""",
    )  # fmt: skip

    assert answer["__typename"] == "Query"
    assert answer["deals"] == {
        "__typename": "DealConnection",
        "edges": [{"__typename": "DealEdge", "node": {"__typename": "Deal"}}],
        "nodes": [{"t": "Deal"}],
        "pageInfo": {"__typename": "PageInfo"},
    }
    assert answer["pipeline"]["stages"][0]["amountTotals"] == [{"__typename": "AmountTotal"}]


async def test_an_object_of_more_than_a_hundred_fields(client: httpx.AsyncClient, world: World) -> None:
    many = " ".join(f"f{i}: title a{i}: amount c{i}: contact {{ email }}" for i in range(35))

    deal = (await ask(client, ADA, f"query ($id: UUID!) {{ deal(id: $id) {{ id {many} }} }}", id=str(world.ada.deal)))[
        "deal"
    ]

    assert len(deal) == 106
    assert {deal[f"f{i}"] for i in range(35)} == {"ada-own"}
    assert {deal[f"a{i}"] for i in range(35)} == {"101.00"}
    assert deal["c34"] == {"email": world.ada.email}


async def test_nested_connections_take_their_own_arguments(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    more = [await add_deal(sql, world.stage, world.ada.owner, world.ada.contact, title=f"more {i}") for i in range(3)]
    for deal in more:
        for i in range(3):
            await add_note(sql, None, deal, f"note {i}")

    document = """{ contacts(first: 1) { nodes { id } } company(id: "%s") { contacts(first: 2) { nodes { email
        deals(first: 2) { totalCount nodes { title activities(first: 1) { totalCount nodes { content } } } } } } } }"""
    answer = await ask(client, ADA, document % world.company)

    [mine] = [c for c in answer["company"]["contacts"]["nodes"] if c["email"] == world.ada.email]
    assert len(answer["contacts"]["nodes"]) == 1
    assert mine["deals"]["totalCount"] == 4
    assert len(mine["deals"]["nodes"]) == 2
    for deal in mine["deals"]["nodes"]:
        assert len(deal["activities"]["nodes"]) == 1
        assert deal["activities"]["totalCount"] == (1 if deal["title"] == "ada-own" else 4)


async def test_a_pipeline_is_found_by_id_and_by_default(client: httpx.AsyncClient, world: World) -> None:
    document = "query ($id: UUID) { pipeline(id: $id) { id isDefault } pipelines { id } }"
    default = str(world.stage["pipeline"])

    for variables in ({}, {"id": None}, {"id": default}):
        assert (await ask(client, ADA, document, **variables))["pipeline"] == {"id": default, "isDefault": True}
    assert (await ask(client, ADA, document, id=str(world.company)))["pipeline"] is None


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1, 10**9])
async def test_a_page_has_1_to_100_rows(first: int, client: httpx.AsyncClient, world: World) -> None:
    nested = f'query ($first: Int!) {{ company(id: "{world.company}") {{ deals(first: $first) {{ totalCount }} }} }}'
    for document in ("query ($first: Int!) { deals(first: $first) { nodes { id } } }", nested):
        answer: Any = await refusal(client, ADA, document, first=first)
        assert reason(answer) == ("VALIDATION", "first")


@pytest.mark.parametrize("first", [2**31, 1.5, "10", True, None, []])
async def test_a_page_size_is_a_whole_number(first: Any, client: httpx.AsyncClient, world: World) -> None:
    answer = await send(client, ADA, "query ($first: Int!) { deals(first: $first) { nodes { id } } }", first=first)

    assert {reason(error)[0] for error in answer.json()["errors"]} == {"BAD_REQUEST"}
