"""The scope of a report, and the lists that its rows have as JSON."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Double,
    FromClause,
    Numeric,
    Text,
    Uuid,
    and_,
    func,
    literal_column,
    true,
)
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from crm_graph.errors import ValidationFailed
from crm_graph.models.columns import AnySelect, Expression

PERIOD = timedelta(days=90)  # the default
_EARLIEST = datetime.min.replace(tzinfo=UTC)

ZERO: ColumnElement[int] = literal_column("0")
CENTS: ColumnElement[int] = literal_column("2")  # decimals of an amount
NO_AMOUNT: ColumnElement[Decimal] = literal_column("0.00")
NO_ROWS: Expression = literal_column("'[]'::jsonb")

# Runs a query once, under a name, for all figures that need it.
Share: TypeAlias = Callable[[str, Callable[[], AnySelect]], FromClause]
Columns: TypeAlias = Mapping[str, TypeEngine[Any]]


class ColumnsByName(Protocol):
    """Columns of rows, such as a mapping or the columns of a subquery."""

    def __getitem__(self, name: str, /) -> Expression: ...


class Read(Protocol):
    """Gives the rows of a table that the caller may see, with the named columns."""

    def __call__(self, model: type[SQLModel], *columns: str) -> FromClause: ...


TOTALS: Columns = {"currency": Text(), "amount": Numeric()}
WEIGHTED_TOTALS: Columns = {**TOTALS, "weighted_amount": Numeric()}
FORECAST: Columns = {"month": Date(), "deals": BigInteger(), **WEIGHTED_TOTALS}
CONVERSIONS: Columns = {"to_stage_id": Uuid(), "moves": BigInteger(), "rate": Double()}
REASONS: Columns = {"reason": Text(), "deals": BigInteger()}


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows that `read` gives, in a period that ends before `until`, in one pipeline or in all."""

    read: Read
    since: ColumnElement[datetime]
    until: ColumnElement[datetime]
    pipeline_id: ColumnElement[uuid.UUID] | None = None
    share: Share = lambda _name, query: query().subquery()

    def within(self, time: ColumnElement[datetime]) -> ColumnElement[bool]:
        """Whether a time is in the period."""
        return and_(time >= self.since, time < self.until)

    def includes(self, pipeline_id: ColumnElement[uuid.UUID]) -> ColumnElement[bool]:
        """Whether a pipeline is in the scope."""
        return true() if self.pipeline_id is None else and_(pipeline_id == self.pipeline_id)


def period(since: datetime | None, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """The start and the end of a period; by default it ends now, and starts 90 days before its end.

    Raises ValidationFailed for a period that ends before it starts.
    """
    until = until or now
    since = since or max(until, _EARLIEST + PERIOD) - PERIOD
    if since >= until:
        raise ValidationFailed(f"from must be before to, which is {until.isoformat()}", field="from")
    return since, until


def is_one_of(value: Expression, *members: StrEnum) -> ColumnElement[bool]:
    """Whether a value is one of these. They are literals: PostgreSQL uses no partial index for a parameter."""
    return value.in_([literal_column(f"'{member.value}'") for member in members])


def weighted(by_stage: FromClause, stages: FromClause) -> ColumnElement[Decimal]:
    """The expected value of amounts that were summed by stage."""
    return func.round(func.sum(by_stage.c.amount * stages.c.probability), CENTS)


def json_rows(columns: Columns, rows: ColumnsByName, where: ColumnElement[bool] | None = None) -> Expression:
    """The rows with these columns as a JSON array, for a row of the report."""
    pairs: list[Expression] = []
    for name in columns:
        pairs += [literal_column(f"'{name}'"), rows[name]]
    objects = func.jsonb_agg(func.jsonb_build_object(*pairs))
    return func.coalesce(objects if where is None else objects.filter(where), NO_ROWS)
