"""Statements that are compiled once and run on the driver: the hot path to the database.

SQLAlchemy would need longer to execute them than PostgreSQL does. Each run passes values for all parameters, by name;
column defaults in Python do not apply. The owner rule's parameter is `caller`.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import orjson
from psycopg import AsyncCursor, AsyncRawCursor
from psycopg.rows import AsyncRowFactory, tuple_row
from sqlalchemy import (
    ARRAY,
    BindParameter,
    ClauseElement,
    Dialect,
    Executable,
    FromClause,
    Text,
    TextClause,
    Uuid,
    bindparam,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg, PGDialect_psycopg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Delete, Insert, Update
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel

from crm_graph.database import sql_files
from crm_graph.database.engine import Transaction
from crm_graph.low_priority import give_way
from crm_graph.models.columns import AnySelect, Expression, KeyText, Relation, table

# SQLAlchemy's generic classes are invariant: one of any type can't be, for example, a TypeEngine[object].
AnyType: TypeAlias = TypeEngine[Any]
AnyParam: TypeAlias = BindParameter[Any]
Types: TypeAlias = Mapping[str, AnyType]
Reader: TypeAlias = Callable[[Mapping[str, object]], object]
T = TypeVar("T")
Row = TypeVar("Row", bound=NamedTuple)
Beside = TypeVar("Beside", bound=NamedTuple)
CALLER = "caller"  # the parameter of the owner rule


class _Compiler(PGCompiler_psycopg):
    """SQLAlchemy's compiler, which gives way between the parts of a large statement."""

    def visit_select(self, *args: Any, **kw: Any) -> Any:
        give_way()
        return super().visit_select(*args, **kw)  # type: ignore[no-untyped-call]


class _Dialect(PGDialect_psycopg):
    statement_compiler = _Compiler
    supports_statement_cache = True


DIALECT = _Dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


class Statement:
    """A statement that is run for its effect. `make` builds it; it is compiled when it is first run."""

    def __init__(self, make: Callable[[], Executable]) -> None:
        self._make = make

    async def run(self, transaction: Transaction, **values: object) -> int:
        """Run it; returns how many rows it affected."""
        return (await self._run(transaction, values, tuple_row)).rowcount

    async def _run(
        self, transaction: Transaction, values: Mapping[str, object], row_factory: AsyncRowFactory[T]
    ) -> AsyncRawCursor[T]:
        sql, readers = self._compiled
        cursor = AsyncRawCursor(transaction.driver, row_factory=row_factory)
        return await cursor.execute(sql, [read(values) for read in readers])

    @cached_property
    def _compiled(self) -> tuple[str, list[Reader]]:
        sql, parameters = compile_statement(self._make())
        return sql, [_reader(parameter) for parameter in parameters]


class Query(Generic[Row]):
    """A statement that is run for its rows. Each becomes a `row`, a NamedTuple with the same fields as the columns.

    An enum's value comes as the text that is stored.
    """

    def __init__(self, row: type[Row], make: Callable[[], Executable]) -> None:
        self._row, self._statement, self._fits = row, Statement(make), False

    async def rows(self, transaction: Transaction, **values: object) -> list[Row]:
        """All rows."""
        cursor = await self._statement._run(transaction, values, self._reader)
        return await cursor.fetchall()

    async def one(self, transaction: Transaction, **values: object) -> Row | None:
        """The first row, or None."""
        cursor = await self._statement._run(transaction, values, self._reader)
        return await cursor.fetchone()

    def _reader(self, cursor: AsyncCursor[object]) -> Callable[[Sequence[object]], Row]:
        if not self._fits:
            _check_columns(cursor, self._row._fields, self._row.__name__)
            self._fits = True
        return self._row._make


class IdRow(NamedTuple):
    """A row with nothing but an id."""

    id: uuid.UUID


class PairQuery(Generic[Row, Beside]):
    """A query over an outer join: it selects the columns of `row`, then those of `beside`; each row becomes a pair.

    The first half is None where its first column is NULL: nothing was joined there.
    """

    def __init__(self, row: type[Row], beside: type[Beside], make: Callable[[], Executable]) -> None:
        self._row, self._beside, self._statement, self._fits = row, beside, Statement(make), False

    async def rows(self, transaction: Transaction, **values: object) -> list[tuple[Row | None, Beside]]:
        """All pairs."""
        cursor = await self._statement._run(transaction, values, self._reader)
        return await cursor.fetchall()

    async def one(self, transaction: Transaction, **values: object) -> tuple[Row | None, Beside]:
        """The first pair. The statement must start from a row that always exists."""
        cursor = await self._statement._run(transaction, values, self._reader)
        pair = await cursor.fetchone()
        assert pair is not None, "the statement must start from a row that always exists"
        return pair

    def _reader(self, cursor: AsyncCursor[object]) -> Callable[[Sequence[object]], tuple[Row | None, Beside]]:
        width, make, make_beside = len(self._row._fields), self._row._make, self._beside._make
        if not self._fits:
            _check_columns(cursor, self._row._fields + self._beside._fields, self._row.__name__)
            self._fits = True
        return lambda values: (
            make(values[:width]) if values[0] is not None else None,
            make_beside(values[width:]),
        )


def _check_columns(cursor: AsyncCursor[object], names: tuple[str, ...], what: str) -> None:
    columns = tuple(column.name for column in cursor.description or ())
    assert columns == names, f"the fields of {what} are not the columns of its statement: {columns}"


def columns_of(row: type[NamedTuple], rows: Relation) -> list[Expression]:
    """The columns of a table or alias that are the fields of a row class: what a Query selects."""
    return [rows.c[name] for name in row._fields]


def compile_statement(statement: Executable) -> tuple[str, list[AnyParam]]:
    """A statement's SQL, and the parameters that $1, $2, ... stand for."""
    assert isinstance(statement, ClauseElement)
    compiled = statement.compile(dialect=DIALECT)
    assert isinstance(compiled, SQLCompiler)
    return str(compiled), [compiled.binds[name] for name in compiled.positiontup or ()]


def _reader(parameter: AnyParam) -> Reader:
    """A function that reads a parameter's value: from the values of the run, or a constant of the statement."""
    process = binder(parameter)
    if parameter.key != CALLER and not parameter.key.startswith("_"):
        constant = process(parameter.value) if process else parameter.value
        return lambda _values: constant
    name = parameter.key.removeprefix("_")
    if process is None:
        return lambda values: values[name]
    return lambda values: process(values[name])


def binder(parameter: AnyParam) -> Callable[[object], object] | None:
    """A function that converts a value for the driver; None if the driver takes it unchanged."""
    return parameter.type.dialect_impl(DIALECT).bind_processor(DIALECT)


def param(model: type[SQLModel], column: str, name: str | None = None) -> AnyParam:
    """A parameter with the type of a column, named like the column or `name`.

    In SQL, an underscore precedes the name, since SQLAlchemy reserves the column names.
    """
    return bindparam(f"_{name or column}", type_=table(model).c[column].type, required=True)


def id_list(name: str) -> AnyParam:
    """A parameter that is a list of ids."""
    return bindparam(f"_{name}", type_=ARRAY(Uuid), required=True)


def text_list(name: str) -> AnyParam:
    """A parameter that is a list of texts, in the collation of keys."""
    return bindparam(f"_{name}", type_=ARRAY(KeyText), required=True)


def types_of(model: type[SQLModel], *names: str, **others: str) -> dict[str, AnyType]:
    """The types of a model's columns, for rows of parameters; `now="updated_at"` gives one another name."""
    columns = table(model).c
    return {name: columns[of].type for name, of in {**{name: name for name in names}, **others}.items()}


def param_row(types: Types) -> FromClause:
    """A row whose values are parameters: a statement over `param_rows` uses it when there is a single row."""
    values = (bindparam(f"_{name}", type_=type_, required=True).label(name) for name, type_ in types.items())
    return select(*values).subquery("new")


def param_rows(name: str, types: Types) -> FromClause:
    """A parameter that is a list of rows: mappings from these names to JSON values, ids or times."""
    return select(recordset(bindparam(f"_{name}", type_=_Rows, required=True), types)).cte(name)


def recordset(rows: Expression, types: Types) -> FromClause:
    """The objects of a JSON array, which is passed as text, as rows."""
    columns = (column(name, type_) for name, type_ in types.items())
    listed = func.jsonb_to_recordset(cast(rows, JSONB)).table_valued(*columns)
    return listed.render_derived(name="listed", with_types=True)


def rows_param_type() -> AnyType:
    """The type of a parameter that is a list of rows, passed as the text of a JSON array of objects."""
    return _Rows()


class _Rows(TypeDecorator[Sequence[Mapping[str, object]]]):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[Mapping[str, object]] | None, dialect: Dialect) -> str:
        return orjson.dumps(value).decode()


def combined(*statements: Insert | Update | Delete, beside: AnySelect | None = None) -> AnySelect:
    """Several writes in one round trip, plus the columns that `beside` selects.

    All see the same snapshot: no write sees the effect of another.
    """
    selected: AnySelect = select(literal(1)) if beside is None else beside
    return selected.add_cte(*(statement.cte(f"w{place}") for place, statement in enumerate(statements)))


def json_object(**values: Expression) -> Expression:
    """A JSON object of SQL expressions."""
    parts: list[Expression] = []
    for name, value in values.items():
        parts += literal_column(f"'{name}'"), value
    return func.jsonb_build_object(*parts, type_=JSONB)


def from_file(name: str, **types: AnyType) -> Callable[[], TextClause]:
    """A `make` for Statement or Query: the statement of a file in `sql/queries/`, with parameters of these types."""

    def make() -> TextClause:
        sql, names = sql_files.read_statement(f"queries/{name}")
        assert names == types.keys(), f"{name} has other parameters than were declared: {names ^ types.keys()}"
        return text(sql).bindparams(*(bindparam(f"_{name}", type_=types[name], required=True) for name in types))

    return make
