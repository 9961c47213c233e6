"""What lists can be filtered and ordered by. Adding a filter or an order is one line here."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, Interval, Numeric, Text, and_, exists, literal_column, select
from sqlmodel import SQLModel

from crm_graph import models
from crm_graph.errors import ValidationFailed
from crm_graph.graphql.engine.bindings import NEWEST_FIRST, Order
from crm_graph.graphql.engine.criteria import criterion, equals
from crm_graph.graphql.engine.field_site import NOW, FieldSite
from crm_graph.graphql.schema import enums, search
from crm_graph.identity.access import caller
from crm_graph.values import check_text, normal_domain

DAYS_MAX = 36_500
OF_OWNER = "Of those you may see: a salesperson finds none of a colleague."
OLDEST_FIRST = Order(("created_at", "id"))
LATEST_UPDATE_FIRST, OLDEST_UPDATE_FIRST = Order(("updated_at", "id"), descending=True), Order(("updated_at", "id"))


def at_least(name: str, type_: Any = None) -> Any:
    """The rows whose column is this or more."""
    return criterion(lambda site, value: site.rows.c[name] >= value, type_)


def at_most(name: str, type_: Any = None) -> Any:
    """The rows whose column is this or less."""
    return criterion(lambda site, value: site.rows.c[name] <= value, type_)


def later_than(name: str) -> Any:
    """The rows whose time is later, which is what to ask for when the last one seen is known."""
    return criterion(lambda site, value: site.rows.c[name] > value)


def earlier_than(name: str) -> Any:
    """The rows whose time is earlier."""
    return criterion(lambda site, value: site.rows.c[name] < value)


def unassigned() -> Any:
    """The rows of the pool, or those of somebody."""

    def sql(site: FieldSite, _value: ColumnElement[Any]) -> ColumnElement[bool]:
        owner_id = site.rows.c.owner_id
        wanted: ColumnElement[bool] = owner_id.is_(None) if site.args["filter"]["unassigned"] else owner_id.is_not(None)
        return wanted

    return criterion(sql, doc="True: of the unassigned pool; false: of somebody.")


def is_open() -> Any:
    """The tasks that are still to be done, or those that are done."""

    def sql(site: FieldSite, _value: ColumnElement[Any]) -> ColumnElement[bool]:
        c = site.rows.c
        if not site.args["filter"]["open"]:
            return and_(c.completed_at.is_not(None))
        # A literal: with a parameter, PostgreSQL would not see that the index of open tasks has them all.
        return and_(c.completed_at.is_(None), c.type == literal_column(f"'{models.ActivityType.TASK}'"))

    return criterion(sql, doc="True: tasks that are open; false: tasks that are completed.")


def assigned_to_me() -> Any:
    """The caller's own tasks, or everything else."""

    def sql(site: FieldSite, _value: ColumnElement[Any]) -> ColumnElement[bool]:
        me = caller(site.principal)
        if not site.args["filter"]["assignedToMe"]:
            return and_(site.rows.c.assignee_id.is_distinct_from(me))
        return and_(site.rows.c.assignee_id == me)

    return criterion(sql, doc="True: your own tasks; false: everything else.")


def with_words(model: type[SQLModel], doc: str) -> Any:
    """The rows that full-text search finds."""
    return criterion(lambda site, value: search.matches(model, site.rows, value), Text, read=searched, doc=doc)


def searched(text: str, field: str = "text") -> str:
    """A text to search for; raises ValidationFailed when there is nothing in it."""
    if not any(character.isalnum() for character in check_text(text, field=field)):
        raise ValidationFailed(f"{field} needs a letter or a digit to search for", field=field)
    return text


def _days(number: int, field: str) -> timedelta:
    if not 0 <= number <= DAYS_MAX:
        raise ValidationFailed(f"{field} must be between 0 and {DAYS_MAX:,}", field=field)
    return timedelta(days=number)


def _has_not_moved(site: FieldSite, days: ColumnElement[Any]) -> ColumnElement[bool]:
    moves = models.table(models.DealStageHistory).alias()
    moved = select(1).select_from(moves).where(moves.c.deal_id == site.rows.c.id, moves.c.moved_at > NOW - days)
    return ~exists(moved)


def _of_type(site: FieldSite, event_type: ColumnElement[Any]) -> ColumnElement[bool]:
    events = models.table(models.Event).alias()
    is_it = and_(events.c.id == site.rows.c.event_id, events.c.type == event_type)
    return exists(select(1).select_from(events).where(is_it))


@strawberry.input(description="Deals that meet everything that is given.")
class DealFilter:
    stage_id: uuid.UUID | None = equals("stage_id")
    pipeline_id: uuid.UUID | None = equals("pipeline_id")
    status: enums.DealStatus | None = equals("status")
    owner_id: uuid.UUID | None = equals("owner_id", doc=OF_OWNER)
    unassigned: bool | None = unassigned()
    contact_id: uuid.UUID | None = equals("contact_id")
    company_id: uuid.UUID | None = equals("company_id")
    campaign_id: str | None = equals("campaign_id")
    min_amount: Decimal | None = at_least("amount", Numeric)
    max_amount: Decimal | None = at_most("amount", Numeric)
    close_date_from: date | None = at_least("close_date")
    close_date_to: date | None = at_most("close_date")
    created_after: datetime | None = later_than("created_at")
    updated_after: datetime | None = later_than("updated_at")
    stale_for_days: int | None = criterion(
        _has_not_moved, Interval, read=_days, doc="In its stage for at least so many days."
    )
    text: str | None = with_words(models.Deal, "Every word must begin a word of the title; accents don't count.")


@strawberry.input(description="Contacts that meet everything that is given.")
class ContactFilter:
    reply_status: enums.ReplyStatus | None = equals("reply_status")
    needs_review: bool | None = equals("needs_review")
    lifecycle_stage: enums.LifecycleStage | None = equals("lifecycle_stage")
    company_id: uuid.UUID | None = equals("company_id")
    owner_id: uuid.UUID | None = equals("owner_id", doc=OF_OWNER)
    unassigned: bool | None = unassigned()
    created_after: datetime | None = later_than("created_at")
    updated_after: datetime | None = later_than("updated_at")
    text: str | None = with_words(
        models.Contact, "Every word must begin a word of the name, e-mail, job title or phone; accents don't count."
    )


@strawberry.input(description="Companies that meet everything that is given.")
class CompanyFilter:
    domain: str | None = criterion(
        lambda site, value: site.rows.c.domain == value, read=lambda text, field: normal_domain(text, field=field)
    )
    created_after: datetime | None = later_than("created_at")
    updated_after: datetime | None = later_than("updated_at")
    text: str | None = with_words(
        models.Company, "Every word must begin a word of the name, domain, industry or location; accents don't count."
    )


@strawberry.input(description="Activities that meet everything that is given.")
class ActivityFilter:
    type: enums.ActivityType | None = equals("type")
    contact_id: uuid.UUID | None = equals("contact_id")
    deal_id: uuid.UUID | None = equals("deal_id")
    company_id: uuid.UUID | None = equals("company_id", doc="About the company itself, not about its people.")
    created_by: uuid.UUID | None = equals("created_by", doc="The owner who did it.")
    occurred_after: datetime | None = later_than("occurred_at")
    open: bool | None = is_open()
    assignee_id: uuid.UUID | None = equals("assignee_id", doc="Tasks of this owner that you may see.")
    assigned_to_me: bool | None = assigned_to_me()
    due_before: datetime | None = earlier_than("due_at")


@strawberry.input(description="Deliveries that meet everything that is given.")
class WebhookDeliveryFilter:
    endpoint_id: uuid.UUID | None = equals("endpoint_id")
    status: enums.DeliveryStatus | None = equals("status")
    event_type: enums.EventType | None = criterion(_of_type)
    since: datetime | None = at_least("created_at")


@strawberry.enum(description="The order of deals. Without an amount: below all amounts; without a close date: last.")
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


@strawberry.enum(description="The order of activities. What is not due at any time comes last.")
class ActivityOrder(Enum):
    OCCURRED_AT_DESC = Order(("occurred_at", "id"), descending=True)
    OCCURRED_AT_ASC = Order(("occurred_at", "id"))
    DUE_AT_ASC = Order(("due_at", "id"), null_as=datetime.max.replace(tzinfo=UTC))
    DUE_AT_DESC = Order(("due_at", "id"), descending=True, null_as=datetime.min.replace(tzinfo=UTC))
