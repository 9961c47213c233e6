"""The price of each field of a document: what it costs by itself, without what is selected of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    ObjectValueNode,
    VariableNode,
    get_nullable_type,
    is_list_type,
)

from crm_graph.graphql.engine.library_internals import metadata
from crm_graph.graphql.engine.weights import (
    BYTES_PER_POINT,
    LIST_EACH,
    LIST_ONCE,
    OBJECT_EACH,
    OBJECT_ONCE,
    OVERHEAD,
    ROW_EACH,
    VALUE_EACH,
    VALUE_ONCE,
    value_bytes,
    weight_of,
)

Shares: TypeAlias = Mapping[str, tuple[int, int]]  # by field: points once, and points for each row


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a selection, including its fragments.

    `once` and `each` are points: for the operation, and for each row that it is selected on. `most` is the most bytes
    of JSON for each row, and `counts` is how many times a connection's `totalCount` is selected.
    """

    depth: int = 0
    selections: int = 0
    directives: int = 0
    once: int = 0
    each: int = 0
    most: int = 0
    counts: int = 0
    shares: Shares = field(default_factory=dict)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            max(self.depth, other.depth),
            self.selections + other.selections,
            self.directives + other.directives,
            self.once + other.once,
            self.each + other.each,
            self.most + other.most,
            self.counts + other.counts,
            merged(self.shares, other.shares) if self.shares and other.shares else self.shares or other.shares,
        )

    @property
    def points(self) -> int:
        return self.once + self.each


def value_price(node: FieldNode, field: GraphQLField | None, parent: GraphQLNamedType | None) -> Cost:
    """The cost of a field without a selection."""
    key, (counted, most) = _key_bytes(node), value_bytes(field)
    points = 0 if field is None else weight_of(metadata(field)).points
    each = VALUE_EACH + points + (key + counted) // BYTES_PER_POINT
    is_count = is_page(parent) and node.name.value == "totalCount"
    return Cost(once=VALUE_ONCE, each=each, most=key + most, counts=int(is_count))


def _key_bytes(node: FieldNode) -> int:
    return OVERHEAD + len((node.alias or node.name).value)


def is_page(type_: GraphQLNamedType | None) -> bool:
    """Whether a type is a connection."""
    return isinstance(type_, GraphQLObjectType) and "pageInfo" in type_.fields


def is_list(field: GraphQLField, parent: GraphQLNamedType | None) -> bool:
    """Whether a field reads rows of its own: a connection or a plain list, not the nodes or edges of a connection."""
    return "first" in field.args or (is_list_type(get_nullable_type(field.type)) and not is_page(parent))


def merged(one: Shares, other: Shares) -> Shares:
    """The shares of two selections together."""
    both = dict(one)
    for name, (once, each) in other.items():
        before = both.get(name, (0, 0))
        both[name] = before[0] + once, before[1] + each
    return both


def object_price(
    node: FieldNode,
    field: GraphQLField | None,
    parent: GraphQLNamedType | None,
    rows: int,
    counts: int,
    variables: Mapping[str, object],
) -> Cost:
    """The cost of a field with a selection, without what is selected; `counts` times that is `totalCount`."""
    most = _key_bytes(node)
    if field is None or not is_list(field, parent):
        points = 0 if field is None else weight_of(metadata(field)).points
        return Cost(once=OBJECT_ONCE, each=OBJECT_EACH + points + most // BYTES_PER_POINT, most=most)
    weight, given = weight_of(metadata(field)), {argument.name.value for argument in node.arguments or ()}
    criteria = _criteria(node, field, variables)
    reads = bool(criteria or "orderBy" in given)
    scans = (reads + counts) * weight.scan + (1 + counts) * sum(criteria)
    counted = 0 if weight.scan else counts * weight.count
    each = LIST_EACH + rows * ROW_EACH + weight.points + scans + counted + most // BYTES_PER_POINT
    return Cost(once=LIST_ONCE + LIST_ONCE // 2 * counts, each=each, most=most)


def _criteria(node: FieldNode, field: GraphQLField, variables: Mapping[str, object]) -> list[int]:
    """The points of each condition in the argument `filter`."""
    value = next((argument.value for argument in node.arguments or () if argument.name.value == "filter"), None)
    if value is None or "filter" not in field.args:
        return []
    if isinstance(value, VariableNode):
        sent = variables.get(value.name.value)
        names = [name for name, part in sent.items() if part is not None] if isinstance(sent, Mapping) else []
    else:
        names = [part.name.value for part in value.fields] if isinstance(value, ObjectValueNode) else []
    type_ = get_nullable_type(field.args["filter"].type)
    assert isinstance(type_, GraphQLInputObjectType)
    return [weight_of(metadata(type_.fields[name])).points for name in names if name in type_.fields]
