"""Verdict: the status of a reply, and how sure the rules are.

| status | meaning |
|---|---|
| interested | wants to continue: asks for price, deck, details, demo, time; agrees to talk; names a colleague to add |
| not_interested | declines for now or for good, without asking to be left off the list |
| question | asks something neutral (who are you, does it do X, where is the data), no sign of wanting or declining |
| unsubscribed | asks not to be written to again, to be removed, to have data deleted (KVKK, GDPR), STOP |
| out_of_office | an automatic or hand-written absence notice, whatever else it mentions |
| wrong_person | not me, left the company, write to someone else |
| neutral | none of these |
"""

from dataclasses import dataclass
from typing import Literal, get_args

Status = Literal[
    "interested", "not_interested", "question", "unsubscribed", "out_of_office", "wrong_person", "neutral"
]  # fmt: skip
STATUSES: tuple[Status, ...] = get_args(Status)

REVIEW_THRESHOLD = 0.6
"""With a lower confidence, a person should check the reply, and no deal is opened."""

CLOSING_THRESHOLD = 0.8
"""With a lower confidence, `unsubscribed` doesn't close a contact to outreach; a person should check the reply."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`summary` is the decisive sentence, on one line of at most 200 characters; `confidence` is from 0 to 1."""

    status: Status
    summary: str
    confidence: float
