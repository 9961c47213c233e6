"""Random documents just below the limit of points: a selection, repeated under aliases as often as it is allowed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSyntaxError,
    get_named_type,
    get_nullable_type,
    parse,
)

from crm_graph.errors import BadRequest
from crm_graph.graphql.engine import complexity
from crm_graph.graphql.engine.library_internals import is_parser_limit
from crm_graph.graphql.engine.weights import POINTS_MAX

DEPTH_MAX, COPIES_MAX = 4, 400
LEFT_OUT = ("after", "id", "to")  # cursors and ids of nothing
VALUES = {
    "UUID": '"00000000-0000-0000-0000-000000000000"',
    "DateTime": '"2024-01-01T00:00:00Z"',
    "Date": '"2026-06-01"',
    "Decimal": '"1"',
    "Boolean": "false",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A selection that is repeated, `before` and `after` it, and the document with as many copies as are allowed."""

    before: str
    fields: tuple[str, ...]
    after: str
    document: str


def candidates(schema: GraphQLSchema, seed: int, best: Sequence[Candidate]) -> Iterator[Candidate]:
    """Allowed documents without end; another copy of their selection would cost too much.

    `best` are the costliest so far: every other document combines one of them with something new.
    """
    rng, query = random.Random(seed), schema.query_type
    assert query is not None
    while True:
        name = rng.choice([name for name, field in query.fields.items() if "id" not in field.args])
        field = _field(rng, name, query.fields[name], rng.randint(0, DEPTH_MAX))
        before, after = "{ ", " }"
        if rng.random() < 0.4:  # copies within the field, not of it
            type_ = get_named_type(query.fields[name].type)
            assert isinstance(type_, GraphQLObjectType)
            before, after = f"{{ {name}{_arguments(rng, query.fields[name].args)} {{ ", " } }"
            below = rng.choice(list(type_.fields))
            field = _field(rng, below, type_.fields[below], rng.randint(0, DEPTH_MAX - 1))
        fields: tuple[str, ...] = (field,)
        if best and rng.random() < 0.5:
            climbed = rng.choice(best)
            if (climbed.before, climbed.after) == (before, after):
                fields = (*climbed.fields[-1:], field)
        candidate = _filled(schema, before, fields, after)
        if candidate is not None:
            yield candidate


def _field(rng: random.Random, name: str, field: GraphQLField, depth: int) -> str:
    return f"{name}{_arguments(rng, field.args)} {_selection(rng, field, depth)}"


def _filled(schema: GraphQLSchema, before: str, fields: tuple[str, ...], after: str) -> Candidate | None:
    """The document with as many copies of the fields as are allowed; None when one is too much."""

    def document(copies: int) -> str:
        repeated = (f"a{number}_{place}: {field}" for number in range(copies) for place, field in enumerate(fields))
        return before + " ".join(repeated) + after

    one, two = (_points(schema, document(copies)) for copies in (1, 2))
    if one is None:
        return None
    copies = 1 if two is None else min(COPIES_MAX, 1 + (POINTS_MAX - one) // max(two - one, 1))
    while copies > 1 and _points(schema, document(copies)) is None:
        copies = copies * 9 // 10
    return Candidate(before, fields, after, document(copies))


def _points(schema: GraphQLSchema, document: str) -> int | None:
    """The points of a document; None when it is refused."""
    try:
        parsed = parse(document, max_tokens=complexity.TOKENS_MAX)
        return complexity.check(schema, parsed, {}).points
    except BadRequest:
        return None
    except GraphQLSyntaxError as error:
        if is_parser_limit(error):
            return None
        raise


def _selection(rng: random.Random, field: GraphQLField, depth: int) -> str:
    type_ = get_named_type(field.type)
    if not isinstance(type_, GraphQLObjectType):
        return ""
    leaves = [name for name, below in type_.fields.items() if not _fields_of(below)]
    objects = [name for name, below in type_.fields.items() if _fields_of(below)]
    chosen = rng.sample(leaves, min(len(leaves), rng.choice((1, 1, 2, 30))))
    if objects and (depth or not chosen):
        for name in rng.sample(objects, min(len(objects), rng.choice((1, 1, 2)))):
            below = type_.fields[name]
            chosen.append(f"{name}{_arguments(rng, below.args)} {_selection(rng, below, max(0, depth - 1))}")
    return "{ " + " ".join(chosen) + " }"


def _fields_of(field: GraphQLField) -> bool:
    return isinstance(get_named_type(field.type), GraphQLObjectType)


def _arguments(rng: random.Random, arguments: dict[str, GraphQLArgument]) -> str:
    given = []
    for name, argument in arguments.items():
        type_ = get_nullable_type(argument.type)
        if name in LEFT_OUT or (name not in ("text", "email", "from") and rng.random() < 0.3):
            continue
        given.append(f"{name}: {_value(rng, name, type_)}")
    return f"({', '.join(given)})" if given else ""


def _value(rng: random.Random, name: str, type_: object) -> str:
    if isinstance(type_, GraphQLEnumType):
        return str(rng.choice(list(type_.values)))
    if isinstance(type_, GraphQLInputObjectType):
        names = rng.sample(list(type_.fields), rng.choice((1, 1, 2)))
        fields = (f"{key}: {_value(rng, key, get_nullable_type(type_.fields[key].type))}" for key in names)
        return "{" + ", ".join(fields) + "}"
    kind = str(type_)
    if kind == "Int":
        return str(rng.choice((1, 10, 100)) if name == "first" else rng.choice((0, 36_500)))
    if kind == "String":
        return {"domain": '"amber.example"', "email": '"a@x.example"'}.get(name, '"a"')
    return '"0001-01-02T00:00:00Z"' if name == "from" else VALUES[kind]
