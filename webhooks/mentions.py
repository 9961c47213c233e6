"""The e-mail addresses that a payload mentions anywhere, by which an erasure finds its event."""

import re
from collections.abc import Iterator
from itertools import islice

from crm_graph.values import clean_line
from webhooks.extract import address_or_none

TEXTS_MAX, MENTIONS_MAX = 1_000, 200
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"=&?/|]+@[^\s@<>()\[\]\\,;:\"=&?/|]+")
_AROUND = "'`*_.!…"


def mentioned(payload: object) -> set[str]:
    """The addresses in normal form: all values that are an address, and those found in running text, up to a limit."""
    values: set[str] = set()
    in_text: dict[str, None] = {}
    for text in islice(_texts(payload), TEXTS_MAX):
        if whole := address_or_none(clean_line(text)):
            values.add(whole)
            continue
        for match in islice(_ADDRESS.finditer(text), MENTIONS_MAX):
            if found := address_or_none(match[0].strip(_AROUND)):
                in_text[found] = None
    return values | set(islice(in_text, MENTIONS_MAX))


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
