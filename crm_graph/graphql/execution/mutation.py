"""What every mutation runs in: one transaction around the verb, the payload that it returns and its idempotency key.

A transaction that conflicts with another one is run again. A call that is repeated under its idempotency key is not:
the rows of its first result are read again.
"""

import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping
from enum import Enum
from typing import TypeAlias

import strawberry
from graphql import FieldNode
from strawberry.types import has_object_definition

from crm_graph.database.engine import Transaction
from crm_graph.database.retries import retry_on_conflict
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import BadRequest
from crm_graph.graphql.engine.library_internals import field_set, variable_values
from crm_graph.graphql.engine.plans import PayloadPlan, PlanInputs
from crm_graph.graphql.execution import idempotency
from crm_graph.graphql.execution.context import Context
from crm_graph.graphql.execution.idempotency import Call, StoredResult

IDEMPOTENCY_KEY = "idempotency_key"
Info: TypeAlias = strawberry.Info[Context, None]
# What a verb did, by the names of the payload's fields: the id of a row, or a plain value.
Result: TypeAlias = Mapping[str, object]
# The tree of a payload, by response keys.
Payload: TypeAlias = dict[str, object]
Act: TypeAlias = Callable[[UnitOfWork], Awaitable[Result]]


async def perform(info: Info, input: object, act: Act, *, shown_once: Collection[str] = ()) -> Payload:
    """Run `act` in a transaction and read the payload of the result that it returns.

    Raises what `act` raises; then nothing is changed. The fields `shown_once` are not stored with the idempotency key:
    a repeated call returns null for them.
    """
    return await _perform(info, input, act, None, shown_once)


async def perform_on(
    info: Info, input: object, verb: Callable[[UnitOfWork], Awaitable[object]], **ids: uuid.UUID
) -> Payload:
    """Run a verb on rows that the input names: their `ids`, by the names of the payload's fields, are the result.

    As the result is known before the call, it is stored when the idempotency key is claimed, which saves a statement.
    """

    async def act(work: UnitOfWork) -> Result:
        await verb(work)
        return ids

    return await _perform(info, input, act, ids, ())


async def _perform(info: Info, input: object, act: Act, known: Result | None, shown_once: Collection[str]) -> Payload:
    ctx, call = info.context, _call(info, input)
    plan = await payload_plan(info)

    async def attempt() -> Payload:
        async with ctx.database.transaction(source=ctx.principal.source) as transaction:
            earlier = await idempotency.claim(transaction, call, _to_stored(known) if known else None) if call else None
            if earlier is not None:
                return await read_payload(info, transaction, plan, {**_from_stored(earlier), "replayed": True})
            result = await act(UnitOfWork(transaction, ctx.principal, ctx.now))
            payload = await read_payload(info, transaction, plan, {**result, "replayed": False})
            if call and known is None:
                stored = _to_stored({**result, **dict.fromkeys(shown_once)})
                await idempotency.store_result(transaction, call, stored)
            return payload

    return await retry_on_conflict(attempt)


def given_fields(input: object, *but: str) -> dict[str, object]:
    """The fields of an input that the caller gave, null included, without the idempotency key and those named in `but`.

    For verbs that leave an absent field unchanged, and clear it for null.
    """
    without = (IDEMPOTENCY_KEY, *but)
    return {name: value for name, value in vars(input).items() if value is not strawberry.UNSET and name not in without}


def _call(info: Info, input: object) -> Call | None:
    """The call that a key in the input or in the request's header makes repeatable; None without a key."""
    key, header = vars(input)[IDEMPOTENCY_KEY], info.context.idempotency_key
    if key is strawberry.UNSET or key is None:
        key = header
        if header is not None and not _is_only_selection(info):
            raise BadRequest("Idempotency-Key is for one mutation; give each of several an idempotencyKey of its own")
    elif header not in (None, key):
        raise BadRequest("idempotencyKey and the header Idempotency-Key differ; send one", field=IDEMPOTENCY_KEY)
    owner_id = info.context.principal.owner_id
    if key is None or owner_id is None:
        return None
    request_hash = idempotency.hash_of(_plain(given_fields(input)))
    return Call(owner_id, info.field_name, key, request_hash, info.context.now)


def _is_only_selection(info: Info) -> bool:
    selected = info.operation.selection_set.selections
    return len(selected) == 1 and isinstance(selected[0], FieldNode)


def _plain(value: object) -> object:
    """What the caller gave, as JSON can hold it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return _plain(given_fields(value)) if has_object_definition(value) else value


async def payload_plan(info: Info) -> PayloadPlan:
    """How to read the payload; raises what is wrong with its selection before anything is changed."""
    ctx = info.context
    inputs = PlanInputs(ctx.principal, ctx.now, variable_values(info))
    return await ctx.reads.payload_plan(ctx.operation, inputs, str(info.path.key), field_set(info))


async def read_payload(info: Info, transaction: Transaction, plan: PayloadPlan, result: Result) -> Payload:
    """The payload's tree, read in the mutation's own transaction through the same compiler as queries.

    Raises QueryTooComplex when it is too large; the transaction is then rolled back.
    """
    ctx = info.context
    inputs = PlanInputs(ctx.principal, ctx.now, variable_values(info), result)
    tree = await ctx.reads.payload(transaction, plan, inputs, ctx.size)
    # A result that an earlier version stored under an idempotency key lacks the fields that are new.
    return tree | {key: result.get(name) for key, name in plan.plain.items()}


def _to_stored(result: Result) -> StoredResult:
    """A result as JSON, in which ids are marked, so that they come back as UUIDs."""
    return {
        name: {"id": str(value)} if isinstance(value, uuid.UUID) else {"is": value} for name, value in result.items()
    }


def _from_stored(stored: StoredResult) -> Result:
    return {name: uuid.UUID(str(value["id"])) if "id" in value else value["is"] for name, value in stored.items()}
