"""The scalars. Their input is checked here; their output is what PostgreSQL wrote."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import strawberry
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from crm_graph.errors import ValidationFailed

# Python's Decimal() also accepts NaN, 1e1000000, 1_000 and digits of every script.
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)
# "1.234,56", "1 200", "12,5", "1'200.50", "1,200.50 EUR", "€ 12"
_WRITTEN_NUMBER = re.compile(
    r"(?P<currency_first>[^\d\s.,'-]{1,4} ?)?-?[0-9][0-9.,' \xa0\u202f]{0,30}(?P<currency> ?[^\d\s.,'-]{1,4})?"
)
_WRITTEN_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\.?( .{0,20})?")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def parse_decimal(value: object) -> Decimal:
    """A decimal number from text or a JSON number; raises ValidationFailed."""
    text = repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise ValidationFailed(
            f'not a decimal number such as "1200.50" (at most 15 digits before the point, 6 after){_decimal_hint(text)}'
        )
    return Decimal(text)


def _decimal_hint(text: object) -> str:
    """What to send instead of a number as a person writes it."""
    if not isinstance(text, str) or not (found := _WRITTEN_NUMBER.fullmatch(text.strip())):
        return ""
    if found["currency"] or found["currency_first"]:
        return ": send the number alone, and the currency in its own field"
    if "," in text or "'" in text or " " in text.strip() or text.count(".") > 1:
        return ": send a point before the decimals, and nothing between the thousands"
    return ""


def parse_date_time(value: object) -> datetime:
    """A time with an offset, converted to UTC; raises ValidationFailed."""
    if isinstance(value, str) and _DATE_TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper().replace(" ", "T")).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    hint = ""
    if isinstance(value, str) and (_DATE.fullmatch(value) or _WRITTEN_DATE.fullmatch(value)):
        hint = ": send year, month, day, time and offset in this order"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        hint = ": convert the number of seconds or milliseconds"
    raise ValidationFailed(f'not a time with a UTC offset (RFC 3339), such as "2026-01-05T16:04:40Z"{hint}')


def parse_date(value: object) -> date:
    """A calendar date; raises ValidationFailed."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    is_written = isinstance(value, str) and (_WRITTEN_DATE.fullmatch(value) or _DATE_TIME.fullmatch(value))
    hint = ": send year, month and day in this order, without a time" if is_written else ""
    raise ValidationFailed(f'not a date, such as "2026-01-05"{hint}')


def parse_uuid(value: object) -> uuid.UUID:
    """A UUID in its hyphenated form; raises ValidationFailed."""
    if isinstance(value, str) and _UUID.fullmatch(value):
        return uuid.UUID(value)
    raise ValidationFailed('not a UUID, such as "123e4567-e89b-12d3-a456-426614174000"')


def _unchanged(value: object) -> object:
    return value


def _scalar(name: str, description: str, parse: Callable[[object], object], url: str) -> ScalarDefinition:
    """A scalar; `url` is the published specification of its format, which code generators and IDEs show."""
    return strawberry.scalar(
        name=name, description=description, serialize=_unchanged, parse_value=parse, specified_by_url=url
    )


SCALARS: dict[object, ScalarDefinition] = {
    uuid.UUID: _scalar(
        "UUID",
        'A UUID, such as "123e4567-e89b-12d3-a456-426614174000".',
        parse_uuid,
        "https://www.rfc-editor.org/rfc/rfc9562",
    ),
    Decimal: _scalar(
        "Decimal",
        'An exact decimal number as text, such as "1200.50". Input has at most 15 digits before the point and 6 after; '
        "it may be a JSON number.",
        parse_decimal,
        "https://www.w3.org/TR/xmlschema11-2/#decimal",
    ),
    datetime: _scalar(
        "DateTime",
        'A time with a UTC offset (RFC 3339), such as "2026-01-05T16:04:40Z". Output is in UTC.',
        parse_date_time,
        "https://www.rfc-editor.org/rfc/rfc3339",
    ),
    date: _scalar(
        "Date",
        'A calendar date without a time zone (RFC 3339, full-date), such as "2026-01-05".',
        parse_date,
        "https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
    ),
    JSON: _scalar("JSON", "Any JSON value.", _unchanged, "https://www.rfc-editor.org/rfc/rfc8259"),
}
