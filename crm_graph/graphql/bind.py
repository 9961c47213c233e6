"""How a GraphQL field is bound to the database, declared next to the field; the compiler reads nothing else.

A binding gets a Site: the row that the field belongs to (`parent`), the rows that it reads (`rows`), its arguments
and the principal. It returns a predicate or an expression. The owner rule is not its business: the compiler adds
`visible()` wherever it reads a table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import strawberry
from sqlalchemy import ColumnElement, FromClause, Select, and_, true
from sqlmodel import SQLModel

from crm_graph.auth import Principal

BINDING = "binding"
PAGE_DEFAULT, PAGE_MAX = 50, 100


@dataclass(frozen=True, slots=True)
class Site:
    """Where a field is being compiled."""

    principal: Principal
    args: Mapping[str, Any]
    parent: FromClause
    rows: FromClause


Predicate = Callable[[Site], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value of the parent row."""

    sql: Callable[[Site], ColumnElement[Any]]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One value over the visible rows of `model`."""

    model: type[SQLModel]
    query: Callable[[Site], Select[Any]]


@dataclass(frozen=True, slots=True)
class Order:
    """A total order over rows, all ascending or all descending; its columns are what a cursor holds."""

    columns: tuple[str, ...]
    descending: bool = False


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
    """A list that can grow, as a Relay connection with keyset cursors."""

    where: Predicate
    order: Order


@dataclass(frozen=True, slots=True)
class Derived:
    """Rows computed from the visible rows of `model`, such as totals; the field's type names their columns."""

    model: type[SQLModel]
    query: Callable[[Site], Select[Any]]


Binding = Scalar | Aggregate | One | Rows | Page | Derived
T = TypeVar("T", bound=type)


def bound(model: type[SQLModel] | None = None) -> Callable[[T], T]:
    """Make a class a GraphQL type over a table; its docstring becomes the description."""

    def decorate(cls: T) -> T:
        made = strawberry.type(cls, description=" ".join((cls.__doc__ or "").split()))
        setattr(made, "__model__", model)  # noqa: B010 - a class attribute that no type declares
        return made

    return decorate


def column(name: str | None = None, *, doc: str | None = None) -> Any:
    """The column of the field's own name, or `name`."""
    return strawberry.field(description=doc, metadata={BINDING: name})


def computed(sql: Callable[[Site], ColumnElement[Any]], *, doc: str | None = None) -> Any:
    """An SQL expression over the parent row."""
    return strawberry.field(description=doc, metadata={BINDING: Scalar(sql)})


def aggregate(model: type[SQLModel], query: Callable[[Site], Select[Any]], *, doc: str | None = None) -> Any:
    """One value over the visible rows of another table."""
    return strawberry.field(description=doc, metadata={BINDING: Aggregate(model, query)})


def to_one(key: str, *, doc: str | None = None) -> Any:
    """The row that the parent's foreign key `key` points at; null when it isn't visible to the caller."""
    return strawberry.field(description=doc, metadata={BINDING: One(lambda site: site.rows.c.id == site.parent.c[key])})


def payload_row(*, doc: str | None = None) -> Any:
    """In a mutation's payload: the row whose id the mutation returned under the field's name."""
    return strawberry.field(description=doc, metadata={BINDING: One(lambda site: site.rows.c.id == site.args["id"])})


def one(where: Predicate, *, args: Any = None, doc: str | None = None) -> Any:
    """The row that meets `where`."""
    return strawberry.field(resolver=args, description=doc, metadata={BINDING: One(where)})


def rows(where: Predicate, order: Order, *, doc: str | None = None) -> Any:
    """A plain list, for sets that stay small."""
    return strawberry.field(description=doc, metadata={BINDING: Rows(where, order)})


def derived(model: type[SQLModel], query: Callable[[Site], Select[Any]], *, doc: str | None = None) -> Any:
    """A list of rows computed from the visible rows of another table."""
    return strawberry.field(description=doc, metadata={BINDING: Derived(model, query)})


def _page_args(
    first: Annotated[int, strawberry.argument(description="How many rows, 1 to 100.")] = PAGE_DEFAULT,
    after: Annotated[
        str | None, strawberry.argument(description="A cursor: rows that come after it.")
    ] = strawberry.UNSET,
) -> None:
    """The arguments of every connection."""


def page(
    order: Order = NEWEST_FIRST, *, key: str | None = None, where: Predicate | None = None, doc: str | None = None
) -> Any:
    """A connection over the rows whose foreign key `key` points at the parent, and which meet `where`."""

    def condition(site: Site) -> ColumnElement[bool]:
        owned = site.rows.c[key] == site.parent.c.id if key else true()
        return and_(owned, where(site)) if where else owned

    return strawberry.field(resolver=_page_args, description=doc, metadata={BINDING: Page(condition, order)})
