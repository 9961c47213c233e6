"""A booking, read from either shape: Cal.com's (nested in `payload`, flat for meetings) or our normalised one."""

import uuid
from dataclasses import dataclass
from typing import Any

from crm_graph.errors import ValidationFailed
from crm_graph.values import clean_line
from webhooks import payload as values
from webhooks.provider import Context, Event, Payload


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody who was invited; `email` is in normal form."""

    email: str
    name: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Booking:
    """What Cal.com or a relay says of a booking; `fields` is the object that says it, `path` where that stands."""

    fields: Payload
    path: str
    trigger: str
    is_normalised: bool = False

    @property
    def uid(self) -> str | None:
        """Names the booking; a rescheduled one gets a new uid, the seats of one event share theirs."""
        return values.line(self.fields, *(("uid", "id") if self.is_normalised else ("uid", "bookingUid")))

    @property
    def title(self) -> str | None:
        """The title, as the invitation has it."""
        return values.line(self.fields, "title", "eventTitle")

    @property
    def slug(self) -> str | None:
        """The event type's slug; no-shows and meetings don't carry it."""
        return values.line(self.fields, "type")

    @property
    def start(self) -> str | None:
        """When it starts, as sent."""
        return values.line(self.fields, "startTime", "start_time")

    @property
    def end(self) -> str | None:
        """When it ends, as sent."""
        return values.line(self.fields, "endTime", "end_time")

    @property
    def metadata(self) -> Payload:
        """What the link that was booked through carried along."""
        return values.section(self.fields, "metadata")

    @property
    def contact_id(self) -> uuid.UUID | None:
        """The contact that the metadata names, if it names one."""
        try:
            return uuid.UUID(values.line(self.metadata, "contact_id", "contactId") or "")
        except ValueError:
            return None

    @property
    def organiser(self) -> str | None:
        """The host's address in normal form; flat payloads name the host as the booking's user."""
        host = values.line(values.section(self.fields, "organizer"), "email")
        flat = values.line(self.fields, "userPrimaryEmail") or values.line(values.section(self.fields, "user"), "email")
        return values.address_or_none(host or flat)

    @property
    def link(self) -> str | None:
        """Where to meet, when that is a link."""
        video = values.line(self.metadata, "videoCallUrl") or values.line(
            values.section(self.fields, "videoCallData"), "url"
        )
        location = values.line(self.fields, "link", "meeting_url", "location")
        return video or (location if location and location.startswith(("https://", "http://")) else None)

    def booker(self, context: Context) -> Attendee | None:
        """The first attendee from outside the team; None when all are of the team.

        Raises ValidationFailed when nobody in the payload has an e-mail address.
        """
        everyone = self._everyone()
        if not everyone:
            place = f"{self.path}attendees"
            raise ValidationFailed(f"{place} names nobody with a valid e-mail address", field=place)
        return next((one for one in everyone if not is_internal(one.email, context)), None)

    def meta(self, booker: Attendee | None = None, **more: Any) -> dict[str, Any]:
        """What the timeline keeps of the booking."""
        return values.known(
            event=self.trigger,
            uid=self.uid,
            booking_id=values.scalar(self.fields.get("bookingId")),
            title=self.title,
            start=self.start,
            end=self.end,
            link=self.link,
            event_type=self.slug,
            attendee=booker.email if booker else None,
            organizer=self.organiser,
            notes=values.text(self.fields, "additionalNotes", "description"),
            **more,
        )

    def _everyone(self) -> list[Attendee]:
        named = [attendee for item in values.sections(self.fields, "attendees") if (attendee := _attendee(item))]
        if named:
            return named
        # Hidden seats come without attendees, but with the booker's answers.
        answers = values.section(self.fields, "responses")
        said = {name: values.section(answers, name).get("value", answers.get(name)) for name in ("email", "name")}
        booker = _attendee(said)
        return [booker] if booker else []


def read(payload: Payload, body: bytes) -> Event:
    """Cal.com sends no event id: trigger, booking, time and attendees name the event, else the exact body does."""
    if is_normalised(payload):
        key = clean_line(payload.get("idempotency_key"), 1_000)
        return Event(clean_line(payload["event"], 200) or values.NO_EVENT_TYPE, values.body_digest(body), key)
    booking = booking_of(payload)
    created_at = values.raw_text(payload, "createdAt")
    if not (booking.uid and created_at):
        return Event(booking.trigger or values.NO_EVENT_TYPE, values.body_digest(body))
    attendees = sorted(
        f"{values.raw_text(item, 'email')}:{item.get('noShow') is True}"
        for item in values.sections(booking.fields, "attendees")
    )
    return Event(booking.trigger, values.digest(booking.trigger, booking.uid, created_at, *attendees))


def is_normalised(payload: Payload) -> bool:
    """Ours has `event` where Cal.com's has `triggerEvent`."""
    return payload.get("triggerEvent") is None and isinstance(payload.get("event"), str)


def booking_of(payload: Payload) -> Booking:
    """The booking in a payload of either shape."""
    if is_normalised(payload):
        return Booking(
            values.section(payload, "booking"), "booking.", clean_line(payload["event"], 200) or "", is_normalised=True
        )
    trigger = payload.get("triggerEvent")
    name = clean_line(trigger, 200) or "" if isinstance(trigger, str) else ""
    if "payload" in payload:
        return Booking(values.section(payload, "payload"), "payload.", name)
    return Booking(payload, "", name)


def is_internal(email: str, context: Context) -> bool:
    """Whether an address belongs to the team (INTERNAL_DOMAINS and their subdomains)."""
    domain = email.rpartition("@")[2]
    return any(domain == own or domain.endswith(f".{own}") for own in context.internal_domains)


def _attendee(item: Payload) -> Attendee | None:
    email = values.address_or_none(values.line(item, "email"))
    if email is None:
        return None
    both = " ".join(name for key in ("firstName", "lastName") if (name := values.line(item, key)))
    return Attendee(email, values.line(item, "name") or clean_line(both), values.line(item, "phoneNumber", "phone"))
