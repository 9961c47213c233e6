"""Mutations of deals."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal

import strawberry

from crm_graph.domain.deals import moves
from crm_graph.domain.deals import records as deals
from crm_graph.domain.deals.records import NewDeal
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.graphql.engine.bindings import graphql_type
from crm_graph.graphql.execution.mutation import Info, Payload, Result, given_fields, perform, perform_on
from crm_graph.graphql.mutations.fields import (
    expected_version,
    idempotency_key,
    mutation,
    optional,
    or_none,
    payload_type,
)
from crm_graph.graphql.schema.types import Deal
from crm_graph.models import StageKind


@strawberry.input(description="A new deal. Only the title is required.")
class CreateDealInput:
    title: str = strawberry.field(description="1 to 500 characters.")
    contact_id: uuid.UUID | None = optional()
    company_id: uuid.UUID | None = optional("Default: the contact's company.")
    pipeline_id: uuid.UUID | None = optional("Default: the stage's pipeline, else the default pipeline.")
    stage_id: uuid.UUID | None = optional("Default: the first open stage.")
    owner_id: uuid.UUID | None = optional(
        "Default: you; for an admin, the contact's owner. Only an admin can name somebody else."
    )
    amount: Decimal | None = optional("At least 0, with no more decimals than the currency allows.")
    currency: str | None = optional("An ISO 4217 code in capitals. Default: the server's DEFAULT_CURRENCY.")
    close_date: date | None = optional()
    source: str | None = optional()
    notes: str | None = optional("At most 100,000 characters.")
    campaign_id: str | None = optional()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a deal. To change its stage, use moveDealStage.")
class UpdateDealInput:
    deal_id: uuid.UUID
    title: str | None = optional("Can't be cleared.")
    contact_id: uuid.UUID | None = optional()
    company_id: uuid.UUID | None = optional()
    owner_id: uuid.UUID | None = optional("Only an admin can name somebody else, or null for the unassigned pool.")
    amount: Decimal | None = optional("At least 0, with no more decimals than the currency allows.")
    currency: str | None = optional("An ISO 4217 code in capitals. Can't be cleared.")
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
        "Places it directly below this deal. Default: the top of the column. CONFLICT if that deal is in another stage."
    )
    before_deal_id: uuid.UUID | None = optional("Places it directly above this deal.")
    occurred_at: datetime | None = optional(
        "When the move happened, if not now. CONFLICT if the deal has moved since: a late report changes nothing."
    )
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A deal to mark as won.")
class MarkDealWonInput:
    deal_id: uuid.UUID
    stage_id: uuid.UUID | None = optional("A stage of kind WON. Default: the first one of the pipeline.")
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A deal to mark as lost, and why.")
class MarkDealLostInput:
    deal_id: uuid.UUID
    reason: str = strawberry.field(description="1 to 500 characters. Reports group lost deals by it.")
    stage_id: uuid.UUID | None = optional("A stage of kind LOST. Default: the first one of the pipeline.")
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A won or lost deal to reopen.")
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


@strawberry.input(description="A deleted deal to restore.")
class RestoreDealInput:
    deal_id: uuid.UUID
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A deal and its new owner.")
class AssignDealInput:
    deal_id: uuid.UUID
    owner_id: uuid.UUID | None = strawberry.field(
        description="Null: the unassigned pool. Only an admin can name somebody else, or null."
    )
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A deal of the unassigned pool to claim.")
class ClaimDealInput:
    deal_id: uuid.UUID
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class DealMutations:
    """Mutations of deals."""

    @mutation(payload_type("CreateDealPayload", "The new deal.", deal=Deal), "Create a deal at the top of its column.")
    async def create_deal(self, info: Info, input: CreateDealInput) -> Payload:
        """See deals.create."""
        new = NewDeal(
            title=input.title,
            contact_id=or_none(input.contact_id),
            company_id=or_none(input.company_id),
            pipeline_id=or_none(input.pipeline_id),
            stage_id=or_none(input.stage_id),
            owner_id=or_none(input.owner_id),
            amount=or_none(input.amount),
            currency=or_none(input.currency),
            close_date=or_none(input.close_date),
            source=or_none(input.source),
            notes=or_none(input.notes),
            campaign_id=or_none(input.campaign_id),
        )

        async def act(work: UnitOfWork) -> Result:
            return {"deal": await deals.create(work, new, default_currency=info.context.settings.default_currency)}

        return await perform(info, input, act)

    @mutation(
        payload_type("UpdateDealPayload", "The changed deal.", deal=Deal),
        "Change fields of a deal. An entry on its timeline keeps the old and new values.",
    )
    async def update_deal(self, info: Info, input: UpdateDealInput) -> Payload:
        """See deals.edit."""
        return await perform_on(
            info,
            input,
            lambda work: deals.edit(
                work,
                deal_id=input.deal_id,
                changes=given_fields(input, "deal_id", "expected_version"),
                expected_version=or_none(input.expected_version),
            ),
            deal=input.deal_id,
        )

    @mutation(
        payload_type("MoveDealStagePayload", "The deal in its new stage.", deal=Deal),
        "Move a deal to another stage of its pipeline, or to another place in its column. A stage of kind WON or LOST "
        "closes the deal, one of kind OPEN reopens it. Moving it to where it already is changes nothing.",
    )
    async def move_deal_stage(self, info: Info, input: MoveDealStageInput) -> Payload:
        """See moves.move_stage."""
        return await perform_on(
            info,
            input,
            lambda work: moves.move_stage(
                work,
                deal_id=input.deal_id,
                stage_id=input.stage_id,
                occurred_at=or_none(input.occurred_at),
                after_deal_id=or_none(input.after_deal_id),
                before_deal_id=or_none(input.before_deal_id),
                expected_version=or_none(input.expected_version),
            ),
            deal=input.deal_id,
        )

    @mutation(
        payload_type("MarkDealWonPayload", "The deal, won.", deal=Deal),
        "Mark a deal as won. Succeeds without a change when it is already won.",
    )
    async def mark_deal_won(self, info: Info, input: MarkDealWonInput) -> Payload:
        """See moves.mark."""
        return await _mark(info, input, StageKind.WON)

    @mutation(
        payload_type("MarkDealLostPayload", "The deal, lost.", deal=Deal),
        "Mark a deal as lost. A deal that is already lost gets the new reason.",
    )
    async def mark_deal_lost(self, info: Info, input: MarkDealLostInput) -> Payload:
        """See moves.mark."""
        return await _mark(info, input, StageKind.LOST, reason=input.reason)

    @mutation(
        payload_type("ReopenDealPayload", "The deal, open again.", deal=Deal),
        "Reopen a deal. Succeeds without a change when it is already open.",
    )
    async def reopen_deal(self, info: Info, input: ReopenDealInput) -> Payload:
        """See moves.mark."""
        return await _mark(info, input, StageKind.OPEN)

    @mutation(
        payload_type("DeleteDealPayload", "The id of the deleted deal.", deleted_deal_id=uuid.UUID),
        "Delete a deal: it leaves every list, count and report. restoreDeal brings it back.",
    )
    async def delete_deal(self, info: Info, input: DeleteDealInput) -> Payload:
        """See deals.delete."""
        return await perform_on(
            info,
            input,
            lambda work: deals.delete(work, deal_id=input.deal_id, expected_version=or_none(input.expected_version)),
            deleted_deal_id=input.deal_id,
        )

    @mutation(
        payload_type("RestoreDealPayload", "The deal, as it was.", deal=Deal),
        "Restore a deleted deal, at the top of the column that it was in.",
    )
    async def restore_deal(self, info: Info, input: RestoreDealInput) -> Payload:
        """See deals.restore."""
        return await perform_on(
            info, input, lambda work: deals.restore(work, deal_id=input.deal_id), deal=input.deal_id
        )

    @mutation(
        payload_type("AssignDealPayload", "The deal with its owner.", deal=Deal),
        "For admins: assign a deal to an owner, or to the unassigned pool.",
    )
    async def assign_deal(self, info: Info, input: AssignDealInput) -> Payload:
        """See deals.edit."""
        return await perform_on(
            info,
            input,
            lambda work: deals.edit(
                work,
                deal_id=input.deal_id,
                changes={"owner_id": input.owner_id},
                expected_version=or_none(input.expected_version),
            ),
            deal=input.deal_id,
        )

    @mutation(
        payload_type("ClaimDealPayload", "The deal, yours.", deal=Deal),
        "Claim a deal from the unassigned pool. When two people claim it at once, one gets it and the other gets "
        "NOT_FOUND. CONFLICT if it has another owner, which only an admin can see.",
    )
    async def claim_deal(self, info: Info, input: ClaimDealInput) -> Payload:
        """See deals.claim."""
        return await perform_on(
            info,
            input,
            lambda work: deals.claim(work, deal_id=input.deal_id, expected_version=or_none(input.expected_version)),
            deal=input.deal_id,
        )


async def _mark(
    info: Info,
    input: MarkDealWonInput | MarkDealLostInput | ReopenDealInput,
    kind: StageKind,
    reason: str | None = None,
) -> Payload:
    return await perform_on(
        info,
        input,
        lambda work: moves.mark(
            work,
            deal_id=input.deal_id,
            kind=kind,
            reason=reason,
            stage_id=or_none(input.stage_id),
            expected_version=or_none(input.expected_version),
        ),
        deal=input.deal_id,
    )
