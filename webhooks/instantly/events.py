"""What each event of Instantly means: pure functions from its payload to contact events."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from crm_graph.domain.contacts.verdicts import Verdict
from crm_graph.errors import ValidationFailed
from crm_graph.intent import absence_until, read_markup
from crm_graph.models import ActivityType, ReplyStatus, ReplyStatusSource
from crm_graph.values import clean_line, parse_time
from webhooks import extract
from webhooks.instantly import fields
from webhooks.provider import ContactEvent, Context, DealEffect, FollowUp, Ignored, Payload, Translation, Translator
from webhooks.reply import Reply, opens_deal, read_reply

# Instantly's own event types look like this. A custom label is free text ("Call Back Later").
_IDENTIFIER = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
# What the rules know better than a provider that only saw that a machine wrote.
_NOT_AWAY = frozenset({ReplyStatus.BOUNCED, ReplyStatus.WRONG_PERSON, ReplyStatus.NEUTRAL})


def replied(payload: Payload, context: Context) -> Translation:
    """A lead replied: the text decides what the reply means."""
    at = _time(payload, context)
    reply = _reply(payload, context)
    if reply.is_reaction:  # it counts as no reply
        return _contact_event(payload, context, ActivityType.SYSTEM, f"Reaction: {reply.content}")
    verdict = reply.verdict(at)
    return _contact_event(
        payload,
        context,
        ActivityType.EMAIL_IN,
        reply.content,
        verdict=verdict,
        deal=DealEffect.QUALIFY if opens_deal(verdict) else DealEffect.NONE,
        meta={"received_at": at.isoformat()},
    )


def auto_replied(payload: Payload, context: Context) -> Translation:
    """An automatic reply: the lead is away, unless the text says that it is a bounce, a receipt, or that they left."""
    at = _time(payload, context)
    reply = _reply(payload, context)
    verdict = reply.verdict(at, is_automatic=True)
    if verdict is None or verdict.status not in _NOT_AWAY:
        return _out_of_office(payload, context, "Automatic reply")
    meta = {"received_at": at.isoformat()}
    return _contact_event(payload, context, ActivityType.EMAIL_IN, reply.content, verdict=verdict, meta=meta)


def marked_out_of_office(payload: Payload, context: Context) -> Translation:
    """Instantly, or a person in Instantly, marked a reply as an absence notice."""
    return _out_of_office(payload, context, "Marked as out of office in Instantly")


def sent(payload: Payload, context: Context) -> Translation:
    """A campaign sent an e-mail to the lead."""
    subject = extract.line(payload, "email_subject")
    text = extract.text(payload, "email_text") or read_markup(extract.text(payload, "email_html")).whole
    content = text or subject or "E-mail sent"
    return _contact_event(payload, context, ActivityType.EMAIL_OUT, content, meta={"subject": subject})


def label_or_unknown(payload: Payload, context: Context) -> Translation:
    """A custom label becomes a timeline entry; any other event is ignored."""
    label = fields.event_type(payload)
    if fields.is_normalised(payload):
        return Ignored(f"the normalised shape has no event {clean_line(payload['event'], 100)!r}, only 'reply'")
    if label is None:
        raise ValidationFailed("event_type is missing or not text", field="event_type")
    if _IDENTIFIER.fullmatch(label):
        return Ignored(f"event_type {label[:100]!r} has no effect here")
    content = f"Labelled in Instantly: {label}"
    return _contact_event(payload, context, ActivityType.SYSTEM, content, meta={"label": label})


def no_effect(payload: Payload, context: Context) -> Translation:
    """An event that the timeline does not need."""
    return Ignored(f"event_type {fields.event_type(payload)!r} has no effect here")


def sending_account_failed(payload: Payload, context: Context) -> Translation:
    """A mailbox can't send. It concerns no lead, but somebody must look at it."""
    account = extract.line(payload, "email_account") or "a sending account"
    return Ignored(
        f"Instantly reports an error for {account}; check it there: its e-mails may not be sent", needs_attention=True
    )


def _verdict_translator(status: ReplyStatus, content: str) -> Translator:
    """A translator for an event in which Instantly itself gives the verdict."""

    def translate(payload: Payload, context: Context) -> Translation:
        verdict = Verdict(
            status=status,
            source=ReplyStatusSource.PROVIDER,
            occurred_at=_time(payload, context),
            summary=_reply(payload, context).first_line or content,
        )
        effect = DealEffect.QUALIFY if status is ReplyStatus.INTERESTED else DealEffect.NONE
        return _contact_event(payload, context, ActivityType.SYSTEM, content, verdict=verdict, deal=effect)

    return translate


marked_interested = _verdict_translator(ReplyStatus.INTERESTED, "Marked as interested in Instantly")
marked_not_interested = _verdict_translator(ReplyStatus.NOT_INTERESTED, "Marked as not interested in Instantly")
marked_neutral = _verdict_translator(ReplyStatus.NEUTRAL, "Marked as neutral in Instantly")
marked_wrong_person = _verdict_translator(ReplyStatus.WRONG_PERSON, "Marked as the wrong person in Instantly")
bounced = _verdict_translator(ReplyStatus.BOUNCED, "E-mail bounced")
unsubscribed = _verdict_translator(ReplyStatus.UNSUBSCRIBED, "Unsubscribed in Instantly")


def _progress_translator(
    type: ActivityType,
    content: str,
    deal: DealEffect,
    *,
    follow_up: FollowUp | None = None,
    arranges_meeting: bool = False,
) -> Translator:
    """A translator for an event that moves the lead's deal."""

    def translate(payload: Payload, context: Context) -> Translation:
        [event] = _contact_event(payload, context, type, content, deal=deal)
        return (replace(event, follow_up=follow_up, arranges_meeting=arranges_meeting),)

    return translate


meeting_booked = _progress_translator(
    ActivityType.MEETING, "Marked as meeting booked in Instantly", DealEffect.ADVANCE, arranges_meeting=True
)
meeting_completed = _progress_translator(
    ActivityType.MEETING, "Marked as meeting completed in Instantly", DealEffect.ADVANCE
)
lead_no_show = _progress_translator(
    ActivityType.NO_SHOW,
    "Marked as no-show in Instantly",
    DealEffect.ADVANCE,
    follow_up=FollowUp("Rebook the meeting (no-show)"),
)
lead_closed = _progress_translator(ActivityType.SYSTEM, "Marked as closed in Instantly", DealEffect.WIN)


def _out_of_office(payload: Payload, context: Context, default_content: str) -> Translation:
    at = _time(payload, context)
    reply = _reply(payload, context)
    verdict = Verdict(
        status=ReplyStatus.OUT_OF_OFFICE,
        source=ReplyStatusSource.PROVIDER,
        occurred_at=at,
        summary=reply.first_line or default_content,
        absent_until=absence_until(reply.own or reply.text, at),
    )
    content = reply.own or default_content
    meta = {"received_at": at.isoformat()}
    return _contact_event(payload, context, ActivityType.EMAIL_IN, content, verdict=verdict, meta=meta)


def _contact_event(
    payload: Payload,
    context: Context,
    type: ActivityType,
    content: str,
    *,
    verdict: Verdict | None = None,
    deal: DealEffect = DealEffect.NONE,
    meta: Mapping[str, str | None] | None = None,
) -> tuple[ContactEvent]:
    return (
        ContactEvent(
            lead=fields.lead(payload),
            type=type,
            content=content,
            occurred_at=_time(payload, context),
            meta=fields.meta(payload, **{**_reply(payload, context).meta, **(meta or {})}),
            verdict=verdict,
            deal=deal,
            subject=extract.line(payload, "campaign_name"),
            campaign_id=extract.line(payload, "campaign_id"),
            colleague=extract.address_or_none(extract.line(payload, "email_account")),
        ),
    )


def _time(payload: Payload, context: Context) -> datetime:
    return parse_time(payload.get("timestamp"), now=context.received_at)


def _reply(payload: Payload, context: Context) -> Reply:
    subject = extract.line(payload, "reply_subject")
    keys = {"text": "reply_text", "html": "reply_html", "snippet": "reply_text_snippet"}
    return read_reply(payload, subject, context.sent, **keys)
