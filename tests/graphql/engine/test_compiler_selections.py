"""Selections that name no column of the table they stand on, and documents that exceed the limits by far."""

import time

import httpx
import pytest

from tests.support.api import ask, refusal
from tests.support.factories import ADA, ROOT, World
from tests.support.webhooks import fixture, post


@pytest.fixture
async def world(world: World, client: httpx.AsyncClient) -> World:
    """The team, with one event in the log."""
    assert (await post(client, "instantly", fixture("instantly", "reply_received"))).status_code == 200
    return world


@pytest.mark.parametrize(
    "document",
    [
        "{ me { __typename } }",
        "{ me { mailboxes } }",
        "{ pipelines { __typename } }",
        "{ pipelines { stages { key } } }",
        "{ pipeline { __typename } }",
        "{ deals { nodes { __typename } } }",
        "{ deals { edges { node { __typename } } } }",
        "{ deals { edges { node { contact { email } } } } }",
        "{ contacts { nodes { deals { totalCount } } } }",
        "{ webhooksLog { nodes { __typename } } }",
        "{ webhooksLog { nodes { contact { email } } } }",
        "{ webhooksLog { edges { node { deal { id } } } } }",
        "{ webhooksLog { __typename } }",
    ],
)
async def test_a_selection_without_columns_reads_every_row(
    document: str, client: httpx.AsyncClient, world: World
) -> None:
    [found] = (await ask(client, ROOT, document)).values()
    rows = found.get("nodes", found.get("edges", [found])) if isinstance(found, dict) else found
    assert rows


async def test_many_fields_are_refused(client: httpx.AsyncClient, world: World) -> None:
    shared = "{ a: deals { ...F } b: deals { ...F } } fragment F on DealConnection { nodes { ...D } }"
    fields = " ".join(f"f{i}: title" for i in range(600))
    document = shared + f" fragment D on Deal {{ {fields} contact {{ deals {{ nodes {{ {fields} }} }} }} }}"

    error = await refusal(client, ADA, document)

    assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX"


async def test_an_address_of_combining_marks_is_refused_before_it_is_normalised(
    client: httpx.AsyncClient, world: World
) -> None:
    started = time.process_time()
    hostile = "a" + "\u0301\u0316" * 45_000 + "@x.example"
    error = await refusal(client, ADA, "query ($e: String!) { contactByEmail(email: $e) { id } }", e=hostile)
    assert error["extensions"] == {"code": "VALIDATION", "field": "email"}
    assert time.process_time() - started < 1


async def test_half_a_surrogate_pair_is_refused_with_an_errors_body(client: httpx.AsyncClient, world: World) -> None:
    upsert = "mutation ($i: UpsertContactInput!) { upsertContact(input: $i) { created } }"
    for fields in ({"\ud800": 1}, {"lifecycleStage": "\ud800"}):
        error = await refusal(client, ADA, upsert, i={"email": "new@acme.example"} | fields)
        assert error["message"].startswith("[BAD_REQUEST] ")
