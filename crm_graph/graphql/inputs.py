"""What mutations take. A field that is left out stays as it is; null clears it."""

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import strawberry
from strawberry.scalars import JSON

from crm_graph.graphql import enums


def _given(doc: str | None = None) -> Any:
    return strawberry.field(default=strawberry.UNSET, description=doc)


@strawberry.input(description="A new deal; only the title is needed.")
class CreateDealInput:
    title: str = strawberry.field(description="1 to 500 characters.")
    contact_id: uuid.UUID | None = _given()
    company_id: uuid.UUID | None = _given("Default: the contact's company.")
    pipeline_id: uuid.UUID | None = _given("Default: the stage's pipeline, else the default pipeline.")
    stage_id: uuid.UUID | None = _given("Default: the first open stage.")
    owner_id: uuid.UUID | None = _given(
        "Default: you; for an admin, the contact's owner. Only an admin may name another."
    )
    amount: Decimal | None = _given("At least 0, with no more decimals than the currency has.")
    currency: str | None = _given("ISO 4217 in capitals. Default: the server's DEFAULT_CURRENCY.")
    close_date: date | None = _given()
    source: str | None = _given()
    notes: str | None = _given("At most 100,000 characters.")
    campaign_id: str | None = _given()


@strawberry.input(description="Changes to a deal; its stage is changed by moveDealStage.")
class UpdateDealInput:
    deal_id: uuid.UUID
    title: str | None = _given("Can't be cleared.")
    contact_id: uuid.UUID | None = _given()
    company_id: uuid.UUID | None = _given()
    owner_id: uuid.UUID | None = _given("You; only an admin may name another, or nobody (null: the unassigned pool).")
    amount: Decimal | None = _given("At least 0, with no more decimals than the currency has.")
    currency: str | None = _given("ISO 4217 in capitals; can't be cleared.")
    close_date: date | None = _given()
    source: str | None = _given()
    notes: str | None = _given("At most 100,000 characters.")
    campaign_id: str | None = _given()


@strawberry.input(description="A move to another stage of the deal's pipeline.")
class MoveDealStageInput:
    deal_id: uuid.UUID
    stage_id: uuid.UUID
    occurred_at: datetime | None = _given(
        "When it happened, if not now. CONFLICT when the deal has moved since: a late report changes nothing."
    )


@strawberry.input(description="Fields of a contact that a person or a workflow sets.")
class _ContactFields:
    full_name: str | None = _given()
    title: str | None = _given("The job title.")
    phone: str | None = _given()
    website: str | None = _given()
    linkedin_url: str | None = _given()
    company_id: uuid.UUID | None = _given()
    owner_id: uuid.UUID | None = _given("You; only an admin may name another, or nobody (null: the unassigned pool).")
    lifecycle_stage: enums.LifecycleStage | None = _given("Can't be cleared.")
    custom: JSON | None = _given("An object; its keys are set, null removes one, the other keys stay (RFC 7396).")


@strawberry.input(description="A contact to create, or to change when its address is known.")
class UpsertContactInput(_ContactFields):
    email: str = strawberry.field(description="In any spelling; the contact is found by any of its addresses.")
    company_name: str | None = _given("Finds or creates the company when companyId is not given.")


@strawberry.input(description="Changes to a contact.")
class UpdateContactInput(_ContactFields):
    contact_id: uuid.UUID


@strawberry.input(description="An event to apply again.")
class ReplayWebhookInput:
    webhook_id: uuid.UUID
