"""Plans: a compiled statement with what it takes from a request, kept for every later request of the same shape.

The shape of a request's variables is all that the compiler ever sees of them, so a plan can't hold one caller's text,
ids or times: null, booleans, whole numbers and enums shape a statement, everything else is a parameter.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from cachetools import LRUCache
from graphql import VariableValues
from sqlalchemy import BindParameter, Select

from crm_graph.database.statements import CALLER, DIALECT, binder
from crm_graph.identity.principal import Principal

CACHE_BYTES = 30_000_000  # of all plans of a process and the documents that they refer to, roughly


class _Given:
    """Stands for a value that a request gives and a statement takes as a parameter."""

    def __repr__(self) -> str:
        return "GIVEN"


GIVEN = _Given()


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """What a plan's parameters are read from; `result` is what a mutation did, by the names of its payload."""

    principal: Principal
    now: datetime
    variables: VariableValues
    result: Mapping[str, Any] = field(default_factory=dict)


Reader = Callable[[PlanInputs], Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """SQL whose one row has a column of JSON for each field, and how its parameters ($1, $2, ...) are read."""

    sql: str
    readers: tuple[Reader, ...]

    def parameters(self, inputs: PlanInputs) -> list[Any]:
        """The values of $1, $2, ...; raises ValidationFailed for one that can't be read."""
        return [read(inputs) for read in self.readers]


@dataclass(frozen=True, slots=True)
class PayloadPlan:
    """How a payload is read: its rows as one JSON object with `plan` (None when no row is selected), and its plain
    values from the result. Both by response key; `required` are the keys of rows that must exist.
    """

    plan: Plan | None
    plain: Mapping[str, str]
    required: Sequence[str]


def make_plan(statement: Select[Any], readers: Mapping[str, Reader]) -> Plan:
    """The plan of a statement whose parameters have these readers; other parameters are constants."""
    compiled: Any = statement.compile(dialect=DIALECT)
    constants = {name: _bound(compiled.binds[name], value) for name, value in compiled.params.items()}
    known: dict[str, Reader] = {CALLER: _caller, "now": _now, **readers}
    in_order: Sequence[str] = compiled.positiontup or ()
    return Plan(str(compiled), tuple(known.get(name) or _constant(constants[name]) for name in in_order))


def shape(value: Any) -> Any:
    """What of a value shapes a statement; GIVEN stands for the rest."""
    if value is None or isinstance(value, bool | int | Enum):
        return value
    if isinstance(value, Mapping):
        return {name: shape(part) for name, part in value.items()}
    return GIVEN


class PlanCache:
    """The plans of one process, bounded by what they keep in memory."""

    def __init__(self) -> None:
        self._plans: LRUCache[Any, Any] = LRUCache(CACHE_BYTES, getsizeof=lambda kept: kept[1])

    def get(self, key: Any, make: Callable[[], Any], size: int) -> Any:
        """What is kept under `key`, made when it is not there, of `size` bytes; what `make` raises is not kept."""
        kept = self._plans.get(key)
        if kept is None:
            kept = self._plans[key] = make(), size
        return kept[0]


def _caller(inputs: PlanInputs) -> Any:
    return inputs.principal.owner_id


def _now(inputs: PlanInputs) -> Any:
    return inputs.now


def _constant(value: Any) -> Reader:
    return lambda _request: value


def _bound(parameter: BindParameter[Any], value: Any) -> Any:
    process = binder(parameter)
    return process(value) if process else value
