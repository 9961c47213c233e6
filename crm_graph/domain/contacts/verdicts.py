"""Replies: what somebody or something made of what a contact wrote, and whose verdict counts."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, FromClause, func, select
from sqlalchemy.dialects.postgresql import Insert, insert

from crm_graph.database.statements import param
from crm_graph.intent import REVIEW_THRESHOLD
from crm_graph.models import ReplyStatus, ReplyStatusSource, ReplyVerdict, table

# Design: person > provider > model > rules.
STRENGTH: Mapping[str, int] = {
    ReplyStatusSource.RULES: 1,
    ReplyStatusSource.MODEL: 2,
    ReplyStatusSource.PROVIDER: 3,
    ReplyStatusSource.PERSON: 4,
}

SAID = ("status", "summary", "confidence")  # what a verdict says, besides of which reply


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody or something made of a contact's reply, and when the contact wrote it.

    `confidence` is from 0 to 1; None means certain.
    """

    status: ReplyStatus
    source: ReplyStatusSource
    occurred_at: datetime
    summary: str | None = None
    confidence: float | None = None
    absent_until: date | None = None

    @property
    def is_sure(self) -> bool:
        """Whether nobody has to look at it any more."""
        is_doubted = self.confidence is not None and self.confidence < REVIEW_THRESHOLD
        return self.source is ReplyStatusSource.PERSON or not is_doubted


def consequences(contact: Any, verdict: Verdict) -> dict[str, Any]:
    """What a verdict changes in a contact's columns; with `reply_status` among them when it holds.

    A weaker source never replaces a stronger one, nor an older reply a newer one. An absence is no opinion: it only
    says until when the contact is away. unsubscribed also closes the contact to outreach, which only a person undoes.
    """
    changes: dict[str, Any] = {}
    if verdict.status is ReplyStatus.UNSUBSCRIBED and contact.do_not_contact_at is None:
        reason = verdict.summary or "unsubscribed"
        changes |= {"do_not_contact_at": verdict.occurred_at, "do_not_contact_reason": reason}
    if verdict.absent_until is not None and verdict.absent_until > (contact.ooo_until or date.min):
        changes["ooo_until"] = verdict.absent_until
    if _replaces(verdict, contact):
        changes |= {
            "reply_status": verdict.status,
            "reply_status_source": verdict.source,
            "reply_status_at": verdict.occurred_at,
            "reply_summary": verdict.summary,
            "needs_review": not verdict.is_sure,
        }
    return changes


def _replaces(verdict: Verdict, contact: Any) -> bool:
    if contact.reply_status is None or contact.reply_status_source is None:
        return True
    is_older = contact.reply_status_at is not None and verdict.occurred_at < contact.reply_status_at
    lead = STRENGTH[verdict.source] - STRENGTH[contact.reply_status_source]
    if verdict.status is ReplyStatus.OUT_OF_OFFICE:
        # Only who knows better what this very reply means may say that it was an absence.
        knows_better = lead > 0 and verdict.occurred_at == contact.reply_status_at
        return knows_better or verdict.source is ReplyStatusSource.PERSON
    if contact.reply_status == ReplyStatus.OUT_OF_OFFICE and contact.reply_status_source != ReplyStatusSource.PERSON:
        return True  # whatever the contact wrote, before or after an absence, says more
    return lead >= 0 and not is_older


def kept(
    contact_id: uuid.UUID, activity_id: uuid.UUID | None, verdict: Verdict, judged_by: uuid.UUID | None, now: datetime
) -> dict[str, Any]:
    """The parameters of `keeping`."""
    confidence = None if verdict.confidence is None else round(Decimal(str(verdict.confidence)), 3)
    return {
        "contact_id": contact_id,
        "activity_id": activity_id,
        "source": verdict.source,
        "status": verdict.status,
        "summary": verdict.summary,
        "confidence": confidence,
        "judged_by": judged_by if verdict.source is ReplyStatusSource.PERSON else None,
        "judged_at": now,
    }


def keeping(only_with: FromClause | None = None) -> Insert:
    """The INSERT of a verdict, one of each source on each reply: a later one takes the place of its earlier one.

    `only_with` has a row if there is something that was judged.
    """
    names = (*SAID, "judged_by", "judged_at")
    all_names = ("contact_id", "activity_id", "source", *names)
    values: dict[str, ColumnElement[Any]] = {name: param(ReplyVerdict, name) for name in all_names}
    values["id"] = func.gen_random_uuid()
    c = table(ReplyVerdict).c
    new = insert(table(ReplyVerdict))
    if only_with is None:
        new = new.values(values)
    else:
        new = new.from_select(list(values), select(*values.values()).select_from(only_with), include_defaults=False)
    return new.on_conflict_do_update(
        index_elements=[c.activity_id, c.contact_id, c.source], set_={name: new.excluded[name] for name in names}
    )
