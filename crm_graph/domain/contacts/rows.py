"""ContactRow: a stored contact, as verbs read it."""

import uuid
from datetime import date, datetime
from typing import NamedTuple


class ContactRow(NamedTuple):
    """A stored contact."""

    id: uuid.UUID
    email: str
    full_name: str | None
    title: str | None
    linkedin_url: str | None
    website: str | None
    phone: str | None
    company_id: uuid.UUID | None
    owner_id: uuid.UUID | None
    owner_source: str | None
    lifecycle_stage: str
    custom: dict[str, object]
    reply_status: str | None
    reply_status_source: str | None
    reply_status_at: datetime | None
    reply_summary: str | None
    needs_review: bool
    do_not_contact_at: datetime | None
    do_not_contact_reason: str | None
    ooo_until: date | None
    latest_email_sent_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    merged_into_id: uuid.UUID | None
    erased_at: datetime | None
