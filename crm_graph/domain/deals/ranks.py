"""Where a deal stands in its column of the board: a text that sorts between those of its neighbours.

A rank is computed with the column locked, so no two deals of it get the same. Ranks are fractional indexes in base 62:
between any two there is always another one, only longer.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from fractional_indexing import generate_key_between, generate_n_keys_between
from sqlalchemy import (
    ARRAY,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    column,
    func,
    literal,
    select,
    tuple_,
    update,
)

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, id_list, param
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.identity.access import visible
from crm_graph.identity.principal import Principal
from crm_graph.models import Deal, Role, table

LENGTH_MAX = 64


@dataclass(frozen=True, slots=True)
class Place:
    """Directly below one deal, directly above another one, or (without either) on top."""

    after: uuid.UUID | None = None
    before: uuid.UUID | None = None

    @property
    def is_top(self) -> bool:
        return self.after is None and self.before is None


TOP = Place()


def locked_top(stage_id: Any, deal_id: Any) -> Any:
    """An expression that locks the column of a stage until the transaction ends, and then is the rank on top of it, but
    for the deal's own. Deals are locked before columns.
    """
    return func.crm_lock_column(stage_id, deal_id, type_=Text)


def column_lock(stage_id: Any) -> Any:
    """An expression that locks the column of a stage, and then is the rank on top of it."""
    return locked_top(stage_id, stage_id)  # no deal has the id of a stage


async def rank(work: UnitOfWork, stage_id: uuid.UUID, deal_id: uuid.UUID, top: str | None, place: Place = TOP) -> str:
    """The rank that puts a deal there, in a column that is locked already and has the rank `top` on top.

    Raises NotFound for a neighbour that is not the caller's to see, and Conflict for one that stands elsewhere now.
    """
    if deal_id in (place.after, place.before):
        name = "after_deal_id" if deal_id == place.after else "before_deal_id"
        raise ValidationFailed("a deal can't be placed beside itself", field=name)
    found = await _between(work, stage_id, deal_id, top, place)
    if found is None or len(found) > LENGTH_MAX:
        top = await _rebalance(work.transaction, stage_id, deal_id)
        found = await _between(work, stage_id, deal_id, top, place)
        assert found is not None, "ranks are all different now"
    return found


async def put(work: UnitOfWork, stage_id: uuid.UUID, deal_id: uuid.UUID, top: str | None, place: Place) -> None:
    """Put a deal elsewhere in its own column, which is locked already; raises what `rank` raises."""
    found = await rank(work, stage_id, deal_id, top, place)
    await _SET.run(work.transaction, ids=[deal_id], ranks=[found])


async def ranks(transaction: Transaction, stage_id: uuid.UUID, coming: list[uuid.UUID]) -> list[str]:
    """Ranks on top of a column for several deals that come to it, in this order; locks the column."""
    found = await on_top(transaction, {stage_id: coming})
    return [found[id_] for id_ in coming]


async def on_top(transaction: Transaction, coming: Mapping[uuid.UUID, Sequence[uuid.UUID]]) -> dict[uuid.UUID, str]:
    """Ranks on top of columns for the deals that come to each of them, in their order; locks the columns, in the order
    of their ids.
    """
    tops = await _TOPS.rows(transaction, stages=sorted(coming))
    found: dict[uuid.UUID, str] = {}
    for stage in tops:
        deals = coming[stage.id]
        found |= zip(deals, generate_n_keys_between(None, stage.top, len(deals)), strict=True)
    return found


async def _between(
    work: UnitOfWork, stage_id: uuid.UUID, deal_id: uuid.UUID, top: str | None, place: Place
) -> str | None:
    """None when the neighbours have one rank, which only rows have that no verb made."""
    if place.is_top:
        key: str = generate_key_between(None, top)
        return key
    values = {"stage_id": stage_id, "deal_id": deal_id, "caller": work.principal.owner_id}
    found = await _neighbours(work.principal.role).one(
        work.transaction, after=place.after, before=place.before, **values
    )
    assert found is not None
    for name, id_, seen, here in (
        ("after_deal_id", place.after, found.after_seen, found.after_rank),
        ("before_deal_id", place.before, found.before_seen, found.before_rank),
    ):
        if id_ is not None and not seen:
            raise NotFound("deal not found", field=name)
        if id_ is not None and here is None:
            raise Conflict("that deal is not in this stage any more; read the column again", field=name)
    above = found.after_rank if place.after is not None else found.above
    below = found.below if place.after is not None else found.before_rank
    if place.after is not None and place.before is not None and not found.in_order:
        raise Conflict("afterDealId stands below beforeDealId; read the column again", field="after_deal_id")
    if above is not None and below is not None and above >= below:
        return None
    between: str = generate_key_between(above, below)
    return between


async def _rebalance(transaction: Transaction, stage_id: uuid.UUID, deal_id: uuid.UUID) -> str | None:
    """Short ranks for a whole column in the order that it has; deleted deals get theirs when they are restored. Returns
    the one on top.
    """
    rows = await _COLUMN.rows(transaction, stage_id=stage_id, deal_id=deal_id)
    keys = generate_n_keys_between(None, None, len(rows))
    await _SET.run(transaction, ids=[row.id for row in rows], ranks=keys)
    return keys[0] if keys else None


def _others() -> Any:
    """The deals of the column but for the one that moves."""
    c = table(Deal).c
    here = c.stage_id == param(Deal, "stage_id")
    return and_(here, c.deleted_at.is_(None), c.id != param(Deal, "id", "deal_id"))


def _beside(neighbour: Any, *, is_below: bool) -> Any:
    """The rank of the next deal below, or above, a neighbour."""
    deals = table(Deal)
    mine, theirs = tuple_(deals.c.rank, deals.c.id), tuple_(neighbour.c.rank, neighbour.c.id)
    order = [deals.c.rank, deals.c.id] if is_below else [deals.c.rank.desc(), deals.c.id.desc()]
    beyond = mine > theirs if is_below else mine < theirs
    return select(deals.c.rank).where(_others(), beyond).order_by(*order).limit(1).scalar_subquery()


@cache
def _neighbours(role: Role) -> Statement:
    def make() -> Any:
        principal = Principal(None, role)
        read = select(literal(1).label("one")).subquery("nothing")
        joined: Any = read
        named = {name: table(Deal).alias(name) for name in ("after", "before")}
        for name, rows in named.items():
            is_it = and_(rows.c.id == param(Deal, "id", name), visible(Deal, principal, rows))
            joined = joined.outerjoin(rows, is_it)
        after, before = named["after"], named["before"]
        here = {name: rows.c.stage_id == param(Deal, "stage_id") for name, rows in named.items()}
        return select(
            after.c.id.label("after_seen"),
            before.c.id.label("before_seen"),
            case((here["after"], after.c.rank)).label("after_rank"),
            case((here["before"], before.c.rank)).label("before_rank"),
            (tuple_(after.c.rank, after.c.id) < tuple_(before.c.rank, before.c.id)).label("in_order"),
            _beside(after, is_below=True).label("below"),
            _beside(before, is_below=False).label("above"),
        ).select_from(joined)

    return Statement(make)


def _tops() -> Any:
    stage = func.unnest(id_list("stages")).table_valued(column("id", Uuid)).render_derived("stage")
    return select(stage.c.id, column_lock(stage.c.id).label("top"))


def _renumbered() -> Any:
    deals = table(Deal)
    both = func.unnest(id_list("ids"), bindparam("_ranks", type_=ARRAY(Text), required=True))
    placed = both.table_valued(column("id", Uuid), column("rank", Text)).render_derived("placed")
    return update(deals).where(deals.c.id == placed.c.id).values(rank=placed.c.rank)


_TOPS = Statement(_tops)
_COLUMN = Statement(lambda: select(table(Deal).c.id).where(_others()).order_by(table(Deal).c.rank, table(Deal).c.id))
_SET = Statement(_renumbered)
