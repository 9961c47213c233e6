"""The log of incoming webhooks."""

import uuid
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from crm_graph.models.columns import (
    KeyText,
    Time,
    closed_set,
    optional_reference,
    primary_key,
)
from crm_graph.models.enums import (
    WebhookStatus,
)


class WebhookLog(SQLModel, table=True):
    """A provider's webhook, byte for byte as it arrived, and the result of processing it."""

    __tablename__ = "webhooks_log"
    __table_args__ = (
        UniqueConstraint("source", "dedupe_key"),
        UniqueConstraint("source", "idempotency_key"),
        Index("webhooks_log_status_idx", "status", "received_at"),
        Index("webhooks_log_received_at_idx", "received_at", "id"),
        Index("webhooks_log_source_idx", "source", "received_at"),  # for /metrics: the last one of a source
        Index(
            "webhooks_log_mentions_idx",
            "mentions",
            postgresql_using="gin",
            postgresql_where=text("mentions IS NOT NULL"),
        ),
    )
    id: uuid.UUID = primary_key()
    source: str = Field(sa_type=KeyText)
    event_type: str = Field(sa_type=Text)
    dedupe_key: str = Field(sa_type=KeyText)
    idempotency_key: str | None = Field(default=None, sa_type=String(255, collation="C"))
    body: bytes = Field(sa_type=LargeBinary)
    status: WebhookStatus = Field(default=WebhookStatus.RECEIVED, sa_type=closed_set(WebhookStatus))
    error: str | None = Field(default=None, sa_type=Text)
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    received_at: datetime = Field(sa_type=Time)
    processed_at: datetime | None = Field(default=None, sa_type=Time)
    contact_id: uuid.UUID | None = optional_reference("contacts.id", index=True, ondelete="SET NULL")
    deal_id: uuid.UUID | None = optional_reference("deals.id", index=True, ondelete="SET NULL")
    # E-mail addresses in the body other than the contact's own, by which an erasure finds this row.
    mentions: list[str] | None = Field(default=None, sa_type=ARRAY(Text))
