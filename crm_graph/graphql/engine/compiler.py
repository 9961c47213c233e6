"""Compiles a selection to one SELECT with a column of JSON for each field.

graphql-core's own collector walks the selection, so aliases, fragments, variables, @include and @skip mean what they
mean everywhere else; each field's binding comes from its declaration. Every object and list is one scalar subquery
that builds its JSON over the few rows that it reads: PostgreSQL joins nothing, and no query reads a row twice. All
tables are read through `Visible`, which adds the owner rule.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLObjectType,
    VariableValues,
    get_argument_values,
    get_named_type,
    is_non_null_type,
)
from sqlalchemy import CTE, ColumnElement, FromClause, Text, bindparam, case, cast, literal_column, select

from crm_graph.database.statements import recordset
from crm_graph.graphql.engine.bindings import (
    RESULT,
    Aggregate,
    Derived,
    Embedded,
    One,
    Page,
    ResultRows,
    Rows,
    Scalar,
    Summary,
    binding_of,
    model_of,
)
from crm_graph.graphql.engine.documents import Operation
from crm_graph.graphql.engine.field_site import Arguments, FieldSite, SqlType
from crm_graph.graphql.engine.json_sql import Json, counted, enum_names, json_list, json_object, name_literal
from crm_graph.graphql.engine.library_internals import (
    FieldSet,
    collect_fields_below,
    collect_root_fields,
    python_name,
)
from crm_graph.graphql.engine.pages import PageCompiler, list_conditions
from crm_graph.graphql.engine.plans import PayloadPlan, Plan, PlanInputs, ReadParameter, make_plan, shape_of
from crm_graph.graphql.engine.selected_field import SelectedField, name_of
from crm_graph.graphql.engine.visible import ALL_COLUMNS, SourceQuery, Visible, integer
from crm_graph.graphql.engine.weights import LINE_MOST, is_text, value_bytes
from crm_graph.identity.principal import Principal
from crm_graph.low_priority import give_way
from crm_graph.models.columns import AnySelect, Expression, Relation, Time

ROWS_MAX = 500  # of a plain list, which stays far below


class Compiler:
    """Compiles parts of one operation for one role and one shape of variables.

    With `counts_bytes`, PostgreSQL counts the texts of the answer, and raises an error when they are too many.
    Raises ValidationFailed or Forbidden when a binding refuses its arguments or the role.
    """

    def __init__(
        self, operation: Operation, principal: Principal, variables: VariableValues, *, counts_bytes: bool = False
    ) -> None:
        self._operation, self._principal, self._counts_bytes = operation, principal, counts_bytes
        self._variables = VariableValues(variables.sources, shape_of(variables.coerced))
        self._visible = Visible(principal)
        self._pages = PageCompiler(self._visible, self._collect, self._object, self._site)
        self._levels = 0  # of objects around what is being compiled
        self._readers: dict[str, ReadParameter] = {}
        self._shared: dict[Relation, dict[str, CTE]] = {}

    def root_fields(self) -> list[tuple[str, FieldSet]]:
        """The root fields by response key."""
        op = self._operation
        return list(collect_root_fields(op.schema, op.fragments, self._variables, op.root_type, op.node).items())

    def query(self, fields: Sequence[FieldSet]) -> Plan:
        """The statement for these root fields, a column for each."""
        return self._plan([self._field(self._operation.root_type, selected, parent=None) for selected in fields])

    def payload(self, fields: FieldSet, visible: str | None = None) -> PayloadPlan:
        """How to read the payload of a mutation or subscription.

        With `visible`, the rows' JSON object has a key "" that is not null when the caller may see the row of the
        field with this name.
        """
        payload = _payload_field(self._operation.root_type, fields)
        pairs: list[tuple[str, Json]] = []
        plain: dict[str, str] = {}
        required: list[str] = []
        for key, selected in self._collect(payload):
            if name_of(selected) == "__typename":
                continue
            field = payload.type.fields[name_of(selected)]
            name = python_name(field)
            at = SelectedField(field, selected, {}, _read_result(name), parent=None)
            match binding_of(field):
                case One() as binding:
                    pairs.append((key, self._one(binding, at)))
                    required += [key] * is_non_null_type(field.type)
                case ResultRows() as binding:
                    pairs.append((key, self._result_rows(binding, at)))
                case _:
                    plain[key] = name
        if visible is not None:
            field = payload.type.fields[visible]
            pairs.append(("", self._is_visible(SelectedField(field, fields, {}, _read_result(visible), parent=None))))
        return PayloadPlan(self._plan([json_object(pairs)]) if pairs else None, plain, required)

    def _plan(self, columns: Sequence[Json]) -> Plan:
        labelled = [cast(column, Text).label(f"c{index}") for index, column in enumerate(columns)]
        return make_plan(select(*labelled), self._readers)

    def _collect(self, at: SelectedField) -> list[tuple[str, FieldSet]]:
        """What is selected of a field, by response key."""
        op = self._operation
        collected = collect_fields_below(op.schema, op.fragments, self._variables, at.type, op.node, at.fields)
        return list(collected.items())

    def _field(self, type_: GraphQLObjectType, fields: FieldSet, *, parent: Relation | None) -> Json:
        """The JSON of one field of `type_`."""
        give_way()
        if name_of(fields) == "__typename":
            return name_literal(type_.name)
        node, field = fields[0].node, type_.fields[name_of(fields)]

        def read_args(inputs: PlanInputs) -> Arguments:
            return get_argument_values(field, node, inputs.variables)

        args = shape_of(get_argument_values(field, node, self._variables))
        return self._value(SelectedField(field, fields, args, read_args, parent))

    def _value(self, at: SelectedField) -> Json:
        match binding_of(at.field):
            case Scalar() as binding:
                return self._scalar(binding, at)
            case Aggregate() as binding:
                return self._visible.query(binding.source, self._source_query(at)).scalar_subquery()
            case Derived() as binding:
                return self._derived(binding, at)
            case Summary() as binding:
                return self._summary(binding, at)
            case One() as binding:
                return self._one(binding, at)
            case Rows() as binding:
                return self._rows(binding, at)
            case Page() as binding:
                return self._pages.page(binding, at)
            case ResultRows() as binding:
                return self._result_rows(binding, at)
            case Embedded() as binding:
                assert at.parent is not None
                return case((at.parent.c[binding.key].is_not(None), self._object(at, at.parent)))

    def _scalar(self, binding: Scalar, at: SelectedField) -> Json:
        assert at.parent is not None
        value, type_ = binding.sql(self._site(at, at.parent)), get_named_type(at.field.type)
        if isinstance(type_, GraphQLEnumType):
            return enum_names(value, at.field.type)
        if self._counts_bytes and is_text(at.field):
            return counted(value, is_short=value_bytes(at.field)[1] <= LINE_MOST, levels=self._levels)
        # Most readers take a JSON number for a float: money travels as text.
        return cast(value, Text) if type_.name == "Decimal" else value

    def _one(self, binding: One, at: SelectedField) -> Json:
        """At most one row, as an object or null."""
        rows, query = self._visible.one(model_of(at.type), lambda rows: [binding.where(self._site(at, rows))])
        return query.add_columns(self._object(at, rows)).scalar_subquery()

    def _is_visible(self, at: SelectedField) -> Json:
        """True when the field has a row, else null, whatever is selected of it."""
        binding = binding_of(at.field)
        assert isinstance(binding, One)
        _, query = self._visible.one(model_of(at.type), lambda rows: [binding.where(self._site(at, rows))])
        return query.add_columns(literal_column("true")).scalar_subquery()

    def _rows(self, binding: Rows, at: SelectedField) -> Json:
        conditions = list_conditions(binding, at, self._site)
        rows, source = self._visible.first(model_of(at.type), conditions, binding.order, ROWS_MAX)
        return self._list(at, rows, source)

    def _result_rows(self, binding: ResultRows, at: SelectedField) -> Json:
        """The rows of a payload that are rows of no table."""
        result = self._parameter(at, lambda args: orjson.dumps(args[RESULT]).decode(), Text)
        query = select(ALL_COLUMNS).select_from(recordset(result, binding.types))
        return self._list(at, *self._visible.named(query, binding.types))

    def _derived(self, binding: Derived, at: SelectedField) -> Json:
        computed, source = self._visible.computed(binding.sources, self._source_query(at))
        ordered = select(ALL_COLUMNS).select_from(source).order_by(*binding.order.order_by(computed))
        if binding.limit is not None:
            ordered = ordered.limit(integer(binding.limit(self._site(at, computed))))
        return self._list(at, *self._visible.named(ordered, computed.types))

    def _list(self, at: SelectedField, rows: Relation, source: FromClause) -> Json:
        return select(json_list(self._object(at, rows))).select_from(source).scalar_subquery()

    def _object(self, at: SelectedField, rows: Relation) -> Json:
        """A row as an object with what is selected of the field."""
        self._levels += 1
        pairs = [(key, self._field(at.type, fields, parent=rows)) for key, fields in self._collect(at)]
        self._levels -= 1
        return json_object(pairs)

    def _summary(self, binding: Summary, at: SelectedField) -> Json:
        rows, source = self._visible.computed((binding.source,), self._source_query(at))
        shared = self._shared[rows] = {}
        selected = select(self._object(at, rows)).add_cte(*shared.values(), nest_here=True)
        return select(selected.scalar_subquery()).select_from(source).scalar_subquery()

    def _share(self, at: SelectedField, name: str, query: Callable[[], AnySelect]) -> FromClause:
        """The rows of a query that several fields of a summary need; PostgreSQL runs it once."""
        assert at.parent is not None
        shared = self._shared[at.parent]
        if name not in shared:
            shared[name] = query().cte()
        return shared[name].alias()

    def _source_query(self, at: SelectedField) -> SourceQuery:
        return lambda source, rows: source.query(self._site(at, rows))

    def _site(self, at: SelectedField, rows: Relation) -> FieldSite:
        parent = rows if at.parent is None else at.parent
        value, time, share = partial(self._parameter, at), partial(self._time, at), partial(self._share, at)
        return FieldSite(self._principal, at.args, parent, rows, value, time, self._visible.read, share)

    def _parameter(self, at: SelectedField, read: Callable[[Arguments], object], type_: SqlType) -> Expression:
        return self._add_parameter(lambda inputs: _stored(read(at.read_args(inputs))), type_)

    def _time(self, at: SelectedField, read: Callable[[Arguments, datetime], datetime]) -> ColumnElement[datetime]:
        return self._add_parameter(lambda inputs: read(at.read_args(inputs), inputs.now), Time)

    def _add_parameter(self, read: ReadParameter, type_: SqlType) -> Expression:
        name = f"v{len(self._readers)}"
        self._readers[name] = read
        return bindparam(name, type_=type_)


def _payload_field(root_type: GraphQLObjectType, fields: FieldSet) -> SelectedField:
    return SelectedField(root_type.fields[name_of(fields)], fields, {}, lambda _inputs: {}, parent=None)


def _read_result(name: str) -> Callable[[PlanInputs], Arguments]:
    return lambda inputs: {RESULT: inputs.result.get(name)}


def _stored(value: object) -> object:
    return getattr(value, "value", value)  # of an enum, what is stored
