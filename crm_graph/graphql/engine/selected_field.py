"""A field of an operation while it is being compiled, and what its place in the selection says."""

from collections.abc import Callable
from dataclasses import dataclass

from graphql import GraphQLField, GraphQLObjectType, get_named_type
from sqlalchemy import func, literal_column

from crm_graph.graphql.engine import cursors
from crm_graph.graphql.engine.bindings import Arguments
from crm_graph.graphql.engine.json_sql import Json, constant
from crm_graph.graphql.engine.library_internals import FieldSet
from crm_graph.graphql.engine.plans import PlanInputs
from crm_graph.graphql.engine.visible import whole
from crm_graph.models import Relation


@dataclass(frozen=True, slots=True)
class SelectedField:
    """A field that is being compiled: its definition, what is selected of it, and the row it hangs on.

    `args` is the shape of its arguments; `given` reads the arguments themselves from a request.
    """

    field: GraphQLField
    fields: FieldSet
    args: Arguments
    given: Callable[[PlanInputs], Arguments]
    parent: Relation | None

    @property
    def type(self) -> GraphQLObjectType:
        """The type of the field, or of its items."""
        return object_type(self.field)


def name_of(fields: FieldSet) -> str:
    """The name in the schema, whatever it is called in the answer."""
    return fields[0].node.name.value


def object_type(field: GraphQLField) -> GraphQLObjectType:
    """The type of a field that has fields itself, or of its items."""
    type_ = get_named_type(field.type)
    assert isinstance(type_, GraphQLObjectType)
    return type_


def page_info(at: SelectedField, name: str, said: Json) -> Json:
    """A field of PageInfo; `said` is the array of what the cursors of the rows say."""
    first = whole(at.args["first"])
    match name:
        case "hasNextPage":
            return func.count() > first
        case "hasPreviousPage":
            return literal_column("true" if at.args.get("after") is not None else "false")
        case "startCursor":
            return cursors.encode(said[whole(1)])
        case "endCursor":
            return cursors.encode(said[func.least(func.count(), first)])
        case _:
            return constant(at.type.name)
