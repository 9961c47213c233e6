"""What each trigger of Cal.com means. Pure: payload in, what happened out."""

from dataclasses import dataclass

from crm_graph.domain.contacts.ingest import Lead
from crm_graph.errors import ValidationFailed
from crm_graph.models import ActivityType, OwnerSource
from crm_graph.values import parse_time
from webhooks import payload as values
from webhooks.calcom.booking import Attendee, Booking, booking_of
from webhooks.provider import Context, DealEffect, FollowUp, Happening, Ignored, Payload, Translation, Translator


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a trigger does: the words for the timeline, and how it moves the deal."""

    trigger: str
    said: str
    deal: DealEffect = DealEffect.NONE
    time_key: str | None = None  # where it happened; createdAt, unless that is the booking's own
    details: tuple[str, ...] = ()  # further keys for the timeline
    undone: str | None = None  # why a meeting has to be found anew


def _translator(meaning: Meaning) -> Translator:
    def translate(payload: Payload, context: Context) -> Translation:
        booking = booking_of(payload)
        if context.event_types and booking.slug is not None and booking.slug not in context.event_types:
            return Ignored(f"event type {booking.slug!r} is not in CALCOM_EVENT_TYPES")
        booker = booking.booker(context)
        if booker is None:
            return Ignored("every attendee belongs to the team (INTERNAL_DOMAINS)")
        return (_happening(payload, context, booking, booker, meaning),)

    return translate


def _happening(payload: Payload, context: Context, booking: Booking, booker: Attendee, meaning: Meaning) -> Happening:
    at = booking.fields.get(meaning.time_key) if meaning.time_key else values.line(payload, "createdAt", "created_at")
    details = {_snake(key): values.scalar(booking.fields.get(key)) for key in meaning.details}
    return Happening(
        lead=Lead(email=booker.email, full_name=booker.name, phone=booker.phone),
        type=ActivityType.MEETING,
        content=f"{meaning.said}: {booking.title}" if booking.title else meaning.said,
        occurred_at=parse_time(at, now=context.received_at),
        meta=booking.meta(booker, **details),
        deal=meaning.deal,
        about=values.line(booking.fields, "eventTitle") or booking.title,
        pipeline=values.line(booking.metadata, "pipeline"),
        colleague=booking.organiser,
        colleague_source=OwnerSource.ORGANISER,
        contact_id=booking.contact_id,
        creates_contact=creates_contact(booking, context),
        effect_key=effect_key(meaning.trigger, booking.uid, booker.email),
        follow_up=rebooking(booking, booker.email, meaning.undone) if meaning.undone else None,
        arranges=meaning.deal is DealEffect.MEET,
    )


booked = _translator(Meaning("BOOKING_CREATED", "Meeting booked", DealEffect.MEET))
requested = _translator(Meaning("BOOKING_REQUESTED", "Meeting requested, not confirmed yet"))
rejected = _translator(Meaning("BOOKING_REJECTED", "Meeting request rejected", details=("rejectionReason",)))
rescheduled = _translator(
    Meaning(
        "BOOKING_RESCHEDULED",
        "Meeting rescheduled",
        DealEffect.MEET,
        details=("rescheduleUid", "rescheduleStartTime", "rescheduleEndTime", "rescheduledBy"),
    )
)
cancelled = _translator(
    Meaning(
        "BOOKING_CANCELLED",
        "Meeting cancelled",
        details=("cancellationReason", "cancelledBy", "requestReschedule"),
        undone="cancelled",
    )
)
meeting_started = _translator(Meaning("MEETING_STARTED", "Meeting started", time_key="startTime"))
meeting_ended = _translator(Meaning("MEETING_ENDED", "Meeting ended", time_key="endTime", details=("noShowHost",)))


def pinged(payload: Payload, context: Context) -> Translation:
    """The "Ping test" button: its payload has made-up people in it."""
    return Ignored("a test event: the endpoint and its secret work")


def unknown(payload: Payload, context: Context) -> Translation:
    """A trigger that has no effect here."""
    trigger = booking_of(payload).trigger
    if not trigger:
        raise ValidationFailed("triggerEvent is missing or not a text", field="triggerEvent")
    return Ignored(f"event {trigger[:100]!r} has no effect here")


def effect_key(trigger: str, uid: str | None, email: str) -> str | None:
    """Overlapping subscriptions announce one booking twice, and the seats of one event share its uid."""
    return f"calcom:{values.digest(trigger, uid, email)}" if uid else None


def rebooking(booking: Booking, email: str, why: str) -> FollowUp:
    """The task of finding another time with an attendee; one for a booking, whatever became of it."""
    what = f"Rebook: {booking.title}" if booking.title else "Rebook the meeting"
    reason = values.line(booking.fields, "cancellationReason")
    return FollowUp(f"{what} ({why}: {reason})" if reason else f"{what} ({why})", effect_key("", booking.uid, email))


def creates_contact(booking: Booking, context: Context) -> bool:
    """Where CALCOM_EVENT_TYPES picks the sales bookings, an event that doesn't say its type is for known contacts."""
    return not context.event_types or booking.slug is not None or booking.is_normalised


def _snake(key: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in key)
