"""Reads payloads: takes values of any type and shape, returns storable values or None. Only `address` raises."""

from collections.abc import Iterable, Mapping

from crm_graph.errors import ValidationFailed
from crm_graph.json_documents import clean_json
from crm_graph.values import clean_line, clean_text, normal_email

VALUE_MAX = 5_000  # a lead variable or a form's answer
NO_EVENT_TYPE = "(none)"
Scalar = str | bool | int | float


def line(payload: Mapping[str, object], *names: str) -> str | None:
    """The first of these keys that holds text (or a number), as one clean line."""
    return next((found for name in names if (found := clean_line(payload.get(name)))), None)


def text(payload: Mapping[str, object], name: str) -> str:
    """The text under a key, with its line breaks; empty for anything else."""
    return clean_text(payload.get(name))


def section(payload: Mapping[str, object], name: str) -> Mapping[str, object]:
    """An object inside the payload; an empty one for anything else."""
    value = payload.get(name)
    return value if isinstance(value, dict) else {}


def sections(payload: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    """The objects in a list inside the payload."""
    value = payload.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def address(raw: str | None, *, field: str) -> str:
    """An e-mail address in normal form. Raises ValidationFailed naming `field`, the place in the payload."""
    if raw is None:
        raise ValidationFailed(f"{field} is missing, so the event names no person", field=field)
    return normal_email(raw, field=field)


def address_or_none(raw: str | None) -> str | None:
    """An e-mail address in normal form, or None."""
    try:
        return normal_email(raw) if raw else None
    except ValidationFailed:
        return None


def variables(payload: Mapping[str, object], documented: Iterable[str]) -> dict[str, Scalar]:
    """The values under all other keys than the documented ones: scalars only, without empty texts."""
    found: dict[str, Scalar] = {}
    for key in payload.keys() - set(documented):
        name, value = clean_line(key, 200), scalar(payload[key])
        if name and value is not None:
            found[name] = value
    return dict(sorted(found.items()))


def scalar(value: object) -> Scalar | None:
    """A text, number or boolean that can be stored; None for anything else and for an empty text."""
    if isinstance(value, str):
        return clean_text(value, VALUE_MAX) or None
    if not isinstance(value, bool | int | float) or len(str(value)) > 100:
        return None
    number: Scalar | None = clean_json(value)
    return number


def compact(**values: object) -> dict[str, object]:
    """A JSON object of these values, without None and empty texts."""
    return {name: clean_json(value) for name, value in values.items() if value not in (None, "")}
