"""The e-mail addresses that a payload mentions anywhere, by which an erasure finds its event."""

import re
from collections.abc import Iterator
from itertools import chain, islice

from crm_graph.domain.contacts.erasure_rules import MANY
from crm_graph.domain.contacts.spellings import decoded, with_untagged
from webhooks.extract import address_or_none

SIGNS_MAX, CANDIDATES_MAX, MENTIONS_MAX = 10_000, 5_000, 1_000
_OUTSIDE = r"\s@<>()\[\]\\,;:\"=&?/|"
_AT = re.compile(rf"(?<=[^{_OUTSIDE}])@(?=[^{_OUTSIDE}])")
_SEPARATOR = re.compile(rf"[{_OUTSIDE}]")
_AROUND = "'`*_.!…"
_SIDE_MAX = 500  # characters read on each side of an @; an address is shorter


def mentioned(payload: object) -> set[str]:
    """The addresses in normal form, in any spelling that is known, with and without their plus-tags.

    With more than the limits, MANY is among them: then an erasure searches the body.
    """
    every_candidate = chain.from_iterable(map(_candidates, _read_both_ways(payload)))
    candidates: dict[str, None] = {}  # in order, each once
    for candidate in islice(every_candidate, SIGNS_MAX):
        candidates[candidate.strip(_AROUND)] = None
    is_complete = next(every_candidate, None) is None and len(candidates) <= CANDIDATES_MAX
    found = list(dict.fromkeys(filter(None, map(address_or_none, islice(candidates, CANDIDATES_MAX)))))
    is_complete = is_complete and len(found) <= MENTIONS_MAX
    return set(with_untagged(found[:MENTIONS_MAX])) | (set() if is_complete else {MANY})


def _read_both_ways(payload: object) -> Iterator[str]:
    """Every text as it is, and decoded where that differs."""
    for text in _texts(payload):
        yield text
        if (plain := decoded(text)) != text:
            yield plain


def _candidates(text: str) -> Iterator[str]:
    """What stands around each @ of a running text, in linear time in its length."""
    for at in _AT.finditer(text):
        before = _SEPARATOR.split(text[max(0, at.start() - _SIDE_MAX) : at.start()])[-1]
        after = _SEPARATOR.split(text[at.end() : at.end() + _SIDE_MAX], maxsplit=1)[0]
        yield f"{before}@{after}"


def _texts(payload: object) -> Iterator[str]:
    """Every text in a JSON value, at any depth."""
    level = [payload]
    while level:
        item = level.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            level += item.keys()
            level += item.values()
        elif isinstance(item, list):
            level += item
