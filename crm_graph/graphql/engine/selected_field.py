"""A field of an operation while it is being compiled."""

from collections.abc import Callable
from dataclasses import dataclass

from graphql import GraphQLField, GraphQLObjectType, get_named_type

from crm_graph.graphql.engine.field_site import Arguments
from crm_graph.graphql.engine.library_internals import FieldSet
from crm_graph.graphql.engine.plans import PlanInputs
from crm_graph.models.columns import Relation


@dataclass(frozen=True, slots=True)
class SelectedField:
    """A field that is being compiled: its definition, what is selected of it, and the row that it belongs to.

    `args` is the shape of its arguments; `read_args` reads the arguments themselves for a request.
    """

    field: GraphQLField
    fields: FieldSet
    args: Arguments
    read_args: Callable[[PlanInputs], Arguments]
    parent: Relation | None

    @property
    def type(self) -> GraphQLObjectType:
        """The type of the field, or of its items."""
        return object_type(self.field)


def name_of(fields: FieldSet) -> str:
    """The name in the schema, whatever the alias."""
    return fields[0].node.name.value


def object_type(field: GraphQLField) -> GraphQLObjectType:
    """The object type of a field, or of its items."""
    type_ = get_named_type(field.type)
    assert isinstance(type_, GraphQLObjectType)
    return type_
