"""Keyset cursors: an order and a row's keys in it, as base64url of a JSON array. Opaque to clients, checked here."""

import base64
import binascii
import json
import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Numeric, Text, cast, func, literal_column, tuple_

from crm_graph.errors import ValidationFailed
from crm_graph.graphql.engine.bindings import Order
from crm_graph.graphql.engine.field_site import Arguments, FieldSite
from crm_graph.graphql.engine.scalars import parse_date, parse_decimal
from crm_graph.models.columns import Expression, Relation

CURSOR_MAX = 1_400  # characters; the longest name key, 200 letters of four bytes, makes 1,143


def cursor_text(rows: Relation, order: Order) -> ColumnElement[str]:
    """The JSON text of a row's cursor, not yet encoded."""
    texts = [cast(key, Text) if isinstance(key.type, Numeric) else key for key in order.keys(rows)]
    return cast(func.json_build_array(literal_column(f"'{_name(order)}'"), *texts), Text)


def encode(text: Expression) -> ColumnElement[str]:
    """The cursor of a JSON text, encoded by PostgreSQL."""
    encoded = func.encode(func.convert_to(text, literal_column("'UTF8'")), literal_column("'base64'"))
    # encode() breaks lines after 76 characters and uses the alphabet that needs escaping in URLs.
    return func.translate(encoded, literal_column("E'+/=\\n'"), literal_column("'-_'"))


def after(site: FieldSite, order: Order) -> ColumnElement[bool]:
    """The predicate of the rows that come after the cursor in the argument `after`.

    Reading its parameters raises ValidationFailed for anything but a cursor of this order.
    """
    columns = order.keys(site.rows)
    kinds = [column.type.python_type for column in columns]

    def parameter(index: int) -> Expression:
        def read(args: Arguments) -> object:
            return _decode(args["after"], _name(order), kinds)[index]

        return site.value(read, columns[index].type)

    values = tuple_(*(parameter(index) for index in range(len(columns))))
    return tuple_(*columns) < values if order.descending else tuple_(*columns) > values


def _name(order: Order) -> str:
    return order.columns[0] + ("-" if order.descending else "+")


def _decode(cursor: str, name: str, kinds: list[type]) -> list[object]:
    try:
        if len(cursor) > CURSOR_MAX:
            raise ValueError
        parts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(parts, list) or len(parts) != 1 + len(kinds) or parts[0] != name:
            raise ValueError
        if not all(isinstance(part, str) for part in parts):
            raise ValueError
        return [_value(kind, text) for kind, text in zip(kinds, parts[1:], strict=True)]
    except (ValueError, ValidationFailed, binascii.Error, RecursionError):
        pass
    raise ValidationFailed("after is not a cursor of this list; pass pageInfo.endCursor unchanged", field="after")


def _value(kind: type, text: str) -> object:
    if kind is datetime:
        value = datetime.fromisoformat(text)
        if value.tzinfo is None:
            raise ValueError
        return value
    if kind is uuid.UUID:
        return uuid.UUID(text)
    if kind is Decimal:
        return parse_decimal(text)
    if kind is date:
        return parse_date(text)
    if "\x00" in text or not text.isprintable():
        raise ValueError
    return text
