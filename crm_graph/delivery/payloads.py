"""The payloads of events: a model of each type, from which events.schema.json is generated (docs/events.md).

Triggers write the payloads (database/sql/events); tests compare them with these models.
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
    """The fields of every event."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: uuid.UUID
    """Also the header `webhook-id`; the same in every attempt."""
    type: str
    occurred_at: datetime
    """When it happened, which may be earlier than when it was recorded."""
    source: str
    """What made the change: `graphql`, `instantly`, `calcom`, `import`, `crm-graph` (a command), or else `sql`."""
    idempotency_key: str
    """Pass it on as `idempotencyKey` in calls that this event triggers, so that a retry has no second effect."""
    erased: Literal[True] | None = None
    """Present when the person whom the event is about was erased later; `data` is then empty."""


class _OfDeal(Event):
    deal_id: uuid.UUID


class _OfContact(Event):
    contact_id: uuid.UUID


class _OfActivity(Event):
    activity_id: uuid.UUID
    related_type: Literal["deal", "contact", "company"]
    """The type of the row that the entry is about."""
    related_id: uuid.UUID
    data: ActivityData | NoData


class DealCreated(_OfDeal):
    """A deal was created by a person, a reply or a booking."""

    type: Literal["deal_created"]
    data: DealData | NoData


class DealStageChanged(_OfDeal):
    """A deal moved to another stage, also when it was won, lost or reopened. Not for moves within a column."""

    type: Literal["deal_stage_changed"]
    old_stage_id: uuid.UUID
    new_stage_id: uuid.UUID
    data: DealMoveData | NoData


class DealUpdated(_OfDeal):
    """Something else in a deal changed, such as its title, owner, amount or contact; or it was deleted or restored."""

    type: Literal["deal_updated"]
    data: DealChangeData | NoData


class ContactCreated(_OfContact):
    """A contact was created."""

    type: Literal["contact_created"]
    data: ContactData | NoData


class ContactStatusChanged(_OfContact):
    """The status of a contact's latest reply changed."""

    type: Literal["contact_status_changed"]
    old_status: ReplyStatus | None
    new_status: ReplyStatus | None
    data: ContactData | NoData


class ContactUpdated(_OfContact):
    """Something else in a contact changed; or it opted out of e-mails, was deleted, restored or merged into another."""

    type: Literal["contact_updated"]
    data: ContactChangeData | NoData


class ContactErased(_OfContact):
    """A person was erased: delete what you have under this id, and the titles and notes of the person's deals."""

    type: Literal["contact_erased"]
    data: NoData


class ActivityLogged(_OfActivity):
    """A timeline has a new entry. Not for entries about a change that has its own event."""

    type: Literal["activity_logged"]


class ReplyReceived(_OfActivity):
    """A contact replied to an e-mail. The entry also has an `activity_logged`."""

    type: Literal["reply_received"]


class MeetingBooked(_OfActivity):
    """A meeting was booked. The entry also has an `activity_logged`."""

    type: Literal["meeting_booked"]


class MeetingRescheduled(_OfActivity):
    """A meeting was rescheduled. The entry also has an `activity_logged`."""

    type: Literal["meeting_rescheduled"]


class MeetingCancelled(_OfActivity):
    """A meeting was cancelled. The entry also has an `activity_logged`."""

    type: Literal["meeting_cancelled"]


class MeetingNoShow(_OfActivity):
    """Somebody did not show up at a meeting. The entry also has an `activity_logged`."""

    type: Literal["meeting_no_show"]


class EndpointDisabled(Event):
    """An endpoint failed for too long or answered 410 Gone, and was disabled. Sent to the other endpoints."""

    type: Literal["endpoint_disabled"]
    endpoint_id: uuid.UUID
    data: EndpointData


class TestEvent(Event):
    """A test of this endpoint was requested."""

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
