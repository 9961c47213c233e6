"""Clauses: splits a reply into sentences, and those where the meaning may turn ("but", "ama")."""

import re
from itertools import pairwise
from typing import NamedTuple

from crm_graph.intent.folding import fold, mark_addresses, words_and_commas
from crm_graph.intent.languages import alternatives

_HEAD, _TAIL = 4_000, 1_000  # letters read of a long reply: its beginning and its end
_MAX_CLAUSE = 1_000

_ENDS = re.compile(r"(?<=[.!?…])\s+|(?<=[?!])(?=\w)|\n+|(?<=\w\.)(?=[A-ZÇĞİÖŞÜ][a-zçğıöşü])")
_BREAKS = re.compile(r"[;()•|]+|:(?!\d)|\s[-–—/]+\s|[–—]|\.{2,}|…")
_GREETING = re.compile(rf"\b(?:{alternatives('GREETINGS')})\b[^\n!.?]{{0,30}}\Z")
_GREETING_MAX = 120
_TURN = re.compile(rf"\b({alternatives('TURNS')})\b")


class Clause(NamedTuple):
    sentence: str  # the whole sentence, as written
    folded: str  # words with a space or a comma and a space between them
    turns: bool  # opens after a "but"
    asks: bool  # its sentence ends in a question mark


def clauses_of(text: str) -> list[Clause]:
    """The clauses in reading order; for a text of more than 5,000 letters, only those of its beginning and end."""
    if len(text) > _HEAD + _TAIL:
        text = f"{text[:_HEAD]}\n{text[-_TAIL:]}"
    sentences = _ENDS.split(_unwrapped(_greeting_apart(text)))
    return [clause for sentence in sentences for clause in _split(sentence.strip())]


def _greeting_apart(text: str) -> str:
    """The text with the comma after "Hi Max," as the end of a line."""
    comma = text.find(",", 0, _GREETING_MAX)
    if comma > 0 and _GREETING.search(fold(text[:comma])):
        return f"{text[:comma]}\n{text[comma + 1 :]}"
    return text


def _split(sentence: str) -> list[Clause]:
    asks = sentence.endswith("?") or "?" in sentence[-4:]
    clauses = []
    for part in _BREAKS.split(mark_addresses(sentence)):
        start, turns, folded = 0, False, words_and_commas(part[:_MAX_CLAUSE])[:_MAX_CLAUSE]
        for turn in _TURN.finditer(folded):
            clauses.append(Clause(sentence, folded[start : turn.end()].strip(" ,"), turns, asks))
            start, turns = turn.end(), True
        clauses.append(Clause(sentence, folded[start:].strip(" ,"), turns, asks))
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
