"""Recurrence: lines of a reply that an e-mail of ours had, quoted without any sign of it."""

import re
from collections.abc import Sequence

_WORDS_MIN = 4  # of a line that is known by itself; a shorter one only beside such a line
_LETTERS_MIN = 18
_LINES_MAX = 400
_SENT_MAX = 20_000  # characters of all sent e-mails together
_WORD = re.compile(r"\w+")


def recurring(folded: Sequence[str], sent: Sequence[str]) -> set[int]:
    """The indexes of the lines that recur, with the header above them and the short lines between; all are folded.

    Looks at the first 400 lines and at 20,000 characters of what was sent.
    """
    known = f" {_words(' '.join(sent)[:_SENT_MAX])} "
    words = [_words(line) for line in folded[:_LINES_MAX]]
    found = {i for i, line in enumerate(words) if _is_long(line) and f" {line} " in known}
    if not found:
        return found
    for step in (1, -1):
        for i in sorted(found, reverse=step < 0):
            found |= _beside(words, known, i, step)
    above = next((i for i in range(min(found) - 1, -1, -1) if words[i]), None)
    if above is not None and folded[above].rstrip("* ").endswith(":") and any(c.isdigit() for c in words[above]):
        found.add(above)
    return found


def _beside(words: Sequence[str], known: str, i: int, step: int) -> set[int]:
    """The lines next to a line that recurs, as far as they are empty or recur too."""
    found, i = set(), i + step
    while 0 <= i < len(words) and (not words[i] or f" {words[i]} " in known):
        found.add(i)
        i += step
    return found


def _is_long(words: str) -> bool:
    return len(words) >= _LETTERS_MIN and words.count(" ") + 1 >= _WORDS_MIN


def _words(line: str) -> str:
    return " ".join(_WORD.findall(line))
