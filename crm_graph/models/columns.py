"""The kinds of column that the tables are made of, and how their constraints are named."""

import uuid
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ColumnElement,
    Computed,
    DateTime,
    Enum,
    Index,
    Select,
    String,
    Table,
    Text,
    Uuid,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


def closed_set(kind: type[StrEnum]) -> Any:
    """A closed set as text plus CHECK: readable in SQL, and changed without ALTER TYPE."""
    return Enum(
        kind,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        create_constraint=True,
        length=32,
        name=kind.__name__.lower(),
    )


# Comparisons of addresses and keys must not depend on the cluster's locale.
EmailText = String(320, collation="C")
KeyText = String(200, collation="C")
Time = DateTime(timezone=True)

Columns: TypeAlias = tuple[str, ...]  # names of columns that belong together
# SQLAlchemy's expressions are invariant in their type: one of any type can't be a ColumnElement[object].
Expression: TypeAlias = ColumnElement[Any]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]


def primary_key() -> Any:
    return Field(
        default_factory=uuid.uuid4,
        primary_key=True,
        sa_type=Uuid,
        sa_column_kwargs={"server_default": text("gen_random_uuid()")},
    )


def reference(target: str, **kwargs: Any) -> Any:
    return Field(foreign_key=target, sa_type=Uuid, **kwargs)


def set_at_insert() -> Any:
    return Field(sa_type=Time, sa_column_kwargs={"server_default": text("now()")})


def email_check(column: str = "email") -> CheckConstraint:
    """The normal form of contacts.normal_email, as far as SQL can say it."""
    return CheckConstraint(
        rf"""{column} ~ '^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$' AND {column} !~ '[A-Z]'""",
        name="email_normal_form",
    )


def live_index(name: str, *columns: str, include: tuple[str, ...] = ()) -> Index:
    """An index of the rows that are not deleted."""
    return Index(name, *columns, postgresql_include=list(include), postgresql_where=text("deleted_at IS NULL"))


def given_index(name: str, *columns: str) -> Index:
    """An index of the rows that have the first column, for one that few rows have."""
    return Index(name, *columns, postgresql_where=text(f"{columns[0]} IS NOT NULL"))


def pool_index(name: str, *columns: str, include: tuple[str, ...] = ()) -> Index:
    """An index of the unassigned pool, which behind `owner_id IS NULL` needs one of its own to be read in order."""
    where = text("owner_id IS NULL AND deleted_at IS NULL")
    return Index(name, *columns, postgresql_include=list(include), postgresql_where=where)


class Relation(Protocol):
    """Rows of a statement: a table, or a part of the statement that has a name."""

    @property
    def c(self) -> Any:
        """Its columns, by attribute and by item."""


class Named:
    """A part of a statement under the name that it has there.

    SQLAlchemy's own aliases copy every column of what they name, which takes most of the time that compiling takes.
    """

    def __init__(self, name: str, types: Mapping[str, TypeEngine[Any]]) -> None:
        self.types = types
        self.c = _Columns(name, types)


class _Columns:
    def __init__(self, name: str, types: Mapping[str, TypeEngine[Any]]) -> None:
        self._name, self._types = name, types

    def __contains__(self, column: str) -> bool:
        return column in self._types

    def __getitem__(self, column: str) -> ColumnElement[Any]:
        return literal_column(f"{self._name}.{column}", self._types[column])

    def __getattr__(self, column: str) -> ColumnElement[Any]:
        return self[column]


def table(model: type[SQLModel]) -> Table:
    """The Core table of a model, for statements that name columns."""
    found: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel sets it without declaring it
    return found


def flag() -> Any:
    """A boolean that starts as false."""
    return Field(default=False, sa_column_kwargs={"server_default": text("false")})


def document() -> Any:
    """A JSON object that starts empty."""
    return Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": text("'{}'")})


def extracted(document: str, key: str) -> Any:
    """A text of a JSON document, which PostgreSQL keeps beside it: to read it there, it would unpack all of it."""
    return Field(default=None, sa_type=Text, sa_column_args=[Computed(f"{document} ->> '{key}'", persisted=True)])


def has_key(document: str, key: str) -> Any:
    """Whether a JSON document has a key, which PostgreSQL keeps beside it as well."""
    return Field(default=None, sa_type=Boolean, sa_column_args=[Computed(f"{document} ? '{key}'", persisted=True)])


def version() -> Any:
    """Counts the edits of a row, so that a stale edit can be refused."""
    return Field(default=1, sa_column_kwargs={"server_default": text("1")})
