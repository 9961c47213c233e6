"""The kinds of column that the tables are made of, and how their constraints are named."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol, TypeAlias

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ColumnElement,
    Computed,
    DateTime,
    Enum,
    ForeignKey,
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


def closed_set(kind: type[StrEnum]) -> Enum:
    """The type of a column with a closed set of values: text and a CHECK, which changes without ALTER TYPE."""
    return Enum(
        kind,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        create_constraint=True,
        length=32,
        name=kind.__name__.lower(),
    )


# Comparisons of e-mail addresses and keys must not depend on the cluster's locale.
EmailText = String(320, collation="C")
KeyText = String(200, collation="C")
Time = DateTime(timezone=True)

OnDelete: TypeAlias = Literal["CASCADE", "SET NULL"]
Columns: TypeAlias = tuple[str, ...]  # names of columns that belong together
# SQLAlchemy's expressions are invariant in their type: ColumnElement[object] would not accept one of another type.
Expression: TypeAlias = ColumnElement[Any]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]


def primary_key() -> uuid.UUID:
    """A random id."""
    field: uuid.UUID = Field(
        default_factory=uuid.uuid4,
        primary_key=True,
        sa_type=Uuid,
        sa_column_kwargs={"server_default": text("gen_random_uuid()")},
    )
    return field


def reference(
    target: str, *, primary_key: bool = False, index: bool = False, ondelete: OnDelete | None = None
) -> uuid.UUID:
    """The id of a row of another table; `target` is table.column."""
    foreign_key = ForeignKey(target, ondelete=ondelete)
    field: uuid.UUID = Field(primary_key=primary_key, index=index, sa_type=Uuid, sa_column_args=[foreign_key])
    return field


def optional_reference(target: str, *, index: bool = False, ondelete: OnDelete | None = None) -> uuid.UUID | None:
    """A reference that may be null."""
    foreign_key = ForeignKey(target, ondelete=ondelete)
    field: uuid.UUID | None = Field(default=None, index=index, sa_type=Uuid, sa_column_args=[foreign_key])
    return field


def set_at_insert() -> datetime:
    """The time at which the row was inserted."""
    field: datetime = Field(sa_type=Time, sa_column_kwargs={"server_default": text("now()")})
    return field


def email_check(column: str = "email") -> CheckConstraint:
    """The normal form of values.normal_email, as far as SQL can check it."""
    return CheckConstraint(
        rf"""{column} ~ '^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$' AND {column} !~ '[A-Z]'""",
        name="email_normal_form",
    )


def live_index(name: str, *columns: str, include: tuple[str, ...] = ()) -> Index:
    """An index of the rows that are not deleted."""
    return Index(name, *columns, postgresql_include=list(include), postgresql_where=text("deleted_at IS NULL"))


def not_null_index(name: str, *columns: str) -> Index:
    """An index of the rows whose first column is not null; for columns that few rows have."""
    return Index(name, *columns, postgresql_where=text(f"{columns[0]} IS NOT NULL"))


def pool_index(name: str, *columns: str, include: tuple[str, ...] = ()) -> Index:
    """An index of the unassigned pool: an index that starts with owner_id can't return its rows in order."""
    where = text("owner_id IS NULL AND deleted_at IS NULL")
    return Index(name, *columns, postgresql_include=list(include), postgresql_where=where)


class Relation(Protocol):
    """Rows in a statement: a table, or a part of the statement that has a name."""

    @property
    def c(self) -> Any:
        """Its columns, by attribute and by item."""


class Named:
    """A named part of a statement, such as a CTE.

    SQLAlchemy's own aliases copy every column, which takes most of the time of a compilation.
    """

    def __init__(self, name: str, types: Mapping[str, TypeEngine[Any]]) -> None:
        self.types = types
        self.c = _Columns(name, types)


class _Columns:
    def __init__(self, name: str, types: Mapping[str, TypeEngine[Any]]) -> None:
        self._name, self._types = name, types

    def __contains__(self, column: str) -> bool:
        return column in self._types

    def __getitem__(self, column: str) -> Expression:
        return literal_column(f"{self._name}.{column}", self._types[column])

    def __getattr__(self, column: str) -> Expression:
        return self[column]


def table(model: type[SQLModel]) -> Table:
    """The Core table of a model, for statements that name columns."""
    core_table: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel sets it without declaring it
    return core_table


def flag() -> bool:
    """A boolean that starts as false."""
    field: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    return field


def document() -> dict[str, object]:
    """A JSON object that starts empty."""
    field: dict[str, object] = Field(
        default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": text("'{}'")}
    )
    return field


def extracted(document: str, key: str) -> str | None:
    """A text of a JSON document as a generated column, so that PostgreSQL need not unpack the document to read it."""
    computed = Computed(f"{document} ->> '{key}'", persisted=True)
    field: str | None = Field(default=None, sa_type=Text, sa_column_args=[computed])
    return field


def has_key(document: str, key: str) -> bool | None:
    """Whether a JSON document has a key, as a generated column."""
    computed = Computed(f"{document} ? '{key}'", persisted=True)
    field: bool | None = Field(default=None, sa_type=Boolean, sa_column_args=[computed])
    return field


def version() -> int:
    """The number of edits of a row, starting with 1, so that a stale edit can be refused."""
    field: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    return field
