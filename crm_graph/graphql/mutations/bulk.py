"""What can be done with many contacts or deals in one call."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import strawberry
from sqlalchemy import Boolean, Integer, Text, Uuid
from sqlalchemy.types import TypeEngine

from crm_graph.domain.batches import ITEMS_MAX, ItemResult
from crm_graph.domain.contacts import upsert
from crm_graph.domain.deals import bulk_moves
from crm_graph.domain.deals.bulk_moves import Move
from crm_graph.errors import CrmError
from crm_graph.graphql.engine.bindings import column, embedded, graphql_type, payload_rows, to_one
from crm_graph.graphql.engine.error_format import describe_error
from crm_graph.graphql.execution.mutation import (
    Info,
    Write,
    expected_version,
    given_of,
    idempotency_key,
    optional,
    perform,
    replayed,
)
from crm_graph.graphql.mutations.contacts import UpsertContactItem
from crm_graph.graphql.schema.types import Contact, Deal

ERRORS_TOLD = 10
RESULTS = "One for each item, in their order."
GONE = "Null when the item failed; in a repeated call also when it is gone, or not yours any more."
_RESULT: dict[str, TypeEngine[Any]] = {"index": Integer(), "code": Text(), "message": Text(), "field": Text()}


def partial() -> Any:
    """The field that says what one bad item means for the others."""
    doc = (
        "False: one bad item refuses the whole call, and nothing is changed; extensions.index says which one, "
        f"extensions.errors lists the first {ERRORS_TOLD} of several. True: the others are done all the same."
    )
    return strawberry.field(default=False, description=doc)


@strawberry.input(description="Contacts to create or to change, each by its address.")
class UpsertContactsInput:
    items: list[UpsertContactItem] = strawberry.field(
        description=f"At most {ITEMS_MAX}, of different contacts: the second item for one is refused."
    )
    partial: bool | None = partial()
    restore_deleted: bool | None = optional("Bring contacts back that were deleted. Default: CONFLICT.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A deal and the stage that it goes to.")
class MoveDealItem:
    deal_id: uuid.UUID
    stage_id: uuid.UUID
    occurred_at: datetime | None = optional(
        "When it happened, if not now. CONFLICT when the deal has moved since: a late report changes nothing."
    )
    expected_version: int | None = expected_version()


@strawberry.input(description="Deals that move to other stages of their pipelines.")
class MoveDealsInput:
    items: list[MoveDealItem] = strawberry.field(
        description=f"At most {ITEMS_MAX}, of different deals. They come to the tops of their columns in this order."
    )
    partial: bool | None = partial()
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class ItemError:
    """Why an item was refused, though the others were done."""

    code: str = column(doc="As in the `extensions` of an error: VALIDATION, CONFLICT, ...")
    message: str = column()
    field: str | None = column(doc="The field of the item.")


@graphql_type()
class UpsertContactResult:
    """What became of one item."""

    index: int = column(doc="The item's place in the list, from 0.")
    contact: Contact | None = to_one("contact_id", doc=GONE)
    created: bool = column(doc="Whether the contact is new.")
    error: ItemError | None = embedded("code", doc="Null when it was done.")


@graphql_type()
class MoveDealResult:
    """What became of one item."""

    index: int = column(doc="The item's place in the list, from 0.")
    deal: Deal | None = to_one("deal_id", doc=GONE)
    moved: bool = column(doc="False when it failed, or when the deal was in that stage already.")
    error: ItemError | None = embedded("code", doc="Null when it was done.")


@graphql_type()
class UpsertContactsPayload:
    """What became of the items."""

    results: list[UpsertContactResult] = payload_rows(doc=RESULTS, contact_id=Uuid(), created=Boolean(), **_RESULT)
    replayed: bool = replayed()


@graphql_type()
class MoveDealsPayload:
    """What became of the items."""

    results: list[MoveDealResult] = payload_rows(doc=RESULTS, deal_id=Uuid(), moved=Boolean(), **_RESULT)
    replayed: bool = replayed()


@graphql_type()
class BulkMutations:
    """The part of Mutation that takes many items in one call."""

    @strawberry.mutation(
        description=f"Do what upsertContact does for up to {ITEMS_MAX} contacts at once, in one transaction."
    )
    async def upsert_contacts(self, info: Info, input: UpsertContactsInput) -> UpsertContactsPayload:
        """See upserts.upsert_all."""

        async def act(write: Write) -> Mapping[str, Any]:
            given = write.given | {"items": [given_of(item) for item in write.given["items"]]}
            is_partial = given.pop("partial")
            outcomes = await upsert.upsert_all(write.work, **given)
            return _results(outcomes, is_partial, lambda done: {"contact_id": _text(done.id), "created": done.created})

        return await perform(info, input, act)

    @strawberry.mutation(
        description=f"Move up to {ITEMS_MAX} deals at once, in one transaction; of each, see moveDealStage."
    )
    async def move_deals(self, info: Info, input: MoveDealsInput) -> MoveDealsPayload:
        """See bulk_moves.move_all."""

        async def act(write: Write) -> Mapping[str, Any]:
            items = [Move(**given_of(item)) for item in write.given["items"]]
            outcomes = await bulk_moves.move_all(write.work, items=items)
            is_partial = write.given["partial"]
            return _results(outcomes, is_partial, lambda done: {"deal_id": _text(done.id), "moved": done.changed})

        return await perform(info, input, act)


def _results(outcomes: Sequence[ItemResult], is_partial: bool | None, row: Any) -> dict[str, Any]:
    """The rows of `results`, as JSON. Raises the error of the first bad item unless the call is partial."""
    errors = {index: outcome.error for index, outcome in enumerate(outcomes) if outcome.error is not None}
    if errors and not is_partial:
        raise _refusal(errors)
    return {
        "results": [
            {"index": index, **row(outcome), **(_error(errors[index]) if index in errors else {})}
            for index, outcome in enumerate(outcomes)
        ]
    }


def _refusal(errors: Mapping[int, CrmError]) -> CrmError:
    """The error of the first bad item, which names it, with those of the others."""
    first = min(errors)
    error = errors[first]
    message, field = describe_error(error)
    listed = [{"index": index, **_error(errors[index])} for index in sorted(errors)[:ERRORS_TOLD]]
    details = {**error.details, "index": first} | ({"errors": listed} if len(errors) > 1 else {})
    place = f"items[{first}]" + (f".{field}" if field else "")
    said = message.removeprefix(f"{field}: ") if field else message
    return type(error)(f"{place}: {said}", field=place, details=details)


def _error(error: CrmError) -> dict[str, Any]:
    message, field = describe_error(error)
    return {"code": error.code, "message": message, "field": field}


def _text(id_: uuid.UUID | None) -> str | None:
    return str(id_) if id_ is not None else None  # as JSON: results are kept with the idempotency key
