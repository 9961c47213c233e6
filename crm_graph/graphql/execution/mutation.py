"""The edge of every mutation: one transaction around the verb, its payload and its idempotency key.

A transaction that loses a race is run again. A call that is repeated under its key is not: what it returned the
first time is read anew.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

import strawberry
from graphql import FieldNode
from strawberry.types import has_object_definition

from crm_graph.database.engine import Transaction
from crm_graph.database.retries import retry_on_conflict
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import BadRequest
from crm_graph.graphql.engine.library_internals import field_set, variable_values
from crm_graph.graphql.engine.plans import PlanInputs
from crm_graph.graphql.execution import idempotency
from crm_graph.graphql.execution.context import Context
from crm_graph.graphql.execution.idempotency import Call, Result

Info: TypeAlias = strawberry.Info[Context, None]


@dataclass(frozen=True, slots=True)
class Write:
    """What a verb gets of its mutation; `given` are the fields of the input that were given."""

    work: UnitOfWork
    given: dict[str, Any]


Act = Callable[[Write], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Doing:
    """See `doing`; an object, so that `perform` can see what the result will be."""

    verb: Callable[..., Awaitable[Any]]
    result: str
    of: str | None
    fixed: Mapping[str, Any]

    async def __call__(self, write: Write) -> Mapping[str, Any]:
        found = await self.verb(write.work, **self.fixed, **write.given)
        return {self.result: found}


def doing(verb: Callable[..., Awaitable[Any]], result: str, *, of: str | None = None, **fixed: Any) -> Act:
    """The act of a verb that takes the fields of the input by their names; what it returns is the field `result`.

    `of` names the field of the input that is always the result: a change of what the input names by its id.
    """
    return _Doing(verb, result, of, fixed)


def optional(doc: str | None = None) -> Any:
    """A field of an input that may be left out: then it stays as it is, and null clears it."""
    return strawberry.field(default=strawberry.UNSET, description=doc)


def idempotency_key() -> Any:
    """The field that every input has."""
    doc = (
        "Makes it safe to retry: repeated under the same key within 7 days, the call changes nothing and returns the "
        "first call's result. Or the header Idempotency-Key."
    )
    return strawberry.field(default=strawberry.UNSET, description=doc)


def expected_version() -> Any:
    """The field of inputs that change what has a version."""
    doc = "The version that you read; VERSION_CONFLICT when it was changed since."
    return strawberry.field(default=strawberry.UNSET, description=doc)


def replayed() -> Any:
    """The field that every payload has."""
    return strawberry.field(description="Whether an earlier call with this idempotency key did it.")


async def perform(info: Info, input: Any, act: Act, *, told_once: tuple[str, ...] = ()) -> Any:
    """Run a mutation: `act` in a transaction, then the payload of what it returns, by the names of the payload's fields
    (the id of a row, or a plain value). Raises what `act` raises; then nothing was changed.

    What is `told_once` is not kept with the key: a repetition finds null there.
    """
    asked = given_of(input)
    call = _call(info, asked)
    return await retry_on_conflict(lambda: _once(info, dict(asked), call, act, told_once))


async def _once(info: Info, asked: dict[str, Any], call: Call | None, act: Act, told_once: tuple[str, ...]) -> Any:
    ctx = info.context
    foreseen = {act.result: asked[act.of]} if isinstance(act, _Doing) and act.of else None
    async with ctx.database.transaction(source=ctx.principal.source) as transaction:
        known = await idempotency.claim(transaction, call, foreseen and _without_ids(foreseen)) if call else None
        if known is not None:
            return await read_back(info, transaction, {**_with_ids(known), "replayed": True})
        result = await act(Write(UnitOfWork(transaction, ctx.principal, ctx.now), asked))
        payload = await read_back(info, transaction, {**result, "replayed": False})
        if call and foreseen is None:
            await idempotency.keep(transaction, call, _without_ids({**result, **dict.fromkeys(told_once)}))
        return payload


def given_of(input: Any) -> dict[str, Any]:
    """The fields of an input that were given."""
    return {name: value for name, value in vars(input).items() if value is not strawberry.UNSET}


def _call(info: Info, asked: dict[str, Any]) -> Call | None:
    """The call by its idempotency key, which is taken out of what was asked; None without one."""
    ctx = info.context
    key = asked.pop("idempotency_key", None)
    if key is not None and ctx.idempotency_key not in (None, key):
        raise BadRequest("idempotencyKey and the header Idempotency-Key differ; send one", field="idempotency_key")
    if key is None and ctx.idempotency_key is not None:
        key = ctx.idempotency_key
        selected = info.operation.selection_set.selections
        if len(selected) != 1 or not isinstance(selected[0], FieldNode):
            raise BadRequest("Idempotency-Key is for one mutation; give each of several an idempotencyKey of its own")
    if key is None or ctx.principal.owner_id is None:
        return None
    request_hash = idempotency.hash_of(_plain(asked))
    return Call(ctx.principal.owner_id, info.field_name, key, request_hash, ctx.now)


def _plain(value: Any) -> Any:
    """What was asked, as JSON can hold it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return _plain(given_of(value)) if has_object_definition(value) else value


async def read_back(info: Info, transaction: Transaction, result: Result) -> Any:
    """The payload's tree, read in the mutation's own transaction through the same compiler as queries."""
    ctx = info.context
    inputs = PlanInputs(ctx.principal, ctx.now, variable_values(info), result)
    tree, plain = await ctx.reads.payload(transaction, ctx.operation, inputs, str(info.path.key), field_set(info))
    return tree | {key: result[name] for key, name in plain.items()}


def _without_ids(result: Result) -> dict[str, Any]:
    """A result as JSON, in which ids can be told from texts."""
    return {
        name: {"id": str(value)} if isinstance(value, uuid.UUID) else {"is": value} for name, value in result.items()
    }


def _with_ids(kept: Result) -> dict[str, Any]:
    return {name: uuid.UUID(value["id"]) if "id" in value else value["is"] for name, value in kept.items()}
