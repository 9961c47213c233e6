"""Scalars whose input is checked here and whose output comes ready-made from SQL."""

import re
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import strawberry
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from crm_graph.errors import ValidationFailed

# Python's Decimal() also reads NaN, 1e1000000, 1_000 and digits of every script.
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def parse_decimal(value: Any) -> Decimal:
    """A decimal number as text, or a JSON number; raises ValidationFailed."""
    text = repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise ValidationFailed('not a decimal number; expected text such as "1200.50"')
    return Decimal(text)


def parse_date_time(value: Any) -> datetime:
    """A time with its offset, in UTC; raises ValidationFailed."""
    if isinstance(value, str) and _DATE_TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper().replace(" ", "T")).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise ValidationFailed('not a time with an offset (RFC 3339); expected text such as "2026-01-05T16:04:40Z"')


def parse_date(value: Any) -> date:
    """A calendar day; raises ValidationFailed."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValidationFailed('not a day; expected text such as "2026-01-05"')


def parse_uuid(value: Any) -> uuid.UUID:
    """A UUID in its usual form; raises ValidationFailed."""
    if isinstance(value, str) and _UUID.fullmatch(value):
        return uuid.UUID(value)
    raise ValidationFailed('not a UUID; expected text such as "123e4567-e89b-12d3-a456-426614174000"')


def _as_it_is(value: Any) -> Any:
    return value


def _scalar(name: str, description: str, parse: Any, url: str | None = None) -> ScalarDefinition:
    return strawberry.scalar(
        name=name, description=description, serialize=_as_it_is, parse_value=parse, specified_by_url=url
    )


SCALARS: dict[object, ScalarDefinition] = {
    uuid.UUID: _scalar("UUID", "An id.", parse_uuid, "https://www.rfc-editor.org/rfc/rfc9562"),
    Decimal: _scalar("Decimal", 'A finite decimal number as text, such as "1200.50".', parse_decimal),
    datetime: _scalar(
        "DateTime",
        "A time with its offset; answers are in UTC.",
        parse_date_time,
        "https://www.rfc-editor.org/rfc/rfc3339",
    ),
    date: _scalar("Date", 'A calendar day, such as "2026-01-05".', parse_date),
    JSON: _scalar("JSON", "Any JSON value.", _as_it_is),
}
