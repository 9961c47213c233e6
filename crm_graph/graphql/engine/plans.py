"""Plans: a compiled statement with the parameters that it reads from a request, kept for requests of the same shape.

The compiler sees only the shape of a request's variables, so a plan can't hold one caller's text, ids or times: null,
booleans, integers and enums shape a statement, everything else is a parameter.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, TypeAlias

from cachetools import LRUCache
from graphql import VariableValues
from sqlalchemy import BindParameter

from crm_graph.database.statements import CALLER, binder, compile_statement
from crm_graph.identity.principal import Principal
from crm_graph.models.columns import AnySelect

CACHE_BYTES = 30_000_000  # roughly, of all plans of a process and the documents that they refer to


class _Placeholder:
    """Stands for a value that a statement takes as a parameter."""

    def __repr__(self) -> str:
        return "PLACEHOLDER"


PLACEHOLDER = _Placeholder()


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """What a plan reads its parameters from. `result` is what a mutation returned, by the names of its payload."""

    principal: Principal
    now: datetime
    variables: VariableValues
    result: Mapping[str, object] = field(default_factory=dict)


ReadParameter: TypeAlias = Callable[[PlanInputs], object]


@dataclass(frozen=True, slots=True)
class Plan:
    """SQL whose one row has a column of JSON for each field, and how its parameters ($1, $2, ...) are read."""

    sql: str
    readers: tuple[ReadParameter, ...]

    def parameters(self, inputs: PlanInputs) -> list[object]:
        """The values of $1, $2, ...; raises ValidationFailed for a value that is not acceptable."""
        return [read(inputs) for read in self.readers]


@dataclass(frozen=True, slots=True)
class PayloadPlan:
    """How to read a payload, by response key: its rows with `plan`, as one JSON object, and its plain values from the
    mutation's result (`plain`: their names). `required` are the keys of rows that must exist.

    `plan` is None when no row is selected.
    """

    plan: Plan | None
    plain: Mapping[str, str]
    required: Sequence[str]


def make_plan(statement: AnySelect, readers: Mapping[str, ReadParameter]) -> Plan:
    """The plan of a statement; `readers` read its parameters by name, and its other parameters are constants."""
    sql, parameters = compile_statement(statement)
    known: dict[str, ReadParameter] = {CALLER: _read_caller, "now": _read_now, **readers}
    return Plan(sql, tuple(known.get(parameter.key) or _read_constant(parameter) for parameter in parameters))


def shape_of(value: object) -> Any:
    """What of a value shapes a statement; PLACEHOLDER for the rest."""
    if value is None or isinstance(value, bool | int | Enum):
        return value
    if isinstance(value, Mapping):
        return {name: shape_of(part) for name, part in value.items()}
    return PLACEHOLDER


class PlanCache:
    """The plans of one process, bounded by the memory that they take."""

    def __init__(self) -> None:
        self._plans: LRUCache[Hashable, tuple[object, int]] = LRUCache(CACHE_BYTES, getsizeof=lambda entry: entry[1])

    def get(self, key: Hashable) -> Any:
        """The plan under `key`; None without one."""
        entry = self._plans.get(key)
        return None if entry is None else entry[0]

    def put(self, key: Hashable, plan: object, size: int) -> None:
        """Keep a plan, which counts for `size` bytes."""
        self._plans[key] = plan, size


def _read_caller(inputs: PlanInputs) -> object:
    return inputs.principal.owner_id


def _read_now(inputs: PlanInputs) -> object:
    return inputs.now


def _read_constant(parameter: BindParameter[Any]) -> ReadParameter:
    process = binder(parameter)
    value = process(parameter.value) if process else parameter.value
    return lambda _inputs: value
