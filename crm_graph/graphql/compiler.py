"""Selection -> one SELECT with a column of JSON for each field.

`query` compiles root fields, `payload` the rows of a mutation's payload. The selection is walked with graphql-core's
own collector, so aliases, fragments, variables, @include and @skip mean what they mean everywhere else, and each
field's binding is looked up on its Strawberry definition. Every object and list is one scalar subquery that builds its
JSON over the few rows it read: PostgreSQL has nothing to join, and no shape of a query makes it ask twice. Every table
is read in `_one`, `_arms`, `_total` or `_computed`, which add the owner rule (`visible`, or its `alternatives`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
)
from graphql.execution.collect_fields import FieldDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues, get_argument_values
from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    SelectBase,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from crm_graph.auth import Principal, alternatives, visible
from crm_graph.errors import ValidationFailed
from crm_graph.graphql import cursors
from crm_graph.graphql.bind import (
    BINDING,
    CRITERION,
    PAGE_MAX,
    Aggregate,
    Arguments,
    Binding,
    Criterion,
    Derived,
    One,
    Order,
    Page,
    Rows,
    Scalar,
    Site,
    Source,
    SqlType,
)
from crm_graph.graphql.operations import Operation
from crm_graph.graphql.plans import Plan, Reader, Request, make, shape
from crm_graph.models import Named, Relation, table
from crm_graph.values import check_text

ROWS_MAX = 500  # of a plain list, which stays far below
OBJECT_FIELDS_MAX = 50  # json_build_object takes 100 arguments
ALL: ColumnElement[Any] = literal_column("*")

Fields = list[FieldDetails]
Json = ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class _Place:
    """A field that is being compiled: its definition, what is selected of it, and the row it hangs on.

    `args` is the shape of its arguments; `given` reads the arguments themselves from a request.
    """

    field: GraphQLField
    fields: Fields
    args: Arguments
    given: Callable[[Request], Arguments]
    parent: Relation | None

    @property
    def type(self) -> GraphQLObjectType:
        return _object_type(self.field)


class Compiler:
    """Compiles parts of one operation for one role and one shape of variables.

    Raises ValidationFailed or Forbidden where a binding refuses what is asked.
    """

    def __init__(self, operation: Operation, principal: Principal, variables: VariableValues) -> None:
        self._operation, self._principal = operation, principal
        self._variables = VariableValues(variables.sources, shape(variables.coerced))
        self._readers: dict[str, Reader] = {}
        self._names = count()

    def root_fields(self) -> list[tuple[str, Fields]]:
        """The root fields by response key."""
        operation = self._operation
        found = collect_fields(
            operation.schema, operation.fragments, self._variables, operation.root_type, operation.node
        )
        return list(found.grouped_field_set.items())

    def query(self, fields: Sequence[Fields]) -> Plan:
        """The statement that answers these root fields, a column for each."""
        type_ = self._operation.root_type
        return self._plan([self._field(type_, selected, parent=None) for selected in fields])

    def payload(self, fields: Fields) -> tuple[Plan | None, dict[str, str]]:
        """The statement that reads back the rows of a mutation's payload, as one JSON object, and which response keys
        stand for its plain values. The statement is None when no row is selected.
        """
        type_ = _object_type(self._operation.root_type.fields[fields[0].node.name.value])
        pairs: list[tuple[str, Json]] = []
        plain: dict[str, str] = {}
        for key, selected in self._collect(type_, fields):
            name = selected[0].node.name.value
            binding = None if name == "__typename" else _binding(type_.fields[name])
            if isinstance(binding, One):
                at = _Place(type_.fields[name], selected, {}, _id_of(name), parent=None)
                pairs.append((key, self._one(binding, at)))
            elif binding is not None:
                plain[key] = name
        return (self._plan([_json_object(pairs)]) if pairs else None), plain

    def _plan(self, columns: Sequence[Json]) -> Plan:
        labelled: list[Any] = [cast(column, Text).label(f"c{place}") for place, column in enumerate(columns)]
        return make(select(*labelled), self._readers)

    def _collect(self, type_: GraphQLObjectType, fields: Fields) -> list[tuple[str, Fields]]:
        operation = self._operation
        found = collect_subfields(operation.schema, operation.fragments, self._variables, operation.node, type_, fields)
        return list(found.grouped_field_set.items())

    def _field(self, type_: GraphQLObjectType, fields: Fields, *, parent: Relation | None) -> Json:
        """The JSON of one field of `type_`."""
        node = fields[0].node
        if node.name.value == "__typename":
            return literal_column(f"'{type_.name}'")
        field = type_.fields[node.name.value]

        def given(request: Request) -> Arguments:
            return get_argument_values(field, node, request.variables)

        at = _Place(field, fields, shape(get_argument_values(field, node, self._variables)), given, parent)
        match _binding(field):
            case Scalar() as binding:
                return self._scalar(binding, at)
            case Aggregate() as binding:
                return self._computed(binding.source, at).scalar_subquery()
            case Derived() as binding:
                return self._derived(binding, at)
            case One() as binding:
                return self._one(binding, at)
            case Rows() as binding:
                rows, read = self._arms(_model(at.type), at, binding.where, binding.order, ROWS_MAX)
                return select(_json_list(self._object(at, rows))).select_from(read).scalar_subquery()
            case Page() as binding:
                return self._page(binding, at)

    def _scalar(self, binding: Scalar, at: _Place) -> Json:
        assert at.parent is not None
        value = binding.sql(self._site(at, at.parent))
        type_ = get_named_type(at.field.type)
        if isinstance(type_, GraphQLEnumType):
            return func.upper(value)  # see enums.py: names are the stored values in capitals
        # A number in JSON is a float to most readers: money travels as text.
        return cast(value, Text) if type_.name == "Decimal" else value

    def _one(self, binding: One, at: _Place) -> Json:
        """At most one row, as an object or null."""
        model = _model(at.type)
        rows, read = self._table(model)
        wanted = binding.where(self._site(at, rows)), visible(model, self._principal, rows)
        return select(self._object(at, rows)).select_from(read).where(*wanted).limit(_whole(1)).scalar_subquery()

    def _derived(self, binding: Derived, at: _Place) -> Json:
        found = [self._computed(source, at) for source in binding.sources]
        types = {column.name.rpartition(".")[2]: column.type for column in found[0].selected_columns}
        computed, read = self._named(found[0] if len(found) == 1 else union_all(*found), types)
        ordered = select(ALL).select_from(read).order_by(*binding.order.by(computed))
        if binding.limit is not None:
            ordered = ordered.limit(_whole(binding.limit(self._site(at, computed))))
        rows, read = self._named(ordered, types)
        return select(_json_list(self._object(at, rows))).select_from(read).scalar_subquery()

    def _object(self, at: _Place, rows: Relation) -> Json:
        """The JSON object of a row, as `at` selects it."""
        selected = self._collect(at.type, at.fields)
        return _json_object([(key, self._field(at.type, fields, parent=rows)) for key, fields in selected])

    def _page(self, binding: Page, at: _Place) -> Json:
        """A connection: its rows are read once, whichever of nodes, edges and pageInfo are selected."""
        first = at.args["first"]
        if not 1 <= first <= PAGE_MAX:
            raise ValidationFailed(f"first must be between 1 and {PAGE_MAX}", field="first")
        order: Order = at.args["orderBy"].value if at.args.get("orderBy") else binding.order
        selected = self._collect(at.type, at.fields)
        names = {fields[0].node.name.value for _, fields in selected}
        model = _model(_node_type(at.type))
        if not names & {"nodes", "edges", "pageInfo"}:
            return _json_object([(key, self._page_part(binding, at, fields, order, None)) for key, fields in selected])
        looks_ahead = "pageInfo" in names  # the one row too many says whether there is a next page
        page, read = self._arms(model, at, binding.where, order, first + looks_ahead)
        if looks_ahead:
            placed = select(ALL, func.row_number().over().label("place")).select_from(read)
            page, read = self._named(placed, _types(model) | {"place": Integer()})
        parts = [(key, self._page_part(binding, at, fields, order, page)) for key, fields in selected]
        return select(_json_object(parts)).select_from(read).scalar_subquery()

    def _page_part(self, binding: Page, at: _Place, fields: Fields, order: Order, page: Named | None) -> Json:
        """One field of the connection, over the rows of `page`."""
        name, first = fields[0].node.name.value, at.args["first"]
        if name == "__typename":
            return literal_column(f"'{at.type.name}'")
        if name == "totalCount":
            return self._total(binding, at)
        assert page is not None
        inner = replace(at, field=at.type.fields[name], fields=fields)
        if name == "pageInfo":
            said: Json = func.array_agg(cursors.keys(page, order), type_=ARRAY(Text))
            return _json_object(
                [
                    (key, self._page_info(inner, f[0].node.name.value, said, first))
                    for key, f in self._collect(inner.type, fields)
                ]
            )
        item = self._edge(inner, page, order) if name == "edges" else self._object(inner, page)
        return _json_list(item, page.c.place <= _whole(first) if "place" in page.c else None)

    def _edge(self, at: _Place, rows: Relation, order: Order) -> Json:
        pairs: list[tuple[str, Json]] = []
        for key, fields in self._collect(at.type, at.fields):
            name = fields[0].node.name.value
            if name == "node":
                value = self._object(replace(at, field=at.type.fields[name], fields=fields), rows)
            else:
                is_cursor = name == "cursor"
                value = cursors.encode(cursors.keys(rows, order)) if is_cursor else literal_column(f"'{at.type.name}'")
            pairs.append((key, value))
        return _json_object(pairs)

    def _page_info(self, at: _Place, name: str, said: Json, first: int) -> Json:
        if name == "__typename":
            return literal_column(f"'{at.type.name}'")
        if name == "hasNextPage":
            return func.count() > _whole(first)
        if name == "hasPreviousPage":
            return literal_column("true" if at.args.get("after") is not None else "false")
        place: Json = func.least(func.count(), _whole(first)) if name == "endCursor" else _whole(1)
        return cursors.encode(said[place])

    def _total(self, binding: Page, at: _Place) -> Json:
        model = _model(_node_type(at.type))
        rows, read = self._table(model)
        site = self._site(at, rows)
        wanted = and_(binding.where(site), *_criteria(site, at))
        counts = [
            select(func.count()).select_from(read).where(wanted, seen).scalar_subquery()
            for seen in alternatives(model, self._principal, rows)
        ]
        return sum(counts[1:], start=counts[0])

    def _computed(self, source: Source, at: _Place) -> Select[Any]:
        """The query of a source over the rows that the caller may see."""
        model = source.model
        rows, read = self._table(model)
        if not source.needs:
            seen = visible(model, self._principal, rows)
            return source.query(self._site(at, rows)).select_from(read).where(seen)
        # Each alternative of the owner rule by itself can be answered from an index alone.
        arms = [
            select(*(rows.c[name] for name in source.needs)).select_from(read).where(seen)
            for seen in alternatives(model, self._principal, rows)
        ]
        needed = {name: _types(model)[name] for name in source.needs}
        rows, read = self._named(union_all(*arms) if len(arms) > 1 else arms[0], needed)
        return source.query(self._site(at, rows)).select_from(read)

    def _arms(
        self, model: type[SQLModel], at: _Place, where: Callable[[Site], Json], order: Order, limit: int
    ) -> tuple[Named, FromClause]:
        """The first `limit` visible rows in order.

        Each alternative of the owner rule is read from an index in that order, and what they found is merged.
        """
        rows, read = self._table(model)
        site = self._site(at, rows)
        wanted = [where(site), *_criteria(site, at)]
        if at.args.get("after") is not None:
            wanted.append(cursors.after(site, order))
        arms = [
            select(ALL).select_from(read).where(*wanted, seen).order_by(*order.by(rows)).limit(_whole(limit))
            for seen in alternatives(model, self._principal, rows)
        ]
        if len(arms) == 1:
            return self._named(arms[0], _types(model))
        merged, read = self._named(union_all(*arms), _types(model))
        ordered = select(ALL).select_from(read).order_by(*order.by(merged)).limit(_whole(limit))
        return self._named(ordered, _types(model))

    def _table(self, model: type[SQLModel]) -> tuple[Named, FromClause]:
        """The rows of a table under a name of their own, and what to select them from."""
        name = f"t{next(self._names)}"
        return Named(name, _types(model)), table(model).alias(name)

    def _named(self, query: SelectBase, types: Mapping[str, TypeEngine[Any]]) -> tuple[Named, FromClause]:
        """The rows of a query, under a name of their own, and what to select them from."""
        name = f"t{next(self._names)}"
        return Named(name, types), query.subquery(name)

    def _site(self, at: _Place, rows: Relation) -> Site:
        def value(read: Callable[[Arguments], Any], type_: SqlType) -> ColumnElement[Any]:
            name = f"v{len(self._readers)}"
            self._readers[name] = lambda request: _plain(read(at.given(request)))
            return bindparam(name, type_=type_)

        return Site(self._principal, at.args, rows if at.parent is None else at.parent, rows, value)


def _criteria(site: Site, at: _Place) -> list[ColumnElement[bool]]:
    """What the argument `filter` demands."""
    given: Mapping[str, Any] = site.args.get("filter") or {}
    found = []
    for name, value in given.items():
        if value is None:
            continue
        type_ = get_nullable_type(at.field.args["filter"].type)
        assert isinstance(type_, GraphQLInputObjectType)
        criterion: Criterion = type_.fields[name].extensions["strawberry-definition"].metadata[CRITERION]
        found.append(criterion.sql(site, site.value(_filter_value(name), criterion.type_)))
    return found


def _filter_value(name: str) -> Callable[[Arguments], Any]:
    def read(args: Arguments) -> Any:
        value = args["filter"][name]
        return check_text(value, field=name) if isinstance(value, str) else value

    return read


def _id_of(name: str) -> Callable[[Request], Arguments]:
    return lambda request: {"id": request.ids[name]}


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)  # of an enum, what is stored


def _whole(number: int) -> ColumnElement[int]:
    """A number that is part of the statement, so that PostgreSQL can plan for it."""
    return literal_column(str(int(number)))


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


@cache
def _types(model: type[SQLModel]) -> dict[str, TypeEngine[Any]]:
    return {column.name: column.type for column in table(model).c}


def _json_object(pairs: Sequence[tuple[str, Json]]) -> Json:
    """json_build_object, in several parts when there are more fields than it takes."""
    # Response keys are GraphQL names, [_A-Za-z0-9]: safe to inline, and a parameter would have no type here.
    flat = [item for key, value in pairs for item in (literal_column(f"'{key}'"), value)]
    width = 2 * OBJECT_FIELDS_MAX
    parts = [func.json_build_object(*flat[i : i + width]) for i in range(0, max(len(flat), 1), width)]
    if len(parts) == 1:
        return parts[0]
    # As text, because merging jsonb would reorder the keys: "{...}" + "{...}" -> "{...,...}".
    texts = [func.btrim(func.left(func.substr(cast(part, Text), 2), -1)) for part in parts]
    return cast(func.concat("{", func.concat_ws(",", *texts), "}"), JSON)


def _json_list(item: Json, condition: ColumnElement[bool] | None = None) -> Json:
    listed: Any = func.json_agg(item)
    return func.coalesce(listed if condition is None else listed.filter(condition), literal_column("'[]'::json"))
