"""Redaction: what an endpoint's owner may not see of an event, which may show a colleague's contact or deal.

The rule is here twice: in Python for what is sent, in SQL for what the API shows of it. A test compares both.
"""

import uuid
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, cast, column, func, literal_column, or_, select, true
from sqlalchemy.dialects.postgresql import JSONB

from crm_graph.models import Role

OF_DEAL = ("deal", "stage", "pipeline", "old_stage", "new_stage")
_NULL: ColumnElement[object] = literal_column("'null'::json")


def redact(payload: dict[str, Any], owner_id: uuid.UUID, role: Role) -> dict[str, Any]:
    """An event's payload as an endpoint of this owner gets it. An admin's endpoint gets the whole payload.

    A colleague's contact or deal (with its stages and pipeline) is null in `data`, and so are the `owner` who is that
    colleague and the `changes` of that row. Unassigned rows stay, and so do a deal that has the owner as a member, and
    its contact.
    """
    data = payload.get("data")
    if role is Role.ADMIN or not isinstance(data, dict) or _is_member(data.get("deal"), owner_id):
        return payload
    owners = {name: _id_in(data.get(name), "owner_id") for name in ("deal", "contact")}
    colleagues = {name: owner for name, owner in owners.items() if owner not in (None, owner_id)}
    redacted = {*(OF_DEAL if "deal" in colleagues else ()), *(("contact",) if "contact" in colleagues else ())}
    if _id_in(data.get("owner"), "id") in colleagues.values():
        redacted.add("owner")
    if ("deal" if data.get("deal") is not None else "contact") in colleagues:
        redacted.add("changes")
    return payload | {"data": {name: None if name in redacted else value for name, value in data.items()}}


def _is_member(deal: object, owner_id: uuid.UUID) -> bool:
    return isinstance(deal, dict) and str(owner_id) in (deal.get("member_ids") or ())


def _id_in(part: object, name: str) -> uuid.UUID | None:
    value = part.get(name) if isinstance(part, dict) else None
    return uuid.UUID(value) if value else None


def redact_in_sql(
    payload: ColumnElement[object], owner_id: ColumnElement[uuid.UUID], role: Role
) -> ColumnElement[object]:
    """`redact` as an expression over a column of JSON."""
    if role is Role.ADMIN:
        return payload
    caller = cast(owner_id, Text)
    deal, contact, owner = (
        _text_at(payload, *path) for path in (("deal", "owner_id"), ("contact", "owner_id"), ("owner", "id"))
    )
    has_deal = func.coalesce(func.json_typeof(_at(payload, "deal")), _text("null")) != _text("null")
    part = func.json_each(_at(payload)).table_valued(column("key", Text), column("value")).alias("part")
    key = part.c.key
    is_redacted = or_(
        and_(deal != caller, or_(*(key == _text(name) for name in OF_DEAL))),
        and_(contact != caller, key == _text("contact")),
        and_(key == _text("owner"), deal != caller, owner == deal),
        and_(key == _text("owner"), contact != caller, owner == contact),
        and_(key == _text("changes"), case((has_deal, deal), else_=contact) != caller),
    )
    parts = func.json_object_agg(key, case((is_redacted, _NULL), else_=part.c.value))
    data = select(func.coalesce(parts, literal_column("'{}'::json"))).select_from(part).scalar_subquery()
    whole = func.json_each(payload).table_valued(column("key", Text), column("value")).alias("whole")
    value = case((whole.c.key == _text("data"), data), else_=whole.c.value)
    redacted = select(func.json_object_agg(whole.c.key, value)).select_from(whole).scalar_subquery()
    member_ids = func.coalesce(cast(_at(payload, "deal", "member_ids"), JSONB), literal_column("'[]'::jsonb"))
    is_whole = or_(func.json_typeof(_at(payload)) != _text("object"), member_ids.has_key(caller))
    return case((func.coalesce(is_whole, true()), payload), else_=redacted)


def _at(payload: ColumnElement[object], *path: str) -> ColumnElement[object]:
    return func.json_extract_path(payload, *_path(path))


def _text_at(payload: ColumnElement[object], *path: str) -> ColumnElement[str]:
    return func.json_extract_path_text(payload, *_path(path))


def _path(path: tuple[str, ...]) -> list[ColumnElement[str]]:
    return [_text(name) for name in ("data", *path)]


def _text(name: str) -> ColumnElement[str]:
    return literal_column(f"'{name}'", Text)
