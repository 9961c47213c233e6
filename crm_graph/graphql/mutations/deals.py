"""What can be done with deals."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal

import strawberry

from crm_graph.domain.deals import moves
from crm_graph.domain.deals import records as deals
from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import (
    Info,
    doing,
    expected_version,
    idempotency_key,
    optional,
    perform,
    replayed,
)
from crm_graph.graphql.schema.types import Deal
from crm_graph.models import StageKind


@strawberry.input(description="A new deal; only the title is needed.")
class CreateDealInput:
    title: str = strawberry.field(description="1 to 500 characters.")
    contact_id: uuid.UUID | None = optional()
    company_id: uuid.UUID | None = optional("Default: the contact's company.")
    pipeline_id: uuid.UUID | None = optional("Default: the stage's pipeline, else the default pipeline.")
    stage_id: uuid.UUID | None = optional("Default: the first open stage.")
    owner_id: uuid.UUID | None = optional(
        "Default: you; for an admin, the contact's owner. Only an admin may name another."
    )
    amount: Decimal | None = optional("At least 0, with no more decimals than the currency has.")
    currency: str | None = optional("ISO 4217 in capitals. Default: the server's DEFAULT_CURRENCY.")
    close_date: date | None = optional()
    source: str | None = optional()
    notes: str | None = optional("At most 100,000 characters.")
    campaign_id: str | None = optional()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a deal; its stage is changed by moveDealStage.")
class UpdateDealInput:
    deal_id: uuid.UUID
    title: str | None = optional("Can't be cleared.")
    contact_id: uuid.UUID | None = optional()
    company_id: uuid.UUID | None = optional()
    owner_id: uuid.UUID | None = optional("You; only an admin may name another, or nobody (null: the unassigned pool).")
    amount: Decimal | None = optional("At least 0, with no more decimals than the currency has.")
    currency: str | None = optional("ISO 4217 in capitals; can't be cleared.")
    close_date: date | None = optional()
    source: str | None = optional()
    notes: str | None = optional("At most 100,000 characters.")
    campaign_id: str | None = optional()
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A move to another stage of the deal's pipeline, or to another place in its column.")
class MoveDealStageInput:
    deal_id: uuid.UUID
    stage_id: uuid.UUID
    after_deal_id: uuid.UUID | None = optional(
        "Place it directly below this deal. Default: on top of the column. CONFLICT when that deal is in another stage."
    )
    before_deal_id: uuid.UUID | None = optional("Place it directly above this deal.")
    occurred_at: datetime | None = optional(
        "When it happened, if not now. CONFLICT when the deal has moved since: a late report changes nothing."
    )
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A deal that is won.")
class MarkDealWonInput:
    deal_id: uuid.UUID
    stage_id: uuid.UUID | None = optional("A stage of kind WON. Default: the pipeline's first.")
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A deal that is lost, and why.")
class MarkDealLostInput:
    deal_id: uuid.UUID
    reason: str = strawberry.field(description="1 to 500 characters; reports count deals by it.")
    stage_id: uuid.UUID | None = optional("A stage of kind LOST. Default: the pipeline's first.")
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A deal that was won or lost, and is open again.")
class ReopenDealInput:
    deal_id: uuid.UUID
    stage_id: uuid.UUID | None = optional("A stage of kind OPEN. Default: the last one that the deal was in.")
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A deal to delete.")
class DeleteDealInput:
    deal_id: uuid.UUID
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A deal to bring back.")
class RestoreDealInput:
    deal_id: uuid.UUID
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A deal and whose it becomes.")
class AssignDealInput:
    deal_id: uuid.UUID
    owner_id: uuid.UUID | None = strawberry.field(
        description="Null: nobody, the unassigned pool. Only an admin may name anyone but themselves."
    )
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A deal of the unassigned pool to take.")
class ClaimDealInput:
    deal_id: uuid.UUID
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class CreateDealPayload:
    """The new deal."""

    deal: Deal = payload_row()
    replayed: bool = replayed()


@graphql_type()
class UpdateDealPayload:
    """The changed deal."""

    deal: Deal = payload_row()
    replayed: bool = replayed()


@graphql_type()
class MoveDealStagePayload:
    """The deal in its new stage."""

    deal: Deal = payload_row()
    replayed: bool = replayed()


@graphql_type()
class MarkDealWonPayload:
    """The deal, won."""

    deal: Deal = payload_row()
    replayed: bool = replayed()


@graphql_type()
class MarkDealLostPayload:
    """The deal, lost."""

    deal: Deal = payload_row()
    replayed: bool = replayed()


@graphql_type()
class ReopenDealPayload:
    """The deal, open again."""

    deal: Deal = payload_row()
    replayed: bool = replayed()


@graphql_type()
class DeleteDealPayload:
    """The id of the deal that is no longer to be seen."""

    deleted_deal_id: uuid.UUID = strawberry.field()
    replayed: bool = replayed()


@graphql_type()
class RestoreDealPayload:
    """The deal, as it was."""

    deal: Deal = payload_row()
    replayed: bool = replayed()


@graphql_type()
class AssignDealPayload:
    """The deal with its owner."""

    deal: Deal = payload_row()
    replayed: bool = replayed()


@graphql_type()
class ClaimDealPayload:
    """The deal, yours."""

    deal: Deal = payload_row()
    replayed: bool = replayed()


@graphql_type()
class DealMutations:
    """The part of Mutation that is about deals."""

    @strawberry.mutation(description="Create a deal, on top of its column.")
    async def create_deal(self, info: Info, input: CreateDealInput) -> CreateDealPayload:
        """See deals.create."""
        currency = info.context.settings.default_currency
        return await perform(info, input, doing(deals.create, "deal", default_currency=currency))

    @strawberry.mutation(description="Change fields of a deal; an entry on its timeline keeps the old and new values.")
    async def update_deal(self, info: Info, input: UpdateDealInput) -> UpdateDealPayload:
        """See deals.edit."""
        return await perform(info, input, doing(deals.edit, "deal", of="deal_id"))

    @strawberry.mutation(
        description="Move a deal to another stage of its pipeline, or to another place in its column. Moving it to "
        "where it is changes nothing. A stage of kind WON or LOST closes the deal, one of kind OPEN reopens it."
    )
    async def move_deal_stage(self, info: Info, input: MoveDealStageInput) -> MoveDealStagePayload:
        """See moves.move_stage."""
        return await perform(info, input, doing(moves.move_stage, "deal", of="deal_id"))

    @strawberry.mutation(description="Win a deal. To be won already is success, and changes nothing.")
    async def mark_deal_won(self, info: Info, input: MarkDealWonInput) -> MarkDealWonPayload:
        """See moves.mark."""
        return await perform(info, input, doing(moves.mark, "deal", of="deal_id", kind=StageKind.WON))

    @strawberry.mutation(description="Lose a deal. One that is lost already takes the new reason.")
    async def mark_deal_lost(self, info: Info, input: MarkDealLostInput) -> MarkDealLostPayload:
        """See moves.mark."""
        return await perform(info, input, doing(moves.mark, "deal", of="deal_id", kind=StageKind.LOST))

    @strawberry.mutation(description="Open a deal again. To be open already is success, and changes nothing.")
    async def reopen_deal(self, info: Info, input: ReopenDealInput) -> ReopenDealPayload:
        """See moves.mark."""
        return await perform(info, input, doing(moves.mark, "deal", of="deal_id", kind=StageKind.OPEN))

    @strawberry.mutation(description="Hide a deal from every list, count and report; restoreDeal brings it back.")
    async def delete_deal(self, info: Info, input: DeleteDealInput) -> DeleteDealPayload:
        """See deals.delete."""
        return await perform(info, input, doing(deals.delete, "deleted_deal_id", of="deal_id"))

    @strawberry.mutation(description="Bring a deleted deal back, on top of the column that it was in.")
    async def restore_deal(self, info: Info, input: RestoreDealInput) -> RestoreDealPayload:
        """See deals.restore."""
        return await perform(info, input, doing(deals.restore, "deal", of="deal_id"))

    @strawberry.mutation(description="For admins: give a deal to an owner, or to nobody.")
    async def assign_deal(self, info: Info, input: AssignDealInput) -> AssignDealPayload:
        """See deals.edit."""
        return await perform(info, input, doing(deals.edit, "deal", of="deal_id"))

    @strawberry.mutation(
        description="Take a deal out of the unassigned pool; of two who try, one gets it, and to the other it is "
        "NOT_FOUND. CONFLICT for an admin who claims another owner's."
    )
    async def claim_deal(self, info: Info, input: ClaimDealInput) -> ClaimDealPayload:
        """See deals.claim."""
        return await perform(info, input, doing(deals.claim, "deal", of="deal_id"))
