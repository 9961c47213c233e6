"""Queries by GET, as urql sends them, and results as events, as graphql-sse asks for them."""

import json

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.api import bearer
from tests.support.database import unchanged
from tests.support.factories import ADA, World

ME = "query Me { me { email } } query Deals($first: Int) { deals(first: $first) { nodes { title } } }"
pytestmark = pytest.mark.usefixtures("world")


async def get(client: httpx.AsyncClient, accept: str = "*/*", **params: str) -> httpx.Response:
    return await client.get("/graphql", params=params, headers=bearer(ADA) | {"Accept": accept})


async def test_a_query_in_the_url_is_answered_and_not_cached(client: httpx.AsyncClient) -> None:
    answer = await get(client, query=ME, operationName="Me")
    assert (answer.status_code, answer.json()) == (200, {"data": {"me": {"email": ADA}}})
    assert answer.headers["cache-control"] == "no-store"
    variables = json.dumps({"first": 1})
    answer = await get(client, query=ME, operationName="Deals", variables=variables, extensions="{}")
    assert len(answer.json()["data"]["deals"]["nodes"]) == 1


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ('mutation { createDeal(input: {title: "by GET"}) { deal { id } } }', "mutation"),
        ("subscription { dealChanged { refetch } }", "subscription"),
    ],
)
@pytest.mark.parametrize("accept", ["*/*", "text/event-stream"])
async def test_nothing_else_runs_by_get(
    client: httpx.AsyncClient, sql: AsyncConnection, query: str, kind: str, accept: str
) -> None:
    async with unchanged(sql):
        answer = await get(client, accept, query=query)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    [error] = answer.json()["errors"]
    assert error["message"] == f"[BAD_REQUEST] send a {kind} by POST; GET is for queries"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "the URL has no ?query=; send operations by POST, as JSON"),
        ({"query": "{ me { id } }", "variables": "[1]"}, '"variables" must be an object'),
        ({"query": "{ me { id } }", "variables": "{"}, "variables is not JSON: "),
        ({"query": "{ me { id } } #" + "x" * 8_200}, "the URL's query string is longer than 8,192 bytes"),
    ],
)
async def test_a_wrong_get_says_what_is_wrong(client: httpx.AsyncClient, params: dict[str, str], message: str) -> None:
    answer = await get(client, **params)
    assert answer.status_code == 400
    assert message in answer.json()["errors"][0]["message"]


async def test_a_get_needs_a_token(client: httpx.AsyncClient) -> None:
    assert (await client.get("/graphql", params={"query": ME})).status_code == 401


async def test_an_empty_operation_name_is_none(client: httpx.AsyncClient) -> None:
    body = {"query": "query Only { me { email } }", "operationName": ""}
    answer = await client.post("/graphql", json=body, headers=bearer(ADA))
    assert answer.json() == {"data": {"me": {"email": ADA}}}


@pytest.mark.parametrize("by_get", [True, False])
async def test_a_query_is_one_event_for_a_client_that_wants_events(client: httpx.AsyncClient, by_get: bool) -> None:
    headers = bearer(ADA) | {"Accept": "text/event-stream"}
    query = {"query": "{ me { email } }"}
    if by_get:
        answer = await client.get("/graphql", params=query, headers=headers)
    else:
        answer = await client.post("/graphql", json=query, headers=headers)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    kind, data, *rest = answer.text.split("\n")
    assert (kind, json.loads(data.removeprefix("data: "))) == ("event: next", {"data": {"me": {"email": ADA}}})
    assert rest == ["", "event: complete", "data:", "", ""]


@pytest.mark.parametrize(
    "accept", ["text/event-stream, application/json", "*/*", "application/json, text/event-stream;q=0.9"]
)
async def test_a_client_that_takes_json_gets_json(client: httpx.AsyncClient, accept: str) -> None:
    answer = await client.post("/graphql", json={"query": "{ me { email } }"}, headers=bearer(ADA) | {"Accept": accept})
    assert answer.headers["content-type"] == "application/json"


async def test_a_mutation_s_result_is_an_event_too(client: httpx.AsyncClient, world: World) -> None:
    body = {"query": 'mutation { createDeal(input: {title: "x"}) { deal { title } } }'}
    answer = await client.post("/graphql", json=body, headers=bearer(ADA) | {"Accept": "text/event-stream"})
    assert answer.text.startswith('event: next\ndata: {"data":{"createDeal":{"deal":{"title":"x"}}}}')
