"""The cost limits: their values, and that refusing a document that exceeds them is cheap."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from crm_graph.graphql.engine import complexity
from tests.support.api import bearer, send
from tests.support.database import recorded
from tests.support.factories import ADA, World

Json = dict[str, Any]


def nested(levels: int) -> str:
    """A query of exactly so many levels."""
    opening = ["deals(first: 1) {", "nodes {"] + ["contact {", "deals(first: 1) {", "nodes {"] * levels
    return "{ " + " ".join(opening[: levels - 1]) + " __typename " + "}" * (levels - 1) + " }"


def many(count: int, text: str) -> str:
    return " ".join(text.replace("#", str(number)) for number in range(count))


def doubling(levels: int) -> str:
    """A few hundred bytes that are 2 ** levels fields."""
    chain = many(levels, "fragment F# on Owner { ...G# ...G# }")
    for number in range(levels):
        chain = chain.replace(f"G{number} ", f"F{number + 1} ")
    return "{ me { ...F0 } } " + chain + f" fragment F{levels} on Owner {{ id }}"


CREATE = 'a#: createDeal(input: {title: ""}) { __typename }'
FRAGMENT = "fragment F# on Owner { id }"
Limit = tuple[Callable[[int], str], int]
LIMITS: dict[str, Limit] = {
    "levels": (nested, complexity.DEPTH_MAX),
    "mutation root fields": (lambda n: "mutation { " + many(n, CREATE) + " }", 10),
    "directives": (lambda n: "{ me { " + many(n, "a#: id @include(if: true)") + " } }", complexity.DIRECTIVES_MAX),
    "operations": (lambda n: many(n, "query Q# { me { id } }"), complexity.OPERATIONS_MAX),
    "fragments": (lambda n: "{ me { " + many(n, "...F#") + " } } " + many(n, FRAGMENT), complexity.FRAGMENTS_MAX),
    "repeats": (lambda n: "{ me { " + many(n + 1, "id") + " } }", complexity.REPEATS_MAX),
}


@pytest.mark.parametrize("limit", LIMITS)
async def test_a_limit_has_its_value(limit: str, client: httpx.AsyncClient, world: World) -> None:
    make, most = LIMITS[limit]
    name = "Q0" if limit == "operations" else None

    allowed, refused = [(await post(client, make(count), name))["errors"] for count in (most, most + 1)]

    assert "QUERY_TOO_COMPLEX" not in codes(allowed)
    assert codes(refused) == {"QUERY_TOO_COMPLEX"}
    assert f"the limit is {most:,}" in refused[0]["message"]


@pytest.mark.parametrize(
    ("document", "variables", "is_allowed"),
    [
        ("{ deals(first: 100) { nodes { activities(first: 100) { nodes { id } } } } }", {}, True),
        ("{ contacts(first: 100) { nodes { deals(first: 100) { nodes { activities { nodes { id } } } } } } }", {},
         False),
        ("query ($n: Int!) { contacts(first: $n) { nodes { deals(first: $n) { nodes { activities(first: $n) "
         "{ nodes { id } } } } } } }", {"n": 20}, True),
        ("query ($n: Int!) { contacts(first: $n) { nodes { deals(first: $n) { nodes { activities(first: $n) "
         "{ nodes { id } } } } } } }", {"n": 40}, False),
        ("{ contacts { nodes { deals { nodes { activities { nodes { id } } } } } } }", {}, False),
        ("{ pipelines { stages { deals(first: 100) { nodes { id title } } } } }", {}, True),
        ("{ pipelines { stages { deals(first: 100) { nodes { activities(first: 3) { nodes { id } } } } } } }", {},
         False),
        ("{ contacts(first: 100) { nodes { ...C } } } fragment C on Contact { deals(first: 100) { nodes { ...D } } } "
         "fragment D on Deal { activities(first: 3) { nodes { id } } }", {}, False),
    ],
)  # fmt: skip
async def test_what_is_selected_costs_for_each_row_of_the_pages(
    document: str, variables: Json, is_allowed: bool, client: httpx.AsyncClient, world: World
) -> None:
    body = (await send(client, ADA, document, **variables)).json()

    assert (codes(body.get("errors", [])) == {"QUERY_TOO_COMPLEX"}) is not is_allowed, body
    # A cached document is checked again with other variables.
    if variables:
        assert "errors" not in (await send(client, ADA, document, n=1)).json()


HOSTILE = {
    "1,000 aliases": "{ me { " + many(1_000, "a#: id") + " } }",
    "10,000 duplicates": "{ me { " + "id " * 10_000 + "} }",
    "depth 50": nested(50),
    "1,000 directives": "{ me { id " + "@include(if: true) " * 1_000 + "} }",
    "500 operations": many(500, "query Q# { me { id } }"),
    "doubling fragments": doubling(20),
    "doubling without fields": doubling(20).replace("{ id }", "{ ...Nothing }"),
    "circles": "{ me { ...F0 } } " + many(40, "fragment F# on Owner { ...F1 ...F2 ...F3 ...F4 ...F5 ...F6 ...F7 }"),
    "a circle": "{ me { ...F } } fragment F on Owner { id ...F }",
    "undefined fragments": "{ me { " + many(300, "...F#") + " } }",
    "first: 1e9": "{ deals(first: 1000000000) { nodes { id } } }",
    "first: -1": "{ deals(first: -1) { nodes { id } } }",
    "a comment of a megabyte": "{ me { id } } #" + "x" * 990_000,
    "a huge first": "{ deals(first: " + "9" * 5_000 + ") { nodes { id } } }",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_document_is_refused_at_once(name: str, client: httpx.AsyncClient, world: World) -> None:
    await send(client, ADA, "{ me { id } }")
    operation = "Q0" if name == "500 operations" else None
    spent = []
    with recorded() as statements:
        for _attempt in range(3):  # a refused document is not cached
            started = time.process_time()
            body = await post(client, HOSTILE[name], operation)
            spent.append(time.process_time() - started)

    assert codes(body["errors"]) <= {"QUERY_TOO_COMPLEX", "BAD_REQUEST", "VALIDATION"}
    assert body.get("data") is None
    assert statements == []
    assert min(spent) < 0.1


WORST = {
    "repeats of nested objects": "{ deals(first: 1) { nodes { "
    + "contact { company { id name domain } owner { id name } } " * 20 + " } } }",
    "fragments beside each other": "{ deals(first: 1) { nodes { " + many(40, "...F#") + " } } } "
    + many(40, "fragment F# on Deal { id title contact { id email } }"),
    "aliases of one selection": "{ deals(first: 1) { nodes { "
    + many(60, "a#: contact { id email company { id name } }") + " } } }",
}  # fmt: skip


@pytest.mark.parametrize("name", WORST)
async def test_the_costliest_allowed_document_takes_less_than_a_second(
    name: str, client: httpx.AsyncClient, world: World
) -> None:
    started = time.process_time()
    body = (await send(client, ADA, WORST[name])).json()

    assert time.process_time() - started < 1
    assert "errors" not in body, body


async def test_fragments_of_a_component_library_are_allowed(client: httpx.AsyncClient, world: World) -> None:
    document = "{ deals(first: 1) { nodes { " + many(25, "...F#") + " } } } "
    document += many(25, "fragment F# on Deal { __typename id title stage { id name } }")

    [deal] = (await send(client, ADA, document)).json()["data"]["deals"]["nodes"]

    assert list(deal) == ["__typename", "id", "title", "stage"]


async def post(client: httpx.AsyncClient, document: str, operation: str | None) -> Json:
    """The body of the answer, with `errors` if only an empty list."""
    answer = await client.post(
        "/graphql", content=json.dumps({"query": document, "operationName": operation}),
        headers=bearer(ADA) | {"Content-Type": "application/json"},
    )  # fmt: skip
    body: Json = answer.json()
    return {"errors": []} | body


def codes(errors: list[Json]) -> set[str]:
    return {error["extensions"]["code"] for error in errors}
