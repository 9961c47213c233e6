"""Moves of many deals in one call, by the rules of `moves.move_stage`."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import Executable, any_, func, select

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, Statement, id_list, param_rows, types_of
from crm_graph.domain.batches import ItemErrors, ItemResult, check_size
from crm_graph.domain.deals import ranks
from crm_graph.domain.deals.moves import MovingDeal, check_pipeline, check_time, select_moving
from crm_graph.domain.deals.stage_history import MOVE_TYPES, Stage, insert_moves, move_params
from crm_graph.domain.locking import check_version
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import NotFound
from crm_graph.identity.access import visible
from crm_graph.identity.principal import Principal
from crm_graph.models import Deal, DealStageHistory, Role, table


@dataclass(frozen=True, slots=True)
class Move:
    """A deal and the stage that it goes to; `occurred_at` is when that happened, if not now."""

    deal_id: uuid.UUID
    stage_id: uuid.UUID
    occurred_at: datetime | None = None
    expected_version: int | None = None


class _LastMove(NamedTuple):
    deal_id: uuid.UUID
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class _Permitted:
    """A move that may be made, unless its time is refused."""

    deal: MovingDeal
    target: Stage
    occurred_at: datetime | None

    @property
    def is_change(self) -> bool:
        return self.target.id != self.deal.stage_id


async def move_all(work: UnitOfWork, *, items: Sequence[Move]) -> list[ItemResult]:
    """Move deals to the tops of their columns, in the order of the items; returns the result of each item, in order.

    An item that `moves.move_stage` would refuse changes nothing, and the others are done. Of two items for one deal,
    the later one is refused. Takes as many statements for 500 items as for one. Raises ValidationFailed for too many
    items, or Forbidden.
    """
    work.principal.must_write()
    check_size(items)
    errors, asked = ItemErrors(), dict(enumerate(items))
    errors.refuse_duplicates({index: item.deal_id for index, item in asked.items()}, "deal", "deal_id")
    found = await _lock(work, errors.remaining(asked))
    permitted = errors.try_each(found, lambda index, deal: _check(deal, asked[index]))
    moves = {index: move for index, move in permitted.items() if move.is_change}
    last = await _last_moves(work.transaction, [move.deal.id for move in moves.values() if move.occurred_at])
    moves = errors.try_each(moves, lambda _, move: _check_time(move, last, work.now))
    if moves:
        await _move(work, list(moves.values()))
    return [
        ItemResult(error=errors[index]) if index in errors else ItemResult(item.deal_id, changed=index in moves)
        for index, item in asked.items()
    ]


def _check(deal: MovingDeal | None, asked: Move) -> _Permitted:
    if deal is None:
        raise NotFound("deal not found", field="deal_id")
    check_version(deal, asked.expected_version)
    if deal.target is None:
        raise NotFound("stage not found", field="stage_id")
    check_pipeline(deal, deal.target)
    return _Permitted(deal, deal.target, asked.occurred_at)


def _check_time(move: _Permitted, last: Mapping[uuid.UUID, datetime], now: datetime) -> _Permitted:
    if move.occurred_at is not None:
        check_time(move.occurred_at, last.get(move.deal.id), now)
    return move


async def _move(work: UnitOfWork, moves: Sequence[_Permitted]) -> None:
    columns = defaultdict(list)
    for move in moves:
        columns[move.target.id].append(move.deal.id)
    rank_of = await ranks.ranks_on_top(work.transaction, columns)
    rows = [
        move_params(
            work,
            move.deal.id,
            move.deal.source,
            move.target,
            rank=rank_of[move.deal.id],
            at=min(move.occurred_at or work.now, work.now),
        )
        for move in moves
    ]
    await _INSERT_MOVES.run(work.transaction, moves=rows)


async def _lock(work: UnitOfWork, asked: Mapping[int, Move]) -> dict[int, MovingDeal | None]:
    """The deals of the items, each of which is another one; None for one that does not exist."""
    rows = [{"deal_id": item.deal_id, "stage_id": item.stage_id} for item in asked.values()]
    found = await _lock_deals(work.principal.role).rows(work.transaction, caller=work.principal.owner_id, asked=rows)
    deals = {deal.id: deal for deal in found}
    return {index: deals.get(item.deal_id) for index, item in asked.items()}


async def _last_moves(transaction: Transaction, deal_ids: list[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    rows = await _LAST_MOVES.rows(transaction, deal_ids=deal_ids) if deal_ids else []
    return {row.deal_id: row.moved_at for row in rows}


@cache
def _lock_deals(role: Role) -> Query[MovingDeal]:
    def make() -> Executable:
        deals = table(Deal)
        asked = param_rows("asked", types_of(Deal, "stage_id", deal_id="id"))
        is_asked = deals.c.id.in_(select(asked.c.deal_id)), visible(Deal, Principal(None, role))
        # In the order of the ids: of two calls for the same deals, one waits for the other.
        found = select(deals).where(*is_asked).order_by(deals.c.id).with_for_update(key_share=True)
        locked = found.cte("locked")
        rows = asked.join(locked, locked.c.id == asked.c.deal_id)
        return select_moving(rows, locked, asked.c.stage_id, locks_column=False)

    return Query(MovingDeal, make)


def _select_last_moves() -> Executable:
    c = table(DealStageHistory).c
    latest = select(c.deal_id, func.max(c.moved_at).label("moved_at"))
    return latest.where(c.deal_id == any_(id_list("deal_ids"))).group_by(c.deal_id)


_INSERT_MOVES = Statement(lambda: insert_moves(param_rows("moves", MOVE_TYPES)))
_LAST_MOVES = Query(_LastMove, _select_last_moves)
