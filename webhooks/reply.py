"""A reply, as both of Instantly's shapes carry it, and what the intent rules make of it."""

from dataclasses import dataclass
from datetime import datetime

from crm_graph.domain.contacts.verdicts import Verdict
from crm_graph.intent import absence_until, classify, visible_reply
from crm_graph.models import ReplyStatus, ReplyStatusSource
from crm_graph.values import clean_line

SUMMARY_MAX = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """What a lead wrote, quoted history included."""

    subject: str | None
    text: str

    @property
    def content(self) -> str:
        """What the timeline shows: the reply without its quoted history."""
        return visible_reply(self.text) or self.text or self.subject or "(empty reply)"

    @property
    def first_line(self) -> str | None:
        """The first line of the reply itself."""
        return clean_line(visible_reply(self.text).partition("\n")[0], SUMMARY_MAX)

    @property
    def meta(self) -> dict[str, str | None]:
        """The subject and the whole text, with what was quoted."""
        return {"subject": self.subject, "text": self.text}

    def verdict(self, at: datetime) -> Verdict | None:
        """The verdict of the intent rules; None for an empty reply."""
        if not (self.text or self.subject):
            return None
        intent = classify(self.text, subject=self.subject or "")
        status = ReplyStatus(intent.status)
        return Verdict(
            status=status,
            source=ReplyStatusSource.RULES,
            occurred_at=at,
            summary=intent.summary or None,
            confidence=intent.confidence,
            absent_until=absence_until(self.text, at) if status is ReplyStatus.OUT_OF_OFFICE else None,
        )


def opens_deal(verdict: Verdict | None) -> bool:
    """Whether a verdict is sure enough to open a deal: a junk deal costs more than an entry on the review list."""
    return verdict is not None and verdict.is_sure and verdict.status is ReplyStatus.INTERESTED
