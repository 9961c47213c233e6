"""Reading payloads: values of any type and shape in, storable values or None out. Nothing here raises but `address`."""

import hashlib
import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from crm_graph.errors import ValidationFailed
from crm_graph.values import clean_json, clean_line, clean_text, normal_email

VALUE_MAX = 5_000  # a lead variable or a form's answer
NO_EVENT_TYPE = "(none)"

_BLOCK_END = re.compile(r"<(?:br|/p|/div|/li|/tr|/h\d)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def line(payload: Mapping[str, Any], *names: str) -> str | None:
    """The first of these keys that holds text (or a number), as one clean line."""
    return next((found for name in names if (found := clean_line(payload.get(name)))), None)


def text(payload: Mapping[str, Any], *names: str) -> str:
    """The first of these keys that holds text, with its lines; a key that ends in `html` is read without its tags."""
    for name in names:
        value = payload.get(name)
        if name.endswith("html") and isinstance(value, str):
            value = html.unescape(_TAG.sub("", _BLOCK_END.sub("\n", value)))
        if found := clean_text(value):
            return found
    return ""


def section(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object inside the payload; an empty one for anything else."""
    value = payload.get(name)
    return value if isinstance(value, dict) else {}


def sections(payload: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects of a list inside the payload."""
    value = payload.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def address(raw: str | None, *, field: str) -> str:
    """An e-mail address in normal form. Raises ValidationFailed naming `field`, the place in the payload."""
    if raw is None:
        raise ValidationFailed(f"{field} is missing: nobody can tell whom this event is about", field=field)
    return normal_email(raw, field=field)


def address_or_none(raw: str | None) -> str | None:
    """An e-mail address in normal form, or None."""
    try:
        return normal_email(raw) if raw else None
    except ValidationFailed:
        return None


def variables(payload: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """What the payload holds besides the known keys: plain values alone, empty ones left out."""
    found = {}
    for key in payload.keys() - set(known):
        name, value = clean_line(key, 200), scalar(payload[key])
        if name and value is not None:
            found[name] = value
    return dict(sorted(found.items()))


def scalar(value: Any) -> Any:
    """A text, number or boolean that can be stored; None for anything else and for an empty text."""
    if isinstance(value, str):
        return clean_text(value, VALUE_MAX) or None
    return clean_json(value) if isinstance(value, bool | int | float) and len(str(value)) <= 100 else None


def known(**values: Any) -> dict[str, Any]:
    """A JSON object of what is known: None and empty texts left out."""
    return {name: clean_json(value) for name, value in values.items() if value not in (None, "")}


def digest(*parts: str) -> str:
    """A key of 64 characters that stands for these texts, whatever is in them."""
    return hashlib.sha256("|".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def body_digest(body: bytes) -> str:
    """The same for the exact bytes of a body."""
    return hashlib.sha256(body).hexdigest()


def raw_text(payload: Mapping[str, Any], name: str) -> str:
    """A value as text, for keys only; "" for what is no plain value."""
    value = payload.get(name)
    return str(value) if isinstance(value, str | int | float) else ""
