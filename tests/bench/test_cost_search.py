"""The search for costly documents tries those that are just allowed."""

from itertools import islice

import pytest
from graphql import parse

from bench.cost_documents import DOCUMENTS
from bench.cost_search import Candidate, candidates
from crm_graph.errors import QueryTooComplex
from crm_graph.graphql.engine import complexity
from crm_graph.graphql.engine.library_internals import graphql_schema
from crm_graph.graphql.engine.weights import POINTS_MAX
from crm_graph.graphql.transport.schema import build_schema

SCHEMA = graphql_schema(build_schema())


def test_candidates_are_allowed_and_most_are_near_the_limit() -> None:
    best: list[Candidate] = []
    points = []
    for candidate in islice(candidates(SCHEMA, 3, best), 12):
        best.append(candidate)
        points.append(complexity.check(SCHEMA, parse(candidate.document), {}).points)

    assert max(points) <= POINTS_MAX
    assert sum(one > 0.7 * POINTS_MAX for one in points) >= 6
    assert any(len(candidate.fields) == 2 for candidate in best)


@pytest.mark.parametrize("name", [name for name, _document, _variables in DOCUMENTS])
def test_measured_documents_are_allowed(name: str) -> None:
    [(document, variables)] = [(document, variables) for one, document, variables in DOCUMENTS if one == name]
    try:
        assert complexity.check(SCHEMA, parse(document), variables).points <= POINTS_MAX
    except QueryTooComplex as error:
        pytest.fail(error.message)
