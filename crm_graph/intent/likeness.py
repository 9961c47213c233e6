"""Likeness: which labelled replies a reply resembles, by shared words. It is a second opinion beside the rules.

Naive Bayes over word beginnings (Turkish carries its grammar in endings), word endings, pairs and length. The counts in
likeness.json come from the labelled sets, without what is held out of them; tests/intent/test_intent.py fails when they
no longer match:

    python -m crm_graph.intent tests/intent/*.jsonl
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from itertools import pairwise
from math import log
from pathlib import Path
from typing import NamedTuple, TypedDict

from crm_graph.intent.clauses import Clause, clauses_of
from crm_graph.intent.quoting import cut
from crm_graph.intent.verdict import STATUSES, Status

_SMOOTHING = 0.1
_BEGINNING, _PAIR, _ENDING = 6, 5, 4  # letters kept of a word, of a word in a pair, of a word's end
_MAX_WORDS = 400
_KNOWN = 0.3  # the share of a reply's features that must be known: others are in a language that was never counted
_RARE = 2  # a feature of fewer labelled replies is left out


class Opinion(NamedTuple):
    """The likeliest status, and its lead over the next one (natural logarithm of the odds)."""

    status: Status
    lead: float


class Counts(TypedDict):
    """Labelled replies by status, and by feature and status, in the order of STATUSES."""

    replies: list[int]
    features: dict[str, list[int]]


def opinion(clauses: Iterable[Clause], counts: Counts | None = None) -> Opinion:
    """The status that the words suggest, by `counts` or the shipped ones; without a lead for words never counted."""
    counts = counts or shipped()
    replies, total = counts["replies"], sum(counts["replies"])
    scores = [0.0] * len(STATUSES)
    found = sorted(features(clauses))
    known = [seen for seen in map(counts["features"].get, found) if seen]
    if len(known) < _KNOWN * len(found):
        return Opinion("neutral", 0.0)
    for seen in known:
        everywhere = sum(seen)
        for i, here in enumerate(seen):
            inside = (here + _SMOOTHING) / (replies[i] + 2 * _SMOOTHING)
            outside = (everywhere - here + _SMOOTHING) / (total - replies[i] + 2 * _SMOOTHING)
            scores[i] += log(inside / outside)
    (best, first), (second, _) = sorted(((s, -i) for i, s in enumerate(scores)), reverse=True)[:2]
    return Opinion(STATUSES[-first], best - second)


def features(clauses: Iterable[Clause]) -> set[str]:
    """The features of a reply that are counted, each once."""
    features: set[str] = set()
    length = 0
    for clause in clauses:
        words = ["^", *clause.folded.replace(",", "").split()[: _MAX_WORDS - length], "$"]
        length += len(words) - 2
        features.update(f"w:{word[:_BEGINNING]}" for word in words)
        features.update(f"p:{a[:_PAIR]} {b[:_PAIR]}" for a, b in pairwise(words))
        features.update(f"e:{word[-_ENDING:]}" for word in words if len(word) > _ENDING + 1)
        if clause.asks:
            features.add("?")
        if length >= _MAX_WORDS:
            break
    return features | {f"length:{min(4, length // 4)}"}


def count(replies: Sequence[tuple[str, Status]]) -> Counts:
    """Count features over (text, status) pairs."""
    by_feature: dict[str, list[int]] = {}
    for text, status in replies:
        for feature in features(clauses_of(cut(text).text)):
            by_feature.setdefault(feature, [0] * len(STATUSES))[STATUSES.index(status)] += 1
    totals = Counter(status for _, status in replies)
    kept = {feature: seen for feature, seen in sorted(by_feature.items()) if sum(seen) >= _RARE}
    return {"replies": [totals[status] for status in STATUSES], "features": kept}


@cache
def shipped() -> Counts:
    counts: Counts = json.loads(resources.files(__package__).joinpath("likeness.json").read_text("utf-8"))
    return counts


def labelled(path: Path) -> list[tuple[str, Status]]:
    """The (text, status) pairs of a labelled set, JSON lines, without those that are held out."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [(row["text"], row["status"]) for row in rows if row.get("set") != "held_out"]


def as_text(counts: Counts) -> str:
    """One feature a line, so that a change to the labelled set shows as a small change here."""
    lines = (f"{json.dumps(feature, ensure_ascii=False)}: {seen}" for feature, seen in counts["features"].items())
    return f'{{"replies": {counts["replies"]}, "features": {{\n' + ",\n".join(lines) + "\n}}\n"
