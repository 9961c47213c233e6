"""Rules: from the cues of a reply to its status, summary and confidence.

verdict.py says what each status means. A reply that says several things gets the status that is costliest to miss: an
absence notice whatever else it mentions, then a request to be left alone (required by law), then "not me", then a no,
and interest last, because a junk deal costs more than a manual check.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from crm_graph.intent.clauses import Clause, clauses_of
from crm_graph.intent.cues import Cue, cues_of
from crm_graph.intent.folding import words
from crm_graph.intent.languages import alternatives
from crm_graph.intent.likeness import Opinion, opinion
from crm_graph.intent.quoting import cut
from crm_graph.intent.verdict import REVIEW_THRESHOLD, Status, Verdict

_DOUBT = REVIEW_THRESHOLD - 0.1
_CLEAR_LEAD = 4.0  # natural log of the odds
_LONG = 60  # words; in a longer reply, a phrase that is not explicit proves little
_SUMMARY_LENGTH = 200

_AUTOMATIC_SUBJECT = re.compile(rf"\b(?:{alternatives('AUTOMATIC_SUBJECTS')}|reponse automatique)")
# List-Unsubscribe by mail: the subject is the whole message.
_OPT_OUT_SUBJECT = re.compile(rf"(?:re )?(?:{alternatives('OPT_OUT_SUBJECTS')})")


class _Decision(NamedTuple):
    status: Status
    weight: int
    confidence: float


def classify(text: str, *, subject: str = "", sent: tuple[str, ...] = (), is_automatic: bool = False) -> Verdict:
    """Classify a reply by its text and subject. Accepts any string; takes linear time in its length.

    `sent` are e-mails that it may quote. `is_automatic` says that a machine wrote it, as the subject may say too.
    """
    reply = cut(text, sent)
    clauses = clauses_of(reply.text)
    cues = cues_of(clauses)
    subject_words = words(subject[:_SUMMARY_LENGTH])
    decision = _decide(_Evidence(cues, clauses, is_automatic or bool(_AUTOMATIC_SUBJECT.search(subject_words))))
    if clauses:
        decision = _weighed(decision, opinion(clauses))
    if decision.weight < 3 and sum(len(clause.folded.split()) for clause in clauses) > _LONG:
        decision = decision._replace(confidence=decision.confidence - 0.2)
    if not reply.certain:
        decision = decision._replace(confidence=min(decision.confidence, _DOUBT))
    if decision.status != "out_of_office" and _OPT_OUT_SUBJECT.fullmatch(subject_words):
        decision = _Decision("unsubscribed", 3, 0.92)
    summary = _summary(decision, cues, clauses, subject)
    return Verdict(decision.status, summary, round(max(decision.confidence, 0.05), 2))


def _weighed(decision: _Decision, liked: Opinion) -> _Decision:
    """Combine the decision with the likeness to labelled replies.

    Likeness decides where the rules found almost nothing or contradict each other, and lowers the confidence elsewhere.
    It never makes a reply interested on its own: only an explicit phrase may open a deal.
    """
    status, lead = liked
    if lead < _CLEAR_LEAD:
        return decision
    if status == decision.status:
        torn = decision.weight > 1 and decision.confidence < REVIEW_THRESHOLD
        return decision if torn else decision._replace(confidence=min(decision.confidence + 0.1, 0.97))
    torn = decision.status == "wrong_person" and decision.confidence < REVIEW_THRESHOLD
    if status == "interested" and torn and lead > 3 * _CLEAR_LEAD:
        return _Decision(status, 2, 0.55)  # "I don't decide that, but I'd love to see it": names a colleague to include
    if status == "interested":
        return decision._replace(confidence=min(decision.confidence, _DOUBT)) if decision.weight < 2 else decision
    if decision.status == "interested" and lead > 3 * _CLEAR_LEAD:
        return _Decision(status, 1, _DOUBT)
    easily = decision.weight < 2 or (decision.weight < 3 and decision.status == "interested")
    if easily or (decision.weight == 2 and lead > 3 * _CLEAR_LEAD):
        return _Decision(status, 1, _DOUBT)
    # A request for the price resembles other questions, so a question needs a clearer lead.
    if decision.status == "interested" and lead > (2 if status == "question" else 1) * _CLEAR_LEAD:
        return decision._replace(confidence=min(decision.confidence, _DOUBT))
    return decision


class _Evidence:
    """The cues of a reply, by kind and by status."""

    def __init__(self, cues: Sequence[Cue], clauses: Sequence[Clause], automatic: bool) -> None:
        self.cues = cues
        self.clauses = clauses
        self.automatic = automatic

    def weight(self, status: Status) -> int:
        return max((cue.weight for cue in self.cues if cue.status == status), default=0)

    def has(self, kind: str) -> bool:
        return any(cue.kind == kind for cue in self.cues)

    def where(self, status: Status) -> list[int]:
        """The clauses with a cue for a status, except hints."""
        return [cue.clause for cue in self.cues if cue.status == status and cue.weight > 1]

    def turned(self, before: int, to: int) -> bool:
        """Whether a "but" stands between two clauses."""
        return any(clause.turns for clause in self.clauses[before + 1 : to + 1])


def _decide(seen: _Evidence) -> _Decision:
    rules = (_left_company, _absent, _removal, _elsewhere, _declined_or_wanting, _asking)
    return next((decision for rule in rules if (decision := rule(seen))), _neutral(seen))


def _left_company(seen: _Evidence) -> _Decision | None:
    """The person left the company. Also in automatic replies, but not together with a request to be left alone."""
    if not seen.has("LEFT") or seen.has("REMOVAL"):
        return None
    doubtful = seen.weight("interested") > 2 and not seen.automatic
    return _Decision("wrong_person", 3, 0.6 if doubtful else 0.9)


def _absent(seen: _Evidence) -> _Decision | None:
    """An absence notice, whatever else it mentions.

    One that a person wrote may also ask to be left alone, which takes precedence by law, or start with a yes ("Sounds
    good! I'm on holiday, the 15th?"): then a person should check.
    """
    if seen.automatic:
        if seen.has("RECEIPT") and not seen.has("ABSENT"):
            return _Decision("neutral", 2, 0.7)
        return _Decision("out_of_office", 3, 0.97 if seen.has("ABSENT") else 0.75)
    if not seen.has("ABSENT"):
        return None
    if seen.has("REMOVAL"):
        return _Decision("unsubscribed", 3, 0.5)
    if seen.weight("interested") < 3:
        return _Decision("out_of_office", 3, 0.9)
    first_wish, first_notice = min(seen.where("interested")), min(seen.where("out_of_office"))
    return _Decision("interested" if first_wish < first_notice else "out_of_office", 2, 0.55)


def _removal(seen: _Evidence) -> _Decision | None:
    if seen.has("REMOVAL"):
        return _Decision("unsubscribed", 3, 0.92 if seen.weight("interested") < 3 else 0.7)
    annoyed = len({cue.clause for cue in seen.cues if cue.kind == "ANNOYED"})
    if annoyed > 1 or (annoyed and seen.weight("not_interested") > 2):
        return _Decision("unsubscribed", 2, 0.55)
    return None


def _elsewhere(seen: _Evidence) -> _Decision | None:
    if seen.has("ELSEWHERE"):
        return _Decision("wrong_person", 3, 0.58 if seen.weight("interested") > 2 else 0.88)
    if seen.has("REFERRED") and seen.weight("interested") < 2 and seen.weight("not_interested") < 3:
        return _Decision("wrong_person", 2, 0.7)
    return None


def _declined_or_wanting(seen: _Evidence) -> _Decision | None:
    wants, declines = seen.weight("interested"), seen.weight("not_interested")
    if declines > 1 and wants > 1:
        return _torn(seen, wants, declines)
    if declines > 1:
        return _Decision("not_interested", declines, 0.9 if declines > 2 else 0.8)
    if wants == 2 and seen.turned(max(seen.where("interested")), len(seen.clauses)):
        return _Decision("not_interested", 1, 0.45)  # "Nice idea, but ..."
    if wants > 1:
        doubt = (0.1 if declines else 0.0) + (0.15 if seen.has("REFERRED") else 0.0)
        return _Decision("interested", wants, (0.9 if wants > 2 else 0.78) - doubt)
    return None


def _torn(seen: _Evidence, wants: int, declines: int) -> _Decision:
    """Both a no and interest: what follows the "but" counts.

    Without a "but", the no counts, because a junk deal costs more; unless it is only a lack of time or money, followed
    by explicit interest.
    """
    declined, wanted = max(seen.where("not_interested")), max(seen.where("interested"))
    if seen.turned(wanted, declined) or wants < 3:
        return _Decision("not_interested", 2, 0.75)
    if seen.turned(declined, wanted):
        return _Decision("interested", 2, 0.55)
    if declines < 3 and wanted > declined:
        return _Decision("interested", 2, 0.62)
    return _Decision("not_interested", 2, 0.5)


def _asking(seen: _Evidence) -> _Decision | None:
    if seen.has("ASKS"):
        return _Decision("question", 2, 0.65 if seen.weight("not_interested") else 0.8)
    if seen.has("ANNOYED"):
        return _Decision("unsubscribed", 1, 0.4)
    if seen.weight("not_interested"):
        return _Decision("not_interested", 1, 0.55)
    if seen.has("AWAY"):
        return _Decision("out_of_office", 1, 0.5)
    return None


def _neutral(seen: _Evidence) -> _Decision:
    confidence = {2: 0.75, 1: 0.65, 0: 0.3}[seen.weight("neutral")]
    return _Decision("neutral", seen.weight("neutral"), confidence)


def _summary(decision: _Decision, cues: Sequence[Cue], clauses: Sequence[Clause], subject: str) -> str:
    """The decisive sentence, or the first one with content, or the whole reply, or the subject."""
    decisive = [cue for cue in cues if cue.status == decision.status]
    if decisive:
        sentence = clauses[max(decisive, key=lambda cue: (cue.weight, -cue.clause)).clause].sentence
    else:
        sentence = next((clause.sentence for clause in clauses if len(clause.folded) > 12), "")
    line = " ".join((sentence or " ".join(clause.sentence for clause in clauses) or subject).split())
    return line if len(line) <= _SUMMARY_LENGTH else line[: _SUMMARY_LENGTH - 1].rstrip() + "…"
