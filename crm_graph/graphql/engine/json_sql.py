"""SQL expressions that build JSON in PostgreSQL."""

from collections.abc import Sequence
from typing import TypeAlias

from graphql import GraphQLOutputType, get_nullable_type, is_list_type
from sqlalchemy import ARRAY, JSON, ColumnElement, Text, case, cast, func, literal_column

from crm_graph.graphql.engine.weights import ANSWER_MAX, UNCOUNTED
from crm_graph.models.columns import Expression

Json: TypeAlias = Expression
OBJECT_FIELDS_MAX = 50  # json_build_object takes 100 arguments


def json_object(pairs: Sequence[tuple[str, Json]]) -> Json:
    """An object with these keys, in this order."""
    # Response keys are GraphQL names, [_A-Za-z0-9]: safe to inline, and a parameter would have no type here.
    flat = [item for key, value in pairs for item in (name_literal(key), value)]
    width = 2 * OBJECT_FIELDS_MAX
    parts = [func.json_build_object(*flat[i : i + width]) for i in range(0, max(len(flat), 1), width)]
    if len(parts) == 1:
        return parts[0]
    # As text, because merging jsonb would reorder the keys: "{...}" + "{...}" -> "{...,...}".
    texts = [func.btrim(func.left(func.substr(cast(part, Text), 2), -1)) for part in parts]
    return cast(func.concat("{", func.concat_ws(",", *texts), "}"), JSON)


def json_list(item: Json, condition: ColumnElement[bool] | None = None) -> Json:
    """The items of all rows that meet the condition, in the order of the rows."""
    items = func.json_agg(item)
    return func.coalesce(items if condition is None else items.filter(condition), literal_column("'[]'::json"))


def counted(value: Expression, *, is_short: bool, levels: int) -> Json:
    """A text or JSON whose bytes count towards the most that an answer may have; most short ones need no call.

    Each of the `levels` of objects around it holds copies of it, so that less of it is allowed.
    """
    checked = func.crm_counted(value, literal_column(str(2 * ANSWER_MAX // (levels + 1))), type_=value.type)
    if not is_short:
        return checked
    return case((func.octet_length(value) > literal_column(str(UNCOUNTED)), checked), else_=value)


def name_literal(name: str) -> Json:
    """A GraphQL name as text. It needs no escaping."""
    return literal_column(f"'{name}'")


def enum_names(value: Expression, type_: GraphQLOutputType) -> Json:
    """An enum's stored value, or a list of them, by its names in GraphQL: the stored values in capitals (enums.py)."""
    is_list = is_list_type(get_nullable_type(type_))
    return cast(func.upper(cast(value, Text)), ARRAY(Text)) if is_list else func.upper(value)
