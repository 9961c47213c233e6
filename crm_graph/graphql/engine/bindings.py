"""How a GraphQL field is bound to the database, declared next to the field; the compiler reads nothing else.

A binding gets a FieldSite: the row that the field belongs to (`parent`), the rows that it reads (`rows`) and its
arguments. It returns a predicate or an expression. The compiler adds the owner rule wherever it reads a table; a
binding doesn't. A compiled statement serves every later request of the same shape, so a binding never sees the text,
ids or times of one request: it gets a parameter from `site.value()`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

import strawberry
from graphql import GraphQLField, GraphQLObjectType
from sqlalchemy import ColumnElement, FromClause, Select, and_, bindparam, func, literal, true
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from crm_graph.errors import ValidationFailed
from crm_graph.graphql.engine.library_internals import metadata, python_class, python_name
from crm_graph.identity.principal import Principal
from crm_graph.models import Relation
from crm_graph.models.columns import Time

BINDING, MODEL = "binding", "__model__"
RESULT = "result"
PAGE_DEFAULT, PAGE_MAX = 50, 100
NOW: ColumnElement[Any] = bindparam("now", type_=Time)  # when the request arrived

Arguments = Mapping[str, Any]
SqlType = TypeEngine[Any] | type[TypeEngine[Any]] | None  # None: that of what the value is compared with


@dataclass(frozen=True, slots=True)
class FieldSite:
    """Where a field is being compiled.

    `principal` has the caller's role, not the id (see access.caller). `args` tells which arguments are given; of their
    values only what shapes a statement can be seen: null, booleans, whole numbers, enums (see plans.shape). `value`
    makes a parameter of the arguments, `time` one of the arguments and the clock. `read` gives the rows of a further
    table that the caller's reports count, with the columns that are named; `share`, under a name, what several fields
    of a summary read.
    """

    principal: Principal
    args: Arguments
    parent: Relation
    rows: Relation
    value: Callable[[Callable[[Arguments], Any], SqlType], ColumnElement[Any]]
    time: Callable[[Callable[[Arguments, datetime], datetime]], ColumnElement[Any]]
    read: Callable[..., FromClause]
    share: Callable[[str, Callable[[], Select[Any]]], FromClause]


Predicate = Callable[[FieldSite], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value of the parent row."""

    sql: Callable[[FieldSite], ColumnElement[Any]]


@dataclass(frozen=True, slots=True)
class Source:
    """A query over the visible rows of `model`, of which it reads the columns `needs` (default: any).

    Without a model it reads what it needs through `site.read`, or only what the parent row carries.
    """

    model: type[SQLModel] | None
    query: Callable[[FieldSite], Select[Any]]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One value computed from visible rows."""

    source: Source


@dataclass(frozen=True, slots=True)
class Order:
    """A total order over rows, all ascending or all descending; its columns are what a cursor holds.

    `absent` stands in for nulls of the first column, because a keyset can't be compared with null.
    """

    columns: tuple[str, ...]
    descending: bool = False
    absent: Any = None

    def keys(self, rows: Relation) -> list[ColumnElement[Any]]:
        """The values that order `rows`."""
        first, *others = (rows.c[name] for name in self.columns)
        return [first if self.absent is None else func.coalesce(first, literal(self.absent, first.type)), *others]

    def by(self, rows: Relation) -> list[ColumnElement[Any]]:
        """What to ORDER BY."""
        return [key.desc() if self.descending else key for key in self.keys(rows)]


NEWEST_FIRST = Order(("created_at", "id"), descending=True)


@dataclass(frozen=True, slots=True)
class One:
    """At most one row of the field's type."""

    where: Predicate


@dataclass(frozen=True, slots=True)
class Rows:
    """A small closed list of the field's type."""

    where: Predicate
    order: Order


@dataclass(frozen=True, slots=True)
class Page:
    """A list that can grow, as a Relay connection with keyset cursors; an argument `orderBy` overrides the order."""

    where: Predicate
    order: Order


@dataclass(frozen=True, slots=True)
class Derived:
    """Rows computed from visible rows, such as totals or hits; the field's type names their columns."""

    sources: tuple[Source, ...]
    order: Order
    limit: Callable[[FieldSite], int] | None = None


@dataclass(frozen=True, slots=True)
class ResultRows:
    """In a mutation's payload: a row for each item that was sent, as the mutation returned it, with these columns."""

    types: Mapping[str, TypeEngine[Any]]


@dataclass(frozen=True, slots=True)
class Embedded:
    """Some of the parent row's columns as an object of their own; null where the column `key` is."""

    key: str


@dataclass(frozen=True, slots=True)
class Summary:
    """One row computed from visible rows; the field's type names its columns."""

    source: Source


Binding = Scalar | Aggregate | One | Rows | Page | Derived | Summary | ResultRows | Embedded
T = TypeVar("T", bound=type)


def graphql_type(model: type[SQLModel] | None = None) -> Callable[[T], T]:
    """Make a class a GraphQL type over a table; its docstring becomes the description."""

    def decorate(cls: T) -> T:
        made = strawberry.type(cls, description=" ".join((cls.__doc__ or "").split()))
        setattr(made, MODEL, model)
        return made

    return decorate


def column(name: str | None = None, *, doc: str | None = None, called: str | None = None) -> Any:
    """The column of the field's own name, or `name`; `called` is for a name in GraphQL that is a keyword in Python."""
    return strawberry.field(name=called, description=doc, metadata={BINDING: name})


def computed(sql: Callable[[FieldSite], ColumnElement[Any]], *, doc: str | None = None) -> Any:
    """An SQL expression over the parent row."""
    return strawberry.field(description=doc, metadata={BINDING: Scalar(sql)})


def aggregate(
    model: type[SQLModel],
    query: Callable[[FieldSite], Select[Any]],
    *,
    needs: tuple[str, ...] = (),
    doc: str | None = None,
) -> Any:
    """One value over the visible rows of another table."""
    return strawberry.field(description=doc, metadata={BINDING: Aggregate(Source(model, query, needs))})


def to_one(key: str, *, doc: str | None = None) -> Any:
    """The row that the parent's foreign key `key` points at; null when it isn't visible to the caller."""
    return strawberry.field(description=doc, metadata={BINDING: One(lambda site: site.rows.c.id == site.parent.c[key])})


def payload_row(*, doc: str | None = None) -> Any:
    """In a mutation's payload: the row whose id the mutation returned under the field's name."""
    where = One(lambda site: site.rows.c.id == site.value(lambda args: args[RESULT], None))
    return strawberry.field(description=doc, metadata={BINDING: where})


def payload_rows(*, doc: str | None = None, **types: TypeEngine[Any]) -> Any:
    """In a mutation's payload: the mappings that the mutation returned under the field's name, one for each item."""
    return strawberry.field(description=doc, metadata={BINDING: ResultRows(types)})


def embedded(key: str, *, doc: str | None = None) -> Any:
    """An object of the parent row's own columns; null where the column `key` is."""
    return strawberry.field(description=doc, metadata={BINDING: Embedded(key)})


def one(where: Predicate, *, args: Any = None, doc: str | None = None) -> Any:
    """The row that meets `where`."""
    return strawberry.field(resolver=args, description=doc, metadata={BINDING: One(where)})


def rows(where: Predicate, order: Order, *, doc: str | None = None) -> Any:
    """A plain list, for sets that stay small."""
    return strawberry.field(description=doc, metadata={BINDING: Rows(where, order)})


def derived(*sources: Source, order: Order, doc: str | None = None, args: Any = None, limit: Any = None) -> Any:
    """A list of rows computed from the visible rows of other tables."""
    return strawberry.field(resolver=args, description=doc, metadata={BINDING: Derived(sources, order, limit)})


def summary(query: Callable[[FieldSite], Select[Any]], *, doc: str | None = None, args: Any = None) -> Any:
    """One row that `query` computes from what it reads through `site.read`."""
    return strawberry.field(resolver=args, description=doc, metadata={BINDING: Summary(Source(None, query))})


def page_size(args: Arguments) -> int:
    """The argument `first`; raises ValidationFailed when it is not 1 to 100."""
    first: int = args["first"]
    if not 1 <= first <= PAGE_MAX:
        raise ValidationFailed(f"first must be between 1 and {PAGE_MAX}", field="first")
    return first


First = Annotated[int, strawberry.argument(description="How many rows, 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="A cursor: rows that come after it.")]


def _page_args(first: First = PAGE_DEFAULT, after: After = strawberry.UNSET) -> None:
    """The arguments of every connection."""


def page(
    order: Order = NEWEST_FIRST,
    *,
    key: str | None = None,
    where: Predicate | None = None,
    args: Any = _page_args,
    doc: str | None = None,
) -> Any:
    """A connection over the rows whose foreign key `key` points at the parent, and which meet `where`."""

    def condition(site: FieldSite) -> ColumnElement[bool]:
        owned = site.rows.c[key] == site.parent.c.id if key else true()
        return and_(owned, where(site)) if where else owned

    return strawberry.field(resolver=args, description=doc, metadata={BINDING: Page(condition, order)})


def binding_of(field: GraphQLField) -> Binding:
    """The binding of a field; a plain column unless its declaration says otherwise."""
    declared = metadata(field).get(BINDING)
    if isinstance(declared, str | None):
        name = declared or python_name(field)
        return Scalar(lambda site: site.parent.c[name])
    binding: Binding = declared
    return binding


def model_of(type_: GraphQLObjectType) -> type[SQLModel]:
    """The table of a type."""
    model: type[SQLModel] = getattr(python_class(type_), MODEL)
    return model
