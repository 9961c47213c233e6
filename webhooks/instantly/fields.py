"""The fields of Instantly's flat payload, where the lead's variables stand beside the documented keys."""

from crm_graph.domain.contacts.lead import Lead
from crm_graph.values import clean_line
from webhooks import dedupe, extract, normalised
from webhooks.provider import EventIdentity, Payload

# API v2, webhook payloads. Every other key at the root is a variable of the lead.
DOCUMENTED = (
    "timestamp", "event_type", "workspace", "campaign_id", "campaign_name", "lead_email", "email_account",
    "unibox_url", "step", "variant", "is_first", "email_id", "email_subject", "email_text", "email_html",
    "reply_subject", "reply_text", "reply_text_snippet", "reply_html",
)  # fmt: skip
# Variables of every lead that have their own columns; `campaign` repeats campaign_id.
NAMED_VARIABLES = ("email", "firstName", "lastName", "companyName", "phone", "website", "campaign")

REPLIES = frozenset({"reply_received", "auto_reply_received", "lead_out_of_office"})


def identify(payload: Payload, body: bytes) -> EventIdentity:
    """Identify an event by its documented keys, else by its exact body: Instantly sends no event id."""
    if is_normalised(payload):
        return normalised.identify(payload, body)
    names = ("event_type", "campaign_id", "lead_email", "email_id", "timestamp")
    parts = [dedupe.key_part(payload, name) for name in names]
    is_identified = bool(parts[0] and parts[-1])
    dedupe_key = dedupe.key_of(*parts) if is_identified else dedupe.body_key(body)
    return EventIdentity(event_type(payload) or extract.NO_EVENT_TYPE, dedupe_key)


def is_normalised(payload: Payload) -> bool:
    """Whether a payload has our shape. Beside `event_type`, `event` would be a lead variable."""
    return normalised.is_normalised(payload, "event_type")


def event_type(payload: Payload) -> str | None:
    """The event type or the custom label, as one clean line."""
    value = payload.get("event_type")
    return clean_line(value, 200) if isinstance(value, str) else None


def lead_of_reply(payload: Payload, event_type: str) -> str | None:
    """The address of the lead whose reply an event brings; None for another event or without one."""
    if event_type == "reply":
        return extract.address_or_none(extract.line(extract.section(payload, "lead"), "email"))
    if event_type not in REPLIES:
        return None
    return extract.address_or_none(extract.line(payload, "lead_email", "email"))


def lead(payload: Payload) -> Lead:
    """The lead, by the documented key first: a variable may have any name and value. Raises ValidationFailed."""
    documented = extract.line(payload, "lead_email")
    field = "lead_email" if documented else "email"
    return Lead(
        email=extract.address(documented or extract.line(payload, "email"), field=field),
        full_name=full_name(payload),
        title=extract.line(payload, "jobTitle"),
        phone=extract.line(payload, "phone"),
        website=extract.line(payload, "website"),
        linkedin_url=extract.line(payload, "linkedIn"),
        company_name=extract.line(payload, "companyName"),
        custom=extract.variables(payload, DOCUMENTED + NAMED_VARIABLES),
    )


def full_name(payload: Payload) -> str | None:
    """First and last name, or the one that is known."""
    names = (extract.line(payload, "firstName"), extract.line(payload, "lastName"))
    return clean_line(" ".join(name for name in names if name))


def meta(payload: Payload, **more: object) -> dict[str, object]:
    """The details of the campaign and the message for the timeline."""
    return extract.compact(
        event=event_type(payload),
        campaign_id=extract.line(payload, "campaign_id"),
        campaign_name=extract.line(payload, "campaign_name"),
        step=extract.scalar(payload.get("step")),
        variant=extract.scalar(payload.get("variant")),
        email_account=extract.line(payload, "email_account"),
        email_id=extract.line(payload, "email_id"),
        unibox_url=extract.line(payload, "unibox_url"),
        **more,
    )
