"""Our own shape of a reply, which n8n relays and first-party callers send."""

from typing import Any

from crm_graph.domain.contacts.ingest import Lead
from crm_graph.models import ActivityType
from crm_graph.values import parse_time
from webhooks import payload as values
from webhooks.provider import Context, DealEffect, Happening, Payload, Translation
from webhooks.reply import Reply

LEAD_KEYS = ("email", "full_name", "title", "company", "phone", "website", "linkedin_url")


def normalised_reply(payload: Payload, context: Context) -> Translation:
    """A lead answered: the text decides what that means."""
    lead, message = values.section(payload, "lead"), values.section(payload, "message")
    at = parse_time(message.get("received_at"), now=context.received_at)
    reply = Reply(subject=values.line(message, "subject"), text=values.text(message, "text", "snippet"))
    verdict = reply.judge(at)
    return (
        Happening(
            lead=_lead(lead),
            type=ActivityType.EMAIL_IN,
            content=reply.content,
            occurred_at=at,
            meta=_meta(payload, received_at=at.isoformat(), **reply.meta),
            verdict=verdict,
            deal=DealEffect.QUALIFY if reply.is_interested(verdict) else DealEffect.NONE,
            about=values.line(payload, "campaign_name", "campaign_id"),
            campaign_id=values.line(payload, "campaign_id"),
            colleague=values.address_or_none(values.line(payload, "email_account")),
        ),
    )


def _lead(lead: Payload) -> Lead:
    return Lead(
        email=values.address(values.line(lead, "email"), field="lead.email"),
        full_name=values.line(lead, "full_name"),
        title=values.line(lead, "title"),
        phone=values.line(lead, "phone"),
        website=values.line(lead, "website"),
        linkedin_url=values.line(lead, "linkedin_url"),
        company_name=values.line(lead, "company"),
        custom=values.variables(lead, LEAD_KEYS),
    )


def _meta(payload: Payload, **more: Any) -> dict[str, Any]:
    return values.known(
        event="reply",
        campaign_id=values.line(payload, "campaign_id"),
        campaign_name=values.line(payload, "campaign_name"),
        step=values.scalar(payload.get("step")),
        variant=values.scalar(payload.get("variant")),
        email_account=values.line(payload, "email_account"),
        **more,
    )
