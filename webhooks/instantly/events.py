"""What each event of Instantly means. Pure: payload in, what happened out."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from crm_graph.domain.contacts.verdicts import Verdict
from crm_graph.errors import ValidationFailed
from crm_graph.intent import absence_until, visible_reply
from crm_graph.models import ActivityType, ReplyStatus, ReplyStatusSource
from crm_graph.values import clean_line, parse_time
from webhooks import payload as values
from webhooks.instantly import fields
from webhooks.provider import Context, DealEffect, FollowUp, Happening, Ignored, Payload, Translation, Translator
from webhooks.reply import Reply

# Instantly's own events look like this; a label that somebody made there is free text ("Call Back Later").
_IDENTIFIER = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")


def replied(payload: Payload, context: Context) -> Translation:
    """A lead answered: the text decides what that means."""
    at = _time(payload, context)
    reply = _reply(payload)
    verdict = reply.judge(at)
    return _happened(
        payload,
        context,
        ActivityType.EMAIL_IN,
        reply.content,
        verdict=verdict,
        deal=DealEffect.QUALIFY if reply.is_interested(verdict) else DealEffect.NONE,
        meta={"received_at": at.isoformat()},
    )


def auto_replied(payload: Payload, context: Context) -> Translation:
    """An automatic answer arrived: the lead is away, whatever the text says besides."""
    return _away(payload, context, "Automatic reply")


def marked_out_of_office(payload: Payload, context: Context) -> Translation:
    """Instantly, or somebody there, took an answer for an absence notice."""
    return _away(payload, context, "Marked as out of office in Instantly")


def sent(payload: Payload, context: Context) -> Translation:
    """A campaign wrote to the lead."""
    subject = values.line(payload, "email_subject")
    content = values.text(payload, "email_text", "email_html") or subject or "E-mail sent"
    return _happened(payload, context, ActivityType.EMAIL_OUT, content, meta={"subject": subject})


def label_or_unknown(payload: Payload, context: Context) -> Translation:
    """A custom label goes on the timeline as it is; an event that this provider is not known to send is ignored."""
    label = fields.event_type(payload)
    if fields.is_normalised(payload):
        return Ignored(f"event {clean_line(payload['event'], 100)!r} is not one of the normalised shape (reply)")
    if label is None:
        raise ValidationFailed("event_type is missing or not a text", field="event_type")
    if _IDENTIFIER.fullmatch(label):
        return Ignored(f"event_type {label[:100]!r} has no effect here")
    return _happened(payload, context, ActivityType.SYSTEM, f"Labelled in Instantly: {label}", meta={"label": label})


def no_effect(payload: Payload, context: Context) -> Translation:
    """An event that the timeline does not need."""
    return Ignored(f"event_type {fields.event_type(payload)!r} has no effect here")


def sending_account_failed(payload: Payload, context: Context) -> Translation:
    """A mailbox can't send: about no lead, but somebody must look at it."""
    account = values.line(payload, "email_account") or "a sending account"
    return Ignored(
        f"Instantly reports an error of {account}: look at it there, its e-mails may not go out", needs_attention=True
    )


def _judged(status: ReplyStatus, content: str) -> Translator:
    """A translator for an event in which Instantly itself gives the verdict."""

    def translate(payload: Payload, context: Context) -> Translation:
        reply = _reply(payload)
        verdict = Verdict(
            status=status,
            source=ReplyStatusSource.PROVIDER,
            occurred_at=_time(payload, context),
            summary=reply.first_line or content,
        )
        effect = DealEffect.QUALIFY if status is ReplyStatus.INTERESTED else DealEffect.NONE
        return _happened(payload, context, ActivityType.SYSTEM, content, verdict=verdict, deal=effect)

    return translate


judged_interested = _judged(ReplyStatus.INTERESTED, "Marked as interested in Instantly")
judged_not_interested = _judged(ReplyStatus.NOT_INTERESTED, "Marked as not interested in Instantly")
judged_neutral = _judged(ReplyStatus.NEUTRAL, "Marked as neutral in Instantly")
judged_wrong_person = _judged(ReplyStatus.WRONG_PERSON, "Marked as the wrong person in Instantly")
bounced = _judged(ReplyStatus.BOUNCED, "E-mail bounced")
unsubscribed = _judged(ReplyStatus.UNSUBSCRIBED, "Unsubscribed in Instantly")


def _marked(
    type: ActivityType,
    content: str,
    deal: DealEffect,
    *,
    follow_up: FollowUp | None = None,
    arranges: bool = False,
) -> Translator:
    """A translator for an event that says how far the lead has come."""

    def translate(payload: Payload, context: Context) -> Translation:
        [happening] = _happened(payload, context, type, content, deal=deal)
        return (replace(happening, follow_up=follow_up, arranges=arranges),)

    return translate


meeting_booked = _marked(
    ActivityType.MEETING, "Marked as meeting booked in Instantly", DealEffect.ADVANCE, arranges=True
)
meeting_completed = _marked(ActivityType.MEETING, "Marked as meeting completed in Instantly", DealEffect.ADVANCE)
lead_no_show = _marked(
    ActivityType.NO_SHOW,
    "Marked as no-show in Instantly",
    DealEffect.ADVANCE,
    follow_up=FollowUp("Rebook the meeting (no-show)"),
)
lead_closed = _marked(ActivityType.SYSTEM, "Marked as closed in Instantly", DealEffect.WIN)


def _away(payload: Payload, context: Context, otherwise: str) -> Translation:
    at = _time(payload, context)
    reply = _reply(payload)
    verdict = Verdict(
        status=ReplyStatus.OUT_OF_OFFICE,
        source=ReplyStatusSource.PROVIDER,
        occurred_at=at,
        summary=reply.first_line or otherwise,
        absent_until=absence_until(reply.text, at),
    )
    content = visible_reply(reply.text) or otherwise
    return _happened(
        payload, context, ActivityType.EMAIL_IN, content, verdict=verdict, meta={"received_at": at.isoformat()}
    )


def _happened(
    payload: Payload,
    context: Context,
    type: ActivityType,
    content: str,
    *,
    verdict: Verdict | None = None,
    deal: DealEffect = DealEffect.NONE,
    meta: dict[str, Any] | None = None,
) -> tuple[Happening]:
    said = {**_reply(payload).meta, **(meta or {})}
    return (
        Happening(
            lead=fields.lead(payload),
            type=type,
            content=content,
            occurred_at=_time(payload, context),
            meta=fields.meta(payload, **said),
            verdict=verdict,
            deal=deal,
            about=values.line(payload, "campaign_name"),
            campaign_id=values.line(payload, "campaign_id"),
            colleague=values.address_or_none(values.line(payload, "email_account")),
        ),
    )


def _time(payload: Payload, context: Context) -> datetime:
    return parse_time(payload.get("timestamp"), now=context.received_at)


def _reply(payload: Payload) -> Reply:
    return Reply(
        subject=values.line(payload, "reply_subject"),
        text=values.text(payload, "reply_text", "reply_text_snippet", "reply_html"),
    )
