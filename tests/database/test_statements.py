"""Typed rows: a query's rows are of its row class, and a class that does not fit the statement is noticed."""

from typing import NamedTuple

import pytest
from sqlalchemy import Executable, Integer, Text, values
from sqlalchemy import column as column_of

from crm_graph.database.engine import Database
from crm_graph.database.statements import PairQuery, Query


class Name(NamedTuple):
    id: int
    name: str


class Place(NamedTuple):
    place: int


def names_and_places() -> Executable:
    """Two places; the first of them has a name."""
    places = values(column_of("place", Integer), name="places").data([(1,), (2,)])
    names = values(column_of("id", Integer), column_of("name", Text), name="names").data([(1, "one")])
    rows = places.outerjoin(names, names.c.id == places.c.place)
    return rows.select().with_only_columns(names.c.id, names.c.name, places.c.place).order_by(places.c.place)


async def test_a_pair_has_no_first_half_where_nothing_was_joined(database: Database) -> None:
    query = PairQuery(Name, Place, names_and_places)

    async with database.transaction() as transaction:
        pairs = await query.rows(transaction)
        first = await query.one(transaction)

    assert pairs == [(Name(1, "one"), Place(1)), (None, Place(2))]
    assert isinstance(first[0], Name)
    assert first == pairs[0]


async def test_a_row_class_that_does_not_fit_its_statement_is_refused(database: Database) -> None:
    swapped = values(column_of("name", Text), column_of("id", Integer), name="names").data([("one", 1)])
    query = Query(Name, swapped.select)
    pair = PairQuery(Place, Name, names_and_places)

    async with database.transaction() as transaction:
        with pytest.raises(AssertionError, match="the fields of Name are not"):
            await query.rows(transaction)
        with pytest.raises(AssertionError, match="the fields of Place are not"):
            await pair.one(transaction)
