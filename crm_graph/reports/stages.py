"""How deals go through the stages of a pipeline: where they go from each, and after how long."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Double,
    Select,
    Subquery,
    cast,
    func,
    literal_column,
    select,
    type_coerce,
)

from crm_graph.models import DealStageHistory, PipelineStage
from crm_graph.reports.scope import CONVERSIONS, NO_ROWS, ZERO, Scope, listed

DAY: ColumnElement[float] = literal_column("86400.0::float8")


def stages(scope: Scope) -> Select[Any]:
    """A row for each stage that there is, or that a deal entered or left in the period. Every move is read once."""
    moves = _moves(scope).cte()
    ways = (
        select(moves.c.from_stage_id, moves.c.to_stage_id, func.count().label("moves"))
        .group_by(moves.c.from_stage_id, moves.c.to_stage_id)
        .cte()
    )
    entered, left, stays = _entered(ways), _left(ways), _stays(scope, moves)
    stage = scope.read(PipelineStage, "id", "pipeline_id", "order_index", "deleted_at")
    both = stage.outerjoin(entered, entered.c.stage_id == stage.c.id).outerjoin(left, left.c.stage_id == stage.c.id)
    return (
        select(stage.c.id.label("stage_id"), stage.c.order_index)
        .add_columns(func.coalesce(entered.c.moves, ZERO).label("entered"))
        .add_columns(func.coalesce(left.c.moves, ZERO).label("left"))
        .add_columns(stays.c.median_days, stays.c.p90_days)
        .add_columns(func.coalesce(left.c.conversions, NO_ROWS).label("conversions"))
        .select_from(both.outerjoin(stays, stays.c.stage_id == stage.c.id))
        .where(scope.includes(stage.c.pipeline_id))
        .where(func.coalesce(entered.c.moves, left.c.moves).is_not(None) | stage.c.deleted_at.is_(None))
        .add_cte(moves, ways, nest_here=True)
    )


def _moves(scope: Scope) -> Select[Any]:
    """The moves of the period; `entered_at` is when the deal entered the stage that it leaves, if in the period."""
    history = scope.read(DealStageHistory, "deal_id", "from_stage_id", "to_stage_id", "moved_at")
    stage = scope.read(PipelineStage, "id", "pipeline_id")
    before = func.lag(history.c.moved_at).over(partition_by=history.c.deal_id, order_by=history.c.moved_at)
    return (
        select(history.c.deal_id, history.c.from_stage_id, history.c.to_stage_id, history.c.moved_at)
        .add_columns(before.label("entered_at"))
        .join_from(history, stage, stage.c.id == history.c.to_stage_id)
        .where(scope.includes(stage.c.pipeline_id), scope.within(history.c.moved_at))
    )


def _entered(ways: CTE) -> Subquery:
    way = ways.alias()
    return (
        select(way.c.to_stage_id.label("stage_id"), _total(way.c.moves).label("moves")).group_by(way.c.to_stage_id)
    ).subquery()


def _left(ways: CTE) -> Subquery:
    way = ways.alias()
    total = func.sum(way.c.moves).over(partition_by=way.c.from_stage_id)
    shares = select(
        way.c.from_stage_id, way.c.to_stage_id, way.c.moves, (way.c.moves / cast(total, Double)).label("rate")
    )
    share = shares.where(way.c.from_stage_id.is_not(None)).subquery()
    return (
        select(share.c.from_stage_id.label("stage_id"), _total(share.c.moves).label("moves"))
        .add_columns(listed(CONVERSIONS, share.c).label("conversions"))
        .group_by(share.c.from_stage_id)
    ).subquery()


def _total(moves: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.sum(moves), moves.type)


def _stays(scope: Scope, moves: CTE) -> Subquery:
    """How long the deals stayed that left in the period, in days."""
    move = moves.alias()
    earlier = scope.read(DealStageHistory, "deal_id", "moved_at")
    found = select(func.max(earlier.c.moved_at)).where(
        earlier.c.deal_id == move.c.deal_id, earlier.c.moved_at < move.c.moved_at
    )
    # Most came in the period, too, and an index is asked for the others alone.
    entered_at = func.coalesce(move.c.entered_at, found.correlate(move).scalar_subquery())
    days = func.date_part(literal_column("'epoch'"), move.c.moved_at - entered_at, type_=Double()) / DAY
    # Both at once: PostgreSQL would reckon and sort the days of each share anew.
    shares = func.percentile_cont(literal_column("ARRAY[0.5, 0.9]")).within_group(days)
    stays = (
        select(move.c.from_stage_id.label("stage_id"), type_coerce(shares, ARRAY(Double)).label("days"))
        .where(move.c.from_stage_id.is_not(None))
        .group_by(move.c.from_stage_id)
    ).subquery()
    median, p90 = (stays.c.days[literal_column(place)] for place in "12")
    return select(stays.c.stage_id, median.label("median_days"), p90.label("p90_days")).subquery()
