"""The queries. A document becomes one SQL statement, whatever it selects."""

from __future__ import annotations

import uuid
from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement, and_, true

from crm_graph import models
from crm_graph.domain.contacts import records as contacts
from crm_graph.graphql.engine.bindings import (
    PAGE_DEFAULT,
    After,
    First,
    Order,
    Source,
    derived,
    graphql_type,
    one,
    page,
    page_size,
    rows,
    summary,
)
from crm_graph.graphql.engine.field_site import FieldSite
from crm_graph.graphql.engine.weights import Weight
from crm_graph.graphql.schema.connections import Connection
from crm_graph.graphql.schema.filters import (
    ActivityFilter,
    ActivityOrder,
    CompanyFilter,
    CompanyOrder,
    ContactFilter,
    ContactOrder,
    DealFilter,
    DealOrder,
    WebhookDeliveryFilter,
)
from crm_graph.graphql.schema.reports import (
    OwnerReport,
    PipelineReport,
    owner_report_args,
    pipeline_report_args,
    select_owners,
    select_pipeline,
)
from crm_graph.graphql.schema.search_hits import HITS_MAX, SearchHit, hits, people_by_address_or_phone, search_args
from crm_graph.graphql.schema.types import Activity, Company, Contact, Deal, Owner, Pipeline
from crm_graph.graphql.schema.webhooks import DeliveriesPause, Webhook, WebhookDelivery, WebhookEndpoint
from crm_graph.identity.access import caller
from crm_graph.models.columns import EmailText
from crm_graph.values import normal_email


def _by_id(id: uuid.UUID) -> None:
    """The argument of every look-up."""


def _by_optional_id(
    id: Annotated[
        uuid.UUID | None, strawberry.argument(description="Default: the default pipeline.")
    ] = strawberry.UNSET,
) -> None:
    """The argument of `pipeline`."""


def _by_email(
    email: Annotated[str, strawberry.argument(description="Case and surrounding spaces are ignored.")],
) -> None:
    """The argument of `contactByEmail`."""


def _has_id(site: FieldSite) -> ColumnElement[bool]:
    return and_(site.rows.c.id == site.value(lambda args: args["id"], None))


def _is_pipeline(site: FieldSite) -> ColumnElement[bool]:
    return and_(site.rows.c.is_default) if site.args.get("id") is None else _has_id(site)


def _has_email(site: FieldSite) -> ColumnElement[bool]:
    return contacts.has_address(site.value(lambda args: normal_email(args["email"]), EmailText), site.rows)


def _is_caller(site: FieldSite) -> ColumnElement[bool]:
    return and_(site.rows.c.id == caller(site.principal))


def _for_admins(site: FieldSite) -> ColumnElement[bool]:
    site.principal.must_be_admin()
    return true()


def _deal_args(
    filter: DealFilter | None = strawberry.UNSET,
    order_by: DealOrder = DealOrder.CREATED_AT_DESC,
    first: First = PAGE_DEFAULT,
    after: After = strawberry.UNSET,
) -> None:
    """The arguments of `deals`."""


def _contact_args(
    filter: ContactFilter | None = strawberry.UNSET,
    order_by: ContactOrder = ContactOrder.CREATED_AT_DESC,
    first: First = PAGE_DEFAULT,
    after: After = strawberry.UNSET,
) -> None:
    """The arguments of `contacts`."""


def _company_args(
    filter: CompanyFilter | None = strawberry.UNSET,
    order_by: CompanyOrder = CompanyOrder.NAME_ASC,
    first: First = PAGE_DEFAULT,
    after: After = strawberry.UNSET,
) -> None:
    """The arguments of `companies`."""


def _activity_args(
    filter: ActivityFilter | None = strawberry.UNSET,
    order_by: ActivityOrder = ActivityOrder.OCCURRED_AT_DESC,
    first: First = PAGE_DEFAULT,
    after: After = strawberry.UNSET,
) -> None:
    """The arguments of `activities`."""


def _delivery_args(
    filter: WebhookDeliveryFilter | None = strawberry.UNSET,
    first: First = PAGE_DEFAULT,
    after: After = strawberry.UNSET,
) -> None:
    """The arguments of `webhookDeliveries`."""


def _is_paused(site: FieldSite) -> ColumnElement[bool]:
    return and_(site.rows.c.paused_at.is_not(None))


@graphql_type()
class Query:
    """Reads. A row that you may not see looks like one that does not exist: null, or missing from a list."""

    me: Owner = one(_is_caller, doc="The owner whose token this is.")
    owners: list[Owner] = rows(
        lambda _site: true(),
        Order(("name", "id")),
        doc="The whole team by name, including inactive members. At most 500.",
    )
    pipelines: list[Pipeline] = rows(
        lambda _site: true(), Order(("name", "id")), doc="All pipelines, by name. At most 500."
    )
    pipeline: Pipeline | None = one(_is_pipeline, args=_by_optional_id, doc="A pipeline by id.")
    deal: Deal | None = one(_has_id, args=_by_id, doc="A deal by id.")
    deals: Connection[Deal] = page(args=_deal_args, doc="Deals, by default newest first.", weight=Weight(scan=60_000))
    contact: Contact | None = one(_has_id, args=_by_id, doc="A contact by id.")
    contact_by_email: Contact | None = one(
        _has_email,
        args=_by_email,
        doc="A contact by any of its addresses, including those of contacts that were merged into it. VALIDATION if "
        "the text is not an address.",
    )
    contacts: Connection[Contact] = page(
        args=_contact_args, doc="Contacts, by default newest first.", weight=Weight(scan=20_000)
    )
    company: Company | None = one(_has_id, args=_by_id, doc="A company by id.")
    companies: Connection[Company] = page(
        args=_company_args, doc="Companies, by default by name.", weight=Weight(scan=10_000)
    )
    activities: Connection[Activity] = page(
        args=_activity_args,
        doc="Timeline entries and tasks, by default latest first.",
        weight=Weight(scan=115_000),
    )
    search: list[SearchHit] = derived(
        hits("deal", models.Deal),
        hits("contact", models.Contact),
        people_by_address_or_phone(),
        hits("company", models.Company),
        order=Order(("score", "id"), descending=True),
        args=search_args,
        limit=lambda site: page_size(site.args),
        doc="Full-text search for deals, contacts and companies, best match first. Case, accents and punctuation are "
        "ignored. A contact is also found by a further address, and by a telephone number of at least 6 digits in any "
        f"grouping, with or without country code. At most {HITS_MAX:,} matches of each kind are ranked.",
        weight=Weight(points=40_000),
    )
    pipeline_report: PipelineReport | None = summary(
        select_pipeline,
        args=pipeline_report_args,
        doc="The state of a pipeline and the results of campaigns. Null if there is no such pipeline. VALIDATION if "
        "the period ends before it begins.",
    )
    owner_report: list[OwnerReport] = derived(
        Source(None, select_owners),
        order=Order(("name", "owner_id")),
        args=owner_report_args,
        doc="For admins (otherwise FORBIDDEN): the active owners, inactive owners with figures, and the "
        "unassigned pool, by name.",
        weight=Weight(points=240_000),
    )
    webhooks_log: Connection[Webhook] = page(
        Order(("received_at", "id"), descending=True),
        where=_for_admins,
        doc="For admins (otherwise FORBIDDEN): the webhooks that providers sent, latest first.",
        weight=Weight(scan=20_000),
    )
    webhook_endpoints: Connection[WebhookEndpoint] = page(
        doc="Your webhook endpoints, newest first. An admin sees everyone's."
    )
    webhook_deliveries: Connection[WebhookDelivery] = page(
        args=_delivery_args,
        doc="The deliveries to your endpoints, newest first. An admin sees those to everyone's.",
        weight=Weight(scan=60_000),
    )
    deliveries_paused: DeliveriesPause | None = one(_is_paused, doc="Null unless deliveries are paused.")
