"""Idempotency keys: stored results of mutations, so that a repeated call has no second effect."""

import uuid
from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from crm_graph.models.columns import KeyText, Time, reference


class IdempotencyKey(SQLModel, table=True):
    """A mutation that ran with an idempotency key: the hash of its input, and the ids in its result."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("idempotency_keys_created_at_idx", "created_at"),)
    owner_id: uuid.UUID = reference("owners.id", primary_key=True, ondelete="CASCADE")
    operation: str = Field(sa_type=KeyText, primary_key=True)
    key: str = Field(sa_type=String(255, collation="C"), primary_key=True)
    request_hash: bytes = Field(sa_type=LargeBinary)
    result: dict[str, object] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    created_at: datetime = Field(sa_type=Time)
