"""Mutations of many contacts or deals in one call."""

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
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import CrmError
from crm_graph.graphql.engine.bindings import column, embedded, graphql_type, payload_rows, to_one
from crm_graph.graphql.engine.error_format import describe_error
from crm_graph.graphql.execution.mutation import Info, Payload, Result, given_fields, perform
from crm_graph.graphql.mutations.contacts import UpsertContactItem
from crm_graph.graphql.mutations.fields import (
    expected_version,
    idempotency_key,
    mutation,
    optional,
    or_none,
    replayed,
)
from crm_graph.graphql.schema.types import Contact, Deal

ERRORS_LISTED = 10
RESULTS_DOC = "One for each item, in the order of the items."
ROW_DOC = "Null when the item failed, and in a repeated call also when you can't see the row any more."
_RESULT: dict[str, TypeEngine[Any]] = {"index": Integer(), "code": Text(), "message": Text(), "field": Text()}


def partial() -> Any:
    """The field that says what one bad item means for the others."""
    doc = (
        "False: if an item fails, the whole call fails and changes nothing; extensions.index says which item failed "
        f"first, extensions.errors lists the first {ERRORS_LISTED} of several. True: the other items are done anyway."
    )
    return strawberry.field(default=False, description=doc)


@strawberry.input(description="Contacts to create or change, each found by its address.")
class UpsertContactsInput:
    items: list[UpsertContactItem] = strawberry.field(
        description=f"At most {ITEMS_MAX}, each of another contact: a second item for the same contact fails."
    )
    partial: bool | None = partial()
    restore_deleted: bool | None = optional("True: restore contacts that were deleted. Default: CONFLICT for them.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A deal and the stage to move it to.")
class MoveDealItem:
    deal_id: uuid.UUID
    stage_id: uuid.UUID
    occurred_at: datetime | None = optional(
        "When the move happened, if not now. CONFLICT if the deal has moved since: a late report changes nothing."
    )
    expected_version: int | None = expected_version()


@strawberry.input(description="Deals to move to other stages of their pipelines.")
class MoveDealsInput:
    items: list[MoveDealItem] = strawberry.field(
        description=f"At most {ITEMS_MAX}, each of another deal. They move to the top of their columns in this order."
    )
    partial: bool | None = partial()
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class ItemError:
    """Why one item of a call failed."""

    code: str = column(doc="As in the `extensions` of an error: VALIDATION, CONFLICT, ...")
    message: str = column()
    field: str | None = column(doc="The field of the item.")


@graphql_type()
class UpsertContactResult:
    """The result of one item."""

    index: int = column(doc="The item's place in the list, from 0.")
    contact: Contact | None = to_one("contact_id", doc=ROW_DOC)
    created: bool = column(doc="Whether the contact is new.")
    error: ItemError | None = embedded("code", doc="Null when the item succeeded.")


@graphql_type()
class MoveDealResult:
    """The result of one item."""

    index: int = column(doc="The item's place in the list, from 0.")
    deal: Deal | None = to_one("deal_id", doc=ROW_DOC)
    moved: bool = column(doc="False when the item failed, or when the deal was already in that stage.")
    error: ItemError | None = embedded("code", doc="Null when the item succeeded.")


@graphql_type()
class UpsertContactsPayload:
    """The results of the items."""

    results: list[UpsertContactResult] = payload_rows(doc=RESULTS_DOC, contact_id=Uuid(), created=Boolean(), **_RESULT)
    replayed: bool = replayed()


@graphql_type()
class MoveDealsPayload:
    """The results of the items."""

    results: list[MoveDealResult] = payload_rows(doc=RESULTS_DOC, deal_id=Uuid(), moved=Boolean(), **_RESULT)
    replayed: bool = replayed()


@graphql_type()
class BulkMutations:
    """Mutations that take many items in one call."""

    @mutation(
        UpsertContactsPayload, f"Do what upsertContact does for up to {ITEMS_MAX} contacts at once, in one transaction."
    )
    async def upsert_contacts(self, info: Info, input: UpsertContactsInput) -> Payload:
        """See upsert.upsert_all."""

        async def act(work: UnitOfWork) -> Result:
            results = await upsert.upsert_all(
                work,
                items=[given_fields(item) for item in input.items],
                restore_deleted=bool(or_none(input.restore_deleted)),
            )
            _check_all_succeeded(results, input.partial)
            rows = [_row(result, index, "contact_id", created=result.created) for index, result in enumerate(results)]
            return {"results": rows}

        return await perform(info, input, act)

    @mutation(MoveDealsPayload, f"Do what moveDealStage does for up to {ITEMS_MAX} deals at once, in one transaction.")
    async def move_deals(self, info: Info, input: MoveDealsInput) -> Payload:
        """See bulk_moves.move_all."""
        items = [
            Move(item.deal_id, item.stage_id, or_none(item.occurred_at), or_none(item.expected_version))
            for item in input.items
        ]

        async def act(work: UnitOfWork) -> Result:
            results = await bulk_moves.move_all(work, items=items)
            _check_all_succeeded(results, input.partial)
            rows = [_row(result, index, "deal_id", moved=result.changed) for index, result in enumerate(results)]
            return {"results": rows}

        return await perform(info, input, act)


def _row(result: ItemResult, index: int, id_field: str, **flags: bool) -> dict[str, object]:
    """A row of `results`, as JSON, because the idempotency key stores it."""
    row: dict[str, object] = {"index": index, id_field: None if result.id is None else str(result.id), **flags}
    return row if result.error is None else row | _error(result.error)


def _check_all_succeeded(results: Sequence[ItemResult], is_partial: bool | None) -> None:
    """Unless the call is partial, raises the error of the first item that failed, with those of the others listed."""
    errors = {index: result.error for index, result in enumerate(results) if result.error is not None}
    if errors and not is_partial:
        raise _refusal(errors)


def _refusal(errors: Mapping[int, CrmError]) -> CrmError:
    first = min(errors)
    error = errors[first]
    message, field = describe_error(error)
    listed = [{"index": index, **_error(errors[index])} for index in sorted(errors)[:ERRORS_LISTED]]
    details = {**error.details, "index": first} | ({"errors": listed} if len(errors) > 1 else {})
    path = f"items[{first}]" + (f".{field}" if field else "")
    return type(error)(f"{path}: {message.removeprefix(f'{field}: ')}", field=path, details=details)


def _error(error: CrmError) -> dict[str, object]:
    message, field = describe_error(error)
    return {"code": error.code, "message": message, "field": field}
