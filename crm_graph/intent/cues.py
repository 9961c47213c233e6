"""Cues: the phrases of the vocabularies that occur in a reply, each with its weight for a status.

Each phrase is removed from its clause once it is found. The order of KINDS therefore matters: "not interested" is
removed before "interested" is searched for.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from crm_graph.intent.clauses import Clause
from crm_graph.intent.languages import Language, spoken
from crm_graph.intent.phrases import compile_phrases
from crm_graph.intent.verdict import Status

# Weight 3: explicit; 2: enough unless something outweighs it; 1: a hint. Without a status, it is only removed.
KINDS: tuple[tuple[str, Status | None, int], ...] = (
    ("NOT_A_REQUEST", None, 0),
    ("DOUBLE_NEGATION", "interested", 3),
    ("REMOVAL", "unsubscribed", 3),
    ("INVITED", "interested", 3),
    ("ABSENT", "out_of_office", 3),
    ("LEFT", "wrong_person", 3),
    ("PASSED_ON", "neutral", 2),
    ("ELSEWHERE", "wrong_person", 3),
    ("DECLINED", "not_interested", 3),
    ("NO_ROOM", "not_interested", 2),
    ("ANNOYED", "unsubscribed", 1),
    ("REFERRED", "wrong_person", 2),
    ("YOURS", None, 0),
    ("WANTS", "interested", 3),
    ("WARM", "interested", 2),
    ("HESITANT", "not_interested", 1),
    ("AWAY", "out_of_office", 1),
    ("ASKS", "question", 2),
    ("RECEIPT", "neutral", 2),
    ("ACKNOWLEDGED", "neutral", 1),
    ("LEANS", "interested", 1),
)

_WISHES = frozenset({"WANTS", "WARM", "LEANS"})
_REFUSALS = frozenset({"DECLINED", "NO_ROOM", "HESITANT", "WARM"})
# A question about the product is not a request ("does it remove duplicates?"); "how do I leave?" is one.
_ABOUT_ONESELF = frozenset({"REMOVAL", "ABSENT", "AWAY", "ELSEWHERE", "LEFT"})


class Cue(NamedTuple):
    kind: str
    status: Status
    weight: int
    clause: int  # its index


def cues_of(clauses: list[Clause]) -> list[Cue]:
    """The cues, in the order of the clauses."""
    languages = spoken(word for clause in clauses for word in clause.folded.replace(",", "").split())
    return [cue for index, clause in enumerate(clauses) for cue in _in_clause(clause, index, languages)]


@cache
def _pattern(language: Language, kind: str) -> re.Pattern[str] | None:
    """The phrases of a kind. Compiled for the first reply in the language, because it takes a sixth of a second."""
    block = language.phrases.get(kind)
    return compile_phrases(block, language.classes) if block else None


def _in_clause(clause: Clause, index: int, languages: Sequence[Language]) -> Iterator[Cue]:
    rest, is_clear = clause.folded, False
    for kind, status, weight in KINDS:
        for language in languages:
            pattern = _pattern(language, kind)
            matches = list(pattern.finditer(rest)) if pattern else []
            for match in matches:
                if status is None or _is_only_asked(kind, clause, rest[match.end() :], language):
                    continue
                cue = _read(Cue(kind, status, weight, index), rest, match, clause.asks, language)
                is_clear = is_clear or cue.weight > 1
                yield cue
            if pattern and matches:
                rest = pattern.sub("#", rest)
    if clause.asks and not is_clear:
        yield Cue("ASKS", "question", 2, index)


def _is_only_asked(kind: str, clause: Clause, after: str, language: Language) -> bool:
    if kind in _REFUSALS and language.asked_after and language.asked_after.match(after):
        return True
    is_about_product = language.capability is not None and bool(language.capability.search(clause.folded))
    return clause.asks and kind in _ABOUT_ONESELF and is_about_product


def _read(cue: Cue, clause: str, match: re.Match[str], asks: bool, language: Language) -> Cue:
    """A cue in its context: a negation turns a wish into a refusal, a concession or a question into a hint."""
    before, after = clause[: match.start()][-60:], clause[match.end() :][:60]
    if cue.kind in _WISHES and _is_negated(before, after, language):
        return Cue("DECLINED", "not_interested", 3, cue.clause)
    if cue.kind == "WARM" and (asks or (language.conceded_before and language.conceded_before.search(before))):
        return cue._replace(weight=1)
    return cue


def _is_negated(before: str, after: str, language: Language) -> bool:
    is_before = language.negated_before is not None and language.negated_before.search(before)
    return bool(is_before or (language.negated_after is not None and language.negated_after.match(after)))
