"""No-shows. They name only the booking and its attendees, and they can be undone."""

from crm_graph.domain.contacts.lead import Lead
from crm_graph.errors import ValidationFailed
from crm_graph.models import ActivityType, OwnerSource
from crm_graph.values import parse_time
from webhooks import extract
from webhooks.calcom.booking import Attendee, Booking, booking_of, is_internal
from webhooks.calcom.events import creates_contact, rebooking
from webhooks.provider import ContactEvent, Context, Ignored, Payload, Translation


def no_show_updated(payload: Payload, context: Context) -> Translation:
    """Attendees were marked as absent, or that was undone: one event for each attendee who is not in the team."""
    booking = booking_of(payload)
    marks = _marks(booking)
    if not marks:
        place = f"{booking.path}attendees"
        raise ValidationFailed(f"{place} has no valid e-mail address", field=place)
    # Sorted, so that two events about the same people lock their contacts in the same order.
    external = sorted(item for item in marks.items() if not is_internal(item[0], context))
    if not external:
        return Ignored("every attendee belongs to the team (INTERNAL_DOMAINS)")
    return tuple(_contact_event(payload, context, booking, email, is_no_show) for email, is_no_show in external)


def guests_missed(payload: Payload, context: Context) -> Translation:
    """Cal Video noticed that guests did not come: those who are marked or, without marks, all of them."""
    booking = booking_of(payload)
    attendees = extract.sections(booking.fields, "attendees")
    if any("noShow" in attendee for attendee in attendees):
        return no_show_updated(payload, context)
    absent = {**booking.fields, "attendees": [{**attendee, "noShow": True} for attendee in attendees]}
    return no_show_updated({**payload, "payload": absent} if "payload" in payload else {**payload, **absent}, context)


def hosts_missed(payload: Payload, context: Context) -> Translation:
    """Cal Video noticed that a host did not come: the lead must hear from somebody."""
    booking = booking_of(payload)
    booker = booking.booker(context)
    if booker is None:
        return Ignored("every attendee belongs to the team (INTERNAL_DOMAINS)")
    return (
        ContactEvent(
            lead=Lead(email=booker.email, full_name=booker.name),
            type=ActivityType.MEETING,
            content="The host did not show up" + booking.excess,
            occurred_at=parse_time(payload.get("createdAt"), now=context.received_at),
            meta=booking.meta(booker, message=extract.line(booking.fields, "message")),
            colleague=booking.organiser,
            colleague_source=OwnerSource.ORGANISER,
            creates_contact=creates_contact(booking, context),
            follow_up=rebooking(booking, booker.email, "the host did not show up"),
        ),
    )


def _marks(booking: Booking) -> dict[str, bool]:
    return {attendee.email: attendee.is_absent for attendee in booking.attendees()}


def _contact_event(payload: Payload, context: Context, booking: Booking, email: str, is_no_show: bool) -> ContactEvent:
    return ContactEvent(
        lead=Lead(email=email),
        type=ActivityType.NO_SHOW,
        content=("Did not show up" if is_no_show else "No-show taken back") + booking.excess,
        occurred_at=parse_time(payload.get("createdAt"), now=context.received_at),
        meta=booking.meta(Attendee(email), no_show=is_no_show, message=extract.line(booking.fields, "message")),
        colleague=booking.organiser,
        colleague_source=OwnerSource.ORGANISER,
        creates_contact=creates_contact(booking, context),
        follow_up=rebooking(booking, email, "no-show") if is_no_show else None,
    )
