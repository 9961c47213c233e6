"""The e-mail addresses that a payload mentions anywhere, by which an erasure finds its event."""

import re
from collections.abc import Iterator
from itertools import chain, islice

from crm_graph.values import clean_line
from webhooks.extract import address_or_none

TEXTS_MAX, CANDIDATES_MAX, MENTIONS_MAX = 1_000, 5_000, 200
_OUTSIDE = r"\s@<>()\[\]\\,;:\"=&?/|"
_AT = re.compile(rf"(?<=[^{_OUTSIDE}])@(?=[^{_OUTSIDE}])")
_SEPARATOR = re.compile(rf"[{_OUTSIDE}]")
_AROUND = "'`*_.!…"
_SIDE_MAX = 500  # characters read on each side of an @; an address is shorter


def mentioned(payload: object) -> set[str]:
    """The addresses in normal form: all values that are an address, and those found in running text, up to a limit."""
    values: set[str] = set()
    running_texts: list[str] = []
    for text in islice(_texts(payload), TEXTS_MAX):
        if whole := address_or_none(clean_line(text)):
            values.add(whole)
        else:
            running_texts.append(text)
    every_candidate = chain.from_iterable(map(_candidates, running_texts))
    candidates = dict.fromkeys(islice(every_candidate, CANDIDATES_MAX))  # in order, each once
    found = filter(None, (address_or_none(candidate.strip(_AROUND)) for candidate in candidates))
    return values | set(islice(dict.fromkeys(found), MENTIONS_MAX))


def _candidates(text: str) -> Iterator[str]:
    """What stands around each @ of a running text, in linear time in its length."""
    for at in _AT.finditer(text):
        before = _SEPARATOR.split(text[max(0, at.start() - _SIDE_MAX) : at.start()])[-1]
        after = _SEPARATOR.split(text[at.end() : at.end() + _SIDE_MAX], maxsplit=1)[0]
        yield f"{before}@{after}"


def _texts(payload: object) -> Iterator[str]:
    """Every text in a JSON value that may contain an address, at any depth."""
    level = [payload]
    while level:
        item = level.pop()
        if isinstance(item, str) and "@" in item:
            yield item
        elif isinstance(item, dict):
            level += item.values()
        elif isinstance(item, list):
            level += item
