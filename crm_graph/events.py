"""Events as they go over the wire: a model of each type, from which events.schema.json is generated (docs/events.md).

What writes them are the triggers of 007; tests hold both together. Of a part of `data` that is null there is no such
row, or it is withheld: an endpoint of a salesperson doesn't get a colleague's contact or deal.
"""

import uuid
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from crm_graph.models import ActivityType, DealStatus, LifecycleStage, ReplyStatus, StageKind

Amount = Annotated[str, StringConstraints(pattern=r"^\d+\.\d{2}$")]


class Part(BaseModel):
    """A part of what events tell. New fields may be added to any of them."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Deal(Part):
    """A deal as it is after the change."""

    id: uuid.UUID
    title: str
    amount: Amount | None
    """A decimal number as text, so that nothing rounds it."""
    currency: str
    """ISO 4217."""
    status: DealStatus
    close_date: date | None
    source: str | None
    """Where it came from."""
    campaign_id: str | None
    lost_reason: str | None
    owner_id: uuid.UUID | None
    """None: it is in the unassigned pool."""
    version: int
    """Grows by one with each change; pass it as `expectedVersion` to change the deal only if nobody else has."""
    deleted: bool


class Stage(Part):
    """A column of the board."""

    id: uuid.UUID
    key: str
    """Its name for machines; it never changes."""
    name: str
    kind: StageKind


class Pipeline(Part):
    """A way of selling."""

    id: uuid.UUID
    name: str


class Contact(Part):
    """A person as it is after the change."""

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
    """Whether the person must not be written to."""
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
    """What one column was and what it is. Amounts are text."""

    old: Any
    new: Any


class EndpointState(Part):
    """A subscription that was disabled."""

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
    """A deal, and what of it changed."""

    changes: dict[str, Change] | None
    """By column: title, contact_id, company_id, owner_id, amount, currency, close_date, source, notes, campaign_id,
    lost_reason, deleted_at."""


class ContactData(Part):
    """A contact and what belongs to it."""

    contact: Contact | None
    company: Company | None
    owner: Owner | None
    """The contact's."""


class ContactChangeData(ContactData):
    """A contact, and what of it changed."""

    changes: dict[str, Change] | None
    """By column: email, full_name, title, linkedin_url, website, phone, company_id, owner_id, lifecycle_stage,
    ooo_until, do_not_contact_at, do_not_contact_reason, custom, needs_review, reply_summary, deleted_at,
    merged_into_id."""


class ActivityData(Part):
    """An entry and what it is about."""

    activity: Activity
    deal: Deal | None
    stage: Stage | None
    """The deal's."""
    contact: Contact | None
    company: Company | None
    owner: Owner | None
    """The deal's, or else the contact's."""


class EndpointData(Part):
    """A subscription and whose it is."""

    endpoint: EndpointState
    owner: Owner | None


class TestData(Part):
    """Words for whoever set up the endpoint."""

    __test__ = False  # pytest would take it for a test
    message: str


class NoData(Part):
    """Empty, because the person was erased."""

    model_config = ConfigDict(extra="forbid")


class Event(BaseModel):
    """What every event has."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: uuid.UUID
    """The header `webhook-id` too; the same in every attempt."""
    type: str
    occurred_at: datetime
    """When it happened, which may be earlier than when it was told here."""
    source: str
    """Whose doing it was: `graphql`, `instantly`, `calcom`, `import`, `crm-graph` for a command, or `sql` for changes past them all."""
    idempotency_key: str
    """For calls that this event makes you do: pass it on as `idempotencyKey`, and a retry has no second effect."""
    erased: Literal[True] | None = None
    """Present when the person whom this was about was erased later; then `data` is empty."""


class _OfDeal(Event):
    deal_id: uuid.UUID


class _OfContact(Event):
    contact_id: uuid.UUID


class _OfActivity(Event):
    activity_id: uuid.UUID
    related_type: Literal["deal", "contact", "company"]
    """What the entry is about."""
    related_id: uuid.UUID
    data: ActivityData | NoData


class DealCreated(_OfDeal):
    """A deal was made: by a person, a reply, a booking."""

    type: Literal["deal_created"]
    data: DealData | NoData


class DealStageChanged(_OfDeal):
    """A deal moved to another stage; won, lost and reopened are such moves too. Not a new place in its column."""

    type: Literal["deal_stage_changed"]
    old_stage_id: uuid.UUID
    new_stage_id: uuid.UUID
    data: DealMoveData | NoData


class DealUpdated(_OfDeal):
    """Something else of a deal changed: its title, owner, amount, contact; it was deleted or restored."""

    type: Literal["deal_updated"]
    data: DealChangeData | NoData


class ContactCreated(_OfContact):
    """A contact was made."""

    type: Literal["contact_created"]
    data: ContactData | NoData


class ContactStatusChanged(_OfContact):
    """What a contact's latest reply means has changed."""

    type: Literal["contact_status_changed"]
    old_status: ReplyStatus | None
    new_status: ReplyStatus | None
    data: ContactData | NoData


class ContactUpdated(_OfContact):
    """Something else of a contact changed; it was closed to e-mails, deleted, restored or merged into another."""

    type: Literal["contact_updated"]
    data: ContactChangeData | NoData


class ContactErased(_OfContact):
    """A person was erased: delete what you have of it under this id, and the titles and notes of its deals."""

    type: Literal["contact_erased"]
    data: NoData


class ActivityLogged(_OfActivity):
    """A timeline has a new entry. Entries that only tell of a change which has an event of its own are left out."""

    type: Literal["activity_logged"]


class ReplyReceived(_OfActivity):
    """Somebody answered an e-mail; also an `activity_logged` about the same entry."""

    type: Literal["reply_received"]


class MeetingBooked(_OfActivity):
    """A meeting was booked; also an `activity_logged` about the same entry."""

    type: Literal["meeting_booked"]


class MeetingRescheduled(_OfActivity):
    """A meeting was put at another time; also an `activity_logged` about the same entry."""

    type: Literal["meeting_rescheduled"]


class MeetingCancelled(_OfActivity):
    """A meeting was cancelled; also an `activity_logged` about the same entry."""

    type: Literal["meeting_cancelled"]


class MeetingNoShow(_OfActivity):
    """Somebody did not show up at a meeting; also an `activity_logged` about the same entry."""

    type: Literal["meeting_no_show"]


class EndpointDisabled(Event):
    """An endpoint failed for too long, or answered 410 Gone: nothing is sent to it. For the other endpoints to know."""

    type: Literal["endpoint_disabled"]
    endpoint_id: uuid.UUID
    data: EndpointData


class TestEvent(Event):
    """Somebody pressed the test button of this endpoint."""

    __test__ = False
    type: Literal["test"]
    endpoint_id: uuid.UUID
    data: TestData


AnyEvent = Annotated[
    DealCreated
    | DealStageChanged
    | DealUpdated
    | ContactCreated
    | ContactStatusChanged
    | ContactUpdated
    | ContactErased
    | ActivityLogged
    | ReplyReceived
    | MeetingBooked
    | MeetingRescheduled
    | MeetingCancelled
    | MeetingNoShow
    | EndpointDisabled
    | TestEvent,
    Field(discriminator="type"),
]
ANY_EVENT: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
