"""Keyset cursors: the order columns of a row as base64url of a JSON array; opaque to clients, checked on return."""

import base64
import binascii
import json
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, cast, func, literal, literal_column, tuple_

from crm_graph.errors import ValidationFailed
from crm_graph.graphql.bind import Order

CURSOR_MAX = 1_000


def encode(rows: FromClause, order: Order) -> ColumnElement[str]:
    """The cursor of a row, made by PostgreSQL."""
    keys = cast(func.json_build_array(*(rows.c[name] for name in order.columns)), Text)
    encoded = func.encode(func.convert_to(keys, literal_column("'UTF8'")), literal_column("'base64'"))
    # encode() breaks lines after 76 characters and uses the alphabet that needs escaping in URLs.
    return func.translate(encoded, literal_column("E'+/=\\n'"), literal_column("'-_'"))


def after(rows: FromClause, order: Order, cursor: str) -> ColumnElement[bool]:
    """The predicate of the rows behind `cursor`; raises ValidationFailed for anything that no such list gave out."""
    columns = [rows.c[name] for name in order.columns]
    values = _decode(cursor)
    if len(values) != len(columns):
        raise _not_a_cursor()
    keys = tuple_(*(literal(_value(c, value), c.type) for c, value in zip(columns, values, strict=True)))
    return tuple_(*columns) < keys if order.descending else tuple_(*columns) > keys


def _decode(cursor: str) -> list[Any]:
    try:
        if len(cursor) > CURSOR_MAX:
            raise ValueError
        values = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise _not_a_cursor() from None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _not_a_cursor()
    return values


def _value(column: ColumnElement[Any], text: str) -> Any:
    kind = column.type.python_type
    try:
        if kind is datetime:
            value = datetime.fromisoformat(text)
            if value.tzinfo is None:
                raise ValueError
            return value
        if kind is uuid.UUID:
            return uuid.UUID(text)
    except ValueError:
        raise _not_a_cursor() from None
    if "\x00" in text or not text.isprintable():
        raise _not_a_cursor()
    return text


def _not_a_cursor() -> ValidationFailed:
    return ValidationFailed("after is not a cursor of this list; pass pageInfo.endCursor as it is", field="after")
