"""The types of what leaves: endpoints for webhooks, what is delivered to them, and how that went."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, select
from strawberry.scalars import JSON

from crm_graph import models
from crm_graph.delivery import redaction
from crm_graph.graphql.engine.bindings import Order, aggregate, column, computed, graphql_type, rows, to_one
from crm_graph.graphql.engine.field_site import FieldSite
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import Owner
from crm_graph.identity.access import caller

LAST_ATTEMPT_FIRST = Order(("attempted_at", "id"), descending=True)


def _header_names(site: FieldSite) -> ColumnElement[Any]:
    return func.jsonb_path_query_array(site.parent.c.headers, literal_column("'$.keyvalue().key'"))


def _pending(site: FieldSite) -> Select[Any]:
    # A literal: with a parameter, PostgreSQL would not see that the index of pending deliveries has them all.
    is_pending = site.rows.c.status == literal_column(f"'{models.DeliveryStatus.PENDING}'")
    return select(func.count()).where(site.rows.c.endpoint_id == site.parent.c.id, is_pending)


@graphql_type(models.WebhookEndpoint)
class WebhookEndpoint:
    """A URL that events are sent to: an owner's are about what is theirs, an admin's about everything."""

    id: uuid.UUID = column()
    url: str = column(doc="In normal form.")
    event_types: list[enums.EventType] = column(doc="What it is subscribed to; empty: everything.")
    header_names: list[str] = computed(
        _header_names, doc="The names of the headers that go with each delivery; their values are never shown."
    )
    active: bool = computed(
        lambda site: site.parent.c.disabled_at.is_(None),
        doc="Whether events are queued for it. An inactive owner's gets none all the same.",
    )
    disabled_at: datetime | None = column()
    disabled_reason: str | None = column(doc="`by its owner`, or what it answered for too long.")
    failing_since: datetime | None = column(doc="Since when every attempt has failed.")
    failures: int = column(doc="How many attempts have failed in a row.")
    retry_at: datetime | None = column(doc="Nothing is sent before, after failures.")
    pending_count: int = aggregate(models.WebhookDelivery, _pending, doc="Deliveries that wait, or are under way.")
    previous_secret_until: datetime | None = column(doc="Until when the secret before a rotation signs, too.")
    owner: Owner = to_one("owner_id")
    version: int = column(doc="Grows with every edit.")
    created_at: datetime = column()
    updated_at: datetime = column()


@graphql_type(models.Event)
class Event:
    """Something that changed, as it was told."""

    id: uuid.UUID = column(doc="The header webhook-id of its deliveries.")
    type: enums.EventType = column()
    occurred_at: datetime = column()
    source: str = column(doc="What changed it: `graphql`, a provider, a command, or `sql`.")
    payload: JSON = computed(
        lambda site: redaction.redact_in_sql(site.parent.c.payload, caller(site.principal), site.principal.role),
        doc="The body that is sent. What a colleague holds is null in it, unless you are an admin.",
    )


@graphql_type(models.WebhookDelivery)
class WebhookDelivery:
    """One event on its way to one endpoint."""

    id: uuid.UUID = column()
    endpoint: WebhookEndpoint = to_one("endpoint_id")
    event: Event = to_one("event_id")
    status: enums.DeliveryStatus = column()
    attempt_count: int = column("attempts", doc="Since it was queued, or replayed.")
    due_at: datetime = column(doc="When it is tried next, as long as it is PENDING.")
    created_at: datetime = column()
    settled_at: datetime | None = column(doc="When it was delivered, failed for good or was cancelled.")
    attempts: list[WebhookAttempt] = rows(
        lambda site: site.rows.c.delivery_id == site.parent.c.id,
        LAST_ATTEMPT_FIRST,
        doc="Every try, the last one first, those before a replay included. At most 500.",
    )


@graphql_type(models.WebhookAttempt)
class WebhookAttempt:
    """One try of a delivery."""

    id: uuid.UUID = column()
    attempted_at: datetime = column()
    duration_ms: int = column()
    status_code: int | None = column(doc="Of the answer; null when there was none.")
    answer: str | None = column(doc="How it begins: the first kilobyte.")
    error: str | None = column(doc="Why it failed.")


@graphql_type(models.Deployment)
class DeliveriesPause:
    """Nothing is sent, as from a copy of a database that is in use. `crm-graph deliveries resume` ends it."""

    paused_at: datetime = column()
    reason: str | None = column("paused_reason")
