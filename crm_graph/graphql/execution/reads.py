"""Reading through plans: the whole answer of a query as bytes, one root field as a tree, a mutation's payload.

The three ways run the same compiled statements. A query whose plan is known costs a look-up, the parameters and one
round trip, and its bytes go to the client as PostgreSQL wrote them. Anything but a plain success is left to
graphql-core's executor over the tree, which reports errors as the specification says.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import orjson
import psycopg
from graphql import GraphQLError, get_variable_values, is_non_null_type

from crm_graph.database.engine import Database, Transaction, fetch_row
from crm_graph.errors import CrmError, LimitReached, NotFound, QueryTooComplex, Unavailable
from crm_graph.graphql.engine import complexity
from crm_graph.graphql.engine.compiler import Compiler
from crm_graph.graphql.engine.documents import Documents, Operation, invalid_document
from crm_graph.graphql.engine.library_internals import FieldSet
from crm_graph.graphql.engine.messages import RequestParameters
from crm_graph.graphql.engine.plans import PayloadPlan, Plan, PlanCache, PlanInputs, shape_of
from crm_graph.graphql.engine.weights import COUNTED_ABOVE
from crm_graph.graphql.execution.answer_size import AnswerSize, refusing_too_large
from crm_graph.graphql.execution.compiling import Compiling
from crm_graph.identity.principal import Principal
from crm_graph.web.fair_queue import FairQueue

# Heavy queries take a fifth of a second and more: they run one by one for an owner, and few at once, so that others
# find a processor.
HEAVY_POINTS = 200_000
HEAVY_QUERIES = 2


@dataclass(frozen=True, slots=True)
class _Answer:
    """A plan with the bytes that go around its columns; without a plan, only graphql-core can answer."""

    plan: Plan | None
    between: tuple[bytes, ...] = ()
    is_required: tuple[bool, ...] = ()

    def body(self, row: Sequence[bytes | None]) -> bytes | None:
        """The body of the answer; None when a value is null that must not be."""
        body = bytearray(self.between[0])
        for value, is_required, after in zip(row, self.is_required, self.between[1:], strict=True):
            if value is None and is_required:
                return None
            body += value or b"null"
            body += after
        return bytes(body)


class Reads:
    """Everything that this process reads for GraphQL."""

    def __init__(self, database: Database, documents: Documents, compiling: Compiling) -> None:
        self._database, self._documents, self._compiling = database, documents, compiling
        self._plans = PlanCache()
        self._heavy = FairQueue(HEAVY_QUERIES, 1)

    async def operation(self, principal: Principal, request: RequestParameters) -> Operation:
        """The operation that a request is for. Raises InvalidDocument, LimitReached."""
        source, variables = request.query, request.variables
        valid = self._documents.find(source, variables)
        if valid is None:
            read = partial(self._documents.read, source, variables)
            find = partial(self._documents.find, source, variables)
            valid = await self._compiling.run(principal.owner_id, read, find)
            self._documents.keep(source, valid)
        return valid.operation(request.operation_name)

    async def answer(
        self, operation: Operation, principal: Principal, now: datetime, variables: Mapping[str, Any]
    ) -> bytes | None:
        """The body of the answer to a query; None when the standard executor has to answer.

        Raises InvalidDocument for a query or an answer that is too large, LimitReached, Unavailable.
        """
        values = get_variable_values(operation.schema, operation.node.variable_definitions or (), dict(variables))
        if isinstance(values, list):  # of errors
            return None
        inputs = PlanInputs(principal, now, values)
        try:
            found: _Answer
            found, points = await self._plan(
                "", operation, inputs, operation.variables, lambda compiler: _compile_answer(operation, compiler)
            )
            if found.plan is None:
                return None
            async with self._turn(principal, points):
                row = await self._database.read_row(found.plan.sql, found.plan.parameters(inputs))
            AnswerSize().add(sum(len(value or b"") for value in row))
        except QueryTooComplex as error:
            raise invalid_document(error.message, error) from None
        except (LimitReached, Unavailable):
            raise
        except (CrmError, GraphQLError, psycopg.Error):
            return None
        return found.body(row)

    async def root_field(
        self,
        operation: Operation,
        inputs: PlanInputs,
        key: str,
        size: AnswerSize,
    ) -> Any:
        """The tree of one root field, by response key, for the standard executor.

        Raises QueryTooComplex when the answer is too large, of which `size` has the other root fields.
        """
        plan: Plan
        plan, points = await self._plan(
            key,
            operation,
            inputs,
            operation.variables,
            lambda compiler: compiler.query([dict(compiler.root_fields())[key]]),
        )
        async with self._turn(inputs.principal, points):
            [value] = await self._database.read_row(plan.sql, plan.parameters(inputs))
        size.add(len(value or b""))
        return None if value is None else orjson.loads(value)

    async def payload_plan(self, operation: Operation, inputs: PlanInputs, key: str, fields: FieldSet) -> PayloadPlan:
        """How to read a mutation's payload: made before its transaction, which is not to wait for it."""
        used = operation.variables_below(key, (details.node for details in fields))
        plan: PayloadPlan
        plan, _ = await self._plan(key, operation, inputs, used, lambda compiler: compiler.payload(fields))
        return plan

    async def payload(
        self, transaction: Transaction, plan: PayloadPlan, inputs: PlanInputs, size: AnswerSize
    ) -> dict[str, Any]:
        """The tree of the rows in a mutation's payload, read in its own transaction.

        Raises NotFound for a row that the caller can't see any more, when a call is repeated, and QueryTooComplex when
        the answer is too large, of which `size` has the payloads before.
        """
        if plan.plan is None:
            return {}
        with refusing_too_large():
            [value] = await fetch_row(transaction.driver, plan.plan.sql, plan.plan.parameters(inputs))
        size.add(len(value or b""))
        tree: dict[str, Any] = orjson.loads(value or b"{}")
        if any(tree[key] is None for key in plan.required):
            raise NotFound("what this call created or changed was deleted, or you can no longer see it")
        return tree

    async def change(
        self, operation: Operation, inputs: PlanInputs, key: str, fields: FieldSet, name: str
    ) -> tuple[bool, dict[str, Any]]:
        """Whether the row of the payload's field `name` is the caller's to see, and the tree of a subscription's
        payload. Without an id of that row, nothing is read. Raises QueryTooComplex, Unavailable.
        """
        found: PayloadPlan
        found, _ = await self._plan(
            key, operation, inputs, operation.variables, lambda compiler: compiler.payload(fields, name)
        )
        plain_values = {key: inputs.result[plain] for key, plain in found.plain.items()}
        if inputs.result[name] is None:
            return False, defaultdict(lambda: None, plain_values)
        assert found.plan is not None
        with refusing_too_large():
            [value] = await self._database.read_row(found.plan.sql, found.plan.parameters(inputs))
        AnswerSize().add(len(value or b""))
        tree = orjson.loads(value or b"{}")
        return tree.pop("") is not None, tree | plain_values

    @asynccontextmanager
    async def _turn(self, principal: Principal, points: int) -> AsyncIterator[None]:
        """Read one answer: a heavy one when it is its turn. Raises LimitReached, QueryTooComplex."""
        async with AsyncExitStack() as stack:
            if points > HEAVY_POINTS:
                await stack.enter_async_context(self._heavy.slot(principal.owner_id))
            stack.enter_context(refusing_too_large())
            yield

    async def _plan(
        self,
        key: str,
        operation: Operation,
        inputs: PlanInputs,
        used: Iterable[str],
        make: Callable[[Compiler], object],
    ) -> tuple[Any, int]:
        """The plan under `key`, and its operation's points.

        The plan depends on the caller's role and on the shape of the variables that are used.
        """
        variables, principal = inputs.variables, inputs.principal
        values = variables.coerced
        shape = str([(name, shape_of(values[name])) for name in used if name in values])
        place = (operation.number, key, principal.role, shape)
        found = self._plans.get(place)
        if found is not None:
            plan, points = found
            return plan, points

        def check_and_make() -> tuple[object, int]:
            measured = complexity.check(operation.schema, operation.document, values, only=operation.node)
            counts_bytes = measured.most_bytes > COUNTED_ABOVE or measured.depends_on_items
            return make(Compiler(operation, principal, variables, counts_bytes=counts_bytes)), measured.points

        found = await self._compiling.run(principal.owner_id, check_and_make, partial(self._plans.get, place))
        self._plans.put(place, found, operation.plan_bytes)
        plan, points = found
        return plan, points


def _compile_answer(operation: Operation, compiler: Compiler) -> _Answer:
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
