"""How deals move through the stages of a pipeline: where they go from each stage, and after how long."""

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Double,
    Subquery,
    cast,
    func,
    literal_column,
    select,
    type_coerce,
)

from crm_graph.models import AnySelect, DealStageHistory, Expression, PipelineStage
from crm_graph.reports.scope import CONVERSIONS, NO_ROWS, ZERO, Scope, json_rows

DAY: ColumnElement[float] = literal_column("86400.0::float8")


def stages(scope: Scope) -> AnySelect:
    """A row for each stage that exists or that a deal entered or left in the period. Every move is read once."""
    moves = _moves(scope).cte()
    transitions = (
        select(moves.c.from_stage_id, moves.c.to_stage_id, func.count().label("moves"))
        .group_by(moves.c.from_stage_id, moves.c.to_stage_id)
        .cte()
    )
    entered, left, times = _entered(transitions), _left(transitions), _times(scope, moves)
    stage = scope.read(PipelineStage, "id", "pipeline_id", "order_index", "deleted_at")
    both = stage.outerjoin(entered, entered.c.stage_id == stage.c.id).outerjoin(left, left.c.stage_id == stage.c.id)
    return (
        select(stage.c.id.label("stage_id"), stage.c.order_index)
        .add_columns(func.coalesce(entered.c.moves, ZERO).label("entered"))
        .add_columns(func.coalesce(left.c.moves, ZERO).label("left"))
        .add_columns(times.c.median_days, times.c.p90_days)
        .add_columns(func.coalesce(left.c.conversions, NO_ROWS).label("conversions"))
        .select_from(both.outerjoin(times, times.c.stage_id == stage.c.id))
        .where(scope.includes(stage.c.pipeline_id))
        .where(func.coalesce(entered.c.moves, left.c.moves).is_not(None) | stage.c.deleted_at.is_(None))
        .add_cte(moves, transitions, nest_here=True)
    )


def _moves(scope: Scope) -> AnySelect:
    """The moves of the period. `entered_at` is when the deal entered the stage that it leaves, if in the period."""
    history = scope.read(DealStageHistory, "deal_id", "from_stage_id", "to_stage_id", "moved_at")
    stage = scope.read(PipelineStage, "id", "pipeline_id")
    before = func.lag(history.c.moved_at).over(partition_by=history.c.deal_id, order_by=history.c.moved_at)
    return (
        select(history.c.deal_id, history.c.from_stage_id, history.c.to_stage_id, history.c.moved_at)
        .add_columns(before.label("entered_at"))
        .join_from(history, stage, stage.c.id == history.c.to_stage_id)
        .where(scope.includes(stage.c.pipeline_id), scope.within(history.c.moved_at))
    )


def _entered(transitions: CTE) -> Subquery:
    c = transitions.alias().c
    return select(c.to_stage_id.label("stage_id"), _total(c.moves).label("moves")).group_by(c.to_stage_id).subquery()


def _left(transitions: CTE) -> Subquery:
    c = transitions.alias().c
    total = func.sum(c.moves).over(partition_by=c.from_stage_id)
    rates = select(c.from_stage_id, c.to_stage_id, c.moves, (c.moves / cast(total, Double)).label("rate"))
    rate = rates.where(c.from_stage_id.is_not(None)).subquery()
    return (
        select(rate.c.from_stage_id.label("stage_id"), _total(rate.c.moves).label("moves"))
        .add_columns(json_rows(CONVERSIONS, rate.c).label("conversions"))
        .group_by(rate.c.from_stage_id)
    ).subquery()


def _total(moves: Expression) -> Expression:
    return cast(func.sum(moves), moves.type)


def _times(scope: Scope, moves: CTE) -> Subquery:
    """How long the deals that left in the period were in the stage, in days."""
    move = moves.alias()
    earlier = scope.read(DealStageHistory, "deal_id", "moved_at")
    earlier_at = select(func.max(earlier.c.moved_at)).where(
        earlier.c.deal_id == move.c.deal_id, earlier.c.moved_at < move.c.moved_at
    )
    # Most deals also entered in the period: only the others need a look into the index.
    entered_at = func.coalesce(move.c.entered_at, earlier_at.correlate(move).scalar_subquery())
    days = func.date_part(literal_column("'epoch'"), move.c.moved_at - entered_at, type_=Double()) / DAY
    # Both percentiles at once, so that PostgreSQL computes and sorts the days once.
    percentiles = func.percentile_cont(literal_column("ARRAY[0.5, 0.9]")).within_group(days)
    times = (
        select(move.c.from_stage_id.label("stage_id"), type_coerce(percentiles, ARRAY(Double)).label("days"))
        .where(move.c.from_stage_id.is_not(None))
        .group_by(move.c.from_stage_id)
    ).subquery()
    median, p90 = (times.c.days[literal_column(index)] for index in "12")
    return select(times.c.stage_id, median.label("median_days"), p90.label("p90_days")).subquery()
