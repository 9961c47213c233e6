"""What each trigger of Cal.com means: pure functions from its payload to contact events."""

from dataclasses import dataclass, replace

from crm_graph.errors import ValidationFailed
from crm_graph.models import ActivityType, OwnerSource
from crm_graph.values import parse_time
from webhooks import dedupe, extract
from webhooks.calcom.answers import lead_of
from webhooks.calcom.booking import Attendee, Booking, booking_of
from webhooks.provider import ContactEvent, Context, DealEffect, FollowUp, Ignored, Payload, Translation, Translator


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger about one booking: its text on the timeline, and how it moves the deal."""

    name: str
    text: str
    deal: DealEffect = DealEffect.NONE
    time_key: str | None = None  # where the time of the event is; default: createdAt, unless that is the booking's own
    detail_keys: tuple[str, ...] = ()  # more keys for the timeline
    rebook_reason: str | None = None  # why somebody has to find another time for the meeting


def _translator(trigger: Trigger) -> Translator:
    def translate(payload: Payload, context: Context) -> Translation:
        booking = booking_of(payload)
        if context.event_types and booking.slug is not None and booking.slug not in context.event_types:
            return Ignored(f"event type {booking.slug!r} is not in CALCOM_EVENT_TYPES")
        booker = booking.booker(context)
        if booker is None:
            return Ignored("every attendee belongs to the team (INTERNAL_DOMAINS)")
        # A host who cancels an event with seats cancels them all.
        seats = booking.guests(context) if booking.has_seats and trigger.rebook_reason else []
        people = sorted(seats, key=lambda one: one.email) if len(seats) > 1 else [booker]
        return tuple(_contact_event(payload, context, booking, one, trigger) for one in people)

    return translate


def _contact_event(
    payload: Payload, context: Context, booking: Booking, booker: Attendee, trigger: Trigger
) -> ContactEvent:
    at = booking.fields.get(trigger.time_key) if trigger.time_key else extract.line(payload, "createdAt", "created_at")
    details = {_snake(key): extract.scalar(booking.fields.get(key)) for key in trigger.detail_keys}
    follow_up = rebooking(booking, booker.email, trigger.rebook_reason) if trigger.rebook_reason else None
    answers, deal = booking.answers, trigger.deal
    text = f"{trigger.text}: {booking.title}" if booking.title else trigger.text
    meta = booking.meta(booker, **details, **({"answers": answers} if answers else {}))
    if booking.is_pending and deal is DealEffect.MEET:
        text, deal, meta["event"] = f"{text} (not confirmed yet)", DealEffect.NONE, "BOOKING_REQUESTED"
    lead = lead_of(booker.email, answers)
    return ContactEvent(
        lead=replace(lead, full_name=booker.name or lead.full_name, phone=booker.phone or lead.phone),
        type=ActivityType.MEETING,
        content="\n".join([text, *(f"{label}: {answer}" for label, answer in answers.items())]) + booking.excess,
        occurred_at=parse_time(at, now=context.received_at),
        meta=meta,
        deal=deal,
        subject=extract.line(booking.fields, "eventTitle") or booking.title,
        pipeline=extract.line(booking.metadata, "pipeline"),
        colleague=booking.organiser,
        colleague_source=OwnerSource.ORGANISER,
        contact_id=booking.contact_id,
        creates_contact=creates_contact(booking, context),
        effect_key=effect_key(trigger.name, _occasion(booking, trigger, at), booker.email),
        follow_up=follow_up,
        arranges_meeting=deal is DealEffect.MEET,
    )


booked = _translator(Trigger("BOOKING_CREATED", "Meeting booked", DealEffect.MEET))
requested = _translator(Trigger("BOOKING_REQUESTED", "Meeting requested, not confirmed yet"))
rejected = _translator(Trigger("BOOKING_REJECTED", "Meeting request rejected", detail_keys=("rejectionReason",)))
rescheduled = _translator(
    Trigger(
        "BOOKING_RESCHEDULED",
        "Meeting rescheduled",
        DealEffect.MEET,
        detail_keys=("rescheduleUid", "rescheduleStartTime", "rescheduleEndTime", "rescheduledBy"),
    )
)
cancelled = _translator(
    Trigger(
        "BOOKING_CANCELLED",
        "Meeting cancelled",
        detail_keys=("cancellationReason", "cancelledBy", "requestReschedule"),
        rebook_reason="cancelled",
    )
)
meeting_started = _translator(Trigger("MEETING_STARTED", "Meeting started", time_key="startTime"))
meeting_ended = _translator(Trigger("MEETING_ENDED", "Meeting ended", time_key="endTime", detail_keys=("noShowHost",)))


def pinged(payload: Payload, context: Context) -> Translation:
    """The "Ping test" button. The people in its payload are made up."""
    return Ignored("a test event: the endpoint and its secret work")


def no_effect(payload: Payload, context: Context) -> Translation:
    """A trigger that says nothing about a lead or a deal: payments, recordings, absences of hosts."""
    return Ignored(f"{booking_of(payload).trigger} says nothing about a contact or a deal")


def unknown(payload: Payload, context: Context) -> Translation:
    """A trigger that has no effect here."""
    trigger = booking_of(payload).trigger
    if not trigger:
        raise ValidationFailed("triggerEvent is missing or not text", field="triggerEvent")
    return Ignored(f"event {trigger[:100]!r} has no effect here")


def _occasion(booking: Booking, trigger: Trigger, at: object) -> str | None:
    """What tells an event from another one of the same kind about the same booking and person.

    A seat keeps its uid when it is given up and booked again, and when the event is moved. Overlapping subscriptions
    send one event within a minute, each with a time of its own.
    """
    if not (booking.has_seats and booking.uid):
        return booking.uid
    when = booking.start if trigger.deal is DealEffect.MEET and trigger.name != "BOOKING_CREATED" else str(at)[:16]
    return f"{booking.uid} {when}"


def effect_key(trigger: str, uid: str | None, email: str) -> str | None:
    """The same when overlapping subscriptions send a booking twice, but not for the seats that share its uid."""
    return f"calcom:{dedupe.key_of(trigger, uid, email)}" if uid else None


def rebooking(booking: Booking, email: str, why: str) -> FollowUp:
    """The task of finding another time with an attendee; one per booking, whatever happens to the booking."""
    what = f"Rebook: {booking.title}" if booking.title else "Rebook the meeting"
    reason = extract.line(booking.fields, "cancellationReason")
    return FollowUp(f"{what} ({why}: {reason})" if reason else f"{what} ({why})", effect_key("", booking.uid, email))


def creates_contact(booking: Booking, context: Context) -> bool:
    """With CALCOM_EVENT_TYPES set, an event that doesn't say its event type is only for known contacts."""
    return not context.event_types or booking.slug is not None or booking.is_normalised


def _snake(key: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in key)
