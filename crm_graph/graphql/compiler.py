"""Selection -> one SELECT whose single value is the JSON of the answer.

`select_root` compiles a root field, `select_payload` the rows of a mutation's payload. Both walk the selection with
graphql-core's own collector, so aliases, fragments, variables, @include and @skip mean what they mean everywhere
else, and look each field's binding up on its Strawberry definition. Every table that is read gets the owner rule in
`_read`. The tree that comes back is keyed by response key; `from_tree` hands it to graphql-core field by field.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, get_named_type
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_subfields
from graphql.execution.values import VariableValues, get_argument_values
from sqlalchemy import ColumnElement, FromClause, Select, Text, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import SQLModel

from crm_graph.auth import Principal, visible
from crm_graph.errors import QueryTooComplex, ValidationFailed
from crm_graph.graphql import cursors
from crm_graph.graphql.bind import (
    BINDING,
    PAGE_MAX,
    Aggregate,
    Binding,
    Derived,
    One,
    Order,
    Page,
    Rows,
    Scalar,
    Site,
)
from crm_graph.models import table

DEPTH_MAX = 12
READS_MAX = 120
FIELDS_MAX = 1_000
ROWS_MAX = 500  # of a plain list, which stays far below
OBJECT_FIELDS_MAX = 50  # json_build_object takes 100 arguments

Fields = list[FieldDetails]
Json = ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class _Place:
    """A field that is being compiled: its definition, what is selected of it, and the row it hangs on."""

    field: GraphQLField
    fields: Fields
    args: Mapping[str, Any]
    parent: FromClause | None
    depth: int

    @property
    def type(self) -> GraphQLObjectType:
        return _object_type(self.field)


def select_root(info: GraphQLResolveInfo[Any], principal: Principal) -> Select[Any]:
    """The statement that answers the root field `info` stands at. Raises ValidationFailed or QueryTooComplex."""
    fields = [FieldDetails(node, None) for node in info.field_nodes]
    return select(cast(_Compiler(info, principal).field(info.parent_type, fields, parent=None, depth=0), Text))


def select_payload(
    info: GraphQLResolveInfo[Any], principal: Principal, ids: Mapping[str, uuid.UUID | bool]
) -> tuple[Select[Any] | None, dict[str, str]]:
    """The statement that reads the rows of a payload back, and which response keys stand for its plain values.

    `ids` names the row of each field that is a row. The statement is None when no row is selected.
    """
    type_ = get_named_type(info.return_type)
    assert isinstance(type_, GraphQLObjectType)
    compiler = _Compiler(info, principal)
    pairs: list[tuple[str, Json]] = []
    plain: dict[str, str] = {}
    for key, fields in compiler.collect(type_, [FieldDetails(node, None) for node in info.field_nodes]):
        name = fields[0].node.name.value
        binding = _binding(type_.fields[name])
        if isinstance(binding, One):
            at = _Place(type_.fields[name], fields, {"id": ids[name]}, parent=None, depth=0)
            pairs.append((key, compiler.one(binding, at)))
        else:
            plain[key] = name
    return (select(cast(_json_object(pairs), Text)) if pairs else None), plain


def from_tree(source: Any, info: GraphQLResolveInfo[Any], **_arguments: Any) -> Any:
    """The resolver of every bound field: its value is in the tree already."""
    return source[info.path.key]


class _Compiler:
    def __init__(self, info: GraphQLResolveInfo[Any], principal: Principal) -> None:
        self._info, self._principal = info, principal
        # Strawberry hands the coerced values over without their sources, which only defaults of fragments would need.
        coerced: Any = info.variable_values
        self._variables = coerced if isinstance(coerced, VariableValues) else VariableValues({}, coerced)
        self._fragments = {name: FragmentDetails(node) for name, node in info.fragments.items()}
        self._names, self._fields = count(), count()

    def collect(self, type_: GraphQLObjectType, fields: Fields) -> list[tuple[str, Fields]]:
        """The selected fields by response key, without __typename (graphql-core answers it itself)."""
        info = self._info
        found = collect_subfields(info.schema, self._fragments, self._variables, info.operation, type_, fields)
        return [(k, f) for k, f in found.grouped_field_set.items() if f[0].node.name.value != "__typename"]

    def field(self, type_: GraphQLObjectType, fields: Fields, *, parent: FromClause | None, depth: int) -> Json:
        """The JSON of one field of `type_`."""
        if depth > DEPTH_MAX:
            raise QueryTooComplex(f"the query is nested more than {DEPTH_MAX} levels deep")
        if next(self._fields) >= FIELDS_MAX:
            raise QueryTooComplex(f"the query selects more than {FIELDS_MAX:,} fields below one root field; split it")
        node = fields[0].node
        field = type_.fields[node.name.value]
        args = get_argument_values(field, node, self._variables, fields[0].fragment_variable_values)
        at = _Place(field, fields, args, parent, depth)
        match _binding(field):
            case Scalar() as binding:
                return self._scalar(binding, at)
            case Aggregate() as binding:
                return self._computed(binding, at).scalar_subquery()
            case Derived() as binding:
                computed = self._computed(binding, at).subquery(self._name())
                return select(_json_list(self._object(at, computed))).select_from(computed).scalar_subquery()
            case One() as binding:
                return self.one(binding, at)
            case Rows() as binding:
                return self._rows(binding, at)
            case Page() as binding:
                return self._page(binding, at)

    def one(self, binding: One, at: _Place) -> Json:
        """At most one row, as an object or null."""
        site, seen = self._read(_model(at.type), at)
        # select_from, here and below: a selection may name no column of the table (`__typename`, a nested object).
        found = select(self._object(at, site.rows)).select_from(site.rows).where(binding.where(site), seen).limit(1)
        return _correlated(found, at).scalar_subquery()

    def _scalar(self, binding: Scalar, at: _Place) -> Json:
        assert at.parent is not None
        value = binding.sql(Site(self._principal, at.args, at.parent, at.parent))
        # A number in JSON is a float to most readers: money travels as text.
        return cast(value, Text) if get_named_type(at.field.type).name == "Decimal" else value

    def _object(self, at: _Place, rows: FromClause, type_: GraphQLObjectType | None = None) -> Json:
        type_ = type_ or at.type
        selected = self.collect(type_, at.fields)
        return _json_object([(k, self.field(type_, f, parent=rows, depth=at.depth + 1)) for k, f in selected])

    def _read(self, model: type[SQLModel], at: _Place) -> tuple[Site, ColumnElement[bool]]:
        """A fresh alias of the table, and the owner rule on it."""
        rows = table(model).alias(self._name())
        site = Site(self._principal, at.args, rows if at.parent is None else at.parent, rows)
        return site, visible(model, self._principal, rows)

    def _name(self) -> str:
        number = next(self._names)
        if number >= READS_MAX:
            raise QueryTooComplex("the query reads too many lists and objects at once; split it")
        return f"t{number}"

    def _computed(self, binding: Aggregate | Derived, at: _Place) -> Select[Any]:
        site, seen = self._read(binding.model, at)
        return _correlated(binding.query(site).where(seen), at)

    def _rows(self, binding: Rows, at: _Place) -> Json:
        site, seen = self._read(_model(at.type), at)
        found = select(self._object(at, site.rows).label("item")).select_from(site.rows)
        found = found.where(binding.where(site), seen)
        found = found.order_by(*_ordering(site.rows, binding.order)).limit(ROWS_MAX)
        listed = _correlated(found, at).subquery(self._name())
        return select(_json_list(listed.c.item)).scalar_subquery()

    def _page(self, binding: Page, at: _Place) -> Json:
        """A connection: its rows are read once, whichever of nodes, edges and pageInfo are selected."""
        first, cursor = at.args["first"], at.args.get("after")
        if not 1 <= first <= PAGE_MAX:
            raise ValidationFailed(f"first must be between 1 and {PAGE_MAX}", field="first")
        site, seen = self._read(_model(_node_type(at.type)), at)
        columns: dict[str, Json] = {}
        parts = [(k, self._page_part(binding, at, site, f, columns)) for k, f in self.collect(at.type, at.fields)]
        if not columns:  # nothing but totalCount, or nothing at all
            return _json_object([(key, part(site.rows)) for key, part in parts])
        found = select(*(value.label(name) for name, value in columns.items())).select_from(site.rows)
        found = found.where(binding.where(site), seen)
        if cursor is not None:
            found = found.where(cursors.after(site.rows, binding.order, cursor))
        found = found.order_by(*_ordering(site.rows, binding.order)).limit(first + 1)
        read = _correlated(found, at).subquery(self._name())
        # The one row too many says whether there is a next page.
        place, found_rows = func.row_number().over().label("place"), func.count().over().label("found")
        page = select(read, place, found_rows).subquery(self._name())
        return select(_json_object([(key, part(page)) for key, part in parts])).scalar_subquery()

    def _page_part(
        self, binding: Page, at: _Place, site: Site, fields: Fields, columns: dict[str, Json]
    ) -> Callable[[FromClause], Json]:
        """One field of the connection, as a function of the page; what it needs of a row is added to `columns`."""
        name, first = fields[0].node.name.value, at.args["first"]
        inner = replace(at, field=at.type.fields[name], fields=fields)
        if name == "totalCount":
            total = self._total(binding, at)
            return lambda page: total
        if name == "pageInfo":
            columns.setdefault("cursor", cursors.encode(site.rows, binding.order))
            selected = self.collect(inner.type, fields)
            is_later = at.args.get("after") is not None
            return lambda page: _json_object(
                [(k, _page_info(f[0].node.name.value, page, first, is_later)) for k, f in selected]
            )
        column = f"{name}_{len(columns)}"
        columns[column] = self._edge(inner, site, binding.order) if name == "edges" else self._object(inner, site.rows)
        return lambda page: _json_list(page.c[column], page.c.place <= first)

    def _edge(self, at: _Place, site: Site, order: Order) -> Json:
        pairs: list[tuple[str, Json]] = []
        for key, fields in self.collect(at.type, at.fields):
            name = fields[0].node.name.value
            node = replace(at, field=at.type.fields[name], fields=fields)
            value = cursors.encode(site.rows, order) if name == "cursor" else self._object(node, site.rows)
            pairs.append((key, value))
        return _json_object(pairs)

    def _total(self, binding: Page, at: _Place) -> Json:
        site, seen = self._read(_model(_node_type(at.type)), at)
        counted = select(func.count()).select_from(site.rows).where(binding.where(site), seen)
        return _correlated(counted, at).scalar_subquery()


def _page_info(name: str, page: FromClause, first: int, is_later: bool) -> Json:
    if name == "hasNextPage":
        return func.count() > first
    if name == "hasPreviousPage":
        return literal_column("true" if is_later else "false")
    last = func.least(page.c.found, first) if name == "endCursor" else 1
    return func.min(page.c.cursor).filter(page.c.place == last)


def _binding(field: GraphQLField) -> Binding:
    """The binding of a field; a plain column unless its declaration says otherwise."""
    definition = field.extensions["strawberry-definition"]
    declared = definition.metadata.get(BINDING)
    if isinstance(declared, str | None):
        name = declared or definition.python_name
        return Scalar(lambda site: site.parent.c[name])
    binding: Binding = declared
    return binding


def _object_type(field: GraphQLField) -> GraphQLObjectType:
    type_ = get_named_type(field.type)
    assert isinstance(type_, GraphQLObjectType)
    return type_


def _node_type(connection: GraphQLObjectType) -> GraphQLObjectType:
    return _object_type(connection.fields["nodes"])


def _model(type_: GraphQLObjectType) -> type[SQLModel]:
    model: type[SQLModel] = type_.extensions["strawberry-definition"].origin.__model__
    return model


def _ordering(rows: FromClause, order: Order) -> list[ColumnElement[Any]]:
    return [rows.c[name].desc() if order.descending else rows.c[name] for name in order.columns]


def _correlated(statement: Select[Any], at: _Place) -> Select[Any]:
    return statement if at.parent is None else statement.correlate(at.parent)


def _json_object(pairs: Sequence[tuple[str, Json]]) -> Json:
    """json_build_object, in several parts when there are more fields than it takes."""
    # Response keys are GraphQL names, [_A-Za-z0-9]: safe to inline, and a parameter would have no type here.
    flat = [item for key, value in pairs for item in (literal_column(f"'{key}'"), value)]
    width = 2 * OBJECT_FIELDS_MAX
    parts = [func.json_build_object(*flat[i : i + width]) for i in range(0, max(len(flat), 1), width)]
    if len(parts) == 1:
        return parts[0]
    merged: Json = cast(parts[0], JSONB)
    for part in parts[1:]:
        merged = merged.concat(cast(part, JSONB))
    return merged


def _json_list(item: Json, condition: ColumnElement[bool] | None = None) -> Json:
    listed: Any = func.json_agg(item)
    return func.coalesce(listed if condition is None else listed.filter(condition), literal_column("'[]'::json"))
