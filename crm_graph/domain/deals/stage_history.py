"""What a move of a deal writes: the deal's new place, its row in the history, and the entry on its timeline."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Executable, FromClause, Insert, func, insert, select, update

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, Statement, columns_of, combined, param, param_row, types_of
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.models import Deal, DealStageHistory, DealStatus, table

_MOVED = tuple(name for name in Deal.PROGRESS if name != "pipeline_id")  # a deal stays in its pipeline
MOVE_TYPES = (  # the types of `move_params`
    types_of(Deal, "id", *_MOVED, "updated_at")
    | types_of(DealStageHistory, "from_stage_id", "moved_at", "moved_by", "source")
    | activities.ENTRY_TYPES
)


class Stage(NamedTuple):
    """A stage that a deal leaves or goes to."""

    id: uuid.UUID
    pipeline_id: uuid.UUID
    key: str
    name: str
    kind: str
    order_index: int


class LastMove(NamedTuple):
    """When a deal was moved last, and by whom (None: by an event)."""

    moved_at: datetime
    moved_by: uuid.UUID | None


def insert_first_move() -> Insert:
    """The INSERT of a deal's first history row, to run with `first_move_params`."""
    names = ("deal_id", "to_stage_id", "moved_at", "moved_by", "source")
    values = {name: param(DealStageHistory, name, f"move_{name}") for name in names}
    return insert(table(DealStageHistory)).values(values | {"id": func.gen_random_uuid()})


def first_move_params(work: UnitOfWork, deal_id: uuid.UUID, stage_id: uuid.UUID, at: datetime) -> dict[str, object]:
    """The parameters of `insert_first_move`."""
    values = {"deal_id": deal_id, "to_stage_id": stage_id, "moved_at": at, **mover_params(work)}
    return {f"move_{name}": value for name, value in values.items()}


def mover_params(work: UnitOfWork) -> dict[str, object]:
    """The parameters that say who makes a move."""
    return {"moved_by": work.principal.owner_id, "source": work.principal.source}


def move_params(
    work: UnitOfWork,
    deal_id: uuid.UUID,
    source: Stage,
    target: Stage,
    *,
    rank: str,
    at: datetime,
    lost_reason: str | None = None,
) -> dict[str, object]:
    """The parameters of a locked deal's move from one stage to another, with its entry: a row of `insert_moves`."""
    meta = {"from_stage": source.key, "to_stage": target.key} | ({"lost_reason": lost_reason} if lost_reason else {})
    return {
        "id": deal_id,
        "stage_id": target.id,
        "status": DealStatus(target.kind),
        "lost_reason": lost_reason,
        "rank": rank,
        "updated_at": work.now,
        "from_stage_id": source.id,
        "moved_at": at,
        **mover_params(work),
        **deal_entry_params(work, deal_id, f"{source.name} -> {target.name}", meta, at=at),
    }


def deal_entry_params(
    work: UnitOfWork,
    deal_id: uuid.UUID,
    content: str,
    meta: Mapping[str, object] | None = None,
    *,
    at: datetime | None = None,
) -> dict[str, object]:
    """The parameters of an entry on a deal's timeline, and on no other: who sees the contact may not see the deal."""
    return activities.entry_params(work, content=content, occurred_at=at, deal_id=deal_id, meta=meta)


async def last_move(transaction: Transaction, deal_id: uuid.UUID) -> LastMove | None:
    """A deal's last move."""
    return await _LAST_MOVE.one(transaction, deal_id=deal_id)


def insert_moves(new: FromClause) -> Executable:
    """The statement that makes the moves whose rows (`new`) are as `move_params` returns them."""
    deals, moves = table(Deal), table(DealStageHistory)
    values = {name: new.c[name] for name in (*_MOVED, "updated_at")} | {"version": deals.c.version + 1}
    update_deals = update(deals).where(deals.c.id == new.c.id).values(values)
    # Servers' clocks differ, and the deal's lock decides the order of moves: the history's time only moves forward.
    after_last = select(func.max(moves.c.moved_at) + timedelta(microseconds=1)).where(moves.c.deal_id == new.c.id)
    row = {
        "id": func.gen_random_uuid(),
        "deal_id": new.c.id,
        "from_stage_id": new.c.from_stage_id,
        "to_stage_id": new.c.stage_id,
        "moved_at": func.greatest(new.c.moved_at, after_last.scalar_subquery()),
        "moved_by": new.c.moved_by,
        "source": new.c.source,
    }
    rows = select(*row.values()).select_from(new)
    insert_history = insert(moves).from_select(list(row), rows, include_defaults=False)
    return combined(update_deals, insert_history, activities.insert_entries(new))


def _select_last_move() -> Executable:
    moves = table(DealStageHistory)
    of_deal = select(*columns_of(LastMove, moves)).where(moves.c.deal_id == param(DealStageHistory, "deal_id"))
    return of_deal.order_by(moves.c.moved_at.desc()).limit(1)


INSERT_MOVE = Statement(lambda: insert_moves(param_row(MOVE_TYPES)))
_LAST_MOVE = Query(LastMove, _select_last_move)
