"""What a binding sees of the field that is being compiled: its rows, its arguments, and how to make parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.types import TypeEngine

from crm_graph.identity.principal import Principal
from crm_graph.models.columns import Expression, Relation, Time
from crm_graph.reports.scope import Read, Share

NOW: ColumnElement[datetime] = bindparam("now", type_=Time)  # when the request arrived

Arguments: TypeAlias = Mapping[str, Any]  # a field's arguments by their GraphQL names, as graphql-core coerced them
SqlType: TypeAlias = TypeEngine[Any] | type[TypeEngine[Any]] | None  # None: the type of what it is compared with


class MakeParameter(Protocol):
    """Makes a parameter whose value is read from the arguments of each request."""

    def __call__(self, read: Callable[[Arguments], object], type_: SqlType) -> Expression: ...


class MakeTimeParameter(Protocol):
    """Makes a parameter whose value is computed from the arguments of each request and its time."""

    def __call__(self, read: Callable[[Arguments, datetime], datetime]) -> ColumnElement[datetime]: ...


@dataclass(frozen=True, slots=True)
class FieldSite:
    """Where a field is being compiled.

    - `principal` has the caller's role, but not the id (see access.caller).
    - `args` are the field's arguments, without the values that must not shape a statement (see plans.shape_of): null,
      booleans, integers and enums are visible, everything else is a placeholder.
    - `parent` is the row that the field belongs to, `rows` are the rows that it reads.
    - `value` and `time` make parameters.
    - `read` gives the rows of a further table for a report.
    - `share` computes a query once, under a name, for all fields of a summary that need it.
    """

    principal: Principal
    args: Arguments
    parent: Relation
    rows: Relation
    value: MakeParameter
    time: MakeTimeParameter
    read: Read
    share: Share
