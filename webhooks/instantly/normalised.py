"""A reply in our normalised shape, which n8n relays and first-party callers send."""

from crm_graph.domain.contacts.lead import Lead
from crm_graph.models import ActivityType
from crm_graph.values import parse_time
from webhooks import extract
from webhooks.provider import ContactEvent, Context, DealEffect, Payload, Translation
from webhooks.reply import opens_deal, read_reply

LEAD_KEYS = ("email", "full_name", "title", "company", "phone", "website", "linkedin_url")


def normalised_reply(payload: Payload, context: Context) -> Translation:
    """A lead replied: the text decides what the reply means."""
    lead, message = extract.section(payload, "lead"), extract.section(payload, "message")
    at = parse_time(message.get("received_at"), now=context.received_at)
    subject = extract.line(message, "subject")
    reply = read_reply(message, subject, context.sent, text="text", html="html", snippet="snippet")
    verdict = reply.verdict(at)
    return (
        ContactEvent(
            lead=_lead(lead),
            type=ActivityType.EMAIL_IN,
            content=reply.content,
            occurred_at=at,
            meta=_meta(payload, received_at=at.isoformat(), **reply.meta),
            verdict=verdict,
            deal=DealEffect.QUALIFY if opens_deal(verdict) else DealEffect.NONE,
            subject=extract.line(payload, "campaign_name", "campaign_id"),
            campaign_id=extract.line(payload, "campaign_id"),
            colleague=extract.address_or_none(extract.line(payload, "email_account")),
        ),
    )


def _lead(lead: Payload) -> Lead:
    return Lead(
        email=extract.address(extract.line(lead, "email"), field="lead.email"),
        full_name=extract.line(lead, "full_name"),
        title=extract.line(lead, "title"),
        phone=extract.line(lead, "phone"),
        website=extract.line(lead, "website"),
        linkedin_url=extract.line(lead, "linkedin_url"),
        company_name=extract.line(lead, "company"),
        custom=extract.variables(lead, LEAD_KEYS),
    )


def _meta(payload: Payload, **more: object) -> dict[str, object]:
    return extract.compact(
        event="reply",
        campaign_id=extract.line(payload, "campaign_id"),
        campaign_name=extract.line(payload, "campaign_name"),
        step=extract.scalar(payload.get("step")),
        variant=extract.scalar(payload.get("variant")),
        email_account=extract.line(payload, "email_account"),
        **more,
    )
