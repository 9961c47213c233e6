"""Points: what fields cost, the limit at its boundary, and how far documents of real use stay below it."""

import json
import re
from bisect import bisect
from itertools import takewhile

import httpx
import pytest
from graphql import parse

from bench.documents import OURS, REPORTS
from crm_graph.errors import QueryTooComplex
from crm_graph.graphql.engine import complexity
from crm_graph.graphql.engine.library_internals import graphql_schema
from crm_graph.graphql.engine.weights import COMPLETED_POINTS_MAX, POINTS_MAX
from crm_graph.graphql.transport.schema import build_schema
from tests.support.api import ask, refusal
from tests.support.factories import ADA, World
from tests.support.paths import PROJECT


def points(document: str, **variables: object) -> int:
    return complexity.check(graphql_schema(build_schema()), parse(document), variables).points


def many(count: int, text: str) -> str:
    return " ".join(text.replace("#", str(number)) for number in range(count))


def of_guides() -> dict[str, str]:
    pages = {page.name: page.read_text() for page in (PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md")))}
    bodies = {name: re.findall(r"^ask '(.*)'$", page, re.MULTILINE) for name, page in pages.items()}
    return {f"{name} {place}": json.loads(body)["query"] for name in bodies for place, body in enumerate(bodies[name])}


def of_workflows() -> dict[str, str]:
    flows = {path.name: json.loads(path.read_text()) for path in (PROJECT / "n8n_workflows").glob("*.json")}
    return {
        f"{name}: {node['name']}": node["parameters"]["query"]
        for name, flow in flows.items()
        for node in flow["nodes"]
        if node["type"].endswith(".graphql")
    }


HONEST = of_guides() | of_workflows() | {name: document.query for name, document in OURS.items()} | REPORTS


@pytest.mark.parametrize("name", HONEST)
def test_a_document_of_real_use_stays_far_below_the_limit(name: str) -> None:
    # A report reads the whole history, in most of a second, if its period is long enough; only one is allowed.
    most = POINTS_MAX if "pipelineReport" in HONEST[name] else POINTS_MAX / 2

    assert points(HONEST[name]) <= most


def test_a_page_of_deals_with_all_their_fields_costs_little() -> None:
    fields = re.findall(
        r"^  (\w+): (?:UUID|String|Decimal|Date|DateTime|Int|DealStatus)!?$", type_of_deal(), re.MULTILINE
    )
    assert len(fields) >= 12

    document = f"{{ deals(first: 100) {{ totalCount pageInfo {{ endCursor }} nodes {{ {' '.join(fields)} "
    document += "contact { id fullName email custom } company { id name } owner { id name } stage { id name } } } }"

    assert points(document) < POINTS_MAX / 4


def type_of_deal() -> str:
    lines = (PROJECT / "schema.graphql").read_text().split("\ntype Deal {\n")[1].splitlines()
    return "\n".join(takewhile(lambda line: line != "}", lines))


REPORT = "a#: pipelineReport { attribution { won } }"
COSTLY = {
    "reports": (REPORT, "PipelineReport.attribution"),
    "searches": ('a#: search(text: "a") { score }', "Query.search"),
    "filters": ('a#: deals(filter: {text: "a"}) { nodes { id } }', "Query.deals"),
    "conditions": ("a#: deals(filter: {staleForDays: 1}) { nodes { id } }", "Query.deals"),
    "orders": ("a#: deals(orderBy: AMOUNT_DESC) { nodes { id } }", "Query.deals"),
    "counts": ("a#: activities { totalCount }", "Query.activities"),
    "sums": ("a#: pipeline { stages { dealCount amountTotals { amount } } }", "PipelineStage.amountTotals"),
    "rows": ("a#: deals(first: 99) { nodes { stage { deals(first: 9) { nodes { id } } } } }", "PipelineStage.deals"),
    "long keys": (f"a#: deals(first: 100) {{ nodes {{ {'x' * 9_000}: id }} }}", "Deal.id"),
    "lists": ("a#: deals { ...D }", "Query.deals"),
}  # fmt: skip


@pytest.mark.parametrize("name", COSTLY)
async def test_a_document_is_refused_above_the_limit(name: str, client: httpx.AsyncClient, world: World) -> None:
    field, costliest = COSTLY[name]
    fragment = " fragment D on DealConnection { nodes { id } }" if "...D" in field else ""
    most = bisect(range(400), 0, key=lambda count: is_refused(f"{{ me {{ id }} {many(count, field)} }}{fragment}")) - 1

    error = await refusal(client, ADA, f"{{ me {{ id }} {many(most + 1, field)} }}{fragment}")

    assert most >= 1
    assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX"
    assert "points; the limit is 1,000,000, and most are for " + costliest in error["message"]


def is_refused(document: str) -> bool:
    try:
        return points(document) > POINTS_MAX
    except QueryTooComplex:
        return True


def test_what_costs_nothing_more_is_not_counted_twice() -> None:
    plain, ordered = "{ deals { nodes { id } } }", "{ deals(orderBy: AMOUNT_DESC) { nodes { id } } }"
    filtered = "query ($f: DealFilter) { deals(filter: $f) { nodes { id } } }"

    assert points(filtered) == points(filtered, f={"text": None}) == points(filtered, f=None) == points(plain)
    assert points(filtered, f={"text": "a"}) == points(ordered)
    assert points(filtered, f={"staleForDays": 1}) > points(filtered, f={"text": "a"})
    assert points('{ deals(filter: {text: "a"}, orderBy: AMOUNT_DESC) { nodes { id } } }') == points(ordered)


def test_the_default_of_a_filter_variable_counts() -> None:
    document = "query ($f: DealFilter = {staleForDays: 1}) { deals(filter: $f) { nodes { id } } }"

    assert points(document) == points(document, f={"staleForDays": 1}) > points(document, f=None)


def test_a_fragment_on_a_connection_counts_where_it_is_spread() -> None:
    fragment = " fragment C on DealConnection { totalCount }"

    assert points("{ deals { ...C } }" + fragment) > points("{ deals { totalCount } }") - 100
    assert points("{ deals { totalCount } }") > points("{ deals { nodes { id } } }") + 50_000


async def test_refusals_do_not_depend_on_the_cache(client: httpx.AsyncClient, world: World) -> None:
    document = "query ($n: Int!) { deals(first: $n) { nodes { activities(first: $n) { nodes { content meta } } } } }"

    await ask(client, ADA, document, n=1)
    await refusal(client, ADA, document.replace("content meta", "content meta " + many(20, "a#: content")), n=100)
    assert await ask(client, ADA, document, n=50)


def test_a_mutation_and_a_subscription_may_cost_a_fifth_of_a_query() -> None:
    tree = (
        "deal { contact { deals(first: 100) { nodes { contact { activities(first: %d) { nodes { content } } } } } } }"
    )
    mutation = 'mutation { updateDeal(input: {dealId: "x"}) { ' + tree + " } }"
    subscription = "subscription { dealChanged { " + tree + " } }"
    for document in (mutation, subscription):
        assert points(document % 10) < COMPLETED_POINTS_MAX
        with pytest.raises(QueryTooComplex, match=r"points; the limit is 200,000"):
            points(document % 100)
    assert points("{ deals(first: 100) { nodes { contact { activities(first: 100) { nodes { content } } } } } }") > (
        COMPLETED_POINTS_MAX
    )
