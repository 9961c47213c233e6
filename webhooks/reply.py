"""A reply, as both of Instantly's shapes carry it, and what the intent rules make of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from crm_graph.domain.contacts.verdicts import Verdict
from crm_graph.intent import absence_until, classify, is_bounce, is_reaction, read_markup, visible_reply
from crm_graph.models import ReplyStatus, ReplyStatusSource
from crm_graph.values import clean_line, clean_text

SUMMARY_MAX = 200
BOUNCE_CONFIDENCE = 0.9
_MARKUP = re.compile(r"<(?:html|body|div|p|br|span|table|blockquote)\b[^<>]{0,500}>", re.IGNORECASE)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a lead wrote: the whole `text`, and `body`, of which a mail client's marks took what is quoted.

    `sent` are e-mails that it may quote.
    """

    subject: str | None
    text: str
    body: str
    sent: tuple[str, ...] = ()

    @property
    def own(self) -> str:
        """The lead's own words."""
        return visible_reply(self.body, self.sent)

    @property
    def content(self) -> str:
        """What the timeline shows: the reply without its quoted history."""
        return self.own or self.text or self.subject or "(empty reply)"

    @property
    def first_line(self) -> str | None:
        """The first line of the reply itself."""
        return clean_line(self.own.partition("\n")[0], SUMMARY_MAX)

    @property
    def meta(self) -> dict[str, str | None]:
        """The subject and the whole text, with what was quoted."""
        return {"subject": self.subject, "text": self.text}

    @property
    def is_reaction(self) -> bool:
        """Whether it is nothing but an emoji, or a mail program's report of one."""
        return is_reaction(self.own)

    def verdict(self, at: datetime, *, is_automatic: bool = False) -> Verdict | None:
        """The verdict of the intent rules; None for an empty reply."""
        if not (self.text or self.subject):
            return None
        intent = classify(self.body, subject=self.subject or "", sent=self.sent, is_automatic=is_automatic)
        status, confidence = ReplyStatus(intent.status), intent.confidence
        if is_bounce(self.text, subject=self.subject or ""):
            status, confidence = ReplyStatus.BOUNCED, BOUNCE_CONFIDENCE
        return Verdict(
            status=status,
            source=ReplyStatusSource.RULES,
            occurred_at=at,
            summary=intent.summary or None,
            confidence=confidence,
            absent_until=absence_until(self.own or self.text, at) if status is ReplyStatus.OUT_OF_OFFICE else None,
        )


def read_reply(
    payload: Mapping[str, object], subject: str | None, sent: tuple[str, ...], *, text: str, html: str, snippet: str
) -> Reply:
    """The fullest of a reply's text, HTML and snippet; the parameters are their keys in the payload.

    That is the text, unless it is empty or only the beginning of another.
    """
    plain, markup, short = (clean_text(payload.get(key)) for key in (text, html, snippet))
    if _MARKUP.search(plain[:10_000]):
        plain, markup = "", markup or plain
    message = read_markup(markup)
    candidates = [
        Reply(subject, plain, plain, sent),
        Reply(subject, clean_text(message.whole), clean_text(message.own), sent),
        Reply(subject, short, short, sent),
    ]
    best = candidates[0]
    for other in candidates[1:]:
        if _is_beginning(best.own, other.own):
            best = other
    # All of it is quoted, as in a message that was only forwarded.
    return best if best.own else next((one for one in candidates if one.text), best)


def _is_beginning(part: str, whole: str) -> bool:
    """Whether a text says more than another one, which it begins with, perhaps in the middle of a word."""
    words, more = _WORD.findall(part), _WORD.findall(whole)
    if len(words) > len(more) or not more:
        return False
    *first, last = words or [""]
    is_same = more[: len(first)] == first and more[len(first)].startswith(last)
    return is_same and (len(more) > len(words) or more[-1] != last)


def opens_deal(verdict: Verdict | None) -> bool:
    """Whether a verdict is sure enough to open a deal: a junk deal costs more than an entry on the review list."""
    return verdict is not None and verdict.is_sure and verdict.status is ReplyStatus.INTERESTED
