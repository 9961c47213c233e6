"""Moves of many deals in one call, by the rules of `moves.move_stage`."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Integer, any_, func, select

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, id_list, param_rows, types_of
from crm_graph.domain.batches import ItemErrors, ItemResult, check_size
from crm_graph.domain.deals import ranks
from crm_graph.domain.deals.moves import between, check_pipeline, check_time
from crm_graph.domain.deals.stage_history import MOVED, moved, moves
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


async def move_all(work: UnitOfWork, *, items: Sequence[Move]) -> list[ItemResult]:
    """Move deals to the tops of their columns, where they stand in the order of the items.

    Tells of each item in order; one that `moves.move_stage` would refuse changes nothing, and the others are done. Of
    two items for one deal, the later one is refused. As many statements for 500 items as for one. Raises
    ValidationFailed for too many, or Forbidden.
    """
    work.principal.must_write()
    check_size(items)
    errors, asked = ItemErrors(), dict(enumerate(items))
    errors.refuse_duplicates({index: item.deal_id for index, item in asked.items()}, "deal", "deal_id")
    found = await _lock(work, errors.remaining(asked))
    deals = errors.try_each(found, lambda index, deal: _checked(deal, asked[index]))
    moving = {index: deal for index, deal in deals.items() if deal.to_id != deal.stage_id}
    last = await _last_moves(work.transaction, [deal.id for index, deal in moving.items() if asked[index].occurred_at])
    moving = errors.try_each(moving, lambda index, deal: _in_time(deal, asked[index], last, work.now))
    if moving:
        await _move(work, moving, asked)
    return [
        ItemResult(error=errors[index]) if index in errors else ItemResult(item.deal_id, changed=index in moving)
        for index, item in asked.items()
    ]


def _checked(deal: Any, asked: Move) -> Any:
    if deal.id is None:
        raise NotFound("deal not found", field="deal_id")
    check_version(deal, asked.expected_version)
    if deal.to_id is None:
        raise NotFound("stage not found", field="stage_id")
    check_pipeline(deal)
    return deal


def _in_time(deal: Any, asked: Move, last: Mapping[uuid.UUID, datetime], now: datetime) -> Any:
    if asked.occurred_at is not None:
        check_time(asked.occurred_at, last.get(deal.id), now)
    return deal


async def _move(work: UnitOfWork, deals: Mapping[int, Any], asked: Mapping[int, Move]) -> None:
    columns = defaultdict(list)
    for deal in deals.values():
        columns[deal.to_id].append(deal.id)
    found = await ranks.on_top(work.transaction, columns)
    rows = [
        moved(
            work.principal, deal, found[deal.id], at=min(asked[index].occurred_at or work.now, work.now), now=work.now
        )
        for index, deal in deals.items()
    ]
    await _MOVE.run(work.transaction, moved=rows)


async def _lock(work: UnitOfWork, asked: Mapping[int, Move]) -> dict[int, Any]:
    """The deals, locked, with the stages that they are in (`from_`) and go to (`to_`); None where there is none."""
    rows = [{"place": index, "deal_id": item.deal_id, "stage_id": item.stage_id} for index, item in asked.items()]
    found = await _locking(work.principal.role).rows(work.transaction, caller=work.principal.owner_id, asked=rows)
    return {row.place: row for row in sorted(found, key=lambda row: row.place)}


async def _last_moves(transaction: Transaction, deal_ids: list[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    rows = await _LAST.rows(transaction, deal_ids=deal_ids) if deal_ids else []
    return {row.deal_id: row.moved_at for row in rows}


@cache
def _locking(role: Role) -> Statement:
    def make() -> Any:
        deals = table(Deal)
        asked = param_rows("asked", {"place": Integer(), **types_of(Deal, "stage_id", deal_id="id")})
        wanted = select(deals).where(deals.c.id.in_(select(asked.c.deal_id)), visible(Deal, Principal(None, role)))
        # In the order of the ids: of two calls for the same deals, one waits for the other.
        deal = wanted.order_by(deals.c.id).with_for_update(key_share=True).cte("deal")
        both = asked.outerjoin(deal, deal.c.id == asked.c.deal_id)
        rows, columns, _ = between(both, deal, asked.c.stage_id)
        return select(asked.c.place, deal, *columns).select_from(rows)

    return Statement(make)


def _last() -> Any:
    c = table(DealStageHistory).c
    latest = select(c.deal_id, func.max(c.moved_at).label("moved_at"))
    return latest.where(c.deal_id == any_(id_list("deal_ids"))).group_by(c.deal_id)


_MOVE = Statement(lambda: moves(param_rows("moved", MOVED)))
_LAST = Statement(_last)
