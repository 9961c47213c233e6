"""Statements that are compiled once and run on the driver: what every write consists of.

SQLAlchemy's own execution takes longer than PostgreSQL does for them. Values are given by the names of the statement's
parameters, all of them each time: a column's default in Python is SQLAlchemy's business, and it is not asked here.
The owner rule's parameter is `caller`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import orjson
from psycopg import AsyncRawCursor
from psycopg.rows import namedtuple_row
from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Executable,
    FromClause,
    Select,
    Text,
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
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import Delete, Insert, Update
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel

from crm_graph.database.engine import driver_connection
from crm_graph.models import table
from crm_graph.models.columns import KeyText

Types = Mapping[str, TypeEngine[Any]]
CALLER = "caller"  # the parameter of the owner rule
DIALECT = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


class Prepared:
    """One statement; `make` is called when it is first needed."""

    def __init__(self, make: Callable[[], Executable]) -> None:
        self._make = make

    async def rows(self, session: AsyncSession, **values: Any) -> list[Any]:
        """Its rows, as named tuples. A closed set comes as the text that is stored."""
        cursor = await self._run(session, values)
        return await cursor.fetchall()

    async def one(self, session: AsyncSession, **values: Any) -> Any | None:
        """Its first row, or None."""
        cursor = await self._run(session, values)
        return await cursor.fetchone()

    async def run(self, session: AsyncSession, **values: Any) -> int:
        """Run it for its effect; returns how many rows it touched."""
        return (await self._run(session, values)).rowcount

    async def _run(self, session: AsyncSession, values: dict[str, Any]) -> AsyncRawCursor[Any]:
        sql, readers = self._compiled
        cursor = AsyncRawCursor(driver_connection(session), row_factory=namedtuple_row)
        return await cursor.execute(sql, [read(values) for read in readers])

    @cached_property
    def _compiled(self) -> tuple[str, list[Callable[[dict[str, Any]], Any]]]:
        compiled: Any = self._make().compile(dialect=DIALECT)  # type: ignore[attr-defined]
        return str(compiled), [_reader(compiled.binds[name]) for name in compiled.positiontup or ()]


def _reader(parameter: BindParameter[Any]) -> Callable[[dict[str, Any]], Any]:
    """Reads a parameter from the values: one that must be given, or a constant of the statement."""
    process = binder(parameter)
    if parameter.key != CALLER and not parameter.key.startswith("_"):
        constant = process(parameter.value) if process else parameter.value
        return lambda _values: constant
    name = parameter.key.removeprefix("_")
    if process is None:
        return lambda values: values[name]
    return lambda values: process(values[name])


def binder(parameter: BindParameter[Any]) -> Callable[[Any], Any] | None:
    """What makes of a value what the driver takes; None where it takes it as it is."""
    return parameter.type.dialect_impl(DIALECT).bind_processor(DIALECT)


def given(model: type[SQLModel], column: str, name: str | None = None) -> BindParameter[Any]:
    """A parameter of the type of a column, called after it or `name`.

    The name has an underscore in front in SQL, because SQLAlchemy keeps the columns' own names for itself.
    """
    return bindparam(f"_{name or column}", type_=table(model).c[column].type, required=True)


def given_ids(name: str) -> BindParameter[Any]:
    """A parameter that is a list of ids."""
    return bindparam(f"_{name}", type_=ARRAY(Uuid), required=True)


def given_texts(name: str) -> BindParameter[Any]:
    """A parameter that is a list of texts, compared as keys are."""
    return bindparam(f"_{name}", type_=ARRAY(KeyText), required=True)


def types_of(model: type[SQLModel], *names: str, **others: str) -> dict[str, TypeEngine[Any]]:
    """The types of a model's columns, for rows that are given; `now="updated_at"` is one under another name."""
    columns = table(model).c
    return {name: columns[of].type for name, of in {**{name: name for name in names}, **others}.items()}


def given_row(types: Types) -> FromClause:
    """A row whose values are parameters: what a statement over `given_rows` is run with when there is only one."""
    values = (bindparam(f"_{name}", type_=type_, required=True).label(name) for name, type_ in types.items())
    return select(*values).subquery("new")


def given_rows(name: str, types: Types) -> FromClause:
    """A parameter that is a list of rows, mappings from these names to values that JSON can hold, ids and times."""
    return select(recordset(bindparam(f"_{name}", type_=_Rows, required=True), types)).cte(name)


def recordset(rows: ColumnElement[Any], types: Types) -> FromClause:
    """The rows of a text that is a JSON array of objects."""
    columns = (column(name, type_) for name, type_ in types.items())
    listed = func.jsonb_to_recordset(cast(rows, JSONB)).table_valued(*columns)
    return listed.render_derived(name="listed", with_types=True)


def sent_rows() -> TypeEngine[Any]:
    """The type of a parameter that is a list of rows, as a text that is a JSON array of objects."""
    return _Rows()


class _Rows(TypeDecorator[Sequence[Mapping[str, Any]]]):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str:
        return orjson.dumps(value).decode()


def together(*statements: Insert | Update | Delete, beside: Select[Any] | None = None) -> Select[Any]:
    """Several writes in one round trip, and what is selected `beside` them.

    They see the same moment: none of them sees what another one does.
    """
    selected = select(literal(1)) if beside is None else beside
    return selected.add_cte(*(statement.cte(f"w{place}") for place, statement in enumerate(statements)))


def in_sql(sql: str, **types: TypeEngine[Any]) -> Prepared:
    """A statement in SQL's own words, where `:_name` stands for the parameter `name`."""
    parameters = [bindparam(f"_{name}", type_=type_, required=True) for name, type_ in types.items()]
    return Prepared(lambda: text(sql).bindparams(*parameters))
