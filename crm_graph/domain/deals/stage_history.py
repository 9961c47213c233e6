"""What a move writes: the deal's new place, its row in the history, and the entry on its timeline."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import FromClause, func, insert, select, update

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, combined, param, param_row, types_of
from crm_graph.domain.timeline import activities
from crm_graph.identity.principal import Principal
from crm_graph.models import ActivityType, Deal, DealStageHistory, DealStatus, table


def creation() -> Any:
    """The INSERT of a deal's first history row, to be run with `creation_values`."""
    names = ("deal_id", "to_stage_id", "moved_at", "moved_by", "source")
    values = {name: param(DealStageHistory, name, f"move_{name}") for name in names}
    return insert(table(DealStageHistory)).values(values | {"id": func.gen_random_uuid()})


def creation_values(principal: Principal, deal_id: uuid.UUID, stage_id: uuid.UUID, at: datetime) -> dict[str, Any]:
    """The parameters of `creation`."""
    values = {"deal_id": deal_id, "to_stage_id": stage_id, "moved_at": at}
    return {f"move_{name}": value for name, value in (values | _mover(principal)).items()}


def _mover(principal: Principal) -> dict[str, Any]:
    return {"moved_by": principal.owner_id, "source": principal.source}


def moved(
    principal: Principal, deal: Any, rank: str, *, at: datetime, now: datetime, lost_reason: str | None = None
) -> dict[str, Any]:
    """The row of a locked deal's move to its `to_` stage, with its entry."""
    stages = {"from_stage": deal.from_key, "to_stage": deal.to_key}
    reason = {"lost_reason": lost_reason} if lost_reason else {}
    return {
        "id": deal.id,
        "stage_id": deal.to_id,
        "status": DealStatus(deal.to_kind),
        "lost_reason": lost_reason,
        "rank": rank,
        "updated_at": now,
        "from_stage_id": deal.stage_id,
        "moved_at": at,
        **_mover(principal),
        **entry(principal, deal.id, f"{deal.from_name} -> {deal.to_name}", at, stages | reason),
    }


def entry(
    principal: Principal, deal_id: uuid.UUID, content: str, at: datetime, meta: Mapping[str, Any]
) -> dict[str, Any]:
    """The parameters of an entry on a deal's timeline."""
    # On the deal's timeline alone: whoever sees its contact may not see this deal.
    return activities.entry_params(
        principal, type=ActivityType.SYSTEM, content=content, occurred_at=at, deal_id=deal_id, meta=meta
    )


async def last_move(transaction: Transaction, deal_id: uuid.UUID) -> Any | None:
    """When a deal was moved last, and by whom (None: an event)."""
    return await _LAST.one(transaction, deal_id=deal_id)


def moves(new: FromClause) -> Any:
    """The statement that makes the moves whose rows are as `moved` returns them."""
    deals, moves = table(Deal), table(DealStageHistory)
    names = ("stage_id", "status", "lost_reason", "rank", "updated_at")
    values = {name: new.c[name] for name in names} | {"version": deals.c.version + 1}
    changed = update(deals).where(deals.c.id == new.c.id).values(values)
    # Two servers' clocks differ, and the order of moves is that of the deal's lock: time always runs forward here.
    latest = select(func.max(moves.c.moved_at) + timedelta(microseconds=1)).where(moves.c.deal_id == new.c.id)
    row = {
        "id": func.gen_random_uuid(),
        "deal_id": new.c.id,
        "from_stage_id": new.c.from_stage_id,
        "to_stage_id": new.c.stage_id,
        "moved_at": func.greatest(new.c.moved_at, latest.scalar_subquery()),
        "moved_by": new.c.moved_by,
        "source": new.c.source,
    }
    history = insert(moves).from_select(list(row), select(*row.values()).select_from(new), include_defaults=False)
    return combined(changed, history, activities.insert_entries(new))


MOVED = (
    types_of(Deal, "id", "stage_id", "status", "lost_reason", "rank", "updated_at")
    | types_of(DealStageHistory, "from_stage_id", "moved_at", "moved_by", "source")
    | activities.ENTRY_TYPES
)
MOVE = Statement(lambda: moves(param_row(MOVED)))
_LAST = Statement(
    lambda: (
        select(table(DealStageHistory).c.moved_at, table(DealStageHistory).c.moved_by)
        .where(table(DealStageHistory).c.deal_id == param(DealStageHistory, "deal_id"))
        .order_by(table(DealStageHistory).c.moved_at.desc())
        .limit(1)
    )
)
