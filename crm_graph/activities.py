"""The timeline: what happened with a contact, a deal or a company."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import FromClause, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from crm_graph.auth import Principal
from crm_graph.models import Activity, ActivityType, table
from crm_graph.prepared import Prepared, given
from crm_graph.values import TEXT_MAX

_COLUMNS = (
    "id",
    "type",
    "contact_id",
    "deal_id",
    "company_id",
    "content",
    "meta_json",
    "created_by",
    "occurred_at",
    "due_at",
    "assignee_id",
    "effect_key",
)


def entry(only_with: FromClause | None = None) -> Insert:
    """The INSERT of one entry, to be run with `entry_values`, alone or together with what it tells of.

    `only_with` has a row if there is something to tell of.
    """
    values = {name: given(Activity, name, f"entry_{name}") for name in _COLUMNS}
    if only_with is None:
        return insert(table(Activity)).values(values)
    row = select(*values.values()).select_from(only_with)
    return insert(table(Activity)).from_select(list(values), row, include_defaults=False)


def entry_values(
    principal: Principal,
    *,
    type: ActivityType,
    content: str,
    occurred_at: datetime,
    contact_id: uuid.UUID | None = None,
    deal_id: uuid.UUID | None = None,
    company_id: uuid.UUID | None = None,
    meta: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
    assignee_id: uuid.UUID | None = None,
    effect_key: str | None = None,
) -> dict[str, Any]:
    """The parameters of an entry by `principal`; its `entry_id` is new."""
    values = {
        "id": uuid.uuid4(),
        "type": type,
        "contact_id": contact_id,
        "deal_id": deal_id,
        "company_id": company_id,
        "content": content[:TEXT_MAX],
        "meta_json": {"source": principal.source, **(meta or {})},
        "created_by": principal.owner_id,
        "occurred_at": occurred_at,
        "due_at": due_at,
        "assignee_id": assignee_id,
        "effect_key": effect_key,
    }
    return {f"entry_{name}": value for name, value in values.items()}


async def log(session: AsyncSession, principal: Principal, **entry: Any) -> uuid.UUID | None:
    """Add an entry, see `entry_values`; returns its id, or None when `effect_key` says that it is there already."""
    row = await _LOG.one(session, **entry_values(principal, **entry))
    return row.id if row else None


def differences(row: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes that would change something in `row`."""
    return {name: new for name, new in changes.items() if getattr(row, name) != new}


def told(row: Any, changed: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What an edit's entry tells of changes: {column: {"old", "new"}} as JSON. To be called before they are made."""
    return {name: {"old": _plain(getattr(row, name)), "new": _plain(new)} for name, new in changed.items()}


def apply_changes(row: SQLModel, changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Set the columns of `row` that differ; returns what the edit's entry tells."""
    changed = differences(row, changes)
    entry = told(row, changed)
    for name, new in changed.items():
        setattr(row, name, new)
    return entry


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID | Decimal) else value


_LOG = Prepared(
    lambda: (
        entry().on_conflict_do_nothing(index_elements=[table(Activity).c.effect_key]).returning(table(Activity).c.id)
    )
)
