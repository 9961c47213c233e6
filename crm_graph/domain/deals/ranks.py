"""Ranks: a deal's place in its column of the board, as a text that sorts between those of its neighbours.

A rank is computed while the column is locked, so no two of its deals get the same one. Ranks are fractional indexes in
base 62: there always is one between two others, but it gets longer.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from fractional_indexing import generate_key_between, generate_n_keys_between
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Executable,
    FromClause,
    ScalarSelect,
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
from crm_graph.database.statements import IdRow, Query, Statement, id_list, param
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.identity.access import visible
from crm_graph.identity.principal import Principal
from crm_graph.models import Deal, Relation, Role, table

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


class _Column(NamedTuple):
    """A stage's locked column, by the stage's id, with the rank on top of it."""

    id: uuid.UUID
    top: str | None


class _Neighbours(NamedTuple):
    """The deals of a Place, if the caller sees them, their ranks, if they are in the column, and those beyond them."""

    after_id: uuid.UUID | None
    before_id: uuid.UUID | None
    after_rank: str | None
    before_rank: str | None
    in_order: bool | None
    below: str | None
    above: str | None


def lock_column(
    stage_id: ColumnElement[uuid.UUID], deal_id: ColumnElement[uuid.UUID] | None = None
) -> ColumnElement[str | None]:
    """An expression that locks the column of a stage until the transaction ends, and returns the rank on top of it,
    other than that of the deal. Lock deals before columns.
    """
    return func.crm_lock_column(stage_id, stage_id if deal_id is None else deal_id, type_=Text)


def ids_with_ranks() -> FromClause:
    """Rows of the parameters `ids`, of deals, and `ranks`, in step."""
    both = func.unnest(id_list("ids"), bindparam("_ranks", type_=ARRAY(Text), required=True))
    return both.table_valued(column("id", Uuid), column("rank", Text)).render_derived("placed")


async def rank_at(
    work: UnitOfWork, stage_id: uuid.UUID, deal_id: uuid.UUID, top: str | None, place: Place = TOP
) -> str:
    """The rank that puts a deal at a place in a column, which is locked already and has the rank `top` on top.

    Raises ValidationFailed when the deal is its own neighbour, NotFound for a neighbour that the caller may not see,
    and Conflict for one that is not there any more.
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


async def reposition(work: UnitOfWork, stage_id: uuid.UUID, deal_id: uuid.UUID, top: str | None, place: Place) -> None:
    """Put a deal elsewhere in its own column, which is locked already; raises what `rank_at` raises."""
    found = await rank_at(work, stage_id, deal_id, top, place)
    await _SET_RANKS.run(work.transaction, ids=[deal_id], ranks=[found])


async def ranks_on_top(
    transaction: Transaction, coming: Mapping[uuid.UUID, Sequence[uuid.UUID]]
) -> dict[uuid.UUID, str]:
    """Ranks on top of columns for the deals that move to each stage (`coming`), in their order; by the deals' ids.

    Locks the columns, in the order of the stages' ids.
    """
    found: dict[uuid.UUID, str] = {}
    for stage in await _LOCK_COLUMNS.rows(transaction, stages=sorted(coming)):
        deal_ids = coming[stage.id]
        found |= zip(deal_ids, generate_n_keys_between(None, stage.top, len(deal_ids)), strict=True)
    return found


async def _between(
    work: UnitOfWork, stage_id: uuid.UUID, deal_id: uuid.UUID, top: str | None, place: Place
) -> str | None:
    """The rank at a place; None when both neighbours have the same rank, as rows written by other means may have."""
    if place.is_top:
        key: str = generate_key_between(None, top)
        return key
    found = await _find_neighbours(work.principal.role).one(
        work.transaction,
        caller=work.principal.owner_id,
        stage_id=stage_id,
        deal_id=deal_id,
        after=place.after,
        before=place.before,
    )
    assert found is not None, "the look-up always has one row"
    _check_neighbours(place, found)
    above = found.after_rank if place.after is not None else found.above
    below = found.below if place.after is not None else found.before_rank
    if above is not None and below is not None and above >= below:
        return None
    between: str = generate_key_between(above, below)
    return between


def _check_neighbours(place: Place, found: _Neighbours) -> None:
    for name, id_, seen, rank in (
        ("after_deal_id", place.after, found.after_id, found.after_rank),
        ("before_deal_id", place.before, found.before_id, found.before_rank),
    ):
        if id_ is not None and not seen:
            raise NotFound("deal not found", field=name)
        if id_ is not None and rank is None:
            raise Conflict("that deal is no longer in this stage; read the column again", field=name)
    if place.after is not None and place.before is not None and not found.in_order:
        raise Conflict("afterDealId is below beforeDealId; read the column again", field="after_deal_id")


async def _rebalance(transaction: Transaction, stage_id: uuid.UUID, deal_id: uuid.UUID) -> str | None:
    """Give a whole column short ranks in its present order; returns the rank on top.

    Deleted deals get a rank when they are restored.
    """
    rows = await _SELECT_COLUMN.rows(transaction, stage_id=stage_id, deal_id=deal_id)
    keys = generate_n_keys_between(None, None, len(rows))
    await _SET_RANKS.run(transaction, ids=[row.id for row in rows], ranks=keys)
    return keys[0] if keys else None


def _is_other_in_column() -> ColumnElement[bool]:
    """Whether a deal is in the column, and is not the one that moves."""
    c = table(Deal).c
    is_here = c.stage_id == param(Deal, "stage_id")
    return and_(is_here, c.deleted_at.is_(None), c.id != param(Deal, "id", "deal_id"))


def _next_rank(neighbour: Relation, *, is_below: bool) -> ScalarSelect[str]:
    """The rank of the next deal below, or above, a neighbour."""
    deals = table(Deal)
    place, neighbours_place = tuple_(deals.c.rank, deals.c.id), tuple_(neighbour.c.rank, neighbour.c.id)
    order = [deals.c.rank, deals.c.id] if is_below else [deals.c.rank.desc(), deals.c.id.desc()]
    is_beyond = place > neighbours_place if is_below else place < neighbours_place
    found = select(deals.c.rank).where(_is_other_in_column(), is_beyond)
    return found.order_by(*order).limit(1).scalar_subquery()


@cache
def _find_neighbours(role: Role) -> Query[_Neighbours]:
    def make() -> Executable:
        named = {name: table(Deal).alias(name) for name in ("after", "before")}
        joined: FromClause = select(literal(1).label("one")).subquery("nothing")
        for name, rows in named.items():
            is_it = and_(rows.c.id == param(Deal, "id", name), visible(Deal, Principal(None, role), rows))
            joined = joined.outerjoin(rows, is_it)
        after, before = named["after"], named["before"]
        is_here = {name: rows.c.stage_id == param(Deal, "stage_id") for name, rows in named.items()}
        return select(
            after.c.id.label("after_id"),
            before.c.id.label("before_id"),
            case((is_here["after"], after.c.rank)).label("after_rank"),
            case((is_here["before"], before.c.rank)).label("before_rank"),
            (tuple_(after.c.rank, after.c.id) < tuple_(before.c.rank, before.c.id)).label("in_order"),
            _next_rank(after, is_below=True).label("below"),
            _next_rank(before, is_below=False).label("above"),
        ).select_from(joined)

    return Query(_Neighbours, make)


def _lock_columns() -> Executable:
    stage = func.unnest(id_list("stages")).table_valued(column("id", Uuid)).render_derived("stage")
    return select(stage.c.id, lock_column(stage.c.id).label("top"))


def _select_column() -> Executable:
    deals = table(Deal)
    return select(deals.c.id).where(_is_other_in_column()).order_by(deals.c.rank, deals.c.id)


def _set_ranks() -> Executable:
    deals, placed = table(Deal), ids_with_ranks()
    return update(deals).where(deals.c.id == placed.c.id).values(rank=placed.c.rank)


_LOCK_COLUMNS = Query(_Column, _lock_columns)
_SELECT_COLUMN = Query(IdRow, _select_column)
_SET_RANKS = Statement(_set_ranks)
