"""What of an event is withheld from an endpoint: beside what is one's own, it may show a colleague's contact or deal.

The rule is here twice, for what is sent and, in SQL, for what is shown of what was sent; a test holds both together.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, cast, column, func, literal_column, or_, select

from crm_graph.models import Role

OF_DEAL = ("deal", "stage", "pipeline", "old_stage", "new_stage")
_NULL: ColumnElement[Any] = literal_column("'null'::json")


def payload_for(payload: dict[str, Any], owner_id: uuid.UUID, role: Role) -> dict[str, Any]:
    """The payload of an event as an endpoint of this owner gets it; an admin's gets it whole.

    Of others, `data.contact` and `data.deal` (with its stages and pipeline) are null when they are a colleague's, and
    so are the `owner` that is theirs and `changes` of theirs. What is nobody's stays.
    """
    data = payload.get("data")
    if role is Role.ADMIN or not isinstance(data, dict):
        return payload
    theirs = {name: holder for name in ("deal", "contact") if (holder := _holder(data, name)) not in (None, owner_id)}
    withheld = {*(OF_DEAL if "deal" in theirs else ()), *(("contact",) if "contact" in theirs else ())}
    if _id_of(data.get("owner"), "id") in theirs.values():
        withheld.add("owner")
    if ("deal" if data.get("deal") is not None else "contact") in theirs:
        withheld.add("changes")
    return payload | {"data": {name: None if name in withheld else value for name, value in data.items()}}


def _holder(data: Mapping[str, Any], part: str) -> uuid.UUID | None:
    return _id_of(data.get(part), "owner_id")


def _id_of(part: Any, name: str) -> uuid.UUID | None:
    found = part.get(name) if isinstance(part, dict) else None
    return uuid.UUID(found) if found else None


def payload_in_sql(payload: ColumnElement[Any], owner_id: ColumnElement[Any], role: Role) -> ColumnElement[Any]:
    """`payload_for` as an expression over a column of JSON."""
    if role is Role.ADMIN:
        return payload
    me = cast(owner_id, Text)
    deal, contact, owner = (
        _text_at(payload, *path) for path in (("deal", "owner_id"), ("contact", "owner_id"), ("owner", "id"))
    )
    has_deal = func.coalesce(func.json_typeof(_at(payload, "deal")), _text("null")) != _text("null")
    part = func.json_each(_at(payload)).table_valued(column("key", Text), column("value")).alias("part")
    key = part.c.key
    is_withheld = or_(
        and_(deal != me, or_(*(key == _text(name) for name in OF_DEAL))),
        and_(contact != me, key == _text("contact")),
        and_(key == _text("owner"), or_(and_(deal != me, owner == deal), and_(contact != me, owner == contact))),
        and_(key == _text("changes"), case((has_deal, deal), else_=contact) != me),
    )
    told = func.json_object_agg(key, case((is_withheld, _NULL), else_=part.c.value))
    data = select(func.coalesce(told, literal_column("'{}'::json"))).select_from(part).scalar_subquery()
    whole = func.json_each(payload).table_valued(column("key", Text), column("value")).alias("whole")
    value = case((whole.c.key == _text("data"), data), else_=whole.c.value)
    shown = select(func.json_object_agg(whole.c.key, value)).select_from(whole).scalar_subquery()
    return case((func.json_typeof(_at(payload)) == _text("object"), shown), else_=payload)


def _at(payload: ColumnElement[Any], *path: str) -> ColumnElement[Any]:
    return func.json_extract_path(payload, *_path(path))


def _text_at(payload: ColumnElement[Any], *path: str) -> ColumnElement[Any]:
    return func.json_extract_path_text(payload, *_path(path))


def _path(path: tuple[str, ...]) -> list[ColumnElement[Any]]:
    return [_text(name) for name in ("data", *path)]


def _text(name: str) -> ColumnElement[Any]:
    return literal_column(f"'{name}'", Text)
