"""Verdict: what is said of a reply, and how sure the rules are."""

from dataclasses import dataclass
from typing import Literal, get_args

Status = Literal[
    "interested", "not_interested", "question", "unsubscribed", "out_of_office", "wrong_person", "neutral"
]  # fmt: skip
STATUSES: tuple[Status, ...] = get_args(Status)

REVIEW_THRESHOLD = 0.6
"""Below it a person should look, and no deal is opened."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`summary` is one line of at most 200 characters: the sentence that decided; `confidence` is from 0 to 1."""

    status: Status
    summary: str
    confidence: float
