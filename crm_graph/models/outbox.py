"""Outgoing webhooks: events, the endpoints that subscribe to them, and their deliveries."""

import uuid
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlmodel import Field, SQLModel

from crm_graph.models.columns import KeyText, Time, closed_set, document, primary_key, reference, set_at_insert, version
from crm_graph.models.enums import DeliveryStatus, EventType

PENDING = text("status = 'pending'")


class Event(SQLModel, table=True):
    """An event in the outbox, written by a trigger in the transaction of the change.

    It has no foreign keys, because it outlives the rows that it is about. `owner_ids` are the owners of those rows;
    `payload` is the body that is sent.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("events_contact_id_idx", "contact_id"),
        Index("events_deal_id_idx", "deal_id"),
        Index("events_created_at_idx", "created_at", "position"),
    )
    id: uuid.UUID = primary_key()
    position: int = Field(sa_column=Column(BigInteger, Identity(always=True), unique=True, nullable=False))
    type: EventType = Field(sa_type=closed_set(EventType))
    occurred_at: datetime = Field(sa_type=Time)
    created_at: datetime = set_at_insert()
    owner_ids: list[uuid.UUID] = Field(sa_type=ARRAY(Uuid))
    deal_id: uuid.UUID | None = Field(default=None, sa_type=Uuid)
    contact_id: uuid.UUID | None = Field(default=None, sa_type=Uuid)
    activity_id: uuid.UUID | None = Field(default=None, sa_type=Uuid)
    source: str = Field(sa_type=Text)
    payload: dict[str, object] = Field(sa_type=JSON)
    traceparent: str | None = Field(default=None, sa_type=Text)


class WebhookEndpoint(SQLModel, table=True):
    """A URL that an owner has events sent to. `failures` are consecutive; nothing is sent before `retry_at`."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        UniqueConstraint("owner_id", "url"),
        CheckConstraint("(disabled_at IS NULL) = (disabled_reason IS NULL)", name="disabled_reason"),
    )
    id: uuid.UUID = primary_key()
    owner_id: uuid.UUID = reference("owners.id")
    url: str = Field(sa_type=String(2048, collation="C"))
    event_types: list[str] = Field(
        default_factory=list, sa_type=ARRAY(KeyText), sa_column_kwargs={"server_default": text("'{}'")}
    )
    headers: dict[str, object] = document()
    secret: str = Field(sa_type=Text)
    previous_secret: str | None = Field(default=None, sa_type=Text)
    previous_secret_until: datetime | None = Field(default=None, sa_type=Time)
    failures: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    failing_since: datetime | None = Field(default=None, sa_type=Time)
    retry_at: datetime | None = Field(default=None, sa_type=Time)
    disabled_at: datetime | None = Field(default=None, sa_type=Time)
    disabled_reason: str | None = Field(default=None, sa_type=Text)
    version: int = version()
    created_at: datetime = set_at_insert()
    updated_at: datetime = set_at_insert()


class WebhookDelivery(SQLModel, table=True):
    """The delivery of an event to an endpoint. Pending ones with the same `order_key` are sent in order."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id"),
        Index("webhook_deliveries_due_idx", "endpoint_id", "due_at", postgresql_where=PENDING),
        Index("webhook_deliveries_order_idx", "endpoint_id", "order_key", "position", postgresql_where=PENDING),
        Index("webhook_deliveries_queue_idx", "endpoint_id", "position", postgresql_where=PENDING),
        Index("webhook_deliveries_event_id_idx", "event_id"),
        Index("webhook_deliveries_created_at_idx", "created_at", "id"),
        Index("webhook_deliveries_settled_at_idx", "settled_at", postgresql_where=text("settled_at IS NOT NULL")),
    )
    id: uuid.UUID = primary_key()
    endpoint_id: uuid.UUID = reference("webhook_endpoints.id", ondelete="CASCADE")
    event_id: uuid.UUID = reference("events.id", ondelete="CASCADE")
    position: int = Field(sa_type=BigInteger)
    order_key: uuid.UUID | None = Field(default=None, sa_type=Uuid)
    status: DeliveryStatus = Field(
        default=DeliveryStatus.PENDING,
        sa_type=closed_set(DeliveryStatus),
        sa_column_kwargs={"server_default": text("'pending'")},
    )
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    due_at: datetime = set_at_insert()
    leased_until: datetime | None = Field(default=None, sa_type=Time)
    created_at: datetime = set_at_insert()
    settled_at: datetime | None = Field(default=None, sa_type=Time)


class WebhookAttempt(SQLModel, table=True):
    """One attempt of a delivery: the endpoint's response, or why there was none."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (Index("webhook_attempts_delivery_id_idx", "delivery_id", "attempted_at"),)
    id: uuid.UUID = primary_key()
    delivery_id: uuid.UUID = reference("webhook_deliveries.id", ondelete="CASCADE")
    attempted_at: datetime = Field(sa_type=Time)
    duration_ms: int
    status_code: int | None = None
    answer: str | None = Field(default=None, sa_type=Text)
    error: str | None = Field(default=None, sa_type=Text)
    # Whether OUTBOUND_ALLOWED_NETWORKS allowed the call; null for attempts before that was recorded.
    is_internal: bool | None = None


class Deployment(SQLModel, table=True):
    """Where this database was last served, and as which database: a copy must not send what the original sends."""

    __tablename__ = "deployment"
    __table_args__ = (CheckConstraint("id", name="one_row"),)
    id: bool = Field(default=True, primary_key=True, sa_column_kwargs={"server_default": text("true")})
    public_url: str | None = Field(default=None, sa_type=Text)
    database_identity: str | None = Field(default=None, sa_type=Text)
    paused_at: datetime | None = Field(default=None, sa_type=Time)
    paused_reason: str | None = Field(default=None, sa_type=Text)
