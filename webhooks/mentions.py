"""Whom a payload mentions: the e-mail addresses anywhere in it, by which an erasure finds it."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from crm_graph.values import clean_line
from webhooks.payload import address_or_none

TEXTS_MAX, MENTIONS_MAX = 1_000, 200
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"=&?/|]+@[^\s@<>()\[\]\\,;:\"=&?/|]+")
_AROUND = "'`*_.!…"


def mentioned(payload: Any) -> set[str]:
    """The addresses in normal form: values that are one come before those in running text, where one may be missed."""
    alone: dict[str, None] = {}
    inside: dict[str, None] = {}
    for text in islice(_texts(payload), TEXTS_MAX):
        if whole := address_or_none(clean_line(text)):
            alone[whole] = None
            continue
        for match in islice(_ADDRESS.finditer(text), MENTIONS_MAX):
            if found := address_or_none(match[0].strip(_AROUND)):
                inside[found] = None
    return {*alone, *islice(inside, MENTIONS_MAX)}


def _texts(payload: Any) -> Iterator[str]:
    """Every text in a JSON value that may have an address in it, however deep."""
    level = [payload]
    while level:
        item = level.pop()
        if isinstance(item, str) and "@" in item:
            yield item
        elif isinstance(item, dict):
            level += item.values()
        elif isinstance(item, list):
            level += item
