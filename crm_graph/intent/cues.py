"""Cues: the phrases of the vocabularies that occur in a reply, each with its weight for a status.

Each phrase is removed from its clause once it is found. The order of _KINDS therefore matters: "not interested" is
removed before "interested" is searched for.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from crm_graph.intent import vocabulary_en, vocabulary_tr
from crm_graph.intent.clauses import Clause
from crm_graph.intent.phrases import compile_phrases
from crm_graph.intent.verdict import Status

# Weight 3: explicit; 2: enough unless something outweighs it; 1: a hint. Without a status, it is only removed.
_KINDS: tuple[tuple[str, Status | None, int], ...] = (
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
_NEGATED_BEFORE = re.compile(rf"\b(?:{vocabulary_en.CLASSES['not']})(?: \w+){{0,2}} $")
_NEGATED_AFTER = re.compile(r" (?:\w+ ){0,2}(?:degil|yok|istem(?:iyo|em|ey|ez)|gerek yok|luzum yok)\w*(?! m[iu])")
_CONCEDED_BEFORE = re.compile(r"\b(?:while|although|though|even if|her ne kadar)\b")

_REFUSALS = frozenset({"DECLINED", "NO_ROOM", "HESITANT", "WARM"})
_ASKED_AFTER = re.compile(r" m[iu](?:y[iu][mz]|s[iu]n(?:[iu]z)?|d[iu]r|yd[iu])?\b")  # "istemez mi?"

# A question about the product is not a request ("does it remove duplicates?"); "how do I leave?" is one.
_ABOUT_ONESELF = frozenset({"REMOVAL", "ABSENT", "AWAY", "ELSEWHERE", "LEFT"})
_CAPABILITY = re.compile(
    r"^(?:and |so |but )?(?:do|does|is|are|how|who|what|which|where|if|did|you mention)\b"
    r"(?!.*\b(?:i|me|my|us|our|we|mine)\b)"
    r"|^(?!.*\b(?:beni|bizi|bana|bize|benim|\w+[ae]bilirim|(?:adres|mail|veri|bilgi|numara)\w*im\w*|"
    r"\w*s[iu]n[iu]z)\b).*\b(?:m[iu]|mudur|midir|nasil|ne)\b"
)


class Cue(NamedTuple):
    kind: str
    status: Status
    weight: int
    clause: int  # its index


def cues_of(clauses: list[Clause]) -> list[Cue]:
    """The cues, in the order of the clauses."""
    return [cue for index, clause in enumerate(clauses) for cue in _in_clause(clause, index)]


@cache
def _patterns(kind: str) -> tuple[re.Pattern[str], ...]:
    """The patterns of both languages. Compiled for the first reply, because it takes a third of a second."""
    vocabularies = (vocabulary_en, vocabulary_tr)
    return tuple(compile_phrases(getattr(v, kind), v.CLASSES) for v in vocabularies if hasattr(v, kind))


def _in_clause(clause: Clause, index: int) -> Iterator[Cue]:
    rest, is_clear = clause.folded, False
    for kind, status, weight in _KINDS:
        for pattern in _patterns(kind):
            matches = list(pattern.finditer(rest))
            for match in matches:
                if status is None or _is_only_asked(kind, clause, rest[match.end() :]):
                    continue
                cue = _read(Cue(kind, status, weight, index), rest, match, clause.asks)
                is_clear = is_clear or cue.weight > 1
                yield cue
            if matches:
                rest = pattern.sub("#", rest)
    if clause.asks and not is_clear:
        yield Cue("ASKS", "question", 2, index)


def _is_only_asked(kind: str, clause: Clause, after: str) -> bool:
    if kind in _REFUSALS and _ASKED_AFTER.match(after):
        return True
    return clause.asks and kind in _ABOUT_ONESELF and bool(_CAPABILITY.search(clause.folded))


def _read(cue: Cue, clause: str, match: re.Match[str], asks: bool) -> Cue:
    """A cue in its context: a negation turns a wish into a refusal, a concession or a question into a hint."""
    before, after = clause[: match.start()][-60:], clause[match.end() :][:60]
    if cue.kind in _WISHES and (_NEGATED_BEFORE.search(before) or _NEGATED_AFTER.match(after)):
        return Cue("DECLINED", "not_interested", 3, cue.clause)
    if cue.kind == "WARM" and (asks or _CONCEDED_BEFORE.search(before)):
        return cue._replace(weight=1)
    return cue
