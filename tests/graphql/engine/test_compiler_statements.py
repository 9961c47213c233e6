"""The number of statements that the API sends, the parts of a selection in them, and exact sums and counts."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.models import Deal, PipelineStage, table
from tests.support.api import ask, reason, refusal
from tests.support.database import recorded
from tests.support.factories import ADA, BOB, READER, ROOT, START, World

TOTALS = """{ pipeline { stages { key probability dealCount deals(first: 1) { totalCount }
    amountTotals { currency amount weightedAmount } } } }"""
BOARD = """{ pipeline { id name stages { id key name probability kind dealCount
    amountTotals { amount weightedAmount currency }
    deals(first: 20) { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor node { id title amount contact { fullName company { name } } owner { name mailboxes } } } } } }
}"""
DEAL_PAGE = """query ($id: UUID!) { deal(id: $id) { id title amount stage { key pipeline { stages { key } } }
    contact { email company { name } deals { nodes { title } } } owner { name mailboxes }
    activities(first: 20) { totalCount pageInfo { hasNextPage } nodes { type content occurredAt createdBy { name } } }
    stageHistory { totalCount nodes { fromStage { key } toStage { key } movedAt movedBy { name } } } } }"""
FILTERED = """query ($f: DealFilter) { deals(filter: $f, orderBy: AMOUNT_DESC, first: 5) { totalCount
    pageInfo { hasNextPage endCursor } nodes { title contact { email } stage { name } } } }"""
SEARCH = '{ search(text: "ada") { score deal { title } contact { email } company { name } } }'
BACK = "mutation ($to: MoveDealStageInput!) { moveDealStage(input: $to) { __typename } }"
ONE: list[tuple[str, dict[str, Any]]] = [
    (BOARD, {}),
    (DEAL_PAGE, {"id": "deal"}),
    (FILTERED, {"f": {"text": "own", "staleForDays": 1, "unassigned": False, "minAmount": "1"}}),
    (SEARCH, {}),
    ("{ a: deals { totalCount nodes { id } } b: contacts { nodes { id } pageInfo { endCursor } } }", {}),
    ("{ companies { totalCount } activities { nodes { content } } me { id } pipelines { id } __typename }", {}),
]


@pytest.fixture
async def world(world: World, database: Database) -> World:
    """The team, on a server that SQLAlchemy knows: it queries a new one for its version."""
    async with database.transaction() as session:
        await session.scalar(text("SELECT 1"))
    return world


async def statements(client: httpx.AsyncClient, who: str, document: str, **variables: Any) -> list[str]:
    await ask(client, who, "{ __typename }")  # a token that was looked up seconds ago is looked up again
    with recorded() as sent:
        await ask(client, who, document, **variables)
    return sent


@pytest.mark.parametrize(("document", "variables"), ONE, ids=["board", "deal", "filtered", "search", "two", "five"])
@pytest.mark.parametrize("who", [ADA, ROOT])
async def test_a_query_is_one_statement_the_first_time_and_later(
    who: str, document: str, variables: dict[str, Any], client: httpx.AsyncClient, world: World
) -> None:
    values = {"id": str(world.ada.deal)} if "id" in variables else variables

    first = await statements(client, who, document, **values)
    again = await statements(client, who, document, **values)

    assert len(first) == 1
    assert again == first


async def test_a_selection_without_rows_sends_no_statement(client: httpx.AsyncClient, world: World) -> None:
    for document in ("{ __typename }", "{ a: __typename b: __typename }", "{ ... on Query { __typename } }"):
        assert await statements(client, ADA, document) == []
    for refused, code in (
        ('{ search(text: "") { score } }', "VALIDATION"),
        ("{ deals(first: 0) { totalCount } }", "VALIDATION"),
        ('{ deals(after: "x") { nodes { id } } }', "VALIDATION"),
        ("{ deals(filter: {staleForDays: -1}) { totalCount } }", "VALIDATION"),
        ("{ webhooksLog { totalCount } }", "FORBIDDEN"),
    ):
        await ask(client, ADA, "{ __typename }")
        with recorded() as sent:
            assert reason(await refusal(client, ADA, refused))[0] == code
        assert sent == [], refused


async def test_a_payload_takes_one_statement_more_than_its_verb(client: httpx.AsyncClient, world: World) -> None:
    large = """title stage { key dealCount amountTotals { weightedAmount } }
        contact { deals { totalCount nodes { id } } } activities { totalCount nodes { content } }
        stageHistory { pageInfo { hasNextPage } nodes { source } }"""
    deal = str(world.ada.deal)
    for verb in (
        f'updateDeal(input: {{dealId: "{deal}", notes: "%s"}})',
        f'moveDealStage(input: {{dealId: "{deal}", stageId: "{world.stage["qualified"]}"}})',
        'createDeal(input: {title: "%s"})',
    ):
        counts = []
        for i, selected in enumerate(("{ __typename }", "{ deal { id } }", f"{{ deal {{ {large} }} }}")):
            await ask(client, ADA, BACK, to={"dealId": deal, "stageId": str(world.stage["new"])})
            counts.append(len(await statements(client, ADA, f"mutation {{ {verb.replace('%s', str(i))} {selected} }}")))
        bare, small, whole = counts
        assert small == whole == bare + 1, verb


async def test_what_is_not_selected_is_not_in_the_statement(client: httpx.AsyncClient, world: World) -> None:
    async def sent(selected: str) -> str:
        [statement] = await statements(client, ADA, f"{{ pipeline {{ stages {{ key {selected} }} }} }}")
        return statement.lower()

    bare = await sent("")
    for selected, token in (
        ("dealCount", "count("), ("amountTotals { amount }", "sum("), ("amountTotals { weightedAmount }", "round("),
        ("deals { totalCount }", "count("), ("deals { nodes { id } }", "deals"), ("probability", "probability"),
    ):  # fmt: skip
        assert token in await sent(selected)
        assert token not in bare
    assert "deals" not in bare
    listed = await sent("deals { nodes { title } }")
    assert "count(" not in listed
    assert "sum(" not in listed
    assert "row_number" not in listed
    assert "count(*)" not in await sent("deals { edges { cursor } }")


AMOUNTS: list[tuple[str | None, str, str, str]] = [  # amount, currency, stage, owner
    ("0.01", "EUR", "contacted", "ada"), ("0.02", "EUR", "contacted", "ada"),
    ("1000000.55", "EUR", "contacted", "pool"), ("3.33", "EUR", "qualified", "pool"),
    ("999999999999.99", "USD", "contacted", "ada"), ("999999999999.99", "USD", "contacted", "pool"),
    ("0.00", "JPY", "contacted", "ada"), (None, "TRY", "contacted", "ada"), (None, "EUR", "contacted", "ada"),
    ("777.77", "EUR", "contacted", "bob"), ("5.00", "GBP", "contacted", "bob"),
    ("0.10", "EUR", "qualified", "ada"), ("12.34", "USD", "won", "ada"), ("55.55", "USD", "lost", "ada"),
    ("0.05", "EUR", "new", "ada"), ("999.00", "EUR", "proposal_sent", "bob"), ("0.03", "CHF", "proposal_sent", "ada"),
]  # fmt: skip


async def test_totals_and_counts_are_exact(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    owners = {"ada": world.ada.owner, "bob": world.bob.owner, "pool": None}
    rows = [
        {"title": "x", "amount": Decimal(amount) if amount else None, "currency": currency, "owner_id": owners[owner],
         "stage_id": world.stage[stage], "pipeline_id": world.stage["pipeline"], "rank": "a",
         "status": stage if stage in ("won", "lost") else "open", "deleted_at": deleted}
        for amount, currency, stage, owner in AMOUNTS for deleted in (None, START)
    ]  # fmt: skip
    await sql.execute(insert(table(Deal)), rows)
    stages = list(await sql.execute(select(table(PipelineStage)).order_by("order_index")))
    deals = list(await sql.execute(select(table(Deal)).where(table(Deal).c.deleted_at.is_(None))))

    for who, hidden in ((ADA, "bob"), (BOB, "ada"), (ROOT, None), (READER, None)):
        answer = (await ask(client, who, TOTALS))["pipeline"]["stages"]
        seen = [deal for deal in deals if hidden is None or deal.owner_id != owners[hidden]]
        assert [stage["key"] for stage in answer] == [stage.key for stage in stages]
        for found, stage in zip(answer, stages, strict=True):
            here = [deal for deal in seen if deal.stage_id == stage.id]
            assert (found["dealCount"], found["deals"]["totalCount"]) == (len(here), len(here))
            assert found["amountTotals"] == list(totals(here, stage.probability)), (who, stage.key)
    assert {stage.probability for stage in stages} >= {Decimal(0), Decimal(1), Decimal("0.100")}


def totals(deals: list[Any], probability: Decimal) -> Iterable[dict[str, str]]:
    """Per currency, as PostgreSQL rounds: halves away from zero."""
    for currency in sorted({deal.currency for deal in deals if deal.amount is not None}):
        amount = sum(
            (deal.amount for deal in deals if deal.currency == currency and deal.amount is not None), Decimal(0)
        )
        weighted = (amount * probability).quantize(Decimal("0.01"), ROUND_HALF_UP)
        yield {"currency": currency, "amount": f"{amount:.2f}", "weightedAmount": f"{weighted:.2f}"}
