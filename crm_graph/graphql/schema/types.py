"""The types of the API, each bound to its table. Adding a column to the API is one line here."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from strawberry.scalars import JSON

from crm_graph import models
from crm_graph.graphql.engine.bindings import (
    Order,
    Source,
    aggregate,
    column,
    computed,
    derived,
    graphql_type,
    page,
    rows,
    to_one,
)
from crm_graph.graphql.engine.field_site import FieldSite
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.connections import Connection

BOARD_ORDER = Order(("rank", "id"))
LATEST_FIRST = Order(("occurred_at", "id"), descending=True)
LAST_JUDGED_FIRST = Order(("judged_at", "id"), descending=True)
STAGE_ORDER = Order(("order_index", "id"))
BY_CURRENCY = Order(("currency",))


@graphql_type(models.Owner)
class Owner:
    """A member of the team, to whom contacts and deals belong."""

    id: uuid.UUID = column()
    name: str = column()
    email: str = column()
    role: enums.Role = column()
    is_default: bool = column(doc="Whether contacts that nobody else can be found for go here.")
    active: bool = column(doc="An inactive owner's tokens are refused.")
    timezone: str | None = column()
    booking_url: str | None = column()
    mailboxes: list[str] = aggregate(
        models.OwnerMailbox,
        lambda site: select(
            func.coalesce(
                func.json_agg(aggregate_order_by(site.rows.c.email, site.rows.c.email)), func.json_build_array()
            )
        ).where(site.rows.c.owner_id == site.parent.c.id),
        doc="The addresses that this owner sends from; replies to them are the owner's.",
    )


@graphql_type(models.Company)
class Company:
    """A company, shared by the whole team; identified by its domain, else by its name."""

    id: uuid.UUID = column()
    name: str = column()
    domain: str | None = column()
    location: str | None = column()
    size: str | None = column()
    industry: str | None = column()
    website: str | None = column()
    linkedin_url: str | None = column()
    enrichment: JSON = column(
        "enrichment_json", doc="What is known of it besides, as upsertCompany and updateCompany set it."
    )
    created_at: datetime = column()
    updated_at: datetime = column()
    contacts: Connection[Contact] = page(key="company_id")
    deals: Connection[Deal] = page(key="company_id")
    activities: Connection[Activity] = page(
        LATEST_FIRST, key="company_id", doc="About the company itself, latest first; those of its people are theirs."
    )


@graphql_type(models.Contact)
class Contact:
    """A person, identified by e-mail address."""

    id: uuid.UUID = column()
    email: str = column(doc="In normal form: outer space gone, lower case, the domain in ASCII.")
    full_name: str | None = column()
    title: str | None = column()
    phone: str | None = column()
    website: str | None = column()
    linkedin_url: str | None = column()
    company: Company | None = to_one("company_id")
    owner: Owner | None = to_one("owner_id", doc="Null in the unassigned pool.")
    owner_source: enums.OwnerSource | None = column()
    lifecycle_stage: enums.LifecycleStage = column()
    reply_status: enums.ReplyStatus | None = column(doc="What the last reply that counts means.")
    reply_summary: str | None = column(doc="That reply in one line.")
    reply_status_source: enums.ReplyStatusSource | None = column()
    reply_status_at: datetime | None = column(doc="When the contact wrote that reply.")
    needs_review: bool = column(doc="Whether the status is a guess that a person should check.")
    ooo_until: date | None = column(doc="The day until which the contact said to be out of office.")
    do_not_contact_at: datetime | None = column(doc="Since when the contact must not be written to.")
    do_not_contact_reason: str | None = column()
    latest_email_sent_at: datetime | None = column()
    custom: JSON = column(doc="Lead variables and other fields of your own.")
    version: int = column(doc="Grows with every edit.")
    created_at: datetime = column()
    updated_at: datetime = column()
    deals: Connection[Deal] = page(key="contact_id", doc="Newest first.")
    activities: Connection[Activity] = page(LATEST_FIRST, key="contact_id", doc="Latest first.")
    verdicts: list[ReplyVerdict] = rows(
        lambda site: site.rows.c.contact_id == site.parent.c.id,
        LAST_JUDGED_FIRST,
        doc="What was made of the contact's replies, by whom; the last one first. At most 500.",
    )


@graphql_type(models.ReplyVerdict)
class ReplyVerdict:
    """What one source made of a reply. A person's correction stands beside what it corrects."""

    id: uuid.UUID = column()
    activity: Activity | None = to_one("activity_id", doc="The reply; null when the contact had written nothing.")
    source: enums.ReplyStatusSource = column()
    status: enums.ReplyStatus = column()
    summary: str | None = column()
    confidence: float | None = column(doc="From 0 to 1; null means certain.")
    judged_by: Owner | None = to_one("judged_by", doc="The person, when it was one.")
    judged_at: datetime = column()


@graphql_type(models.Pipeline)
class Pipeline:
    """A way of selling: an ordered list of stages."""

    id: uuid.UUID = column()
    name: str = column()
    is_default: bool = column(doc="Whether new deals go here unless they say otherwise.")
    stages: list[PipelineStage] = rows(
        lambda site: and_(site.rows.c.pipeline_id == site.parent.c.id, site.rows.c.deleted_at.is_(None)),
        STAGE_ORDER,
        doc="In board order, without deleted ones.",
    )


@graphql_type()
class AmountTotal:
    """The sum of the deals' amounts in one currency; amounts in different currencies are never added up."""

    amount: Decimal = column()
    weighted_amount: Decimal = column(doc="Each amount times the probability of its stage: what to expect of it.")
    currency: str = column(doc="ISO 4217.")


def _stage_totals(site: FieldSite) -> Select[Any]:
    amount = func.sum(site.rows.c.amount)
    return (
        select(site.rows.c.currency, amount.label("amount"), _weighted(amount, site.parent).label("weighted_amount"))
        .where(site.rows.c.stage_id == site.parent.c.id, site.rows.c.amount.is_not(None))
        .group_by(site.rows.c.currency)
    )


def _weighted(amount: ColumnElement[Any], stage: models.Relation) -> ColumnElement[Any]:
    return func.round(amount * stage.c.probability, literal_column("2"))


@graphql_type(models.PipelineStage)
class PipelineStage:
    """A column of the board. A deleted one is only seen in the history of deals."""

    id: uuid.UUID = column()
    key: str = column(doc="The immutable name for machines, such as `meeting_scheduled`.")
    name: str = column()
    order_index: int = column()
    probability: float = column(doc="How likely a deal here is won, 0 to 1.")
    kind: enums.StageKind = column(doc="A deal that enters a stage of kind WON or LOST is closed.")
    pipeline: Pipeline = to_one("pipeline_id")
    deal_count: int = aggregate(
        models.Deal,
        lambda site: select(func.count()).where(site.rows.c.stage_id == site.parent.c.id),
        needs=("stage_id",),
        doc="Deals here that you may see.",
    )
    amount_totals: list[AmountTotal] = derived(
        Source(models.Deal, _stage_totals, needs=("stage_id", "amount", "currency")),
        order=BY_CURRENCY,
        doc="Their amounts, per currency.",
    )
    deals: Connection[Deal] = page(BOARD_ORDER, key="stage_id", doc="In board order, top first.")


@graphql_type(models.Deal)
class Deal:
    """A chance to sell something to a contact."""

    id: uuid.UUID = column()
    title: str = column()
    contact: Contact | None = to_one("contact_id", doc="Null when there is none, or when it is a colleague's.")
    company: Company | None = to_one("company_id")
    pipeline: Pipeline = to_one("pipeline_id")
    stage: PipelineStage = to_one("stage_id")
    owner: Owner | None = to_one("owner_id", doc="Null in the unassigned pool.")
    amount: Decimal | None = column(doc="In `currency`; at most 2 decimals.")
    currency: str = column(doc="ISO 4217.")
    close_date: date | None = column(doc="When it is expected to close.")
    status: enums.DealStatus = column(doc="Follows the kind of the stage.")
    lost_reason: str | None = column()
    source: str | None = column(doc="Where it came from, such as `instantly` or `calcom`.")
    notes: str | None = column()
    campaign_id: str | None = column()
    version: int = column(doc="Grows with every edit and move to another stage; its place in the column is no part.")
    created_at: datetime = column()
    updated_at: datetime = column()
    activities: Connection[Activity] = page(LATEST_FIRST, key="deal_id", doc="Latest first.")
    stage_history: Connection[StageMove] = page(
        Order(("moved_at", "id")), key="deal_id", doc="Oldest first; the first entry is the creation."
    )


@graphql_type(models.DealStageHistory)
class StageMove:
    """One move of a deal; each starts where the last one ended."""

    id: uuid.UUID = column()
    from_stage: PipelineStage | None = to_one("from_stage_id", doc="Null for the creation.")
    to_stage: PipelineStage = to_one("to_stage_id")
    moved_at: datetime = column()
    moved_by: Owner | None = to_one("moved_by", doc="Null when an event moved it.")
    source: str = column(doc="`graphql`, or the provider whose event moved it.")


@graphql_type(models.Activity)
class Activity:
    """Something that happened with a contact, a deal or a company, or a task: something that is to happen."""

    id: uuid.UUID = column()
    type: enums.ActivityType = column()
    content: str = column()
    meta: JSON = column("meta_json", doc="Details that depend on the type; of a completed task, its `outcome`.")
    contact: Contact | None = to_one("contact_id")
    deal: Deal | None = to_one("deal_id")
    company: Company | None = to_one("company_id")
    due_at: datetime | None = column(doc="When a task is to be done.")
    assignee: Owner | None = to_one("assignee_id", doc="Who is to do the task.")
    completed_at: datetime | None = column(doc="When the task was done; null while it is open.")
    created_by: Owner | None = to_one("created_by", doc="Null when an event caused it.")
    occurred_at: datetime = column(doc="When it happened; of a task, when it came up.")
    created_at: datetime = column()


@graphql_type()
class SearchHit:
    """A deal, a contact or a company that a search found; the other two are null."""

    score: float = column(doc="How well its name fits: from 1 up when it has the words whole, or begins with them.")
    deal: Deal | None = to_one("deal_id")
    contact: Contact | None = to_one("contact_id")
    company: Company | None = to_one("company_id")


@graphql_type(models.WebhookLog)
class Webhook:
    """An event as it arrived, and what became of it; for admins."""

    id: uuid.UUID = column()
    source: str = column()
    event_type: str = column()
    idempotency_key: str | None = column()
    status: enums.WebhookStatus = column()
    error: str | None = column(doc="Why it was not applied.")
    attempts: int = column()
    received_at: datetime = column()
    processed_at: datetime | None = column()
    size: int = computed(lambda site: func.octet_length(site.parent.c.body), doc="Of the body, in bytes.")
    body: str = computed(
        lambda site: func.convert_from(site.parent.c.body, cast("UTF8", Text)),
        doc="Exactly as it was sent; empty when it was erased with a person.",
    )
    contact: Contact | None = to_one("contact_id")
    deal: Deal | None = to_one("deal_id")
