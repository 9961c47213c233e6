"""What crm-graph uses of Strawberry, graphql-core and uvicorn beyond their public interfaces.

No other module touches these parts, and each has a test: an upgrade that changes one breaks here and nowhere else.
"""

import re
import signal
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

import strawberry
import uvicorn
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInputField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    VariableValues,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from strawberry.utils.str_converters import to_camel_case

FieldSet: TypeAlias = list[FieldDetails]  # the fields of a selection that share a response key (GraphQL, CollectFields)
Fragments: TypeAlias = dict[str, FragmentDetails]

_DEFINITION = "strawberry-definition"  # the extension in which a GraphQL field or type carries Strawberry's own
_NO_METADATA: Mapping[Any, Any] = MappingProxyType({})
_INVALID_VARIABLE = re.compile(r"Variable '\$(\w+)' has invalid value(?: at \.([\w.[\]]+))?")


# Strawberry


def graphql_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """The graphql-core schema that Strawberry built."""
    return schema._schema


def python_name(field: GraphQLField) -> str:
    """The name that a field has in its Python class."""
    name: str = field.extensions[_DEFINITION].python_name
    return name


def metadata(field: GraphQLField | GraphQLInputField) -> Mapping[Any, Any]:
    """The `metadata` that a field was declared with; empty for the fields of introspection."""
    definition = field.extensions.get(_DEFINITION)
    return _NO_METADATA if definition is None else definition.metadata


def python_class(type_: GraphQLObjectType) -> type:
    """The Python class of a GraphQL type."""
    origin: type = type_.extensions[_DEFINITION].origin
    return origin


def field_set(info: strawberry.Info[Any, Any]) -> FieldSet:
    """The fields of the document that the resolver is called for."""
    return [FieldDetails(node, None) for node in _resolve_info(info).field_nodes]


def variable_values(info: strawberry.Info[Any, Any]) -> VariableValues:
    """The operation's variables as graphql-core coerced them."""
    return _resolve_info(info).variable_values


def _resolve_info(info: strawberry.Info[Any, Any]) -> GraphQLResolveInfo[Any]:
    return info._raw_info


def camel_case(name: str) -> str:
    """A Python name as Strawberry spells it in the schema."""
    return to_camel_case(name)


# graphql-core


def collect_root_fields(
    schema: GraphQLSchema,
    fragments: Fragments,
    variables: VariableValues,
    type_: GraphQLObjectType,
    operation: OperationDefinitionNode,
) -> dict[str, FieldSet]:
    """The operation's root fields by response key, after @skip and @include."""
    return collect_fields(schema, fragments, variables, type_, operation).grouped_field_set


def collect_fields_below(
    schema: GraphQLSchema,
    fragments: Fragments,
    variables: VariableValues,
    type_: GraphQLObjectType,
    operation: OperationDefinitionNode,
    fields: FieldSet,
) -> dict[str, FieldSet]:
    """The fields selected on `fields`, whose type is `type_`, by response key, after @skip and @include."""
    return collect_subfields(schema, fragments, variables, operation, type_, fields).grouped_field_set


def fragments_of(document: DocumentNode) -> Fragments:
    """The document's fragments by name."""
    definitions = (node for node in document.definitions if isinstance(node, FragmentDefinitionNode))
    return {node.name.value: FragmentDetails(node) for node in definitions}


def accept_enum_names(type_: GraphQLEnumType) -> None:
    """Let a resolver return the name of an enum's value instead of the value."""
    setattr(type_, "coerce_output_value", partial(_name_of, type_.coerce_output_value))  # noqa: B010 - a method


def _name_of(coerce: Any, value: object) -> str:
    name: str = value if type(value) is str else coerce(value)
    return name


def is_parser_limit(error: GraphQLError) -> bool:
    """Whether parsing stopped at a limit: tokens, source length or depth."""
    return isinstance(error, GraphQLSyntaxError) and error.message.endswith("Parsing aborted.")


def is_validation_limit(error: GraphQLError) -> bool:
    """Whether validation stopped after its maximum number of errors."""
    return error.message.startswith("Too many validation errors")


def invalid_variable(error: GraphQLError) -> str | None:
    """The variable, or the path of the input field inside it, whose value an error rejects; None for other errors."""
    match = _INVALID_VARIABLE.match(error.message)
    return (match[2] or match[1]) if match else None


# uvicorn


def is_server_stopping() -> bool:
    """Whether uvicorn is shutting down. It waits for responses that are being sent, and doesn't notify them."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return isinstance(server, uvicorn.Server) and server.should_exit
