"""Strawberry's, graphql-core's and uvicorn's undocumented parts, one by one: what an upgrade may break."""

import signal
from collections.abc import Iterator
from enum import Enum
from typing import Any

import pytest
import strawberry
import uvicorn
from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableValues,
    get_variable_values,
    graphql_sync,
    parse,
    specified_rules,
    validate,
)

from crm_graph.graphql.engine import library_internals as internals


@strawberry.enum
class Colour(Enum):
    DARK_RED = "dark red"


@strawberry.type
class Book:
    main_title: str = strawberry.field(default="Emma", metadata={"key": "value"})
    colour: Colour = Colour.DARK_RED


@strawberry.input
class BookFilter:
    page_count: int = strawberry.field(default=1, metadata={"key": "input"})
    tags: list[str] = strawberry.field(default_factory=list)


seen: dict[str, Any] = {}


@strawberry.type
class Query:
    @strawberry.field
    def book(self, info: strawberry.Info[None, None], filter: BookFilter | None = None) -> Book:
        seen["fields"], seen["variables"] = internals.field_set(info), internals.variable_values(info)
        return Book()

    @strawberry.field
    def shelf(self) -> str:
        return "A"


@pytest.fixture
def schema() -> GraphQLSchema:
    return internals.graphql_schema(strawberry.Schema(Query))


def object_type(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    type_ = schema.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    return type_


def test_the_schema_is_graphql_cores(schema: GraphQLSchema) -> None:
    assert set(object_type(schema, "Query").fields) == {"book", "shelf"}


def test_a_field_knows_its_python_name_and_what_it_was_declared_with(schema: GraphQLSchema) -> None:
    field = object_type(schema, "Book").fields["mainTitle"]
    assert internals.python_name(field) == "main_title"
    assert internals.metadata(field) == {"key": "value"}
    assert internals.metadata(object_type(schema, "Book").fields["colour"]) == {}


def test_an_inputs_field_knows_what_it_was_declared_with(schema: GraphQLSchema) -> None:
    type_ = schema.type_map["BookFilter"]
    assert isinstance(type_, GraphQLInputObjectType)
    assert internals.metadata(type_.fields["pageCount"]) == {"key": "input"}


def test_a_field_of_introspection_has_no_metadata(schema: GraphQLSchema) -> None:
    assert internals.metadata(object_type(schema, "__Schema").fields["types"]) == {}


def test_a_type_knows_its_class(schema: GraphQLSchema) -> None:
    assert internals.python_class(object_type(schema, "Book")) is Book


def test_a_resolver_sees_its_fields_and_the_variables(schema: GraphQLSchema) -> None:
    document = "query ($n: Int!) { a: book(filter: {pageCount: $n}) { mainTitle } a: book(filter: {pageCount: $n}) "
    result = graphql_sync(schema, document + "{ colour } }", variable_values={"n": 3})
    assert result.data == {"a": {"mainTitle": "Emma", "colour": "DARK_RED"}}
    assert [details.node.name.value for details in seen["fields"]] == ["book", "book"]
    assert seen["variables"].coerced == {"n": 3}


@pytest.mark.parametrize(
    ("name", "expected"), [("owner_id", "ownerId"), ("id", "id"), ("close_date_to", "closeDateTo")]
)
def test_names_are_spelled_as_in_the_schema(name: str, expected: str) -> None:
    assert internals.camel_case(name) == expected


def operation_of(document: DocumentNode) -> OperationDefinitionNode:
    node = document.definitions[0]
    assert isinstance(node, OperationDefinitionNode)
    return node


def test_fields_are_collected_by_response_key(schema: GraphQLSchema) -> None:
    document = parse(
        "query ($no: Boolean!) { one: book { mainTitle ...More } one: book { t: mainTitle } shelf @include(if: $no) }"
        " fragment More on Book { colour }"
    )
    operation, fragments = operation_of(document), internals.fragments_of(document)
    variables = get_variable_values(schema, operation.variable_definitions or (), {"no": False})
    assert isinstance(variables, VariableValues)
    root, book = object_type(schema, "Query"), object_type(schema, "Book")

    roots = internals.collect_root_fields(schema, fragments, variables, root, operation)
    below = internals.collect_fields_below(schema, fragments, variables, book, operation, roots["one"])

    assert list(fragments) == ["More"]
    assert list(roots) == ["one"]
    assert len(roots["one"]) == 2
    assert [(key, fields[0].node.name.value) for key, fields in below.items()] == [
        ("mainTitle", "mainTitle"),
        ("colour", "colour"),
        ("t", "mainTitle"),
    ]


def test_a_resolver_may_return_an_enums_name_or_its_value(schema: GraphQLSchema) -> None:
    type_ = schema.type_map["Colour"]
    assert isinstance(type_, GraphQLEnumType)
    internals.accept_enum_names(type_)
    assert graphql_sync(schema, "{ book { colour } }").data == {"book": {"colour": "DARK_RED"}}
    object_type(schema, "Book").fields["colour"].resolve = lambda *_: "DARK_RED"
    assert graphql_sync(schema, "{ book { colour } }").data == {"book": {"colour": "DARK_RED"}}


@pytest.mark.parametrize(
    ("source", "limits"),
    [
        ("{ a b c }", {"max_tokens": 3}),
        ("{ a b c }", {"max_source_length": 3}),
        ("{ a" * 3_000, {}),
    ],
)
def test_a_limit_of_the_parser_is_known_from_an_error_of_syntax(source: str, limits: dict[str, Any]) -> None:
    with pytest.raises(GraphQLError) as caught:
        parse(source, **limits)
    assert internals.is_parser_limit(caught.value)
    with pytest.raises(GraphQLError) as caught:
        parse("{ a b c")
    assert not internals.is_parser_limit(caught.value)


def test_the_limit_of_validation_is_known_from_other_errors(schema: GraphQLSchema) -> None:
    *others, last = validate(schema, parse("{ a b c d }"), specified_rules, 2)
    assert internals.is_validation_limit(last)
    assert [internals.is_validation_limit(error) for error in others] == [False, False]


@pytest.mark.parametrize(
    ("declared", "value", "expected"),
    [
        ("Int!", "many", "n"),
        ("BookFilter!", {"pageCount": "many"}, "pageCount"),
        ("BookFilter!", {"tags": ["a", []]}, "tags[1]"),
    ],
)
def test_an_invalid_variable_is_named(schema: GraphQLSchema, declared: str, value: object, expected: str) -> None:
    operation = operation_of(parse(f"query ($n: {declared}) {{ book {{ mainTitle }} }}"))
    errors = get_variable_values(schema, operation.variable_definitions or (), {"n": value})
    assert isinstance(errors, list)
    assert internals.invalid_variable(errors[0]) == expected
    assert internals.invalid_variable(GraphQLError("Cannot query field 'n'")) is None


@pytest.fixture
def sigterm() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("sigterm")
def test_a_server_that_was_asked_to_stop_is_stopping() -> None:
    server = uvicorn.Server(uvicorn.Config(lambda: None))
    assert not internals.is_server_stopping()
    with server.capture_signals():
        assert not internals.is_server_stopping()
        server.should_exit = True
        assert internals.is_server_stopping()
