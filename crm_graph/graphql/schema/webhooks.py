"""The types of webhooks: those that arrived, and the endpoints, events, deliveries and attempts of outgoing ones."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import Text, cast, func, literal_column, select
from strawberry.scalars import JSON

from crm_graph import models
from crm_graph.delivery import internal_targets, redaction
from crm_graph.delivery.queue import PENDING
from crm_graph.graphql.engine.bindings import Order, aggregate, column, computed, graphql_type, rows, to_one
from crm_graph.graphql.engine.field_site import FieldSite
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import LONG, Contact, Deal, Owner
from crm_graph.identity.access import caller
from crm_graph.models.columns import AnySelect, Expression

NOT_INTERNAL = ", or if it came from one of OUTBOUND_ALLOWED_NETWORKS and you are not an admin"
LATEST_ATTEMPT_FIRST = Order(("attempted_at", "id"), descending=True)


def _header_names(site: FieldSite) -> Expression:
    return func.jsonb_path_query_array(site.parent.c.headers, literal_column("'$.keyvalue().key'"))


def _pending(site: FieldSite) -> AnySelect:
    c = site.rows.c
    return select(func.count()).where(c.endpoint_id == site.parent.c.id, c.status == PENDING)


@graphql_type(models.WebhookLog)
class Webhook:
    """A webhook as it arrived from a provider, and its processing status. For admins."""

    id: uuid.UUID = column()
    source: str = column(doc="The provider, such as `instantly`.")
    event_type: str = column(doc="The provider's name for the event.")
    idempotency_key: str | None = column(doc="The key that the sender gave the event, if any.")
    status: enums.WebhookStatus = column()
    error: str | None = column(doc="Why the event was not applied; null if it was, or is still to be.")
    attempts: int = column(doc="How often crm-graph has tried to apply the event.")
    received_at: datetime = column()
    processed_at: datetime | None = column(doc="When the status became PROCESSED or IGNORED; null for other statuses.")
    size: int = computed(lambda site: func.octet_length(site.parent.c.body), doc="The size of the body in bytes.")
    body: str = computed(
        lambda site: func.convert_from(site.parent.c.body, cast("UTF8", Text)),
        doc="The exact body that was sent; empty once a person in it was erased.",
        weight=LONG,
    )
    contact: Contact | None = to_one("contact_id")
    deal: Deal | None = to_one("deal_id")


@graphql_type(models.WebhookEndpoint)
class WebhookEndpoint:
    """A URL that events are sent to. An admin's endpoint receives all events, any other endpoint those about rows of
    its owner.
    """

    id: uuid.UUID = column()
    url: str = column(doc="Normalised: scheme and host in lower case.")
    event_types: list[enums.EventType] = column(doc="The subscribed event types; empty means all.")
    header_names: list[str] = computed(
        _header_names, doc="The names of the additional headers of each delivery. Their values are never shown."
    )
    active: bool = computed(
        lambda site: site.parent.c.disabled_at.is_(None),
        doc="Whether the endpoint is enabled. While its owner is inactive, it receives nothing even so.",
    )
    disabled_at: datetime | None = column(doc="When the endpoint was disabled; null while it is enabled.")
    disabled_reason: str | None = column(
        doc="Why the endpoint was disabled: `by its owner`, or the failures that led to it."
    )
    failing_since: datetime | None = column(
        doc="When the current series of failed attempts began; null if the latest attempt succeeded."
    )
    failures: int = column(doc="The number of failed attempts in a row.")
    retry_at: datetime | None = column(doc="After failures: nothing is sent before this time.")
    pending_count: int = aggregate(
        models.WebhookDelivery, _pending, doc="The number of deliveries that are waiting or being sent."
    )
    previous_secret_until: datetime | None = column(
        doc="Until this time, deliveries are also signed with the secret before the latest rotation."
    )
    owner: Owner = to_one("owner_id")
    version: int = column(doc="Increases with every edit. Pass it as `expectedVersion` to detect concurrent edits.")
    created_at: datetime = column()
    updated_at: datetime = column()


@graphql_type(models.Event)
class Event:
    """An event that was sent, or is to be sent, to endpoints."""

    id: uuid.UUID = column(doc="Sent as the header `webhook-id`. The same for every delivery and attempt.")
    type: enums.EventType = column()
    occurred_at: datetime = column()
    source: str = column(doc="What made the change: `graphql`, a provider, a command, or `sql`.")
    payload: JSON = computed(
        lambda site: redaction.redact_in_sql(site.parent.c.payload, caller(site.principal), site.principal.role),
        doc="The body. Contacts and deals that belong to a colleague are null in it, unless you are an admin.",
    )


@graphql_type(models.WebhookDelivery)
class WebhookDelivery:
    """The delivery of one event to one endpoint."""

    id: uuid.UUID = column()
    endpoint: WebhookEndpoint = to_one("endpoint_id")
    event: Event = to_one("event_id")
    status: enums.DeliveryStatus = column()
    attempt_count: int = column("attempts", doc="The number of attempts since the delivery was queued or replayed.")
    due_at: datetime = column(doc="The time of the next attempt, while the status is PENDING.")
    created_at: datetime = column()
    settled_at: datetime | None = column(
        doc="When the delivery was delivered, failed or cancelled; null while it is PENDING."
    )
    attempts: list[WebhookAttempt] = rows(
        lambda site: site.rows.c.delivery_id == site.parent.c.id,
        LATEST_ATTEMPT_FIRST,
        doc="All attempts, latest first, including those before a replay. At most 500.",
    )


@graphql_type(models.WebhookAttempt)
class WebhookAttempt:
    """One attempt at a delivery."""

    id: uuid.UUID = column()
    attempted_at: datetime = column()
    duration_ms: int = column(doc="The duration of the request in milliseconds.")
    status_code: int | None = computed(
        lambda site: internal_targets.answered(site.parent, "status_code", site.principal.role),
        doc=f"The HTTP status of the response; null if there was none{NOT_INTERNAL}.",
    )
    answer: str | None = computed(
        lambda site: internal_targets.answered(site.parent, "answer", site.principal.role),
        doc=f"The first kilobyte of the response; null if there was none{NOT_INTERNAL}.",
    )
    error: str | None = column(doc="Why the attempt failed; null if it succeeded.")


@graphql_type(models.Deployment)
class DeliveriesPause:
    """All deliveries are paused, for example in a copy of a live database. `crm-graph deliveries resume` ends the
    pause.
    """

    paused_at: datetime = column()
    reason: str | None = column("paused_reason")
