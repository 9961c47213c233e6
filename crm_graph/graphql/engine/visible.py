"""Rows that the caller may see: every table that a query reads is read here, and nowhere without the owner rule.

The rule's alternatives are read one by one wherever many rows may meet it, because an index can serve each of them (in
order, or by itself) where it could not serve both at once.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import count
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Integer, Select, SelectBase, func, literal_column, select, union_all
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from crm_graph.graphql.engine.bindings import Order, Source
from crm_graph.identity.access import alternatives, visible
from crm_graph.identity.principal import Principal
from crm_graph.models import Named, table

ALL: ColumnElement[Any] = literal_column("*")
PLACE = Integer()
NOTHING = Named("nothing", {})  # what a source without a table of its own reads
Wanted = Callable[[Named], list[ColumnElement[bool]]]
Types = Mapping[str, TypeEngine[Any]]
SourceQuery = Callable[[Source, Named], Select[Any]]  # a source's query over the rows of its table


class Visible:
    """Makes the parts of one statement that read tables, each under a name of its own."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal
        self._names = count()

    def one(self, model: type[SQLModel], wanted: Wanted) -> tuple[Named, Select[Any]]:
        """At most one row that is wanted: its name, and a SELECT that still lacks its columns."""
        rows, read = self._table(model)
        where = *wanted(rows), visible(model, self._principal, rows)
        return rows, select().select_from(read).where(*where).limit(whole(1))

    def first(self, model: type[SQLModel], wanted: Wanted, order: Order, limit: int) -> tuple[Named, FromClause]:
        """The first `limit` rows that are wanted, in order: each alternative is read in that order, then merged."""
        rows, read = self._table(model)
        where = wanted(rows)
        arms = [
            select(ALL).select_from(read).where(*where, seen).order_by(*order.by(rows)).limit(whole(limit))
            for seen in alternatives(model, self._principal, rows)
        ]
        types = _types(model)
        if len(arms) == 1:
            return self.named(arms[0], types)
        merged, read = self.named(union_all(*arms), types)
        return self.named(select(ALL).select_from(read).order_by(*order.by(merged)).limit(whole(limit)), types)

    def placed(self, rows: Named, read: FromClause) -> tuple[Named, FromClause]:
        """The same rows with their `place`, from 1."""
        numbered = select(ALL, func.row_number().over().label("place")).select_from(read)
        return self.named(numbered, {**rows.types, "place": PLACE})

    def count(self, model: type[SQLModel], wanted: Wanted) -> ColumnElement[int]:
        """How many rows are wanted."""
        rows, read = self._table(model)
        where = wanted(rows)
        counts = [
            select(func.count()).select_from(read).where(*where, seen).scalar_subquery()
            for seen in alternatives(model, self._principal, rows)
        ]
        return sum(counts[1:], start=counts[0])

    def computed(self, sources: Sequence[Source], query: SourceQuery) -> tuple[Named, FromClause]:
        """The rows of all sources together."""
        found = [self.of(source, query) for source in sources]
        types = {column.name.rpartition(".")[2]: column.type for column in found[0].selected_columns}
        return self.named(found[0] if len(found) == 1 else union_all(*found), types)

    def of(self, source: Source, query: SourceQuery) -> Select[Any]:
        """What a source reads."""
        model = source.model
        if model is None:
            return query(source, NOTHING)
        rows, read = self._table(model)
        if not source.needs:
            return query(source, rows).select_from(read).where(visible(model, self._principal, rows))
        arms = [
            select(*(rows.c[name] for name in source.needs)).select_from(read).where(seen)
            for seen in alternatives(model, self._principal, rows)
        ]
        types = {name: _types(model)[name] for name in source.needs}
        rows, read = self.named(union_all(*arms) if len(arms) > 1 else arms[0], types)
        return query(source, rows).select_from(read)

    def read(self, model: type[SQLModel], *columns: str) -> FromClause:
        """The rows of a table that a report counts, with some of its columns; erased contacts are among them.

        They are to be joined: which index finds them depends on what to, so the rule is one predicate.
        """
        rows, read = self._table(model)
        seen = visible(model, self._principal, rows, erased=True)
        wanted = select(*(rows.c[name].label(name) for name in columns)).select_from(read).where(seen)
        return wanted.subquery(f"t{next(self._names)}")

    def named(self, query: SelectBase, types: Types) -> tuple[Named, FromClause]:
        """The rows of a query: under their name, and as what to select them from."""
        name = f"t{next(self._names)}"
        return Named(name, types), query.subquery(name)

    def _table(self, model: type[SQLModel]) -> tuple[Named, FromClause]:
        name = f"t{next(self._names)}"
        return Named(name, _types(model)), table(model).alias(name)


def whole(number: int) -> ColumnElement[int]:
    """A number that is part of the statement, so that PostgreSQL can plan for it."""
    return literal_column(str(int(number)), PLACE)


@cache
def _types(model: type[SQLModel]) -> dict[str, TypeEngine[Any]]:
    return {column.name: column.type for column in table(model).c}
