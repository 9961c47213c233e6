"""The types of the API, each bound to its table. A new column of the API takes one line here."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import and_, any_, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from strawberry.scalars import JSON

from crm_graph import models
from crm_graph.domain.contacts.lifecycle import is_mailable
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
from crm_graph.graphql.engine.weights import Weight
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.addresses import all_addresses
from crm_graph.graphql.schema.connections import Connection
from crm_graph.models.columns import AnySelect, Expression

BOARD_ORDER = Order(("rank", "id"))
LATEST_FIRST = Order(("occurred_at", "id"), descending=True)
NEWEST_VERDICT_FIRST = Order(("judged_at", "id"), descending=True)
STAGE_ORDER = Order(("order_index", "id"))
BY_CURRENCY = Order(("currency",))
LONG = Weight(is_long=True)


@graphql_type(models.Owner)
class Owner:
    """A member of the team. Contacts and deals belong to an owner or to the unassigned pool."""

    id: uuid.UUID = column()
    name: str = column()
    email: str = column()
    role: enums.Role = column()
    is_default: bool = column(doc="Whether this owner receives contacts that match no other owner.")
    active: bool = column(doc="The tokens of an inactive owner are refused.")
    timezone: str | None = column(doc="An IANA name, such as `Europe/Istanbul`.")
    booking_url: str | None = column(doc="The page for booking a meeting with this owner.")
    mailboxes: list[str] = aggregate(
        models.OwnerMailbox,
        lambda site: select(
            func.coalesce(
                func.json_agg(aggregate_order_by(site.rows.c.email, site.rows.c.email)), func.json_build_array()
            )
        ).where(site.rows.c.owner_id == site.parent.c.id),
        doc="The addresses that this owner sends from, sorted. A contact who replies to one is assigned to this owner, "
        "unless a person chose another.",
    )


@graphql_type(models.Company)
class Company:
    """A company, visible to the whole team. Its domain identifies it or, without a domain, its name."""

    id: uuid.UUID = column()
    name: str = column()
    domain: str | None = column(doc="In lower case and ASCII, such as `acme.com`.")
    location: str | None = column()
    size: str | None = column(doc="Free text, such as `11-50`.")
    industry: str | None = column()
    website: str | None = column()
    linkedin_url: str | None = column()
    enrichment: JSON = column("enrichment_json", doc="Other details, as set by upsertCompany and updateCompany.")
    created_at: datetime = column()
    updated_at: datetime = column()
    contacts: Connection[Contact] = page(key="company_id", doc="Newest first.")
    deals: Connection[Deal] = page(key="company_id", doc="Newest first.")
    activities: Connection[Activity] = page(
        LATEST_FIRST,
        key="company_id",
        doc="Activities about the company itself, latest first. Those of its people are on the contacts.",
    )


@graphql_type(models.Contact)
class Contact:
    """A person, identified by an e-mail address."""

    id: uuid.UUID = column()
    email: str = column(doc="Normalised: without surrounding spaces, in lower case, the domain in ASCII.")
    emails: list[str] = aggregate(
        models.ContactEmail,
        all_addresses,
        doc="All addresses that lead to the contact: `email`, then the further ones in alphabetical order, such as "
        "those of contacts that were merged into it.",
    )
    full_name: str | None = column()
    title: str | None = column(doc="The job title.")
    phone: str | None = column()
    website: str | None = column()
    linkedin_url: str | None = column()
    company: Company | None = to_one("company_id")
    owner: Owner | None = to_one("owner_id", doc="Null in the unassigned pool.")
    owner_source: enums.OwnerSource | None = column(doc="What assigned the owner; null if nothing has yet.")
    lifecycle_stage: enums.LifecycleStage = column()
    reply_status: enums.ReplyStatus | None = column(
        doc="What the contact's latest reply means, by the verdict that counts. Null before the first verdict."
    )
    reply_summary: str | None = column(doc="The reply in one line.")
    reply_status_source: enums.ReplyStatusSource | None = column(doc="Who gave the verdict that counts.")
    reply_status_at: datetime | None = column(doc="When the contact wrote the reply.")
    needs_review: bool = column(doc="Whether the reply status is uncertain and a person should check it.")
    ooo_until: date | None = column(doc="The last day of the contact's announced absence.")
    do_not_contact_at: datetime | None = column(
        doc="When e-mails to the contact were stopped; null if they are allowed."
    )
    do_not_contact_reason: str | None = column()
    mailable: bool = computed(
        lambda site: is_mailable(site.parent),
        doc="Whether e-mails may be sent: false after an opt-out (also one that a person still has to check), after a "
        "bounce, and for people who booked by telephone, whose address leads nowhere.",
    )
    latest_email_sent_at: datetime | None = column(doc="When the latest e-mail to the contact was sent.")
    custom: JSON = column(doc="Lead variables from Instantly, and fields of your own.")
    version: int = column(doc="Increases with every edit. Pass it as `expectedVersion` to detect concurrent edits.")
    created_at: datetime = column()
    updated_at: datetime = column()
    deals: Connection[Deal] = page(key="contact_id", doc="Newest first.")
    activities: Connection[Activity] = page(LATEST_FIRST, key="contact_id", doc="Latest first.")
    verdicts: list[ReplyVerdict] = rows(
        lambda site: site.rows.c.contact_id == site.parent.c.id,
        NEWEST_VERDICT_FIRST,
        doc="The verdicts on the contact's replies, newest first. At most 500.",
        weight=Weight(rows=20),
    )


@graphql_type(models.ReplyVerdict)
class ReplyVerdict:
    """How one source classified a reply. Each source has one verdict per reply; a correction is kept as another."""

    id: uuid.UUID = column()
    activity: Activity | None = to_one("activity_id", doc="The reply; null for a verdict given without one.")
    source: enums.ReplyStatusSource = column()
    status: enums.ReplyStatus = column()
    summary: str | None = column()
    confidence: float | None = column(doc="0 to 1; null if the source is certain.")
    judged_by: Owner | None = to_one(
        "judged_by", doc="The owner who gave the verdict; null unless the source is PERSON."
    )
    judged_at: datetime = column()


@graphql_type(models.Pipeline)
class Pipeline:
    """A sales process: an ordered list of stages."""

    id: uuid.UUID = column()
    name: str = column()
    is_default: bool = column(doc="Whether new deals go here by default.")
    stages: list[PipelineStage] = rows(
        lambda site: and_(site.rows.c.pipeline_id == site.parent.c.id, site.rows.c.deleted_at.is_(None)),
        STAGE_ORDER,
        doc="In board order, without deleted stages.",
    )


@graphql_type()
class AmountTotal:
    """The sum of deal amounts in one currency. Amounts in different currencies are never added."""

    amount: Decimal = column()
    weighted_amount: Decimal = column(
        doc="The expected value: the sum of each amount times the probability of its stage."
    )
    currency: str = column(doc="An ISO 4217 code, such as `USD`.")


def _stage_totals(site: FieldSite) -> AnySelect:
    amount = func.sum(site.rows.c.amount)
    return (
        select(site.rows.c.currency, amount.label("amount"), _weighted(amount, site.parent).label("weighted_amount"))
        .where(site.rows.c.stage_id == site.parent.c.id, site.rows.c.amount.is_not(None))
        .group_by(site.rows.c.currency)
    )


def _weighted(amount: Expression, stage: models.Relation) -> Expression:
    return func.round(amount * stage.c.probability, literal_column("2"))


@graphql_type(models.PipelineStage)
class PipelineStage:
    """A column of the board. Deleted stages appear only in the history of deals and in reports."""

    id: uuid.UUID = column()
    key: str = column(
        doc="An immutable identifier for programs, such as `meeting_scheduled`. Unique within the pipeline."
    )
    name: str = column()
    order_index: int = column(doc="The position on the board, ascending from left to right.")
    probability: float = column(doc="The chance that a deal in this stage is won, 0 to 1.")
    kind: enums.StageKind = column(doc="A deal that enters a stage of kind WON or LOST is closed.")
    pipeline: Pipeline = to_one("pipeline_id")
    deal_count: int = aggregate(
        models.Deal,
        lambda site: select(func.count()).where(site.rows.c.stage_id == site.parent.c.id),
        needs=("stage_id",),
        doc="The number of deals in this stage that you may see.",
        weight=Weight(points=2_000),
    )
    amount_totals: list[AmountTotal] = derived(
        Source(models.Deal, _stage_totals, needs=("stage_id", "amount", "currency")),
        order=BY_CURRENCY,
        doc="The amounts of those deals, by currency. Deals without an amount add nothing.",
        weight=Weight(points=3_000),
    )
    deals: Connection[Deal] = page(
        BOARD_ORDER, key="stage_id", doc="In board order, from the top.", weight=Weight(count=1_500)
    )


@graphql_type(models.Deal)
class Deal:
    """A sales opportunity."""

    id: uuid.UUID = column()
    title: str = column()
    contact: Contact | None = to_one("contact_id", doc="Null if the deal has none, or if you may not see it.")
    company: Company | None = to_one("company_id")
    pipeline: Pipeline = to_one("pipeline_id")
    stage: PipelineStage = to_one("stage_id")
    owner: Owner | None = to_one("owner_id", doc="Null in the unassigned pool.")
    members: list[Owner] = rows(
        lambda site: site.rows.c.id == any_(site.parent.c.member_ids),
        Order(("name", "id")),
        doc="The owners who work on the deal beside its own, by name. At most 20. They see and change the deal and its "
        "timeline, and read its contact; they can't assign or delete it.",
    )
    amount: Decimal | None = column(doc="In `currency`, with at most 2 decimals; null if unknown.")
    currency: str = column(doc="An ISO 4217 code, such as `USD`.")
    close_date: date | None = column(doc="The expected close date.")
    status: enums.DealStatus = column(doc="Always the kind of the deal's stage.")
    lost_reason: str | None = column(doc="Null unless the deal is lost.")
    source: str | None = column(doc="Where the deal came from, such as `instantly` or `calcom`.")
    notes: str | None = column(weight=LONG)
    campaign_id: str | None = column(doc="The id of the e-mail campaign that opened the deal.")
    version: int = column(
        doc="Increases with every edit and every move to another stage, but not when the deal moves within its column."
    )
    created_at: datetime = column()
    updated_at: datetime = column()
    activities: Connection[Activity] = page(LATEST_FIRST, key="deal_id", doc="Latest first.")
    stage_history: Connection[StageMove] = page(
        Order(("moved_at", "id")), key="deal_id", doc="Oldest first. The first entry is the creation."
    )


@graphql_type(models.DealStageHistory)
class StageMove:
    """One move of a deal from stage to stage."""

    id: uuid.UUID = column()
    from_stage: PipelineStage | None = to_one("from_stage_id", doc="Null for the creation of the deal.")
    to_stage: PipelineStage = to_one("to_stage_id")
    moved_at: datetime = column()
    moved_by: Owner | None = to_one("moved_by", doc="Null if an event from a provider moved it.")
    source: str = column(doc="`graphql`, or the provider whose event moved it.")


@graphql_type(models.Activity)
class Activity:
    """An entry on the timeline of a contact, a deal or a company: something that happened, or a task."""

    id: uuid.UUID = column()
    type: enums.ActivityType = column()
    content: str = column(weight=LONG)
    meta: JSON = column("meta_json", doc="Details that depend on the type, such as the `outcome` of a completed task.")
    contact: Contact | None = to_one("contact_id")
    deal: Deal | None = to_one("deal_id")
    company: Company | None = to_one("company_id")
    due_at: datetime | None = column(doc="When a task is due; null for other types, and for tasks without a due time.")
    assignee: Owner | None = to_one("assignee_id", doc="The owner who is to do the task; null for other types.")
    completed_at: datetime | None = column(
        doc="When the task was completed; null while it is open, and for other types."
    )
    created_by: Owner | None = to_one("created_by", doc="Null if an event from a provider caused it.")
    occurred_at: datetime = column(doc="When it happened; for a task, when it was created.")
    created_at: datetime = column()
