"""Which setting a misspelt name was meant to be."""

import re
from collections.abc import Iterable, Sequence

# Names and families that other programs document: libpq, OpenTelemetry, shells, and what shares an `.env` with us.
OTHERS = re.compile(
    r"PG[A-Z]+|(OTEL|DB|MYSQL|MARIADB|POSTGRES|REDIS|N8N|NODE|NPM|DOCKER|COMPOSE|LC|XDG|SSH|AWS|GITHUB)_\w+"
    r"|HOSTNAME|HOSTTYPE|HOSTALIASES|LOGNAME|PORTS|POSIXLY_CORRECT|DATABASE_URI"
)


def meant(name: str, settings: Iterable[str]) -> str | None:
    """The setting whose misspelling `name` is; None for a setting, for another program's name, and for any other name.

    name: in capitals.
    """
    known = frozenset(settings)
    if name in known or OTHERS.fullmatch(name):
        return None
    near = [(_distance(name, setting), setting) for setting in sorted(known) if _is_similar(name, setting)]
    return min(near)[1] if near else None


def _is_similar(name: str, setting: str) -> bool:
    words, meant_words = (re.findall(r"[^\W_]+", text) for text in (name, setting))
    return (
        words == meant_words
        or "".join(words) == "".join(meant_words)
        or sorted(words) == sorted(meant_words)
        or [*map(_singular, words)] == [*map(_singular, meant_words)]
        or _lacks_one(words, meant_words)
        or _is_cut_short(name, setting)
        or _is_cut_short(setting, name)
        or _distance(name, setting) <= (1 if len(setting) < 8 else 2 if len(setting) < 16 else 3)
    )


def _singular(word: str) -> str:
    return re.sub(r"(?<=\w)S$", "", re.sub(r"IES$", "Y", word))


def _lacks_one(words: Sequence[str], of: Sequence[str]) -> bool:
    """Whether one word is missing, but not the first, which says what the setting is about."""
    return len(words) > 1 and any([*of[:i], *of[i + 1 :]] == [*words] for i in range(1, len(of)))


def _is_cut_short(short: str, text: str) -> bool:
    """Whether the last word was not written to its end, as in PG_PASS. HOST and PORT begin words of their own."""
    return len(short) > 5 and text.startswith(short) and "_" not in text[len(short) :]


def _distance(one: str, other: str) -> int:
    """How many letters were left out, added, mistaken, or swapped with the next (optimal string alignment)."""
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            steps = [before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted)]
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                steps.append(earlier[j - 2] + 1)
            row.append(min(steps))
    return row[-1]
