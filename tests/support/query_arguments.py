"""Values for the arguments of generated queries: of rows that exist and of rows that don't, well and badly formed."""

import base64
import json
import random
import uuid
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from graphql import (
    EnumValueNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    NameNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    get_nullable_type,
    is_required_argument,
    parse_value,
    value_from_ast_untyped,
)

from tests.support.factories import START, Row
from tests.support.query_data import QUERY_DATA

CURSOR_ORDERS = {
    "Deal": ("created_at", "updated_at", "amount", "close_date", "rank"),
    "Contact": ("created_at", "updated_at"),
    "Company": ("name_key", "created_at"),
    "Activity": ("occurred_at", "due_at"),
    "StageMove": ("moved_at",),
    "Webhook": ("received_at",),
    "WebhookEndpoint": ("created_at",),
    "WebhookDelivery": ("created_at",),
}
ROWS: dict[str, list[Row]] = {
    "Deal": QUERY_DATA.deals,
    "Contact": QUERY_DATA.contacts,
    "Company": QUERY_DATA.companies,
    "Activity": QUERY_DATA.activities,
    "StageMove": QUERY_DATA.moves,
    "Webhook": QUERY_DATA.webhooks,
    "WebhookEndpoint": QUERY_DATA.endpoints,
    "WebhookDelivery": QUERY_DATA.deliveries,
}
ABSENT = {"amount-": "-1", "amount+": "-1", "close_date-": str(date.min), "close_date+": str(date.max)}
ABSENT |= {"due_at-": "0001-01-01T00:00:00+00:00", "due_at+": "9999-12-31T23:59:59.999999+00:00"}
FIXED_ORDERS = {"activities": "occurred_at-", "stageHistory": "moved_at+", "webhooksLog": "received_at-"}
IDS = {
    "deal": [row["id"] for row in QUERY_DATA.deals],
    "contact": [row["id"] for row in QUERY_DATA.contacts],
    "company": [row["id"] for row in QUERY_DATA.companies],
    "pipeline": [QUERY_DATA.pipeline["id"]],
    "stage": [row["id"] for row in QUERY_DATA.stages],
    "owner": list(QUERY_DATA.owner.values()),
    "endpoint": [row["id"] for row in QUERY_DATA.endpoints],
}
TEXTS = (
    "anl",
    "Anlaşma",
    "acme",
    "ZOE nunez",
    "İpek",
    "ipek ağca",
    "acai",
    "12",
    "lead1",
    "o'brien",
    "a",
    "x y z",
    "köchin",
    "a & | ! :* <->",
    "creme brulee s",
    "\U0001f600 a",
    "a" * 70,
    "1 2 3 4 5 6 7 8 9 10",
    "\\' a",
)
BAD_TEXTS = ("", " ", "& | ! :* <->", "a\x00b", "\U0001f600", "x" * 20_000)
EMAILS = (
    *(row["email"] for row in QUERY_DATA.contacts),
    "  LEAD3@Acme.Example ",
    "alias@acme.example",
    "a@crème.example",
)
BAD_EMAILS = ("", "lead1", "a@b@c", "a\x00@acme.example", "@acme.example")
NUMBERS = ("0", "1", 0.5, 1200, "1200.00", "-5", "99999999999.99", "100000000000000.000001")
TIMES = ("2026-01-05T09:00:00Z", "2026-01-05T12:00:00.000001+03:00", "2026-01-05 16:00:00z")
EARLY_TIMES = ("2026-01-01T00:00:00Z", "2025-12-31T23:59:59.999999-12:00")
BAD_SCALARS: tuple[Any, ...] = ("x", "", 1.5, True, 2**31, {}, [], "NaN", "2026-02-30", "9" * 400)
GARBAGE = ("", "abc", "=", "W10", "bnVsbA", "é", "a" * 2_000, "Wzk5OV0", "\x00")
BAD = 0.004  # of each value: a document has many, and one refusal empties the answer


def bad(rng: random.Random) -> bool:
    """Whether to give something that is refused."""
    return rng.random() < BAD


def cursor(order: str, *keys: str) -> str:
    """A cursor in the API's own form."""
    return base64.urlsafe_b64encode(json.dumps([order, *keys]).encode()).decode().rstrip("=")


def cursors(kind: str, order: str) -> list[str]:
    """Those of all rows of a type, visible or not, and some that no row has."""
    column = order[:-1]
    rows = [(row[column], str(row["id"])) for row in ROWS[kind]]
    known = [
        (ABSENT[order] if key is None else getattr(key, "isoformat", lambda k=key: str(k))(), id_) for key, id_ in rows
    ]
    forged = [(known[0][0], str(uuid.UUID(int=0))), (known[-1][0], "f" * 8 + "-ffff-4fff-bfff-" + "f" * 12)]
    return [cursor(order, *keys) for keys in known + forged]


CURSORS = {
    (kind, order): cursors(kind, order)
    for kind, columns in CURSOR_ORDERS.items()
    for order in (column + sign for column in columns for sign in "+-")
}


def order_of(parent: str, name: str, chosen: str | None) -> str:
    """What cursors call the order of a list: that of the enum value, or the fixed one of a list that has no choice."""
    if chosen is not None:
        column, _, direction = chosen.lower().rpartition("_")
        return {"name": "name_key"}.get(column, column) + ("-" if direction == "desc" else "+")
    return FIXED_ORDERS.get(name) or ("rank+" if parent == "PipelineStage" else "created_at-")


def redrawn(rng: random.Random, parent: str, name: str, field: GraphQLField, given: Mapping[str, ValueNode]) -> Row:
    """Values for the arguments of a field, of which `given` says which there are; few lists are left without limit."""
    values: Row = {}
    for key in sorted(given, key=lambda key: key == "after"):  # behind orderBy, which says what a cursor looks like
        argument, rare = field.args[key], {"after": 0.45, "first": 0.9 if parent == "Query" else 0.97}.get(key, 0.8)
        if is_required_argument(argument) or rng.random() < rare:
            values[key] = value(rng, parent, name, field, key, given[key], values)
    return values


def value(
    rng: random.Random, parent: str, name: str, field: GraphQLField, key: str, given: ValueNode | None, others: Row
) -> Any:
    """A value for one argument; `others` are those that were chosen before."""
    argument = field.args[key]
    type_ = get_nullable_type(argument.type)
    if type_ is argument.type and rng.random() < 0.05:
        return None
    if key == "after":
        return _after(rng, parent, name, field, others)
    if isinstance(type_, GraphQLInputObjectType):
        names = [part.name.value for part in given.fields] if isinstance(given, ObjectValueNode) else list(type_.fields)
        few = rng.sample(names, min(len(names), rng.choice((0, 1, 1, 1, 1, 2, 2, 3))))
        return {few_name: scalar(rng, few_name, type_.fields[few_name].type) for few_name in few}
    return scalar(rng, name if key == "id" else key, argument.type)


def _after(rng: random.Random, parent: str, name: str, field: GraphQLField, others: Row) -> str:
    if bad(rng):
        return rng.choice((*GARBAGE, cursor("created_at-", "x", "y"), cursor("rank+", "a\x00", str(uuid.UUID(int=0)))))
    kind = str(get_nullable_type(field.type)).removesuffix("Connection")
    chosen = others.get("orderBy", default_of(field.args["orderBy"]) if "orderBy" in field.args else None)
    return rng.choice(CURSORS[kind, order_of(parent, name, chosen)])


def default_of(place: GraphQLArgument | GraphQLInputField) -> Any:
    """The schema's default of an argument that is left out."""
    written = place.ast_node.default_value if place.ast_node else None
    return None if written is None else value_from_ast_untyped(written)


def scalar(rng: random.Random, name: str, type_: GraphQLInputType) -> Any:
    """A value for an argument, or for a field of a filter, by its name and type."""
    named = get_nullable_type(type_)
    if isinstance(named, GraphQLEnumType):
        return rng.choice(list(named.values))
    if bad(rng):
        return rng.choice(
            {"text": BAD_TEXTS, "email": BAD_EMAILS, "first": (0, -1, 101, 2**31 - 1)}.get(name, BAD_SCALARS)
        )
    match str(named), name:
        case "UUID", _:
            kind = {"createdBy": "owner", "assigneeId": "owner"}.get(name, name.removesuffix("Id"))
            return str(uuid.UUID(int=rng.getrandbits(128)) if rng.random() < 0.1 else rng.choice(IDS[kind]))
        case "Int", "first":
            return rng.choice((1, 1, 2, 2, 3, 3, 4, 5))
        case "Int", _:
            return rng.choice((0, 1, 30, 36_500))
        case "String", "email":
            return rng.choice(EMAILS)
        case "String", "domain":
            return rng.choice(("acme.example", "ACME.example", "crème.example", "nobody.example"))
        case "String", "campaignId":
            return rng.choice(("c-1", "c-2", "c-3", "'"))
        case "String", _:
            return rng.choice(TEXTS)
        case "Boolean", _:
            return rng.random() < 0.5
        case "Decimal", _:
            return rng.choice(NUMBERS)
        case "Date", _:
            return str(date(2026, 3, 1) + timedelta(days=rng.randrange(-1, 2)))
        case "DateTime", "from":  # most begin before they end
            return rng.choice((*TIMES, *EARLY_TIMES * 5))
        case _:
            return rng.choice((*TIMES, (START + timedelta(hours=rng.randrange(8))).isoformat()))


def literal(given: Any, type_: GraphQLInputType) -> ValueNode:
    """A JSON value as it is written in a document where this type is expected."""
    named = get_nullable_type(type_)
    if isinstance(given, dict) and isinstance(named, GraphQLInputObjectType):
        parts = ((name, literal(part, named.fields[name].type)) for name, part in given.items())
        return ObjectValueNode(
            fields=tuple(ObjectFieldNode(name=NameNode(value=name), value=part) for name, part in parts)
        )
    if given is None:
        return NullValueNode()
    if isinstance(named, GraphQLEnumType):
        return EnumValueNode(value=given)
    return StringValueNode(value=given) if isinstance(given, str) else parse_value(json.dumps(given), no_location=True)
