"""The rows that the caller may see: every table that a query reads is read here, always under the owner rule.

The rule is a list of alternatives. Where many rows may meet it, each alternative is read by itself, because an index
can serve each of them (in order, or alone) but not all at once.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import count
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, FromClause, Integer, SelectBase, func, literal_column, select, union_all
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from crm_graph.graphql.engine.bindings import Order, Source
from crm_graph.identity.access import alternatives, visible
from crm_graph.identity.principal import Principal
from crm_graph.low_priority import give_way
from crm_graph.models.columns import AnySelect, Expression, Named, table

ALL_COLUMNS: Expression = literal_column("*")
ROW_NUMBER = "row_number"  # of a page; no table has a column of this name
NO_TABLE = Named("nothing", {})  # the rows of a source without a table of its own
Conditions: TypeAlias = Callable[[Named], list[ColumnElement[bool]]]
Types: TypeAlias = Mapping[str, TypeEngine[Any]]
SourceQuery: TypeAlias = Callable[[Source, Named], AnySelect]  # a source's query over the rows of its table


class Visible:
    """Builds the parts of one statement that read tables, each under a name of its own."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal
        self._names = count()

    def one(self, model: type[SQLModel], conditions: Conditions) -> tuple[Named, AnySelect]:
        """At most one row that meets the conditions: its name, and a SELECT that still lacks its columns."""
        rows, source = self._table(model)
        where = *conditions(rows), visible(model, self._principal, rows)
        return rows, select().select_from(source).where(*where).limit(integer(1))

    def first(
        self, model: type[SQLModel], conditions: Conditions, order: Order, limit: int
    ) -> tuple[Named, FromClause]:
        """The first `limit` rows that meet the conditions: each alternative is read in order, then they are merged."""
        rows, source = self._table(model)
        where = conditions(rows)
        arms = [
            select(ALL_COLUMNS)
            .select_from(source)
            .where(*where, alternative)
            .order_by(*order.order_by(rows))
            .limit(integer(limit))
            for alternative in alternatives(model, self._principal, rows)
        ]
        types = _types(model)
        if len(arms) == 1:
            return self.named(arms[0], types)
        merged, source = self.named(union_all(*arms), types)
        ordered = select(ALL_COLUMNS).select_from(source).order_by(*order.order_by(merged))
        return self.named(ordered.limit(integer(limit)), types)

    def numbered(self, rows: Named, source: FromClause) -> tuple[Named, FromClause]:
        """The same rows with a column `row_number`, from 1."""
        numbered = select(ALL_COLUMNS, func.row_number().over().label(ROW_NUMBER)).select_from(source)
        return self.named(numbered, {**rows.types, ROW_NUMBER: Integer()})

    def count(self, model: type[SQLModel], conditions: Conditions) -> ColumnElement[int]:
        """How many rows meet the conditions."""
        rows, source = self._table(model)
        where = conditions(rows)
        counts = [
            select(func.count()).select_from(source).where(*where, alternative).scalar_subquery()
            for alternative in alternatives(model, self._principal, rows)
        ]
        return sum(counts[1:], start=counts[0])

    def computed(self, sources: Sequence[Source], query: SourceQuery) -> tuple[Named, FromClause]:
        """The rows of all sources together."""
        queries = [self.query(source, query) for source in sources]
        types = {column.name.rpartition(".")[2]: column.type for column in queries[0].selected_columns}
        return self.named(queries[0] if len(queries) == 1 else union_all(*queries), types)

    def query(self, source: Source, query: SourceQuery) -> AnySelect:
        """The query of a source over the visible rows of its table."""
        give_way()
        model = source.model
        if model is None:
            return query(source, NO_TABLE)
        rows, read = self._table(model)
        if not source.needs:
            return query(source, rows).select_from(read).where(visible(model, self._principal, rows))
        arms = [
            select(*(rows.c[name] for name in source.needs)).select_from(read).where(alternative)
            for alternative in alternatives(model, self._principal, rows)
        ]
        types = {name: _types(model)[name] for name in source.needs}
        rows, read = self.named(union_all(*arms) if len(arms) > 1 else arms[0], types)
        return query(source, rows).select_from(read)

    def read(self, model: type[SQLModel], *columns: str) -> FromClause:
        """The rows of a table that a report counts, with some of its columns; erased contacts are among them.

        The owner rule is one predicate here: reports join these rows, and which index finds them depends on the join.
        """
        rows, source = self._table(model)
        is_visible = visible(model, self._principal, rows, erased=True)
        selected = select(*(rows.c[name].label(name) for name in columns)).select_from(source).where(is_visible)
        return selected.subquery(f"t{next(self._names)}")

    def named(self, query: SelectBase, types: Types) -> tuple[Named, FromClause]:
        """The rows of a query: by name, and as what to select them from."""
        name = f"t{next(self._names)}"
        return Named(name, types), query.subquery(name)

    def _table(self, model: type[SQLModel]) -> tuple[Named, FromClause]:
        name = f"t{next(self._names)}"
        return Named(name, _types(model)), table(model).alias(name)


def integer(number: int) -> ColumnElement[int]:
    """A number that is written into the statement, so that PostgreSQL can plan for it."""
    return literal_column(str(int(number)), Integer())


@cache
def _types(model: type[SQLModel]) -> dict[str, TypeEngine[Any]]:
    return {column.name: column.type for column in table(model).c}
