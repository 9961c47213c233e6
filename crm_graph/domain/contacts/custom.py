"""A contact's custom fields: how large they may get, and which of a provider's fields fit."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from crm_graph.errors import ValidationFailed
from crm_graph.json_documents import (
    DOCUMENT_KEY_MAX,
    DOCUMENT_KEYS_MAX,
    DOCUMENT_MAX,
    check_document_size,
    json_size,
    merge_patch,
)

NAMES_SHOWN = 20
# Events, which anyone who writes a form can fill, leave the other half of the room to people.
EVENT_KEYS_MAX, EVENT_MAX = DOCUMENT_KEYS_MAX // 2, DOCUMENT_MAX // 2


class Fitted(NamedTuple):
    """The custom fields with those that were added, and the names of those that did not fit."""

    custom: dict[str, object]
    left_out: tuple[str, ...]


def merge(stored: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    """The changes, where `custom` is the whole new object: the given keys are set, null removes one (RFC 7396).

    Raises ValidationFailed when that gets too large.
    """
    if "custom" not in changes:
        return dict(changes)
    patched = {} if changes["custom"] is None else merge_patch(stored, changes["custom"])
    check_document_size(patched, field="custom", stored=stored)
    return {**changes, "custom": patched}


def fit(stored: Mapping[str, object], added: Mapping[str, object]) -> Fitted:
    """Add an event's fields that are not stored yet, in order, as long as all together fit in EVENT_KEYS_MAX and
    EVENT_MAX."""
    custom, left_out, size = dict(stored), list[str](), json_size(stored)
    for name, value in added.items():
        if name in stored:
            continue
        size_with_it = size + json_size({name: value})
        if len(name) > DOCUMENT_KEY_MAX or len(custom) >= EVENT_KEYS_MAX or size_with_it > EVENT_MAX:
            left_out.append(name)
        else:
            custom[name], size = value, size_with_it
    return Fitted(custom, tuple(left_out))


def note(left_out: Iterable[str]) -> str:
    """What the timeline says about fields that did not fit; empty if all did."""
    names = [name[:50] for name in left_out]
    if not names:
        return ""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    limit = f"{EVENT_KEYS_MAX} fields and {EVENT_MAX:,} bytes"
    return f"\nNot stored, because events fill custom up to {limit} only: {', '.join(names[:NAMES_SHOWN])}{more}"


def exceeds(merged: Mapping[str, object], stored: Mapping[str, object]) -> bool:
    """Whether custom fields are too large to replace the stored ones."""
    try:
        check_document_size(merged, field="custom", stored=stored)
    except ValidationFailed:
        return True
    return False
