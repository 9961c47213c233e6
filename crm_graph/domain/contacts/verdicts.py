"""Verdicts: what a source says that a contact's reply means, and when that changes the contact's reply status."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, FromClause, func, select
from sqlalchemy.dialects.postgresql import Insert, insert

from crm_graph.database.statements import param
from crm_graph.domain.contacts.rows import ContactRow
from crm_graph.intent.verdict import CLOSING_THRESHOLD, REVIEW_THRESHOLD
from crm_graph.models import ReplyStatus, ReplyStatusSource, ReplyVerdict, table

# A stronger source overrides a weaker one: person > provider > model > rules.
STRENGTH: Mapping[str, int] = {
    ReplyStatusSource.RULES: 1,
    ReplyStatusSource.MODEL: 2,
    ReplyStatusSource.PROVIDER: 3,
    ReplyStatusSource.PERSON: 4,
}
_IDENTITY = ("contact_id", "activity_id", "source")
_VALUES = ("status", "summary", "confidence", "judged_by", "judged_at")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a source says that a contact's reply means. The contact wrote the reply at `occurred_at`.

    `confidence` is from 0 to 1; None means certain. `absent_until` is the last day of an absence.
    """

    status: ReplyStatus
    source: ReplyStatusSource
    occurred_at: datetime
    summary: str | None = None
    confidence: float | None = None
    absent_until: date | None = None

    @property
    def is_sure(self) -> bool:
        """Whether no person has to review it. UNSUBSCRIBED takes more: it closes the contact for good."""
        least = CLOSING_THRESHOLD if self.status is ReplyStatus.UNSUBSCRIBED else REVIEW_THRESHOLD
        is_doubtful = self.confidence is not None and self.confidence < least
        return self.source is ReplyStatusSource.PERSON or not is_doubtful

    @property
    def rounded_confidence(self) -> Decimal | None:
        """The confidence as it is stored, with three decimals."""
        return None if self.confidence is None else round(Decimal(str(self.confidence)), 3)


def contact_changes(contact: ContactRow, verdict: Verdict, *, corrects: bool = False) -> dict[str, object]:
    """The columns of a contact that a verdict changes; `reply_status` is among them when the verdict prevails.

    A weaker source never overrides a stronger one, nor an older reply a newer one. An absence is no opinion: it only
    says until when the contact is away; one that `corrects` an earlier notice may end sooner. A sure UNSUBSCRIBED also
    closes the contact to outreach, which only a person undoes.
    """
    changes: dict[str, object] = {}
    if verdict.status is ReplyStatus.UNSUBSCRIBED and verdict.is_sure and contact.do_not_contact_at is None:
        reason = verdict.summary or "unsubscribed"
        changes |= {"do_not_contact_at": verdict.occurred_at, "do_not_contact_reason": reason}
    if verdict.absent_until is not None and (corrects or verdict.absent_until > (contact.ooo_until or date.min)):
        changes["ooo_until"] = verdict.absent_until
    if _prevails(verdict, contact):
        changes |= {
            "reply_status": verdict.status,
            "reply_status_source": verdict.source,
            "reply_status_at": verdict.occurred_at,
            "reply_summary": verdict.summary,
            "needs_review": not verdict.is_sure,
        }
    return changes


def _prevails(verdict: Verdict, contact: ContactRow) -> bool:
    if contact.reply_status is None or contact.reply_status_source is None:
        return True
    is_older = contact.reply_status_at is not None and verdict.occurred_at < contact.reply_status_at
    lead = STRENGTH[verdict.source] - STRENGTH[contact.reply_status_source]
    if verdict.status is ReplyStatus.OUT_OF_OFFICE:
        # Only a stronger source on the same reply, or a person, may replace an opinion by an absence.
        is_stronger_on_it = lead > 0 and verdict.occurred_at == contact.reply_status_at
        return is_stronger_on_it or verdict.source is ReplyStatusSource.PERSON
    if contact.reply_status == ReplyStatus.OUT_OF_OFFICE and contact.reply_status_source != ReplyStatusSource.PERSON:
        return True  # any reply, written before or after an absence notice, says more than the notice
    return lead >= 0 and not is_older


def verdict_params(
    contact_id: uuid.UUID, activity_id: uuid.UUID | None, verdict: Verdict, judged_by: uuid.UUID | None, now: datetime
) -> dict[str, object]:
    """The parameters of `upsert_verdict`."""
    return {
        "contact_id": contact_id,
        "activity_id": activity_id,
        "source": verdict.source,
        "status": verdict.status,
        "summary": verdict.summary,
        "confidence": verdict.rounded_confidence,
        "judged_by": judged_by if verdict.source is ReplyStatusSource.PERSON else None,
        "judged_at": now,
    }


def upsert_verdict(only_with: FromClause | None = None) -> Insert:
    """The INSERT of a verdict. A source has one on each reply: a later one replaces its earlier one.

    With `only_with`, nothing is inserted unless that has a row.
    """
    values: dict[str, ColumnElement[object]] = {name: param(ReplyVerdict, name) for name in (*_IDENTITY, *_VALUES)}
    values["id"] = func.gen_random_uuid()
    c, new = table(ReplyVerdict).c, insert(table(ReplyVerdict))
    if only_with is None:
        new = new.values(values)
    else:
        row = select(*values.values()).select_from(only_with)
        new = new.from_select(list(values), row, include_defaults=False)
    return new.on_conflict_do_update(
        index_elements=[c.activity_id, c.contact_id, c.source], set_={name: new.excluded[name] for name in _VALUES}
    )
