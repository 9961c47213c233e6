"""What is wrong with a setting's value, in our words: its name and the form it must have, never the value."""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo


def problems(error: ValidationError, fields: dict[str, FieldInfo], source: Callable[[str], str | None]) -> list[str]:
    """A line for each wrong value; `source` says where the value of a setting is written."""
    return [
        _line(str(one["loc"][0]), one["type"], one.get("ctx", {}), fields, source)
        for one in error.errors(include_url=False, include_input=False)
    ]


def _line(
    name: str, kind: str, context: dict[str, Any], fields: dict[str, FieldInfo], source: Callable[[str], str | None]
) -> str:
    written = source(name.upper())
    form = _form(kind, context, fields[name])
    return f"{name.upper()} {form}" + (f" ({written})" if written else "")


def _form(kind: str, context: dict[str, Any], field: FieldInfo) -> str:
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"must be {context['expected'].replace(chr(39), '')}"
    if kind.startswith("bool_"):
        return "must be true or false"
    if kind.startswith(("int_", "greater_than", "less_than")):
        limits = {name: getattr(rule, name) for rule in field.metadata for name in ("ge", "le") if hasattr(rule, name)}
        return f"must be a whole number from {limits['ge']} to {limits['le']}" if limits else "must be a whole number"
    if kind.startswith("path_"):
        return "must be the path of a file or folder"
    return "must be text"
