"""Statements that are compiled once and run on the driver: what every write consists of.

SQLAlchemy's own execution takes longer than PostgreSQL does for them. Values are given by the names of the statement's
parameters, all of them each time: a column's default in Python is SQLAlchemy's business, and it is not asked here.
The owner rule's parameter is `caller`.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import orjson
from psycopg import AsyncCursor, AsyncRawCursor
from psycopg.rows import AsyncRowFactory, namedtuple_row, tuple_row
from sqlalchemy import (
    ARRAY,
    BindParameter,
    ClauseElement,
    ColumnElement,
    Executable,
    FromClause,
    Select,
    Text,
    TextClause,
    Uuid,
    bindparam,
    cast,
    column,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Delete, Insert, Update
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel

from crm_graph.database import sql_files
from crm_graph.database.engine import Transaction
from crm_graph.models.columns import KeyText, Relation, table

Types = Mapping[str, TypeEngine[Any]]
Reader: TypeAlias = Callable[[Mapping[str, object]], object]
T = TypeVar("T")
Row = TypeVar("Row", bound=NamedTuple)
Beside = TypeVar("Beside", bound=NamedTuple)
CALLER = "caller"  # the parameter of the owner rule
DIALECT = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


class Statement:
    """One statement, compiled when it is first needed, from what `make` returns."""

    def __init__(self, make: Callable[[], Executable]) -> None:
        self._make = make

    async def rows(self, transaction: Transaction, **values: object) -> list[Any]:
        """Its rows, as named tuples. A closed set comes as the text that is stored."""
        cursor = await self._run(transaction, values, namedtuple_row)
        return await cursor.fetchall()

    async def one(self, transaction: Transaction, **values: object) -> Any | None:
        """Its first row, or None."""
        cursor = await self._run(transaction, values, namedtuple_row)
        return await cursor.fetchone()

    async def run(self, transaction: Transaction, **values: object) -> int:
        """Run it for its effect; returns how many rows it touched."""
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
    """A statement that is run for its rows. Each becomes a `row`: a NamedTuple of the columns, in order.

    A closed set comes as the text that is stored.
    """

    def __init__(self, row: type[Row], make: Callable[[], Executable]) -> None:
        self._row, self._statement, self._fits = row, Statement(make), False

    async def rows(self, transaction: Transaction, **values: object) -> list[Row]:
        """All of its rows."""
        cursor = await self._statement._run(transaction, values, self._reader)
        return await cursor.fetchall()

    async def one(self, transaction: Transaction, **values: object) -> Row | None:
        """Its first row, or None."""
        cursor = await self._statement._run(transaction, values, self._reader)
        return await cursor.fetchone()

    def _reader(self, cursor: AsyncCursor[Any]) -> Callable[[Sequence[Any]], Row]:
        if not self._fits:
            _check_columns(cursor, self._row._fields, self._row.__name__)
            self._fits = True
        return self._row._make


class IdRow(NamedTuple):
    """A row of which only the id is needed."""

    id: uuid.UUID


class PairQuery(Generic[Row, Beside]):
    """A query over an outer join: it selects the columns of `row`, then those of `beside`, and each row becomes a pair.

    The first half is None where nothing was joined, which is where its first column is NULL.
    """

    def __init__(self, row: type[Row], beside: type[Beside], make: Callable[[], Executable]) -> None:
        self._row, self._beside, self._statement, self._fits = row, beside, Statement(make), False

    async def rows(self, transaction: Transaction, **values: object) -> list[tuple[Row | None, Beside]]:
        """All of its pairs."""
        cursor = await self._statement._run(transaction, values, self._reader)
        return await cursor.fetchall()

    async def one(self, transaction: Transaction, **values: object) -> tuple[Row | None, Beside]:
        """Its first pair. The statement starts from something that is always there, so it has one."""
        cursor = await self._statement._run(transaction, values, self._reader)
        pair = await cursor.fetchone()
        assert pair is not None, "the statement starts from a row that is always there"
        return pair

    def _reader(self, cursor: AsyncCursor[Any]) -> Callable[[Sequence[Any]], tuple[Row | None, Beside]]:
        width, make, make_beside = len(self._row._fields), self._row._make, self._beside._make
        if not self._fits:
            _check_columns(cursor, self._row._fields + self._beside._fields, self._row.__name__)
            self._fits = True
        return lambda values: (
            make(values[:width]) if values[0] is not None else None,
            make_beside(values[width:]),
        )


def _check_columns(cursor: AsyncCursor[Any], names: tuple[str, ...], what: str) -> None:
    columns = tuple(column.name for column in cursor.description or ())
    assert columns == names, f"{what} does not fit its statement: {columns}"


def columns_of(row: type[NamedTuple], rows: Relation) -> list[ColumnElement[Any]]:
    """The columns of a table, or of an alias, that a row class has as its fields: what to select for a Query."""
    return [rows.c[name] for name in row._fields]


def compile_statement(statement: Executable) -> tuple[str, list[BindParameter[Any]]]:
    """A statement's SQL, and the parameters that $1, $2, ... stand for."""
    assert isinstance(statement, ClauseElement)
    compiled = statement.compile(dialect=DIALECT)
    assert isinstance(compiled, SQLCompiler)
    return str(compiled), [compiled.binds[name] for name in compiled.positiontup or ()]


def _reader(parameter: BindParameter[Any]) -> Reader:
    """Reads a parameter from the values: one that must be given, or a constant of the statement."""
    process = binder(parameter)
    if parameter.key != CALLER and not parameter.key.startswith("_"):
        constant = process(parameter.value) if process else parameter.value
        return lambda _values: constant
    name = parameter.key.removeprefix("_")
    if process is None:
        return lambda values: values[name]
    return lambda values: process(values[name])


def binder(parameter: BindParameter[Any]) -> Callable[[object], object] | None:
    """What makes of a value what the driver takes; None where it takes it as it is."""
    return parameter.type.dialect_impl(DIALECT).bind_processor(DIALECT)


def param(model: type[SQLModel], column: str, name: str | None = None) -> BindParameter[Any]:
    """A parameter of the type of a column, called after it or `name`.

    The name has an underscore in front in SQL, because SQLAlchemy keeps the columns' own names for itself.
    """
    return bindparam(f"_{name or column}", type_=table(model).c[column].type, required=True)


def id_list(name: str) -> BindParameter[Any]:
    """A parameter that is a list of ids."""
    return bindparam(f"_{name}", type_=ARRAY(Uuid), required=True)


def text_list(name: str) -> BindParameter[Any]:
    """A parameter that is a list of texts, compared as keys are."""
    return bindparam(f"_{name}", type_=ARRAY(KeyText), required=True)


def types_of(model: type[SQLModel], *names: str, **others: str) -> dict[str, TypeEngine[Any]]:
    """The types of a model's columns, for rows that are given; `now="updated_at"` is one under another name."""
    columns = table(model).c
    return {name: columns[of].type for name, of in {**{name: name for name in names}, **others}.items()}


def param_row(types: Types) -> FromClause:
    """A row whose values are parameters: what a statement over `param_rows` is run with when there is only one."""
    values = (bindparam(f"_{name}", type_=type_, required=True).label(name) for name, type_ in types.items())
    return select(*values).subquery("new")


def param_rows(name: str, types: Types) -> FromClause:
    """A parameter that is a list of rows, mappings from these names to values that JSON can hold, ids and times."""
    return select(recordset(bindparam(f"_{name}", type_=_Rows, required=True), types)).cte(name)


def recordset(rows: ColumnElement[Any], types: Types) -> FromClause:
    """The rows of a text that is a JSON array of objects."""
    columns = (column(name, type_) for name, type_ in types.items())
    listed = func.jsonb_to_recordset(cast(rows, JSONB)).table_valued(*columns)
    return listed.render_derived(name="listed", with_types=True)


def rows_param_type() -> TypeEngine[Any]:
    """The type of a parameter that is a list of rows, as a text that is a JSON array of objects."""
    return _Rows()


class _Rows(TypeDecorator[Sequence[Mapping[str, Any]]]):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str:
        return orjson.dumps(value).decode()


def combined(*statements: Insert | Update | Delete, beside: Select[Any] | None = None) -> Select[Any]:
    """Several writes in one round trip, and what is selected `beside` them.

    They see the same moment: none of them sees what another one does.
    """
    selected = select(literal(1)) if beside is None else beside
    return selected.add_cte(*(statement.cte(f"w{place}") for place, statement in enumerate(statements)))


def from_file(name: str, **types: TypeEngine[Any]) -> Callable[[], TextClause]:
    """Makes the statement of a file in `sql/queries/`, whose parameters have these types: for Statement or Query."""

    def make() -> TextClause:
        sql, names = sql_files.read_statement(f"queries/{name}")
        assert names == types.keys(), f"{name} has other parameters: {names ^ types.keys()}"
        return text(sql).bindparams(*(bindparam(f"_{name}", type_=types[name], required=True) for name in types))

    return make
