"""Reads a booking from Cal.com's shape (nested in `payload`, flat for meetings) or from our normalised one."""

import uuid
from dataclasses import dataclass
from itertools import islice

from crm_graph.errors import ValidationFailed
from crm_graph.values import clean_line
from webhooks import dedupe, extract, normalised
from webhooks.calcom.answers import USUAL, answers_of
from webhooks.provider import Context, EventIdentity, Payload

ATTENDEES_MAX = 100  # of an event; each can become a contact


@dataclass(frozen=True, slots=True)
class Attendee:
    """A person who was invited; `email` is in normal form."""

    email: str
    name: str | None = None
    phone: str | None = None
    is_absent: bool = False


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking: `fields` is the object in the payload that describes it, `path` is where that object is."""

    fields: Payload
    path: str
    trigger: str
    is_normalised: bool = False

    @property
    def uid(self) -> str | None:
        """Identifies the booking. A rescheduled booking gets a new uid; the seats of one event share a uid."""
        return extract.line(self.fields, *(("uid", "id") if self.is_normalised else ("uid", "bookingUid")))

    @property
    def title(self) -> str | None:
        """The title, as in the invitation."""
        return extract.line(self.fields, "title", "eventTitle")

    @property
    def slug(self) -> str | None:
        """The event type's slug; no-shows and meetings don't have it."""
        return extract.line(self.fields, "type")

    @property
    def start(self) -> str | None:
        """When it starts, as sent."""
        return extract.line(self.fields, "startTime", "start_time")

    @property
    def end(self) -> str | None:
        """When it ends, as sent."""
        return extract.line(self.fields, "endTime", "end_time")

    @property
    def metadata(self) -> Payload:
        """The metadata of the booking link."""
        return extract.section(self.fields, "metadata")

    @property
    def contact_id(self) -> uuid.UUID | None:
        """The contact's id, if the metadata has one."""
        try:
            return uuid.UUID(extract.line(self.metadata, "contact_id", "contactId") or "")
        except ValueError:
            return None

    @property
    def organiser(self) -> str | None:
        """The host's address in normal form. In flat payloads the host is the booking's user."""
        organizer, user = extract.section(self.fields, "organizer"), extract.section(self.fields, "user")
        host = extract.line(organizer, "email") or extract.line(self.fields, "userPrimaryEmail")
        return extract.address_or_none(host or extract.line(user, "email"))

    @property
    def link(self) -> str | None:
        """The meeting's link; None when the location is no link."""
        video_call = extract.section(self.fields, "videoCallData")
        video = extract.line(self.metadata, "videoCallUrl") or extract.line(video_call, "url")
        location = extract.line(self.fields, "link", "meeting_url", "location")
        return video or (location if location and location.startswith(("https://", "http://")) else None)

    @property
    def is_pending(self) -> bool:
        """Whether a host has still to confirm it."""
        return (extract.line(self.fields, "status") or "").upper() == "PENDING"

    @property
    def has_seats(self) -> bool:
        """Whether people take seats of one event, under one uid."""
        return bool(extract.scalar(self.fields.get("seatsPerTimeSlot")))

    @property
    def answers(self) -> dict[str, str]:
        """What the booker answered to the questions of the page, by their labels."""
        asked = answers_of(extract.section(self.fields, "responses"), without=USUAL)
        return answers_of(extract.section(self.fields, "userFieldsResponses"), without=USUAL) | asked

    def guests(self, context: Context) -> list[Attendee]:
        """The attendees who are neither in the team nor a host of the meeting."""
        hosts = self._hosts()
        return [one for one in self.attendees() if one.email not in hosts and not is_internal(one.email, context)]

    def _hosts(self) -> set[str | None]:
        team = extract.sections(extract.section(self.fields, "team"), "members")
        people = [*team, *extract.sections(self.fields, "hosts")]
        return {self.organiser, *(extract.address_or_none(extract.line(one, "email")) for one in people)}

    def booker(self, context: Context) -> Attendee | None:
        """The first attendee who is not in the team and hosts nothing; None when there is none.

        Raises ValidationFailed when no attendee in the payload has an e-mail address.
        """
        attendees = self.attendees() or self._answered()
        if not attendees:
            place = f"{self.path}attendees"
            raise ValidationFailed(f"{place} has no valid e-mail address", field=place)
        hosts = self._hosts()
        outside = (one for one in attendees if one.email not in hosts and not is_internal(one.email, context))
        return next(outside, None)

    def meta(self, booker: Attendee | None = None, **more: object) -> dict[str, object]:
        """The details of the booking for the timeline."""
        return extract.compact(
            event=self.trigger,
            uid=self.uid,
            booking_id=extract.scalar(self.fields.get("bookingId")),
            title=self.title,
            start=self.start,
            end=self.end,
            link=self.link,
            event_type=self.slug,
            attendee=booker.email if booker else None,
            organizer=self.organiser,
            notes=extract.text(self.fields, "additionalNotes") or extract.text(self.fields, "description"),
            **more,
        )

    @property
    def excess(self) -> str:
        """A line for the timeline when there are more attendees than are read; otherwise empty."""
        count = len(extract.sections(self.fields, "attendees"))
        if count <= ATTENDEES_MAX:
            return ""
        return f"\nThe event names {count:,} attendees; the first {ATTENDEES_MAX} with an e-mail address count."

    def attendees(self) -> list[Attendee]:
        """The attendees who have an e-mail address, at most ATTENDEES_MAX."""
        found = (attendee for item in extract.sections(self.fields, "attendees") if (attendee := _attendee(item)))
        return list(islice(found, ATTENDEES_MAX))

    def _answered(self) -> list[Attendee]:
        """The booker by the answers: hidden seats come without attendees."""
        answers = extract.section(self.fields, "responses")
        fields = {name: extract.section(answers, name).get("value", answers.get(name)) for name in ("email", "name")}
        booker = _attendee(fields)
        return [booker] if booker else []


def identify(payload: Payload, body: bytes) -> EventIdentity:
    """Identify an event by trigger, booking, time and attendees, else by its exact body: Cal.com sends no event id."""
    if is_normalised(payload):
        return normalised.identify(payload, body)
    booking = booking_of(payload)
    created_at = dedupe.key_part(payload, "createdAt")
    if not (booking.uid and created_at):
        return EventIdentity(booking.trigger or extract.NO_EVENT_TYPE, dedupe.body_key(body))
    attendees = sorted(
        f"{dedupe.key_part(item, 'email')}:{item.get('noShow') is True}"
        for item in extract.sections(booking.fields, "attendees")
    )
    return EventIdentity(booking.trigger, dedupe.key_of(booking.trigger, booking.uid, created_at, *attendees))


def is_normalised(payload: Payload) -> bool:
    """Whether a payload has our shape, without `triggerEvent`."""
    return normalised.is_normalised(payload, "triggerEvent")


def booking_of(payload: Payload) -> Booking:
    """The booking in a payload of either shape."""
    if is_normalised(payload):
        fields, event_type = extract.section(payload, "booking"), normalised.event_type(payload)
        return Booking(fields, "booking.", event_type, is_normalised=True)
    trigger = payload.get("triggerEvent")
    name = clean_line(trigger, 200) or "" if isinstance(trigger, str) else ""
    if "payload" in payload:
        return Booking(extract.section(payload, "payload"), "payload.", name)
    return Booking(payload, "", name)


def is_internal(email: str, context: Context) -> bool:
    """Whether an address belongs to the team (INTERNAL_DOMAINS and their subdomains)."""
    domain = email.rpartition("@")[2]
    return any(domain == own or domain.endswith(f".{own}") for own in context.internal_domains)


def _attendee(item: Payload) -> Attendee | None:
    email = extract.address_or_none(extract.line(item, "email"))
    if email is None:
        return None
    both = " ".join(name for key in ("firstName", "lastName") if (name := extract.line(item, key)))
    name, phone = extract.line(item, "name") or clean_line(both), extract.line(item, "phoneNumber", "phone")
    return Attendee(email, name, phone, is_absent=item.get("noShow") is True)
