"""What a field of a filter demands of the rows of its list, declared next to the field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLInputObjectType, get_nullable_type
from sqlalchemy import ColumnElement

from crm_graph.graphql.engine.bindings import Arguments, FieldSite, SqlType
from crm_graph.graphql.engine.library_internals import metadata
from crm_graph.values import check_text

CRITERION = "criterion"


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a field of a filter demands of a row, given the value as a parameter."""

    sql: Callable[[FieldSite, ColumnElement[Any]], ColumnElement[bool]]
    type_: SqlType
    read: Callable[[Any, str], Any]


def _checked(value: Any, field: str) -> Any:
    return check_text(value, field=field) if isinstance(value, str) else value


def criterion(
    sql: Callable[[FieldSite, ColumnElement[Any]], ColumnElement[bool]],
    type_: SqlType = None,
    *,
    read: Callable[[Any, str], Any] = _checked,
    doc: str | None = None,
) -> Any:
    """A field of a filter: the rows for which `sql` holds. Left out or null, it demands nothing.

    `read` makes the parameter of what was given under the field's name, and raises ValidationFailed.
    """
    demand = Criterion(sql, type_, read)
    return strawberry.field(default=strawberry.UNSET, description=doc, metadata={CRITERION: demand})


def equals(name: str, *, doc: str | None = None) -> Any:
    """A field of a filter: the rows whose column `name` has this value."""
    return criterion(lambda site, value: site.rows.c[name] == value, doc=doc)


def criteria(site: FieldSite, field: GraphQLField) -> list[ColumnElement[bool]]:
    """What the argument `filter` of a field demands."""
    given: Mapping[str, Any] = site.args.get("filter") or {}
    found = []
    for name in (name for name, value in given.items() if value is not None):
        type_ = get_nullable_type(field.args["filter"].type)
        assert isinstance(type_, GraphQLInputObjectType)
        demand: Criterion = metadata(type_.fields[name])[CRITERION]
        found.append(demand.sql(site, site.value(_from_filter(name, demand), demand.type_)))
    return found


def _from_filter(name: str, demand: Criterion) -> Callable[[Arguments], Any]:
    return lambda args: demand.read(args["filter"][name], name)
