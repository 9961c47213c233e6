"""The filters and orders of lists. A new filter or order takes one line here."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum

import strawberry
from sqlalchemy import ColumnElement, Interval, Numeric, Text, and_, exists, literal_column, select
from sqlmodel import SQLModel

from crm_graph import models
from crm_graph.errors import ValidationFailed
from crm_graph.graphql.engine.bindings import NEWEST_FIRST, Attribute, Order
from crm_graph.graphql.engine.criteria import criterion, equals
from crm_graph.graphql.engine.field_site import NOW, FieldSite, SqlType
from crm_graph.graphql.engine.weights import Weight
from crm_graph.graphql.schema import enums, search
from crm_graph.identity.access import caller
from crm_graph.models.columns import Expression
from crm_graph.values import check_text, normal_domain

DAYS_MAX = 36_500
OF_OWNER = "Rows of this owner that you may see. For a salesperson, a colleague has none."
OLDEST_FIRST = Order(("created_at", "id"))
LATEST_UPDATE_FIRST, OLDEST_UPDATE_FIRST = Order(("updated_at", "id"), descending=True), Order(("updated_at", "id"))


def at_least(name: str, type_: SqlType = None, *, doc: str | None = None) -> Attribute:
    """The rows whose column `name` has this value or more."""
    return criterion(lambda site, value: site.rows.c[name] >= value, type_, doc=doc)


def at_most(name: str, type_: SqlType = None, *, doc: str | None = None) -> Attribute:
    """The rows whose column `name` has this value or less."""
    return criterion(lambda site, value: site.rows.c[name] <= value, type_, doc=doc)


def later_than(name: str, *, doc: str) -> Attribute:
    """The rows whose column `name` is later. Not "or at the same time": callers pass the latest time they have seen."""
    return criterion(lambda site, value: site.rows.c[name] > value, doc=doc)


def created_after() -> Attribute:
    """The rows that were created later."""
    return later_than("created_at", doc="Created after this time, not at it.")


def updated_after() -> Attribute:
    """The rows that were changed later."""
    return later_than("updated_at", doc="Last changed after this time, not at it.")


def earlier_than(name: str, *, doc: str) -> Attribute:
    """The rows whose column `name` is earlier."""
    return criterion(lambda site, value: site.rows.c[name] < value, doc=doc)


def unassigned() -> Attribute:
    """The rows of the unassigned pool, or all others."""

    def sql(site: FieldSite, _value: Expression) -> ColumnElement[bool]:
        owner_id: Expression = site.rows.c.owner_id
        return owner_id.is_(None) if site.args["filter"]["unassigned"] else owner_id.is_not(None)

    return criterion(sql, doc="True: rows of the unassigned pool. False: rows that have an owner.")


def is_open() -> Attribute:
    """The open tasks, or the completed ones."""

    def sql(site: FieldSite, _value: Expression) -> ColumnElement[bool]:
        c = site.rows.c
        if not site.args["filter"]["open"]:
            return and_(c.completed_at.is_not(None))
        # A literal: with a parameter, PostgreSQL would not know that the index of open tasks has them all.
        return and_(c.completed_at.is_(None), c.type == literal_column(f"'{models.ActivityType.TASK}'"))

    return criterion(sql, doc="True: open tasks. False: completed tasks.")


def assigned_to_me() -> Attribute:
    """The caller's own tasks, or everything else."""

    def sql(site: FieldSite, _value: Expression) -> ColumnElement[bool]:
        me = caller(site.principal)
        if not site.args["filter"]["assignedToMe"]:
            return and_(site.rows.c.assignee_id.is_distinct_from(me))
        return and_(site.rows.c.assignee_id == me)

    return criterion(sql, doc="True: tasks that are assigned to you. False: all other activities.")


def matching_text(model: type[SQLModel], columns: str) -> Attribute:
    """The rows that full-text search finds in these columns."""
    doc = (
        f"Each word must be the beginning of a word in the {columns}. Case and accents are ignored. VALIDATION for a "
        "text without a letter or digit."
    )
    return criterion(lambda site, value: search.matches(model, site.rows, value), Text, read=check_search_text, doc=doc)


def check_search_text(text: str, field: str = "text") -> str:
    """A text to search for, unchanged; raises ValidationFailed unless it has a letter or a digit."""
    if not any(character.isalnum() for character in check_text(text, field=field)):
        raise ValidationFailed(f"{field} must contain a letter or a digit", field=field)
    return text


def _days(number: int, field: str) -> timedelta:
    if not 0 <= number <= DAYS_MAX:
        raise ValidationFailed(f"{field} must be between 0 and {DAYS_MAX:,}", field=field)
    return timedelta(days=number)


def _has_not_moved(site: FieldSite, days: Expression) -> ColumnElement[bool]:
    moves = models.table(models.DealStageHistory).alias()
    recent = select(1).select_from(moves).where(moves.c.deal_id == site.rows.c.id, moves.c.moved_at > NOW - days)
    return ~exists(recent)


def _of_type(site: FieldSite, event_type: Expression) -> ColumnElement[bool]:
    events = models.table(models.Event).alias()
    is_it = and_(events.c.id == site.rows.c.event_id, events.c.type == event_type)
    return exists(select(1).select_from(events).where(is_it))


@strawberry.input(
    description="Deals that meet all of these conditions. A field that is omitted or null is no condition."
)
class DealFilter:
    stage_id: uuid.UUID | None = equals("stage_id")
    pipeline_id: uuid.UUID | None = equals("pipeline_id")
    status: enums.DealStatus | None = equals("status")
    owner_id: uuid.UUID | None = equals("owner_id", doc=OF_OWNER)
    unassigned: bool | None = unassigned()
    contact_id: uuid.UUID | None = equals("contact_id")
    company_id: uuid.UUID | None = equals("company_id")
    campaign_id: str | None = equals("campaign_id")
    min_amount: Decimal | None = at_least("amount", Numeric, doc="At least this amount, whatever the currency.")
    max_amount: Decimal | None = at_most("amount", Numeric, doc="At most this amount, whatever the currency.")
    close_date_from: date | None = at_least("close_date", doc="Expected to close on this date or later.")
    close_date_to: date | None = at_most("close_date", doc="Expected to close on this date or earlier.")
    created_after: datetime | None = created_after()
    updated_after: datetime | None = updated_after()
    stale_for_days: int | None = criterion(
        _has_not_moved,
        Interval,
        read=_days,
        doc=f"In their current stage for at least this many days, 0 to {DAYS_MAX:,}.",
        weight=Weight(points=160_000),  # looks for the moves of each deal
    )
    text: str | None = matching_text(models.Deal, "title")


@strawberry.input(
    description="Contacts that meet all of these conditions. A field that is omitted or null is no condition."
)
class ContactFilter:
    reply_status: enums.ReplyStatus | None = equals("reply_status")
    needs_review: bool | None = equals("needs_review")
    lifecycle_stage: enums.LifecycleStage | None = equals("lifecycle_stage")
    company_id: uuid.UUID | None = equals("company_id")
    owner_id: uuid.UUID | None = equals("owner_id", doc=OF_OWNER)
    unassigned: bool | None = unassigned()
    created_after: datetime | None = created_after()
    updated_after: datetime | None = updated_after()
    text: str | None = matching_text(models.Contact, "name, e-mail address, job title or phone number")


@strawberry.input(
    description="Companies that meet all of these conditions. A field that is omitted or null is no condition."
)
class CompanyFilter:
    domain: str | None = criterion(
        lambda site, value: site.rows.c.domain == value,
        read=lambda text, field: normal_domain(text, field=field),
        doc="Such as `acme.com`. Case is ignored. VALIDATION if the text is not a domain.",
    )
    created_after: datetime | None = created_after()
    updated_after: datetime | None = updated_after()
    text: str | None = matching_text(models.Company, "name, domain, industry or location")


@strawberry.input(
    description="Activities that meet all of these conditions. A field that is omitted or null is no condition."
)
class ActivityFilter:
    type: enums.ActivityType | None = equals("type")
    contact_id: uuid.UUID | None = equals("contact_id")
    deal_id: uuid.UUID | None = equals("deal_id")
    company_id: uuid.UUID | None = equals(
        "company_id", doc="Activities about the company itself, not about its people."
    )
    created_by: uuid.UUID | None = equals("created_by", doc="Activities that this owner created.")
    occurred_after: datetime | None = later_than("occurred_at", doc="Happened after this time, not at it.")
    open: bool | None = is_open()
    assignee_id: uuid.UUID | None = equals("assignee_id", doc="Tasks that are assigned to this owner.")
    assigned_to_me: bool | None = assigned_to_me()
    due_before: datetime | None = earlier_than("due_at", doc="Tasks that are due before this time.")


@strawberry.input(
    description="Deliveries that meet all of these conditions. A field that is omitted or null is no condition."
)
class WebhookDeliveryFilter:
    endpoint_id: uuid.UUID | None = equals("endpoint_id")
    status: enums.DeliveryStatus | None = equals("status")
    event_type: enums.EventType | None = criterion(_of_type)
    since: datetime | None = at_least("created_at", doc="Created at this time or later.")


@strawberry.enum(
    description="The order of deals. Deals without an amount count as below zero; those without a close date come last."
)
class DealOrder(Enum):
    CREATED_AT_DESC = NEWEST_FIRST
    CREATED_AT_ASC = OLDEST_FIRST
    UPDATED_AT_DESC = LATEST_UPDATE_FIRST
    UPDATED_AT_ASC = OLDEST_UPDATE_FIRST
    AMOUNT_DESC = Order(("amount", "id"), descending=True, null_as=Decimal(-1))
    AMOUNT_ASC = Order(("amount", "id"), null_as=Decimal(-1))
    CLOSE_DATE_DESC = Order(("close_date", "id"), descending=True, null_as=date.min)
    CLOSE_DATE_ASC = Order(("close_date", "id"), null_as=date.max)


@strawberry.enum(description="The order of contacts.")
class ContactOrder(Enum):
    CREATED_AT_DESC = NEWEST_FIRST
    CREATED_AT_ASC = OLDEST_FIRST
    UPDATED_AT_DESC = LATEST_UPDATE_FIRST
    UPDATED_AT_ASC = OLDEST_UPDATE_FIRST


@strawberry.enum(description="The order of companies.")
class CompanyOrder(Enum):
    NAME_ASC = Order(("name_key", "id"))
    NAME_DESC = Order(("name_key", "id"), descending=True)
    CREATED_AT_DESC = NEWEST_FIRST
    CREATED_AT_ASC = OLDEST_FIRST


@strawberry.enum(description="The order of activities. In an order by due time, those without one come last.")
class ActivityOrder(Enum):
    OCCURRED_AT_DESC = Order(("occurred_at", "id"), descending=True)
    OCCURRED_AT_ASC = Order(("occurred_at", "id"))
    DUE_AT_ASC = Order(("due_at", "id"), null_as=datetime.max.replace(tzinfo=UTC))
    DUE_AT_DESC = Order(("due_at", "id"), descending=True, null_as=datetime.min.replace(tzinfo=UTC))
