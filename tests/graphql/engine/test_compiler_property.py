"""The fast path answers random queries as graphql-core does, and no caller gets a row that they may not see.

`make fuzz` sends thousands of other queries.
"""

import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    InlineFragmentNode,
    SelectionSetNode,
    parse,
)
from hypothesis import HealthCheck, given, note
from hypothesis import settings as examples
from sqlalchemy.ext.asyncio import AsyncEngine

from crm_graph.database.engine import Database
from crm_graph.graphql.engine.documents import Documents, Operation, ValidDocument
from crm_graph.graphql.engine.plans import PlanCache
from crm_graph.graphql.execution.compiling import Compiling
from crm_graph.graphql.execution.reads import Reads
from crm_graph.graphql.transport import http
from crm_graph.identity.principal import Principal
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from crm_graph.values import utc_now
from tests.support.api import bearer
from tests.support.database import empty
from tests.support.factories import Row
from tests.support.query_data import QUERY_DATA, WHO
from tests.support.query_draft import type_of
from tests.support.query_generator import Asked, requests, schema

pytestmark = pytest.mark.slow

EXAMPLES = 25
PARTS = 1
if fuzz := os.environ.get("FUZZ_EXAMPLES"):  # see `make fuzz`
    PARTS = 2  # that can run side by side
    EXAMPLES = int(fuzz) // PARTS


class Forgetful(PlanCache):
    """Keeps nothing."""

    def put(self, key: Any, plan: object, size: int) -> None:
        pass


class StandardReads(Reads):
    """Leaves every query to graphql-core, and compiles it again each time."""

    def __init__(self, database: Database, documents: Documents, compiling: Compiling) -> None:
        super().__init__(database, documents, compiling)
        self._plans = Forgetful()

    async def answer(self, *_request: Any) -> None:
        return None


class FreshDocuments(Documents):
    """Reads a document again when its variables are others."""

    def find(self, source: str, variables: Mapping[str, Any]) -> ValidDocument | None:
        if variables != getattr(self, "before", None):
            self._valid.clear()
        self.before = variables
        return super().find(source, variables)


class CountedReads(Reads):
    """Counts the queries that the fast path answered."""

    taken = 0

    async def answer(
        self, operation: Operation, principal: Principal, now: datetime, variables: Mapping[str, Any]
    ) -> bytes | None:
        body = await super().answer(operation, principal, now, variables)
        CountedReads.taken += body is not None
        return body


@dataclass
class Clients:
    """The application as it is, and as it would be without the fast path."""

    usual: httpx.AsyncClient
    standard: httpx.AsyncClient
    requests: Counter[str] = field(default_factory=Counter)

    async def answer(self, who: str, sample: Asked, variables: Row) -> str:
        """The answer of the fast path."""
        answer = await post(self.usual, who, sample, variables)
        self.requests["all"] += 1
        self.requests["with data"] += json.loads(answer).get("data") is not None
        return answer


@pytest.fixture(scope="module")
async def clients(settings: Settings, database: Database, _admin_engine: AsyncEngine) -> AsyncIterator[Clients]:
    """Both applications over the same rows; when the last query was answered, most must have been by the fast path."""
    async with AsyncExitStack() as stack:
        clock = stack.enter_context(pytest.MonkeyPatch.context())
        moment = utc_now()
        clock.setattr(http, "utc_now", lambda: moment)  # a report that ends now says when that is
        opened = []
        for reads, documents in ((CountedReads, Documents), (StandardReads, FreshDocuments)):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(http, "Reads", reads)
                patch.setattr(http, "Documents", documents)
                patch.setattr(http, "Compiling", partial(Compiling, saved_max=float("inf")))
                app: FastAPI = create_app(settings, database)
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            opened.append(
                await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://crm"))
            )
        async with _admin_engine.connect() as sql:
            await QUERY_DATA.store(sql)
            clients, CountedReads.taken = Clients(usual=opened[0], standard=opened[1]), 0
            yield clients
            await empty(sql)
            await QUERY_DATA.remove(sql)
    shares = clients.requests["with data"] / clients.requests["all"], CountedReads.taken / clients.requests["all"]
    print(f"\n{clients.requests['all']} requests; with data: {shares[0]:.0%}; by the fast path: {shares[1]:.0%}")
    if clients.requests["documents"] >= EXAMPLES:  # else a failure has stopped it
        assert shares[0] >= (0.7 if fuzz else 0.65)  # of few, chance may take a little
        assert shares[1] >= 0.6


def _is_refused_for_another_reason(*answers: str) -> bool:
    """Whether both refuse a request that costs too much and has wrong variables, too: which is said first may differ.

    A document that was read before is checked again only with its operation's own variables.
    """
    has_data = any(json.loads(answer).get("data") is not None for answer in answers)
    return not has_data and any("QUERY_TOO_COMPLEX" in answer for answer in answers)


@pytest.mark.parametrize("part", range(PARTS))
@given(sample=requests())
@examples(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
async def test_a_query_is_answered_as_by_graphql_core(clients: Clients, part: int, sample: Asked) -> None:
    turn = clients.requests["documents"]
    clients.requests["documents"] += 1
    one, other = WHO[turn % len(WHO)], WHO[(turn + 1) % len(WHO)]  # two who see different rows
    turns = [(one, sample.variables), (other, sample.variables)]
    turns += [(one, sample.others)] * (sample.others != sample.variables)
    for who, variables in turns:
        note(f"{who}: {variables}")
        first = await clients.answer(who, sample, variables)
        again = await clients.answer(who, sample, variables)
        expected = await post(clients.standard, who, sample, variables)

        assert first == expected or _is_refused_for_another_reason(first, expected)
        assert again == first
        assert "INTERNAL" not in expected
        assert_visible(who, sample, json.loads(expected).get("data"))


async def post(client: httpx.AsyncClient, who: str, sample: Asked, variables: Row) -> str:
    """The answer's JSON in one spelling, its keys as they came."""
    body = {"query": sample.document, "variables": variables, "operationName": sample.name}
    headers = bearer(who) | {"Content-Type": "application/json"}
    answer = await client.post("/graphql", content=json.dumps(body), headers=headers)
    assert answer.status_code == 200, answer.text
    return json.dumps(json.loads(answer.text, parse_float=number), indent=1)


def number(text: str) -> int | float:
    """A number without its spelling: JSON has one 0, which PostgreSQL writes as 0 and Python as 0.0."""
    value = float(text)
    return int(value) if value.is_integer() else value


def assert_visible(who: str, sample: Asked, data: Row | None) -> None:
    """The caller may see every row in the answer, no count is of more, and enums have names of the schema."""
    if data is None:
        return
    seen = QUERY_DATA.seen_by(who)
    for type_name, name, value in Answer(sample, data):
        rows = seen.get(type_name)
        if name == "__typename":
            assert value == type_name
        elif value is not None and isinstance(enum := type_of(schema().type_map[type_name], name), GraphQLEnumType):
            assert {*(value if isinstance(value, list) else [value])} <= {*enum.values}, (type_name, name, value)
        if rows is not None and name in ("id", "email", "title", "content") and value is not None:
            assert value in {str(row[name]) for row in rows if name in row}, (type_name, name, value)
        elif name == "totalCount" and type_name.removesuffix("Connection") in seen:
            assert value <= len(seen[type_name.removesuffix("Connection")]), (type_name, name, value)
        elif name == "dealCount":
            assert value <= len(seen["Deal"])


class Answer:
    """The values of an answer with the type and name of their field, whatever their response key."""

    def __init__(self, sample: Asked, data: Row) -> None:
        self._data = data
        definitions = parse(sample.document).definitions
        self._fragments = {d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)}
        self._operations = [d for d in definitions if not isinstance(d, FragmentDefinitionNode)]
        self._name = sample.name

    def __iter__(self) -> Iterator[tuple[str, str, Any]]:
        for operation in self._operations:
            if self._name in (None, getattr(operation.name, "value", None)):  # type: ignore[attr-defined]
                yield from self._values(schema().query_type, [operation.selection_set], self._data)  # type: ignore[attr-defined]

    def _values(self, type_: Any, sets: list[SelectionSetNode], value: Any) -> Iterator[tuple[str, str, Any]]:
        if isinstance(value, list):
            for item in value:
                yield from self._values(type_, sets, item)
        elif value is not None:
            by_key: dict[str, list[FieldNode]] = {}
            for node in self._fields(sets):
                by_key.setdefault((node.alias or node.name).value, []).append(node)
            for key, part in value.items():
                node, inner = by_key[key][0], [node.selection_set for node in by_key[key] if node.selection_set]
                if inner:
                    yield from self._values(type_of(type_, node.name.value), inner, part)
                else:
                    yield type_.name, node.name.value, part

    def _fields(self, sets: list[SelectionSetNode]) -> Iterator[FieldNode]:
        for node in (node for selected in sets for node in selected.selections):
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                yield from self._fields([node.selection_set])
            elif isinstance(node, FragmentSpreadNode):
                yield from self._fields([self._fragments[node.name.value].selection_set])
