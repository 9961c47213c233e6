"""How mutations, their inputs and their payloads are declared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import UnionType
from typing import Any, TypeVar, get_args

import strawberry
from strawberry.types.field import StrawberryField

from crm_graph.graphql.engine.bindings import MODEL, graphql_type, payload_row
from crm_graph.graphql.execution.mutation import Payload

T = TypeVar("T")


def mutation(payload: type, description: str) -> Callable[[Callable[..., Awaitable[Payload]]], StrawberryField]:
    """A mutation field, which returns the tree of its `payload` type."""

    def decorate(resolver: Callable[..., Awaitable[Payload]]) -> StrawberryField:
        return strawberry.mutation(resolver, description=description, graphql_type=payload)

    return decorate


def payload_type(name: str, doc: str, **fields: type | UnionType) -> type:
    """The payload type of a mutation: rows, or plain values such as the id of a deleted row, and `replayed`."""
    declared = {field: payload_row() if _is_row(type_) else strawberry.field() for field, type_ in fields.items()}
    annotations = {"__annotations__": {**fields, "replayed": bool}}
    payload: type = type(name, (), {"__doc__": doc, **declared, "replayed": replayed(), **annotations})
    return graphql_type()(payload)


def _is_row(type_: type | UnionType) -> bool:
    return any(hasattr(one, MODEL) for one in get_args(type_) or (type_,))


def replayed() -> Any:
    """The field that every payload has."""
    doc = "Whether this is the result of an earlier call with the same idempotency key."
    return strawberry.field(description=doc)


def optional(doc: str | None = None) -> Any:
    """An input field that may be left out. See `or_none` and `given_fields` for how it is read."""
    return strawberry.field(default=strawberry.UNSET, description=doc)


def expected_version() -> Any:
    """The field of inputs that change a row with a version."""
    return optional("The version that you read. VERSION_CONFLICT if the row has changed since.")


def idempotency_key() -> Any:
    """The field that every input has."""
    return optional(
        "Makes the call safe to retry: within 7 days, another call with this key changes nothing and returns the "
        "first call's result. You can send it as the header Idempotency-Key instead."
    )


def or_none(value: T | None) -> T | None:
    """The value of an `optional` input field for which absent and null mean the same."""
    return None if value is strawberry.UNSET else value
