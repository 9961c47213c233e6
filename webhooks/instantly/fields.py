"""The two shapes that reach this endpoint: Instantly's flat one, where the lead's variables lie beside the documented
keys, and our normalised one."""

from typing import Any

from crm_graph.domain.contacts.ingest import Lead
from crm_graph.values import clean_line
from webhooks import payload as values
from webhooks.provider import Event, Payload

# API v2, webhook payloads. Everything else at the root is a variable of the lead.
DOCUMENTED = (
    "timestamp", "event_type", "workspace", "campaign_id", "campaign_name", "lead_email", "email_account",
    "unibox_url", "step", "variant", "is_first", "email_id", "email_subject", "email_text", "email_html",
    "reply_subject", "reply_text", "reply_text_snippet", "reply_html",
)  # fmt: skip
# Variables of every lead, which have columns of their own; `campaign` repeats campaign_id.
NAMED_VARIABLES = ("email", "firstName", "lastName", "companyName", "phone", "website", "campaign")


def read(payload: Payload, body: bytes) -> Event:
    """Instantly sends no event id: its documented keys name the event, and where they don't, the exact body does."""
    if is_normalised(payload):
        key = clean_line(payload.get("idempotency_key"), 1_000)
        return Event(clean_line(payload["event"], 200) or values.NO_EVENT_TYPE, values.body_digest(body), key)
    names = ("event_type", "campaign_id", "lead_email", "email_id", "timestamp")
    parts = [values.raw_text(payload, name) for name in names]
    is_named = bool(parts[0] and parts[-1])
    dedupe_key = values.digest(*parts) if is_named else values.body_digest(body)
    return Event(event_type(payload) or values.NO_EVENT_TYPE, dedupe_key)


def is_normalised(payload: Payload) -> bool:
    """Ours has `event`; in Instantly's that would be a lead variable, beside `event_type`."""
    return payload.get("event_type") is None and isinstance(payload.get("event"), str)


def event_type(payload: Payload) -> str | None:
    """The event or the label, as one clean line."""
    value = payload.get("event_type")
    return clean_line(value, 200) if isinstance(value, str) else None


def lead(payload: Payload) -> Lead:
    """The lead, by the documented key first: a variable may have any name and any value. Raises ValidationFailed."""
    documented = values.line(payload, "lead_email")
    field = "lead_email" if documented else "email"
    return Lead(
        email=values.address(documented or values.line(payload, "email"), field=field),
        full_name=full_name(payload),
        title=values.line(payload, "jobTitle"),
        phone=values.line(payload, "phone"),
        website=values.line(payload, "website"),
        linkedin_url=values.line(payload, "linkedIn"),
        company_name=values.line(payload, "companyName"),
        custom=values.variables(payload, DOCUMENTED + NAMED_VARIABLES),
    )


def full_name(payload: Payload) -> str | None:
    """First and last name, as far as they are known."""
    names = (values.line(payload, "firstName"), values.line(payload, "lastName"))
    return clean_line(" ".join(name for name in names if name))


def meta(payload: Payload, **more: Any) -> dict[str, Any]:
    """What the timeline keeps of the campaign and the message."""
    return values.known(
        event=event_type(payload),
        campaign_id=values.line(payload, "campaign_id"),
        campaign_name=values.line(payload, "campaign_name"),
        step=values.scalar(payload.get("step")),
        variant=values.scalar(payload.get("variant")),
        email_account=values.line(payload, "email_account"),
        email_id=values.line(payload, "email_id"),
        unibox_url=values.line(payload, "unibox_url"),
        **more,
    )
