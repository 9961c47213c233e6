"""Bindings: how a GraphQL field reads the database, declared next to the field. The compiler reads nothing else.

A binding gets a FieldSite and returns a predicate, an expression or a query. It doesn't add the owner rule: the
compiler does, wherever it reads a table. A compiled statement serves every later request of the same shape, so a
binding never sees the text, ids or times of one request; it calls `site.value()` to make a parameter of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, TypeVar, cast

import strawberry
from graphql import GraphQLField, GraphQLObjectType
from sqlalchemy import ColumnElement, and_, func, literal, true
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from crm_graph.errors import ValidationFailed
from crm_graph.graphql.engine.field_site import Arguments, FieldSite
from crm_graph.graphql.engine.library_internals import metadata, python_class, python_name
from crm_graph.graphql.engine.weights import WEIGHT, Weight
from crm_graph.models.columns import AnySelect, Expression, Relation

BINDING, MODEL = "binding", "__model__"
RESULT = "result"  # the argument of a payload's field: what the mutation returned under the field's name
PAGE_DEFAULT, PAGE_MAX = 50, 100

Attribute: TypeAlias = Any  # the default of a class attribute, whose annotation is the field's GraphQL type
Predicate: TypeAlias = Callable[[FieldSite], ColumnElement[bool]]
Query: TypeAlias = Callable[[FieldSite], AnySelect]
FieldArguments: TypeAlias = Callable[..., object]  # its parameters are the field's arguments; it is never called


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value of the parent row."""

    sql: Callable[[FieldSite], Expression]


@dataclass(frozen=True, slots=True)
class Source:
    """A query over the visible rows of `model`. `needs` names the columns that it reads (default: any).

    Without a model, the query reads tables through `site.read`, or only columns of the parent row.
    """

    model: type[SQLModel] | None
    query: Query
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One value computed from visible rows."""

    source: Source


@dataclass(frozen=True, slots=True)
class Order:
    """A total order of rows, all columns ascending or all descending. A cursor holds the values of its columns.

    A keyset can't be compared with null, so `null_as` stands for nulls of the first column.
    """

    columns: tuple[str, ...]
    descending: bool = False
    null_as: object = None

    def keys(self, rows: Relation) -> list[Expression]:
        """The values that order `rows`."""
        first, *others = (rows.c[name] for name in self.columns)
        return [first if self.null_as is None else func.coalesce(first, literal(self.null_as, first.type)), *others]

    def order_by(self, rows: Relation) -> list[Expression]:
        """The expressions for ORDER BY."""
        return [key.desc() if self.descending else key for key in self.keys(rows)]


NEWEST_FIRST = Order(("created_at", "id"), descending=True)


@dataclass(frozen=True, slots=True)
class One:
    """At most one row of the field's type."""

    where: Predicate


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of the field's type that stays small."""

    where: Predicate
    order: Order


@dataclass(frozen=True, slots=True)
class Page:
    """A list that can grow, as a Relay connection with keyset cursors; the argument `orderBy` overrides the order."""

    where: Predicate
    order: Order


@dataclass(frozen=True, slots=True)
class Derived:
    """Rows computed from visible rows, such as totals or search hits; the field's type names their columns."""

    sources: tuple[Source, ...]
    order: Order
    limit: Callable[[FieldSite], int] | None = None


@dataclass(frozen=True, slots=True)
class ResultRows:
    """In a mutation's payload: one row with these columns for each item of the input, as the mutation returned it."""

    types: Mapping[str, TypeEngine[Any]]


@dataclass(frozen=True, slots=True)
class Embedded:
    """Some of the parent row's columns as an object of their own; null when the column `key` is."""

    key: str


@dataclass(frozen=True, slots=True)
class Summary:
    """One row computed from visible rows; the field's type names its columns."""

    source: Source


Binding: TypeAlias = Scalar | Aggregate | One | Rows | Page | Derived | Summary | ResultRows | Embedded
Class = TypeVar("Class", bound=type)


def graphql_type(model: type[SQLModel] | None = None) -> Callable[[Class], Class]:
    """Make a class a GraphQL type over the table of `model`; its docstring becomes the description."""

    def decorate(cls: Class) -> Class:
        type_ = strawberry.type(cls, description=" ".join((cls.__doc__ or "").split()))
        setattr(type_, MODEL, model)
        return type_

    return decorate


def column(
    name: str | None = None, *, doc: str | None = None, graphql_name: str | None = None, weight: Weight | None = None
) -> Attribute:
    """The parent's column `name`, by default the field's own name. `graphql_name` is for names that Python reserves."""
    return strawberry.field(name=graphql_name, description=doc, metadata=_metadata(name, weight))


def computed(
    sql: Callable[[FieldSite], Expression], *, doc: str | None = None, weight: Weight | None = None
) -> Attribute:
    """An SQL expression over the parent row."""
    return _field(Scalar(sql), doc, weight=weight)


def aggregate(
    model: type[SQLModel],
    query: Query,
    *,
    needs: tuple[str, ...] = (),
    doc: str | None = None,
    weight: Weight | None = None,
) -> Attribute:
    """One value over the visible rows of another table."""
    return _field(Aggregate(Source(model, query, needs)), doc, weight=weight)


def to_one(key: str, *, doc: str | None = None) -> Attribute:
    """The row that the parent's foreign key `key` refers to; null when the caller may not see it."""
    return _field(One(lambda site: site.rows.c.id == site.parent.c[key]), doc)


def payload_row(*, doc: str | None = None) -> Attribute:
    """In a mutation's payload: the row whose id the mutation returned under the field's name."""
    return _field(One(lambda site: site.rows.c.id == site.value(lambda args: args[RESULT], None)), doc)


def payload_rows(*, doc: str | None = None, **types: TypeEngine[Any]) -> Attribute:
    """In a mutation's payload: the mappings that the mutation returned under the field's name, one for each item."""
    return _field(ResultRows(types), doc)


def embedded(key: str, *, doc: str | None = None) -> Attribute:
    """An object of the parent row's own columns; null when the column `key` is."""
    return _field(Embedded(key), doc)


def one(where: Predicate, *, args: FieldArguments | None = None, doc: str | None = None) -> Attribute:
    """The row that meets `where`."""
    return _field(One(where), doc, args)


def rows(where: Predicate, order: Order, *, doc: str | None = None, weight: Weight | None = None) -> Attribute:
    """A plain list, for sets that stay small."""
    return _field(Rows(where, order), doc, weight=weight)


def derived(
    *sources: Source,
    order: Order,
    doc: str | None = None,
    args: FieldArguments | None = None,
    limit: Callable[[FieldSite], int] | None = None,
    weight: Weight | None = None,
) -> Attribute:
    """A list of rows computed from the visible rows of other tables."""
    return _field(Derived(sources, order, limit), doc, args, weight)


def summary(
    query: Query, *, doc: str | None = None, args: FieldArguments | None = None, weight: Weight | None = None
) -> Attribute:
    """One row that `query` computes from the tables that it reads through `site.read`."""
    return _field(Summary(Source(None, query)), doc, args, weight)


def page_size(args: Arguments) -> int:
    """The argument `first`; raises ValidationFailed unless it is 1 to 100."""
    first: int = args["first"]
    if not 1 <= first <= PAGE_MAX:
        raise ValidationFailed(f"first must be between 1 and {PAGE_MAX}", field="first")
    return first


First = Annotated[int, strawberry.argument(description=f"The number of rows to return, 1 to {PAGE_MAX}.")]
After = Annotated[
    str | None, strawberry.argument(description="Return the rows after this cursor, such as `pageInfo.endCursor`.")
]


def _page_args(first: First = PAGE_DEFAULT, after: After = strawberry.UNSET) -> None:
    """The arguments of every connection."""


def page(
    order: Order = NEWEST_FIRST,
    *,
    key: str | None = None,
    where: Predicate | None = None,
    args: FieldArguments = _page_args,
    doc: str | None = None,
    weight: Weight | None = None,
) -> Attribute:
    """A connection over the rows whose foreign key `key` refers to the parent and which meet `where`."""

    def condition(site: FieldSite) -> ColumnElement[bool]:
        of_parent = site.rows.c[key] == site.parent.c.id if key else true()
        return and_(of_parent, where(site)) if where else of_parent

    return _field(Page(condition, order), doc, args, weight)


def _field(
    binding: Binding, doc: str | None, args: FieldArguments | None = None, weight: Weight | None = None
) -> Attribute:
    if args is None:
        return strawberry.field(description=doc, metadata=_metadata(binding, weight))
    return strawberry.field(resolver=args, description=doc, metadata=_metadata(binding, weight))


def _metadata(binding: Binding | str | None, weight: Weight | None) -> dict[str, object]:
    return {BINDING: binding} if weight is None else {BINDING: binding, WEIGHT: weight}


def binding_of(field: GraphQLField) -> Binding:
    """The binding of a field; the column of its name unless its declaration says otherwise."""
    binding = metadata(field).get(BINDING)
    if isinstance(binding, str | None):
        name = binding or python_name(field)
        return Scalar(lambda site: site.parent.c[name])
    return cast(Binding, binding)


def model_of(type_: GraphQLObjectType) -> type[SQLModel]:
    """The model that a GraphQL type was declared over."""
    model: type[SQLModel] = getattr(python_class(type_), MODEL)
    return model
