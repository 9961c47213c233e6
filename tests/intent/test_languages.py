"""Each language's vocabulary on replies by authors who have not seen the rules: 60 to tune on, 100 held out.

The goals on the held-out sets are an accuracy of 0.85, a precision of interested of 0.90 and of unsubscribed of 0.95, and
a recall of unsubscribed of 0.90. FLOORS are what each language has reached: below, something broke.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from crm_graph.intent import classify
from crm_graph.intent.folding import words
from crm_graph.intent.languages import LANGUAGES, Language

FOLDER = Path(__file__).parent


class Figures(NamedTuple):
    """Shares of the replies of a set."""

    accuracy: float
    interested_precision: float
    unsubscribed_precision: float
    unsubscribed_recall: float


# When they were first measured, Dutch had 0.750, 0.947, 1.000 and 0.792, Italian 0.680, 1.000, 0.880 and 0.650,
# French 0.760, 1.000, 0.913 and 0.875. All were broadened without a look at the texts, by sentences of the vocabularies' author (sentences.jsonl).
FLOORS = {
    "nl": Figures(0.79, 0.90, 0.95, 0.83),
    "it": Figures(0.80, 0.88, 0.84, 0.90),
    "fr": Figures(0.77, 0.95, 0.95, 0.90),
}
SENTENCES = [json.loads(line) for line in (FOLDER / "sentences.jsonl").read_text("utf-8").splitlines()]
SETS = sorted(path.stem.removeprefix("replies_") for path in FOLDER.glob("replies_*.jsonl"))


def replies(language: str) -> list[dict[str, Any]]:
    lines = (FOLDER / f"replies_{language}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def figures(rows: list[dict[str, Any]]) -> Figures:
    pairs: Counter[tuple[str, str]] = Counter(
        (row["status"], classify(row["text"], subject=row.get("subject", "")).status) for row in rows
    )

    def share(status: str, place: int) -> float:
        among = sum(count for pair, count in pairs.items() if pair[place] == status)
        return pairs[status, status] / among if among else 1.0

    right = sum(count for (label, said), count in pairs.items() if label == said)
    return Figures(right / len(rows), share("interested", 1), share("unsubscribed", 1), share("unsubscribed", 0))


@pytest.mark.parametrize("language", SETS)
def test_a_set_has_60_replies_to_tune_on_and_100_held_out(language: str) -> None:
    rows = replies(language)
    assert Counter(row["set"] for row in rows) == {"tuning": 60, "held_out": 100}
    assert len({(row["text"], row.get("subject")) for row in rows}) == 160
    held_out = Counter(row["status"] for row in rows if row["set"] == "held_out")
    assert min(held_out["interested"], held_out["unsubscribed"]) >= 20


@pytest.mark.parametrize("language", FLOORS)
def test_held_out_replies(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = replies(language)
    for name in ("tuning", "held_out"):
        chosen = [row for row in rows if row["set"] == name]
        found = figures(chosen)
        with capsys.disabled():
            print(
                f"\n{language} {name}, {len(chosen)} replies:",
                *(f"{key} {f:.3f}" for key, f in found._asdict().items()),
            )
    assert all(value >= least for value, least in zip(found, FLOORS[language], strict=True)), found


@pytest.mark.parametrize("language", sorted({row["lang"] for row in SENTENCES}))
def test_sentences_of_the_vocabularies_author(language: str) -> None:
    """These show that a vocabulary does what its author meant, not how well it reads strangers' replies."""
    rows = [row for row in SENTENCES if row["lang"] == language]
    found = [(classify(row["text"]).status, row) for row in rows]
    assert sum(status == row["status"] for status, row in found) / len(rows) >= 0.93
    closed = [row["text"] for status, row in found if status == "unsubscribed" != row["status"]]
    assert len(closed) <= 1, closed


@pytest.mark.parametrize(
    "language", [one for one in LANGUAGES if one.name not in ("english", "turkish")], ids=lambda one: one.name
)
def test_no_word_of_another_language_is_read_as_mistyped_english(language: Language) -> None:
    texts = (*language.classes.values(), *language.phrases.values())
    written = {word for text in texts for word in re.findall(r"(?<![a-z*])[a-z]{6,13}(?![a-z*])", text)}
    english = {"information", "newsletter", "unsubscribe"}
    assert [word for word in sorted(written - english) if words(word) != word] == []
