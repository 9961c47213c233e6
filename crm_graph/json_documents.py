"""JSON values that are stored with rows: what PostgreSQL and other programs can read, and how large they may be."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

from crm_graph.errors import ValidationFailed
from crm_graph.values import UNSTORABLE

JSON_DEPTH_MAX = 50
DOCUMENT_KEYS_MAX = 500
DOCUMENT_KEY_MAX = 200  # characters, at any level
DOCUMENT_MAX = 65_536  # bytes, as `json_size` counts; database/sql/sizes has the same number


def clean_json(value: Any, depth: int = JSON_DEPTH_MAX) -> Any:
    """A JSON value in a form that can be stored and read: without characters that PostgreSQL can't store, infinite
    numbers and anything below `depth`; integers beyond 64 bits become text."""
    if isinstance(value, str):
        return UNSTORABLE.sub("", value)
    if not _is_readable(value):
        return str(value) if isinstance(value, int) else None
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        return None
    if isinstance(value, dict):
        return {UNSTORABLE.sub("", key): clean_json(item, depth - 1) for key, item in value.items()}
    return [clean_json(item, depth - 1) for item in value]


def check_json(value: object, *, field: str) -> None:
    """Raises ValidationFailed when a JSON value can't be stored as jsonb or is nested deeper than JSON_DEPTH_MAX."""
    level: list[object] = [value]
    for _ in range(JSON_DEPTH_MAX + 1):
        if any(isinstance(item, str) and UNSTORABLE.search(item) for item in level):
            raise ValidationFailed(f"{field} contains a NUL character or half of a surrogate pair", field=field)
        if not all(_is_readable(item) for item in level):
            raise ValidationFailed(f"{field} contains a number beyond 64 bits; send it as text", field=field)
        level = [part for item in level for part in _parts(item)]
        if not level:
            return
    raise ValidationFailed(f"{field} is nested more than {JSON_DEPTH_MAX} levels deep", field=field)


def check_document(value: object, *, field: str) -> dict[str, Any]:
    """Check a JSON object of a caller and return it. Raises ValidationFailed with `field` as `check_json` and
    `check_document_size`, and for a key longer than DOCUMENT_KEY_MAX."""
    if not isinstance(value, dict):
        raise ValidationFailed(f"{field} must be an object", field=field)
    check_json(value, field=field)
    longest = max((len(key) for part in _every_part(value) if isinstance(part, dict) for key in part), default=0)
    if longest > DOCUMENT_KEY_MAX:
        message = f"{field} has a key of {longest:,} characters; the limit is {DOCUMENT_KEY_MAX}"
        raise ValidationFailed(message, field=field)
    check_document_size(value, field=field)
    return value


def check_document_size(value: Mapping[str, object], *, field: str, stored: Mapping[str, object] | None = None) -> None:
    """Raises ValidationFailed for more than DOCUMENT_KEYS_MAX keys at the top level or DOCUMENT_MAX bytes of JSON,
    unless what is `stored` has as many: a change that makes a large document no larger is accepted."""
    if len(value) > max(DOCUMENT_KEYS_MAX, len(stored or ())):
        message = f"{field} gets {len(value):,} keys; the limit is {DOCUMENT_KEYS_MAX}"
        raise ValidationFailed(message, field=field)
    size = json_size(value)
    if size > DOCUMENT_MAX and size > json_size(stored or {}):
        raise ValidationFailed(f"{field} gets {size:,} bytes of JSON; the limit is {DOCUMENT_MAX:,}", field=field)


def json_size(value: object) -> int:
    """The bytes of a JSON value as PostgreSQL writes jsonb: with spaces, and numbers without an exponent."""
    extra = sum(
        len(format(Decimal(repr(part)), "f")) - len(repr(part))
        for part in _every_part(value)
        if isinstance(part, float)
    )
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")) + extra


def merge_patch(target: Any, patch: Any) -> Any:
    """JSON Merge Patch (RFC 7396): sets an object's keys one by one, at any level; null removes a key."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def _is_readable(value: object) -> bool:
    """Whether other programs can read it: jsonb stores any number, but most JSON parsers stop at 64 bits."""
    if isinstance(value, float):
        return isfinite(value)
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _every_part(value: object) -> Iterator[object]:
    """A JSON value and all that is in it, without the keys."""
    left = [value]
    while left:
        part = left.pop()
        yield part
        if isinstance(part, dict):
            left += part.values()
        elif isinstance(part, list):
            left += part


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value
        yield from value.values()
    elif isinstance(value, list):
        yield from value
