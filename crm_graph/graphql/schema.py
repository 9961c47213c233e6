"""The schema: the types, the limits that hold before anything is executed, and how bound fields find their value."""

from typing import Any

import orjson
import strawberry
from graphql import (
    ASTValidationRule,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    OperationType,
)
from strawberry.extensions import AddValidationRules, DisableIntrospection, MaxTokensLimiter
from strawberry.schema.config import StrawberryConfig
from strawberry.types.execution import ExecutionContext

from crm_graph.errors import QueryTooComplex
from crm_graph.graphql.compiler import from_tree, select_root
from crm_graph.graphql.context import Context
from crm_graph.graphql.mutations import Mutation
from crm_graph.graphql.queries import Query
from crm_graph.graphql.scalars import SCALARS

TOKENS_MAX = 5_000
MUTATIONS_MAX = 10


class Schema(strawberry.Schema):
    """Strawberry's schema without its logger, which prints the query's source."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Errors are logged where the answer is made, without the query."""


class MutationLimit(ASTValidationRule):
    """Refuses an operation with more mutation fields than one request may run."""

    def enter_operation_definition(self, node: OperationDefinitionNode, *_args: Any) -> None:
        """Count the root fields."""
        if node.operation is OperationType.MUTATION and len(node.selection_set.selections) > MUTATIONS_MAX:
            original = QueryTooComplex(f"one operation may have at most {MUTATIONS_MAX} mutations")
            self.report_error(GraphQLError(original.message, node, original_error=original))


def build_schema(*, is_open: bool) -> Schema:
    """The schema; `is_open` (development) allows introspection and "did you mean"."""
    extensions: list[Any] = [lambda: MaxTokensLimiter(TOKENS_MAX), lambda: AddValidationRules([MutationLimit])]
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
