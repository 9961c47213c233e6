"""The schema: the types, the limits that hold before anything is executed, and how bound fields find their value."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson
import strawberry
from graphql import (
    ASTValidationRule,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)
from strawberry.extensions import AddValidationRules, DisableIntrospection, MaxTokensLimiter, SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.types.execution import ExecutionContext

from crm_graph.errors import QueryTooComplex
from crm_graph.graphql.compiler import from_tree, select_root
from crm_graph.graphql.context import Context
from crm_graph.graphql.mutations import Mutation
from crm_graph.graphql.queries import Query
from crm_graph.graphql.scalars import SCALARS

TOKENS_MAX = 2_000
ROOT_FIELDS_MAX = {OperationType.QUERY: 30, OperationType.MUTATION: 10}


class Schema(strawberry.Schema):
    """Strawberry's schema without its logger, which prints the query's source."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Errors are logged where the answer is made, without the query."""

    @staticmethod
    def remove_field_suggestion(error: GraphQLError) -> None:
        """Strawberry removes the suggestions for output fields only; arguments, types and enums tell as much."""
        error.message = error.message.partition(" Did you mean ")[0]


class OperationChoice(SchemaExtension):
    """Refuses to choose among several operations, where Strawberry would run the first (GraphQL, 6.1)."""

    def on_validate(self) -> Iterator[None]:
        """Raises CannotGetOperationTypeError when no operation is named and there are several."""
        asked = self.execution_context
        definitions = asked.graphql_document.definitions if asked.graphql_document else ()
        operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
        if asked._provided_operation_name is None and len(operations) > 1:
            raise CannotGetOperationTypeError(None)
        yield


class RootFieldLimit(ASTValidationRule):
    """Refuses an operation with more root fields than one request may run, fragments included."""

    def enter_operation_definition(self, node: OperationDefinitionNode, *_args: Any) -> None:
        """Count the root fields."""
        limit = ROOT_FIELDS_MAX.get(node.operation)
        if limit is not None and self._count(node.selection_set, {}) > limit:
            original = QueryTooComplex(f"a {node.operation.value} may have at most {limit} root fields")
            self.report_error(GraphQLError(original.message, node, original_error=original))

    def _count(self, selected: SelectionSetNode, counted: dict[str, int]) -> int:
        total = 0
        for node in selected.selections:
            if isinstance(node, FragmentSpreadNode):
                total += self._of_fragment(node.name.value, counted)
            else:
                total += self._count(node.selection_set, counted) if isinstance(node, InlineFragmentNode) else 1
        return total

    def _of_fragment(self, name: str, counted: dict[str, int]) -> int:
        if name not in counted:
            counted[name] = 0  # a circle is another rule's business
            fragment = self.context.get_fragment(name)
            counted[name] = self._count(fragment.selection_set, counted) if fragment else 0
        return counted[name]


@cache
def build_schema(*, is_open: bool) -> Schema:
    """The schema; `is_open` (development) allows introspection and "did you mean"."""
    extensions: list[Any] = [
        lambda: MaxTokensLimiter(TOKENS_MAX),
        OperationChoice,
        lambda: AddValidationRules([RootFieldLimit]),
    ]
    schema = Schema(
        Query,
        Mutation,
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=not is_open),
        extensions=extensions + ([] if is_open else [DisableIntrospection]),
    )
    for type_ in schema._schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__") and type_.name != "Mutation":
            for field in type_.fields.values():
                field.resolve = _resolve_root if type_.name == "Query" else from_tree
    return schema


async def _resolve_root(_source: None, info: GraphQLResolveInfo[Context], **_arguments: Any) -> Any:
    statement = select_root(info, info.context.principal)
    async with info.context.database.read() as connection:
        answer = await connection.scalar(statement)
    return None if answer is None else orjson.loads(answer)
