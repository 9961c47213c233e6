"""The timeline: what happened with a contact or a deal."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from crm_graph.auth import Principal
from crm_graph.models import Activity, ActivityType
from crm_graph.values import TEXT_MAX


async def log(
    session: AsyncSession,
    principal: Principal,
    *,
    type: ActivityType,
    content: str,
    occurred_at: datetime,
    contact_id: uuid.UUID | None = None,
    deal_id: uuid.UUID | None = None,
    meta: Mapping[str, Any] | None = None,
    effect_key: str | None = None,
) -> uuid.UUID | None:
    """Add an entry; returns its id, or None when `effect_key` says that it is there already."""
    statement = (
        insert(Activity)
        .values(
            id=uuid.uuid4(),
            type=type,
            content=content[:TEXT_MAX],
            occurred_at=occurred_at,
            contact_id=contact_id,
            deal_id=deal_id,
            meta_json={"source": principal.source} | dict(meta or {}),
            created_by=principal.owner_id,
            effect_key=effect_key,
        )
        .on_conflict_do_nothing(index_elements=[col(Activity.effect_key)])
        .returning(col(Activity.id))
    )
    return (await session.execute(statement)).scalar_one_or_none()


def apply_changes(row: SQLModel, changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Set the columns of `row` that differ; returns {column: {"old", "new"}} as JSON for the edit's entry."""
    changed = {}
    for name, new in changes.items():
        old = getattr(row, name)
        if old != new:
            setattr(row, name, new)
            changed[name] = {"old": _plain(old), "new": _plain(new)}
    return changed


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID | Decimal) else value
