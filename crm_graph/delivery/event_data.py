"""The `data` of events: the rows that they are about, as they are after the change.

A part is null when there is no such row, or when it is redacted: a salesperson's endpoint doesn't get a colleague's
contact or deal.
"""

import uuid
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from crm_graph.models import ActivityType, DealStatus, LifecycleStage, ReplyStatus, StageKind

Amount = Annotated[str, StringConstraints(pattern=r"^\d+\.\d{2}$")]


class Part(BaseModel):
    """A part of an event's data. New fields may be added to every part."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Deal(Part):
    """A deal after the change."""

    id: uuid.UUID
    title: str
    amount: Amount | None
    """A decimal number as text, so that it is never rounded."""
    currency: str
    """ISO 4217."""
    status: DealStatus
    close_date: date | None
    source: str | None
    """Where the deal came from."""
    campaign_id: str | None
    lost_reason: str | None
    owner_id: uuid.UUID | None
    """Null when it is unassigned."""
    member_ids: list[uuid.UUID] = []
    """The owners who work on it beside its own. Missing in events of versions before it existed."""
    version: int
    """Grows by one with each change. Pass it as `expectedVersion` to change the deal only if nobody else has."""
    deleted: bool


class Stage(Part):
    """A column of the board."""

    id: uuid.UUID
    key: str
    """Its name for programs; it never changes."""
    name: str
    kind: StageKind


class Pipeline(Part):
    """A sequence of stages."""

    id: uuid.UUID
    name: str


class Contact(Part):
    """A contact after the change."""

    id: uuid.UUID
    email: str
    full_name: str | None
    title: str | None
    """Job title."""
    phone: str | None
    linkedin_url: str | None
    website: str | None
    lifecycle_stage: LifecycleStage
    reply_status: ReplyStatus | None
    reply_summary: str | None
    do_not_contact: bool
    """True when no e-mails may be sent to this person."""
    custom: dict[str, Any]
    owner_id: uuid.UUID | None
    version: int
    deleted: bool


class Company(Part):
    """A company."""

    id: uuid.UUID
    name: str
    domain: str | None


class Owner(Part):
    """A member of the team."""

    id: uuid.UUID
    name: str
    email: str


class Activity(Part):
    """An entry on a timeline."""

    id: uuid.UUID
    type: ActivityType
    content: str
    meta: dict[str, Any]
    """Details, such as the campaign of an e-mail, or start and link of a meeting."""
    occurred_at: datetime
    due_at: datetime | None
    assignee_id: uuid.UUID | None


class Change(Part):
    """The old and the new value of a column. Amounts are text."""

    old: Any
    new: Any


class EndpointState(Part):
    """An endpoint that was disabled."""

    id: uuid.UUID
    url: str
    disabled_reason: str
    failing_since: datetime | None


class DealData(Part):
    """A deal and what belongs to it."""

    deal: Deal | None
    stage: Stage | None
    pipeline: Pipeline | None
    contact: Contact | None
    company: Company | None
    owner: Owner | None
    """The deal's."""


class DealMoveData(DealData):
    """A deal, and the stages between which it moved."""

    old_stage: Stage | None
    new_stage: Stage | None


class DealChangeData(DealData):
    """A deal, and its changes."""

    changes: dict[str, Change] | None
    """By column: title, contact_id, company_id, owner_id, amount, currency, close_date, source, notes, campaign_id,
    member_ids, lost_reason, deleted_at."""


class ContactData(Part):
    """A contact and what belongs to it."""

    contact: Contact | None
    company: Company | None
    owner: Owner | None
    """The contact's."""


class ContactChangeData(ContactData):
    """A contact, and its changes."""

    changes: dict[str, Change] | None
    """By column: email, full_name, title, linkedin_url, website, phone, company_id, owner_id, lifecycle_stage,
    ooo_until, do_not_contact_at, do_not_contact_reason, custom, needs_review, reply_summary, deleted_at,
    merged_into_id."""


class ActivityData(Part):
    """An entry, and what it is about."""

    activity: Activity
    deal: Deal | None
    stage: Stage | None
    """The deal's."""
    contact: Contact | None
    company: Company | None
    owner: Owner | None
    """The deal's, or else the contact's."""


class EndpointData(Part):
    """An endpoint and its owner."""

    endpoint: EndpointState
    owner: Owner | None


class TestData(Part):
    """A message for the person who set up the endpoint."""

    __test__ = False  # pytest would take it for a test
    message: str


class NoData(Part):
    """Empty, because the person was erased."""

    model_config = ConfigDict(extra="forbid")
