"""Selection -> one SELECT with a column of JSON for each field.

`query` compiles root fields, `payload` the rows of a mutation's payload. The selection is walked with graphql-core's
own collector, so aliases, fragments, variables, @include and @skip mean what they mean everywhere else, and each
field's binding is looked up on its Strawberry definition. Every object and list is one scalar subquery that builds its
JSON over the few rows it read: PostgreSQL has nothing to join, and no shape of a query makes it ask twice. Tables are
read through `Visible` alone, which adds the owner rule.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLObjectType,
    VariableValues,
    get_argument_values,
    get_named_type,
    is_non_null_type,
)
from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    FromClause,
    Select,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
)

from crm_graph.database.statements import recordset
from crm_graph.graphql.engine import cursors
from crm_graph.graphql.engine.bindings import (
    RESULT,
    Aggregate,
    Arguments,
    Derived,
    Embedded,
    FieldSite,
    One,
    Order,
    Page,
    ResultRows,
    Rows,
    Scalar,
    SqlType,
    Summary,
    binding_of,
    model_of,
    page_size,
)
from crm_graph.graphql.engine.criteria import criteria
from crm_graph.graphql.engine.documents import Operation
from crm_graph.graphql.engine.json_sql import Json, constant, in_capitals, json_list, json_object
from crm_graph.graphql.engine.library_internals import FieldSet, collect_fields_below, collect_root_fields, python_name
from crm_graph.graphql.engine.plans import PayloadPlan, Plan, PlanInputs, Reader, make_plan, shape
from crm_graph.graphql.engine.selected_field import SelectedField, name_of, object_type, page_info
from crm_graph.graphql.engine.visible import ALL, SourceQuery, Visible, Wanted, whole
from crm_graph.identity.principal import Principal
from crm_graph.models import Named, Relation
from crm_graph.models.columns import Time

ROWS_MAX = 500  # of a plain list, which stays far below


class Compiler:
    """Compiles parts of one operation for one role and one shape of variables.

    Raises ValidationFailed or Forbidden where a binding refuses what is asked.
    """

    def __init__(self, operation: Operation, principal: Principal, variables: VariableValues) -> None:
        self._operation, self._principal = operation, principal
        self._variables = VariableValues(variables.sources, shape(variables.coerced))
        self._visible = Visible(principal)
        self._readers: dict[str, Reader] = {}
        self._shared: dict[Relation, dict[str, CTE]] = {}

    def root_fields(self) -> list[tuple[str, FieldSet]]:
        """The root fields by response key."""
        op = self._operation
        found = collect_root_fields(op.schema, op.fragments, self._variables, op.root_type, op.node)
        return list(found.items())

    def query(self, fields: Sequence[FieldSet]) -> Plan:
        """The statement that answers these root fields, a column for each."""
        return self._plan([self._field(self._operation.root_type, selected, parent=None) for selected in fields])

    def payload(self, fields: FieldSet, seen: str | None = None) -> PayloadPlan:
        """How a payload is read.

        With `seen`, the object has a key "", which is not null when the row of the field `seen` is the caller's to see.
        """
        type_ = object_type(self._operation.root_type.fields[name_of(fields)])
        pairs: list[tuple[str, Json]] = []
        plain: dict[str, str] = {}
        required: list[str] = []
        for key, selected in self._collect(type_, fields):
            if name_of(selected) == "__typename":
                continue
            field = type_.fields[name_of(selected)]
            binding, name = binding_of(field), python_name(field)
            at = SelectedField(field, selected, {}, _returned(name), parent=None)
            match binding:
                case One():
                    pairs.append((key, self._one(binding, at)))
                    required += [key] * is_non_null_type(field.type)
                case ResultRows():
                    pairs.append((key, self._rows_returned(binding, at)))
                case _:
                    plain[key] = name
        if seen is not None:
            pairs.append(("", self._seen(SelectedField(type_.fields[seen], fields, {}, _returned(seen), parent=None))))
        return PayloadPlan(self._plan([json_object(pairs)]) if pairs else None, plain, required)

    def _plan(self, columns: Sequence[Json]) -> Plan:
        labelled: list[Any] = [cast(column, Text).label(f"c{place}") for place, column in enumerate(columns)]
        return make_plan(select(*labelled), self._readers)

    def _collect(self, type_: GraphQLObjectType, fields: FieldSet) -> list[tuple[str, FieldSet]]:
        op = self._operation
        found = collect_fields_below(op.schema, op.fragments, self._variables, type_, op.node, fields)
        return list(found.items())

    def _field(self, type_: GraphQLObjectType, fields: FieldSet, *, parent: Relation | None) -> Json:
        """The JSON of one field of `type_`."""
        if name_of(fields) == "__typename":
            return constant(type_.name)
        node, field = fields[0].node, type_.fields[name_of(fields)]

        def given(inputs: PlanInputs) -> Arguments:
            return get_argument_values(field, node, inputs.variables)

        at = SelectedField(field, fields, shape(get_argument_values(field, node, self._variables)), given, parent)
        match binding_of(field):
            case Scalar() as binding:
                return self._scalar(binding, at)
            case Aggregate() as binding:
                return self._visible.of(binding.source, self._query(at)).scalar_subquery()
            case Derived() as binding:
                return self._derived(binding, at)
            case Summary() as binding:
                return self._summary(binding, at)
            case One() as binding:
                return self._one(binding, at)
            case Rows() as binding:
                wanted = self._wanted(binding, at)
                rows, read = self._visible.first(model_of(at.type), wanted, binding.order, ROWS_MAX)
                return select(json_list(self._object(at, rows))).select_from(read).scalar_subquery()
            case Page() as binding:
                return self._page(binding, at)
            case ResultRows() as binding:
                return self._rows_returned(binding, at)
            case Embedded() as binding:
                assert parent is not None
                return case((parent.c[binding.key].is_not(None), self._object(at, parent)))

    def _scalar(self, binding: Scalar, at: SelectedField) -> Json:
        assert at.parent is not None
        value, type_ = binding.sql(self._site(at, at.parent)), get_named_type(at.field.type)
        if isinstance(type_, GraphQLEnumType):
            return in_capitals(value, at.field.type)
        # A number in JSON is a float to most readers: money travels as text.
        return cast(value, Text) if type_.name == "Decimal" else value

    def _one(self, binding: One, at: SelectedField) -> Json:
        """At most one row, as an object or null."""
        rows, found = self._visible.one(model_of(at.type), lambda rows: [binding.where(self._site(at, rows))])
        return found.add_columns(self._object(at, rows)).scalar_subquery()

    def _seen(self, at: SelectedField) -> Json:
        """True for a row that is there, else null, whatever is selected of it."""
        binding = binding_of(at.field)
        assert isinstance(binding, One)
        _, found = self._visible.one(model_of(at.type), lambda rows: [binding.where(self._site(at, rows))])
        return found.add_columns(literal_column("true")).scalar_subquery()

    def _object(self, at: SelectedField, rows: Relation) -> Json:
        """A row as an object with what `at` selects of it."""
        selected = self._collect(at.type, at.fields)
        return json_object([(key, self._field(at.type, fields, parent=rows)) for key, fields in selected])

    def _rows_returned(self, binding: ResultRows, at: SelectedField) -> Json:
        """The rows in a mutation's payload that are no rows of a table."""
        listed = self._parameter(at, lambda args: orjson.dumps(args[RESULT]).decode(), Text)
        found = select(ALL).select_from(recordset(listed, binding.types))
        rows, read = self._visible.named(found, binding.types)
        return select(json_list(self._object(at, rows))).select_from(read).scalar_subquery()

    def _derived(self, binding: Derived, at: SelectedField) -> Json:
        computed, read = self._visible.computed(binding.sources, self._query(at))
        ordered = select(ALL).select_from(read).order_by(*binding.order.by(computed))
        if binding.limit is not None:
            ordered = ordered.limit(whole(binding.limit(self._site(at, computed))))
        rows, read = self._visible.named(ordered, computed.types)
        return select(json_list(self._object(at, rows))).select_from(read).scalar_subquery()

    def _summary(self, binding: Summary, at: SelectedField) -> Json:
        rows, read = self._visible.computed((binding.source,), self._query(at))
        shared = self._shared[rows] = {}
        made = select(self._object(at, rows)).add_cte(*shared.values(), nest_here=True)
        return select(made.scalar_subquery()).select_from(read).scalar_subquery()

    def _share(self, at: SelectedField, name: str, query: Callable[[], Select[Any]]) -> FromClause:
        """What several fields of a summary read, and PostgreSQL therefore once."""
        assert at.parent is not None
        shared = self._shared[at.parent]
        if name not in shared:
            shared[name] = query().cte()
        return shared[name].alias()

    def _query(self, at: SelectedField) -> SourceQuery:
        return lambda source, rows: source.query(self._site(at, rows))

    def _page(self, binding: Page, at: SelectedField) -> Json:
        """A connection: its rows are read once, whichever of nodes, edges and pageInfo are selected."""
        first = page_size(at.args)
        if at.args.get("orderBy") is not None:
            binding = replace(binding, order=at.args["orderBy"].value)
        names = {name_of(fields) for _, fields in self._collect(at.type, at.fields)}
        model = model_of(object_type(at.type.fields["nodes"]))
        if not names & {"nodes", "edges", "pageInfo"}:
            return self._connection(binding, at, None)
        looks_ahead = "pageInfo" in names  # the one row too many says whether there is a next page
        page, read = self._visible.first(model, self._wanted(binding, at), binding.order, first + looks_ahead)
        if looks_ahead:
            page, read = self._visible.placed(page, read)
        # HAVING makes one row of the page also where nothing is aggregated, as in `pageInfo { hasPreviousPage }`.
        made = select(self._connection(binding, at, page)).select_from(read).having(literal_column("true"))
        return made.scalar_subquery()

    def _connection(self, binding: Page, at: SelectedField, page: Named | None) -> Json:
        """The object of a connection, aggregated over the rows of `page`."""
        pairs: list[tuple[str, Json]] = []
        for key, fields in self._collect(at.type, at.fields):
            name = name_of(fields)
            if name == "__typename":
                value = constant(at.type.name)
            elif name == "totalCount":
                model = model_of(object_type(at.type.fields["nodes"]))
                value = self._visible.count(model, self._wanted(binding, at, counts=True))
            else:
                assert page is not None
                value = self._of_page(binding, replace(at, field=at.type.fields[name], fields=fields), name, page)
            pairs.append((key, value))
        return json_object(pairs)

    def _of_page(self, binding: Page, at: SelectedField, name: str, page: Named) -> Json:
        if name == "pageInfo":
            said: Json = func.array_agg(cursors.keys(page, binding.order), type_=ARRAY(Text))
            selected = self._collect(at.type, at.fields)
            return json_object([(key, page_info(at, name_of(fields), said)) for key, fields in selected])
        item = self._edge(at, page, binding.order) if name == "edges" else self._object(at, page)
        return json_list(item, page.c.place <= whole(at.args["first"]) if "place" in page.c else None)

    def _edge(self, at: SelectedField, rows: Relation, order: Order) -> Json:
        pairs: list[tuple[str, Json]] = []
        for key, fields in self._collect(at.type, at.fields):
            match name_of(fields):
                case "node":
                    value = self._object(replace(at, field=at.type.fields["node"], fields=fields), rows)
                case "cursor":
                    value = cursors.encode(cursors.keys(rows, order))
                case _:
                    value = constant(at.type.name)
            pairs.append((key, value))
        return json_object(pairs)

    def _wanted(self, binding: Page | Rows, at: SelectedField, *, counts: bool = False) -> Wanted:
        """The rows that a list is about: those of its field that the filter asks for, and of them, unless they are
        counted, those behind the cursor.
        """

        def wanted(rows: Named) -> list[ColumnElement[bool]]:
            site = self._site(at, rows)
            has_cursor = at.args.get("after") is not None and not counts
            cursor = [cursors.after(site, binding.order)] if has_cursor else []
            return [binding.where(site), *criteria(site, at.field), *cursor]

        return wanted

    def _site(self, at: SelectedField, rows: Relation) -> FieldSite:
        parent = rows if at.parent is None else at.parent
        value, time, share = partial(self._parameter, at), partial(self._time, at), partial(self._share, at)
        return FieldSite(self._principal, at.args, parent, rows, value, time, self._visible.read, share)

    def _parameter(self, at: SelectedField, read: Callable[[Arguments], Any], type_: SqlType) -> ColumnElement[Any]:
        return self._read(lambda inputs: _stored(read(at.given(inputs))), type_)

    def _time(self, at: SelectedField, read: Callable[[Arguments, datetime], datetime]) -> ColumnElement[Any]:
        return self._read(lambda inputs: read(at.given(inputs), inputs.now), Time)

    def _read(self, read: Reader, type_: SqlType) -> ColumnElement[Any]:
        name = f"v{len(self._readers)}"
        self._readers[name] = read
        return bindparam(name, type_=type_)


def _returned(name: str) -> Callable[[PlanInputs], Arguments]:
    return lambda inputs: {RESULT: inputs.result.get(name)}


def _stored(value: Any) -> Any:
    return getattr(value, "value", value)  # of an enum, what is stored
