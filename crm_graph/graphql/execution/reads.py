"""Reading through plans: the whole answer of a query as bytes, one root field as a tree, a mutation's payload.

The three ways run the same compiled statements. A query whose plan is known costs a look-up, the parameters and one
round trip, and its bytes go to the client as PostgreSQL wrote them. Anything but a plain success is left to
graphql-core's executor over the tree, which reports errors as the specification says.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import psycopg
from graphql import GraphQLError, VariableValues, get_variable_values, is_non_null_type

from crm_graph.database.engine import Database, Transaction, fetch_row
from crm_graph.errors import CrmError, NotFound, Unavailable
from crm_graph.graphql.engine import complexity
from crm_graph.graphql.engine.compiler import Compiler
from crm_graph.graphql.engine.documents import Operation
from crm_graph.graphql.engine.library_internals import FieldSet
from crm_graph.graphql.engine.plans import PayloadPlan, Plan, PlanCache, PlanInputs, shape_of
from crm_graph.identity.principal import Principal


@dataclass(frozen=True, slots=True)
class _Answer:
    """A plan with the bytes that go around its columns; without a plan, only graphql-core can answer."""

    plan: Plan | None
    between: tuple[bytes, ...] = ()
    is_required: tuple[bool, ...] = ()


class Reads:
    """Everything that this process reads for GraphQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._plans = PlanCache()

    async def answer(
        self, operation: Operation, principal: Principal, now: datetime, variables: Mapping[str, Any]
    ) -> bytes | None:
        """The body of the answer to a query; None when the standard executor has to answer.

        Raises Unavailable.
        """
        values = get_variable_values(operation.schema, operation.node.variable_definitions or (), dict(variables))
        if isinstance(values, list):  # of errors
            return None
        inputs = PlanInputs(principal, now, values)
        try:
            found = self._plan(
                "", operation, inputs, operation.variables, lambda: self._compile_answer(operation, inputs)
            )
            if found.plan is None:
                return None
            row = await self._database.read_row(found.plan.sql, found.plan.parameters(inputs))
        except Unavailable:
            raise
        except (CrmError, GraphQLError, psycopg.Error):
            return None
        body = bytearray(found.between[0])
        for value, is_required, after in zip(row, found.is_required, found.between[1:], strict=True):
            if value is None and is_required:
                return None
            body += value or b"null"
            body += after
        return bytes(body)

    async def root_field(
        self, operation: Operation, principal: Principal, now: datetime, key: str, variables: VariableValues
    ) -> Any:
        """The tree of one root field, by response key, for the standard executor."""
        inputs = PlanInputs(principal, now, variables)

        def compile_field() -> Plan:
            compiler = Compiler(operation, principal, variables)
            return compiler.query([dict(compiler.root_fields())[key]])

        plan = self._plan(key, operation, inputs, operation.variables, compile_field)
        [value] = await self._database.read_row(plan.sql, plan.parameters(inputs))
        return None if value is None else orjson.loads(value)

    async def payload(
        self,
        transaction: Transaction,
        operation: Operation,
        inputs: PlanInputs,
        key: str,
        fields: FieldSet,
    ) -> tuple[dict[str, Any], Mapping[str, str]]:
        """The tree of the rows in a mutation's payload, read in its own transaction, and the response keys of the
        other fields with their names.

        Raises NotFound for a row that the caller can't see any more, when a call is repeated.
        """

        def compile_payload() -> PayloadPlan:
            return Compiler(operation, inputs.principal, inputs.variables).payload(fields)

        used = operation.variables_below(key, (details.node for details in fields))
        found = self._plan(key, operation, inputs, used, compile_payload)
        if found.plan is None:
            return {}, found.plain
        [value] = await fetch_row(transaction.driver, found.plan.sql, found.plan.parameters(inputs))
        tree = orjson.loads(value or b"{}")
        if any(tree[key] is None for key in found.required):
            raise NotFound("what this call created or changed was deleted, or you can no longer see it")
        return tree, found.plain

    async def change(
        self, operation: Operation, inputs: PlanInputs, key: str, fields: FieldSet, name: str
    ) -> tuple[bool, dict[str, Any]]:
        """Whether the row of the payload's field `name` is the caller's to see, and the tree of a subscription's
        payload. Without an id of that row, nothing is read. Raises Unavailable.
        """

        def compile_change() -> PayloadPlan:
            return Compiler(operation, inputs.principal, inputs.variables).payload(fields, name)

        found = self._plan(key, operation, inputs, operation.variables, compile_change)
        plain_values = {key: inputs.result[plain] for key, plain in found.plain.items()}
        if inputs.result[name] is None:
            return False, defaultdict(lambda: None, plain_values)
        [value] = await self._database.read_row(found.plan.sql, found.plan.parameters(inputs))
        tree = orjson.loads(value or b"{}")
        return tree.pop("") is not None, tree | plain_values

    def _plan(
        self, key: str, operation: Operation, inputs: PlanInputs, used: Iterable[str], make: Callable[[], Any]
    ) -> Any:
        """The plan under `key`; it depends on the caller's role and on the shape of the variables that are used."""
        values = inputs.variables.coerced
        shape = str([(name, shape_of(values[name])) for name in used if name in values])

        def check_and_make() -> Any:
            complexity.check(operation.schema, operation.document, values)
            return make()

        place = (operation.number, key, inputs.principal.role, shape)
        return self._plans.get(place, check_and_make, operation.plan_bytes)

    def _compile_answer(self, operation: Operation, inputs: PlanInputs) -> _Answer:
        compiler = Compiler(operation, inputs.principal, inputs.variables)
        columns: list[FieldSet] = []
        between, is_required = [b'{"data":{'], []
        for place, (key, fields) in enumerate(compiler.root_fields()):
            name = fields[0].node.name.value
            between[-1] += (b"," if place else b"") + orjson.dumps(key) + b":"
            if name == "__typename":
                between[-1] += orjson.dumps(operation.root_type.name)
                continue
            if name.startswith("__"):
                return _Answer(None)
            columns.append(fields)
            is_required.append(is_non_null_type(operation.root_type.fields[name].type))
            between.append(b"")
        between[-1] += b"}}"
        if not columns:
            return _Answer(None)
        return _Answer(compiler.query(columns), tuple(between), tuple(is_required))
