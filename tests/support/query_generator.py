"""Random queries as clients write them: what hypothesis-graphql selects, rewritten with fragments, variables,
directives, aliases and several operations, and at times broken.
"""

import random
from dataclasses import dataclass
from functools import cache
from typing import Any

import graphql
import hypothesis_graphql
from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode
from hypothesis import strategies as st

from crm_graph.errors import BadRequest
from crm_graph.graphql.engine import complexity
from crm_graph.graphql.engine.library_internals import graphql_schema
from crm_graph.graphql.transport.schema import build_schema
from tests.support.factories import Row
from tests.support.paths import PROJECT
from tests.support.query_draft import Draft, Selections
from tests.support.query_rewrites import STEPS, Step, arguments, ids, smaller

SCALARS = ("UUID", "DateTime", "Date", "Decimal", "JSON", "String", "Int")
SIZE_MAX = 1_500  # above what the API accepts
OTHER = """
query Other { me { id } pipelines { name } }
mutation Never { replayWebhook(input: {webhookId: "00000000-0000-0000-0000-000000000000"}) { applied } }"""
BROKEN = (
    (" {", " { nothing "),  # a field that isn't there
    ("id", "id { id }"),
    ("first:", "last:"),
    ("}", "...Nowhere }"),
    ("{", "query ($unused: Int) {"),
    ("}", "} fragment Unused on Deal { id }"),
    ("}", "...Loop } fragment Loop on Query { ...Loop }"),
    ("}", "me { name: id name } }"),
    ("}", "me @include { id } }"),
    ("}", "__schema { types { name } } }"),
    ("$", "$x"),
    ("{", "{ # \u00e9 \U0001f600 "),
    ("}", ""),
    ("(", "(("),
)


@dataclass(frozen=True)
class Asked:
    """A document with two sets of variables to run it with, one after the other."""

    document: str
    name: str | None
    variables: Row
    others: Row

    def __repr__(self) -> str:
        return f"\n{self.document}\noperationName: {self.name}\nvariables: {self.variables}\nothers: {self.others}\n"


@cache
def schema() -> GraphQLSchema:
    """The public one, without what ours keeps behind it."""
    return graphql.build_schema((PROJECT / "schema.graphql").read_text())


@cache
def _selections() -> st.SearchStrategy[DocumentNode]:
    """Valid queries whose values are placeholders."""
    placeholder = st.just(graphql.StringValueNode(value="x"))
    scalars = dict.fromkeys(SCALARS, placeholder)
    return hypothesis_graphql.queries(schema(), custom_scalars=scalars, print_ast=lambda document: document)


@st.composite
def requests(draw: st.DrawFn) -> Asked:
    """Requests of which most are answered with data."""
    [query] = draw(_selections()).definitions
    assert isinstance(query, OperationDefinitionNode)
    draft = Draft(schema(), random.Random(), query.selection_set.selections)
    seeds = st.integers(0, 2**32)
    steps = [(arguments, draw(seeds)), (ids, draw(seeds))]
    for step, seed in steps + draw(st.lists(st.tuples(st.sampled_from(STEPS), seeds), max_size=8)):
        _apply(draft, step, seed)
    return _asked(draft, random.Random(draw(seeds)))


def _apply(draft: Draft, step: Step, seed: int) -> None:
    before = draft.root, dict(draft.fragments)
    draft.rng = random.Random(seed)
    draft.rewrite(lambda type_, selections: step(draft, type_, selections))
    if draft.size() > SIZE_MAX:  # some steps copy what others have copied
        draft.root, draft.fragments = before


def _asked(draft: Draft, rng: random.Random) -> Asked:
    operations, name = _operations(draft, rng)
    document = draft.document(operations)
    for seed in range(4):
        if not _is_too_complex(document, draft.values) or rng.random() < 0.05:
            break
        _apply(draft, smaller, seed)
        document = draft.document([(called, draft.root) for called, _ in operations])
    text = graphql.print_ast(document)
    if rng.random() < 0.2:
        text = graphql.strip_ignored_characters(text)
    if len(operations) > 1:
        text += OTHER
    if rng.random() < 0.04:
        before, after = rng.choice(BROKEN)
        text = after.join(text.rsplit(before, 1)) if before == "}" else text.replace(before, after, 1)
    return Asked(text, name, draft.values, draft.others)


def _operations(draft: Draft, rng: random.Random) -> tuple[list[tuple[str | None, Selections]], str | None]:
    """The operations of the document by name, and the name to choose one by."""
    kind = rng.random()
    if kind < 0.6:
        return [(None, draft.root)], None
    if kind < 0.8:
        return [("Main", draft.root)], rng.choice(("Main", None) * 8 + ("main",))
    both: list[tuple[str | None, Selections]] = [("Main", draft.root), ("Turned", draft.root[::-1])]
    return both, rng.choice(("Main", "Turned", "Other") * 7 + (None, "Nobody", ""))


def _is_too_complex(document: DocumentNode, variables: dict[str, Any]) -> bool:
    try:
        complexity.check(graphql_schema(build_schema()), document, variables)
    except BadRequest:
        return True
    return False
