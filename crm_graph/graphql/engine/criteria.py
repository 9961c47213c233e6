"""Criteria: the condition that each field of a filter puts on the rows of its list, declared next to the field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import strawberry
from graphql import GraphQLField, GraphQLInputObjectType, get_nullable_type
from sqlalchemy import ColumnElement

from crm_graph.graphql.engine.bindings import Attribute
from crm_graph.graphql.engine.field_site import Arguments, FieldSite, SqlType
from crm_graph.graphql.engine.library_internals import metadata
from crm_graph.graphql.engine.weights import WEIGHT, Weight
from crm_graph.models.columns import Expression
from crm_graph.values import check_text

CRITERION = "criterion"

CriterionSql: TypeAlias = Callable[[FieldSite, Expression], ColumnElement[bool]]
ReadValue: TypeAlias = Callable[[Any, str], object]  # of a value and its field's name; raises ValidationFailed


@dataclass(frozen=True, slots=True)
class Criterion:
    """A field of a filter: `sql` is the condition, with the value as a parameter that `read` makes of it."""

    sql: CriterionSql
    type_: SqlType
    read: ReadValue


def _checked(value: object, field: str) -> object:
    return check_text(value, field=field) if isinstance(value, str) else value


def criterion(
    sql: CriterionSql,
    type_: SqlType = None,
    *,
    read: ReadValue = _checked,
    doc: str | None = None,
    weight: Weight | None = None,
) -> Attribute:
    """A field of a filter: the rows for which `sql` holds. Omitted or null, it excludes nothing."""
    declared = {CRITERION: Criterion(sql, type_, read)} | ({} if weight is None else {WEIGHT: weight})
    return strawberry.field(default=strawberry.UNSET, description=doc, metadata=declared)


def equals(name: str, *, doc: str | None = None) -> Attribute:
    """A field of a filter: the rows whose column `name` has this value."""
    return criterion(lambda site, value: site.rows.c[name] == value, doc=doc)


def criteria(site: FieldSite, field: GraphQLField) -> list[ColumnElement[bool]]:
    """The conditions of a field's argument `filter`."""
    values: Mapping[str, object] = site.args.get("filter") or {}
    conditions = []
    for name in (name for name, value in values.items() if value is not None):
        type_ = get_nullable_type(field.args["filter"].type)
        assert isinstance(type_, GraphQLInputObjectType)
        declared: Criterion = metadata(type_.fields[name])[CRITERION]
        conditions.append(declared.sql(site, site.value(_from_filter(name, declared), declared.type_)))
    return conditions


def _from_filter(name: str, declared: Criterion) -> Callable[[Arguments], object]:
    return lambda args: declared.read(args["filter"][name], name)
