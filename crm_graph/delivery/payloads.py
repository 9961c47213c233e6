"""Events as they go over the wire: a model of each type, from which events.schema.json is generated (docs/events.md).

What writes them are the triggers of 007; tests hold both together.
"""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from crm_graph.delivery.event_data import (
    ActivityData,
    ContactChangeData,
    ContactData,
    DealChangeData,
    DealData,
    DealMoveData,
    EndpointData,
    NoData,
    TestData,
)
from crm_graph.models import ReplyStatus


class Event(BaseModel):
    """What every event has."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: uuid.UUID
    """The header `webhook-id` too; the same in every attempt."""
    type: str
    occurred_at: datetime
    """When it happened, which may be earlier than when it was told here."""
    source: str
    """Whose doing it was: `graphql`, `instantly`, `calcom`, `import`, `crm-graph` (a command), or else `sql`."""
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
