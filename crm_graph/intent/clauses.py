"""Clauses: splits a reply into sentences, and those where the meaning may turn ("but", "ama")."""

import re
from itertools import pairwise
from typing import NamedTuple

from crm_graph.intent.folding import mark_addresses, words

_HEAD, _TAIL = 4_000, 1_000  # letters read of a long reply: its beginning and its end
_MAX_CLAUSE = 1_000

_ENDS = re.compile(r"(?<=[.!?…])\s+|(?<=[?!])(?=\w)|\n+|(?<=\w\.)(?=[A-ZÇĞİÖŞÜ][a-zçğıöşü])")
_BREAKS = re.compile(r"[;()•|]+|:(?!\d)|\s[-–—/]+\s|[–—]|\.{2,}|…")
_GREETING = re.compile(
    r"\b((?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|merhaba\w*|selam\w*|say[ıi]n|g[üu]nayd[ıi]n|"
    r"iyi g[üu]nler|iyi [çc]al[ıi][şs]malar)\b[^,\n!.?]{0,30}),",
    re.IGNORECASE,
)
_TURN = re.compile(
    r"\b(but|however|though|although|nevertheless|nonetheless|that said|having said that|on the other hand|"
    r"unfortunately|sadly|ama|fakat|ancak|lakin|yine de|amma|maalesef|malesef|ne yazik ki|bununla birlikte)\b"
)


class Clause(NamedTuple):
    sentence: str  # the whole sentence, as written
    folded: str
    turns: bool  # opens after a "but"
    asks: bool  # its sentence ends in a question mark


def clauses_of(text: str) -> list[Clause]:
    """The clauses in reading order; for a text of more than 5,000 letters, only those of its beginning and end."""
    if len(text) > _HEAD + _TAIL:
        text = f"{text[:_HEAD]}\n{text[-_TAIL:]}"
    sentences = _ENDS.split(_unwrapped(_GREETING.sub(r"\1\n", text, count=1)))
    return [clause for sentence in sentences for clause in _split(sentence.strip())]


def _split(sentence: str) -> list[Clause]:
    asks = sentence.endswith("?") or "?" in sentence[-4:]
    clauses = []
    for part in _BREAKS.split(mark_addresses(sentence)):
        start, turns, folded = 0, False, words(part[:_MAX_CLAUSE])[:_MAX_CLAUSE]
        for turn in _TURN.finditer(folded):
            clauses.append(Clause(sentence, folded[start : turn.end()].strip(), turns, asks))
            start, turns = turn.end(), True
        clauses.append(Clause(sentence, folded[start:].strip(), turns, asks))
    return [clause for clause in clauses if clause.folded]


def _unwrapped(text: str) -> str:
    """Join lines that a mail program wrapped: long, without punctuation at the end, before a lower-case letter."""
    lines = text.split("\n")
    joined = lines[:1]
    for previous, line in pairwise(lines):
        goes_on = len(previous) > 50 and not previous.rstrip().endswith((".", "!", "?", ":")) and line[:1].islower()
        if goes_on:
            joined[-1] += f" {line}"
        else:
            joined.append(line)
    return "\n".join(joined)
