"""Statements that are compiled once and run on the driver: what every write consists of.

SQLAlchemy's own execution takes longer than PostgreSQL does for them. Values are given by the names of the statement's
parameters, all of them each time: a column's default in Python is SQLAlchemy's business, and it is not asked here.
The owner rule's parameter is `caller`.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from psycopg import AsyncRawCursor
from psycopg.rows import namedtuple_row
from sqlalchemy import ARRAY, BindParameter, Executable, Select, Uuid, bindparam, literal, select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import Delete, Insert, Update
from sqlmodel import SQLModel

from crm_graph.auth import CALLER
from crm_graph.db import driver_connection
from crm_graph.models import table

_DIALECT = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


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
        compiled: Any = self._make().compile(dialect=_DIALECT)  # type: ignore[attr-defined]
        return str(compiled), [_reader(compiled.binds[name]) for name in compiled.positiontup or ()]


def _reader(parameter: BindParameter[Any]) -> Callable[[dict[str, Any]], Any]:
    """Reads a parameter from the values: one that must be given, or a constant of the statement."""
    process = parameter.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    if parameter.key != CALLER and not parameter.key.startswith("_"):
        constant = process(parameter.value) if process else parameter.value
        return lambda _values: constant
    name = parameter.key.removeprefix("_")
    if process is None:
        return lambda values: values[name]
    return lambda values: process(values[name])


def given(model: type[SQLModel], column: str, name: str | None = None) -> BindParameter[Any]:
    """A parameter of the type of a column, called after it or `name`.

    The name has an underscore in front in SQL, because SQLAlchemy keeps the columns' own names for itself.
    """
    return bindparam(f"_{name or column}", type_=table(model).c[column].type, required=True)


def given_ids(name: str) -> BindParameter[Any]:
    """A parameter that is a list of ids."""
    return bindparam(f"_{name}", type_=ARRAY(Uuid), required=True)


def together(*statements: Insert | Update | Delete) -> Select[Any]:
    """Several writes in one round trip. They see the same moment: none of them sees what another one does."""
    return select(literal(1)).add_cte(*(statement.cte(f"w{place}") for place, statement in enumerate(statements)))
