"""What a report is about, and the lists that its rows carry as JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Double,
    FromClause,
    Numeric,
    Select,
    Text,
    Uuid,
    and_,
    func,
    literal_column,
    true,
)
from sqlalchemy.types import TypeEngine

from crm_graph.errors import ValidationFailed

PERIOD = timedelta(days=90)  # when a report doesn't say from when
_EARLIEST = datetime.min.replace(tzinfo=UTC)

ZERO: ColumnElement[int] = literal_column("0")
CENTS: ColumnElement[int] = literal_column("2")  # decimals
NO_AMOUNT: ColumnElement[Any] = literal_column("0.00")
NO_ROWS: ColumnElement[Any] = literal_column("'[]'::jsonb")

Read = Callable[..., FromClause]  # read(model, *columns): the rows that the caller may see
Share = Callable[[str, Callable[[], Select[Any]]], FromClause]  # a query that several figures need, by a name
Columns = Mapping[str, TypeEngine[Any]]

TOTALS: Columns = {"currency": Text(), "amount": Numeric()}
WEIGHTED_TOTALS: Columns = {**TOTALS, "weighted_amount": Numeric()}
FORECAST: Columns = {"month": Date(), "deals": BigInteger(), **WEIGHTED_TOTALS}
CONVERSIONS: Columns = {"to_stage_id": Uuid(), "moves": BigInteger(), "rate": Double()}
REASONS: Columns = {"reason": Text(), "deals": BigInteger()}


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows that `read` gives, of a period that ends before `until`; of one pipeline, or of all."""

    read: Read
    since: ColumnElement[Any]
    until: ColumnElement[Any]
    pipeline_id: ColumnElement[Any] | None = None
    share: Share = lambda _name, query: query().subquery()

    def within(self, time: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether it happened in the period."""
        return and_(time >= self.since, time < self.until)

    def includes(self, pipeline_id: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether it belongs to the pipeline."""
        return true() if self.pipeline_id is None else and_(pipeline_id == self.pipeline_id)


def period(since: datetime | None, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """From when until before when: until now, and from 90 days before, unless it is said.

    Raises ValidationFailed for a period that ends before it begins.
    """
    until = until or now
    since = since or max(until, _EARLIEST + PERIOD) - PERIOD
    if since >= until:
        raise ValidationFailed(f"from must lie before to, which is {until.isoformat()}", field="from")
    return since, until


def is_one(value: ColumnElement[Any], *members: StrEnum) -> ColumnElement[bool]:
    """Whether a value is one of these, which are written out: to a parameter, a partial index is no help."""
    return value.in_([literal_column(f"'{member.value}'") for member in members])


def weighted(by_stage: FromClause, stages: FromClause) -> ColumnElement[Any]:
    """What to expect of amounts that were summed by stage."""
    return func.round(func.sum(by_stage.c.amount * stages.c.probability), CENTS)


def listed(columns: Columns, rows: Any, where: ColumnElement[bool] | None = None) -> ColumnElement[Any]:
    """The rows with these columns as a JSON array, which a row of the report carries."""
    pairs: list[ColumnElement[Any]] = []
    for name in columns:
        pairs += [literal_column(f"'{name}'"), rows[name]]
    found: Any = func.jsonb_agg(func.jsonb_build_object(*pairs))
    return func.coalesce(found if where is None else found.filter(where), NO_ROWS)
