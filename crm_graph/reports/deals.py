"""The deals that are open, and those that were closed."""

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Double,
    FromClause,
    cast,
    func,
    literal_column,
    select,
    tuple_,
)

from crm_graph.models import AnySelect, Deal, DealStageHistory, DealStatus, Expression, PipelineStage, StageKind
from crm_graph.reports.scope import (
    FORECAST,
    NO_AMOUNT,
    REASONS,
    TOTALS,
    WEIGHTED_TOTALS,
    ZERO,
    Scope,
    is_one_of,
    json_rows,
    weighted,
)

REASONS_MAX = 100
_MONTH: ColumnElement[str] = literal_column("'month'")


def open_deals(scope: Scope) -> AnySelect:
    """One row: the number of open deals, their amounts, and the forecast by month. Every deal is read once."""
    by_stage = _open_by_stage(scope).subquery()
    stages = scope.read(PipelineStage, "id", "probability")
    month, currency, amount = by_stage.c.month, by_stage.c.currency, func.sum(by_stage.c.amount)
    grouped = (
        select(func.grouping(month).label("is_total"), cast(month, Date).label("month"), currency)
        .add_columns(func.sum(by_stage.c.deals).label("deals"), amount.label("amount"))
        .add_columns(weighted(by_stage, stages).label("weighted"))
        .join_from(by_stage, stages, stages.c.id == by_stage.c.stage_id)
        .group_by(func.grouping_sets(tuple_(month, currency), tuple_(currency)))
    ).subquery()
    is_month = grouped.c.is_total == ZERO
    values: dict[str, Expression] = {
        "month": grouped.c.month,
        "currency": grouped.c.currency,
        "deals": grouped.c.deals,
        "amount": func.coalesce(grouped.c.amount, NO_AMOUNT),
        "weighted_amount": func.coalesce(grouped.c.weighted, NO_AMOUNT),
    }
    count = func.coalesce(func.sum(grouped.c.deals).filter(~is_month), ZERO)
    return select(
        cast(count, BigInteger).label("count"),
        json_rows(WEIGHTED_TOTALS, values, where=~is_month & grouped.c.amount.is_not(None)).label("totals"),
        json_rows(FORECAST, values, where=is_month).label("forecast"),
    )


def _open_by_stage(scope: Scope) -> AnySelect:
    deals = scope.read(Deal, "pipeline_id", "stage_id", "status", "amount", "currency", "close_date")
    # With a time zone, date_trunc() takes twice as long.
    month = func.date_trunc(_MONTH, cast(deals.c.close_date, DateTime), type_=DateTime())
    return (
        select(deals.c.stage_id, deals.c.currency, month.label("month"))
        .add_columns(func.count().label("deals"), func.sum(deals.c.amount).label("amount"))
        .where(scope.includes(deals.c.pipeline_id), is_one_of(deals.c.status, DealStatus.OPEN))
        .group_by(deals.c.stage_id, deals.c.currency, month)
    )


def closings(scope: Scope) -> FromClause:
    """The deals that were won or lost in the period and still are, each with the time."""
    return scope.share("closings", lambda: _closings(scope))


def _closings(scope: Scope) -> AnySelect:
    last = _last_closings(scope).subquery()
    columns = ("id", "owner_id", "contact_id", "status", "amount", "currency", "lost_reason", "campaign_id")
    deals = scope.read(Deal, *columns)
    return (
        select(*deals.c, last.c.closed_at)
        .join_from(last, deals, deals.c.id == last.c.deal_id)
        .where(is_one_of(deals.c.status, DealStatus.WON, DealStatus.LOST))
    )


def _last_closings(scope: Scope) -> AnySelect:
    """The times when deals were won or lost in the period, if that was their latest change of this kind."""
    change, later = _kind_changes(scope), _kind_changes(scope)
    last = (
        select(change.c.deal_id, func.max(change.c.moved_at).label("closed_at"))
        .where(is_one_of(change.c.kind, StageKind.WON, StageKind.LOST))
        .where(scope.within(change.c.moved_at), scope.includes(change.c.pipeline_id))
        .group_by(change.c.deal_id)
    ).subquery()
    # Not EXISTS: PostgreSQL would turn it into a join that reads the whole history of every deal.
    since = select(func.count()).where(later.c.deal_id == last.c.deal_id, later.c.moved_at > last.c.closed_at)
    return select(last.c.deal_id, last.c.closed_at).where(since.correlate(last).scalar_subquery() == ZERO)


def _kind_changes(scope: Scope) -> FromClause:
    """The moves between open, won and lost. A move from one won stage to another does not win the deal again."""
    moves = scope.read(DealStageHistory, "deal_id", "from_stage_id", "to_stage_id", "moved_at")
    entered = scope.read(PipelineStage, "id", "pipeline_id", "kind")
    left = scope.read(PipelineStage, "id", "kind")
    both = moves.join(entered, entered.c.id == moves.c.to_stage_id).outerjoin(left, left.c.id == moves.c.from_stage_id)
    return (
        select(moves.c.deal_id, moves.c.moved_at, entered.c.kind, entered.c.pipeline_id)
        .select_from(both)
        .where(left.c.kind.is_distinct_from(entered.c.kind))
    ).subquery()


def closed_deals(scope: Scope) -> AnySelect:
    """One row: the numbers of won and lost deals, their amounts, and the reasons of the lost ones."""
    closed = closings(scope)
    won = func.count().filter(is_one_of(closed.c.status, DealStatus.WON))
    lost = func.count().filter(is_one_of(closed.c.status, DealStatus.LOST))
    return (
        select(won.label("won"), lost.label("lost"), win_rate(won, lost).label("win_rate"))
        .add_columns(_totals(closings(scope), DealStatus.WON).label("won_totals"))
        .add_columns(_totals(closings(scope), DealStatus.LOST).label("lost_totals"))
        .add_columns(_reasons(closings(scope)).label("lost_reasons"))
        .select_from(closed)
    )


def win_rate(won: Expression, lost: Expression) -> Expression:
    """The share of won deals among closed ones; null when there are none."""
    return won / cast(func.nullif(won + lost, ZERO), Double)


def _totals(deals: FromClause, status: DealStatus) -> Expression:
    by_currency = (
        select(deals.c.currency, func.sum(deals.c.amount).label("amount"))
        .where(is_one_of(deals.c.status, status), deals.c.amount.is_not(None))
        .group_by(deals.c.currency)
    ).subquery()
    return select(json_rows(TOTALS, by_currency.c)).scalar_subquery()


def _reasons(deals: FromClause) -> Expression:
    count = func.count().label("deals")
    by_reason = (
        select(deals.c.lost_reason.label("reason"), count)
        .where(is_one_of(deals.c.status, DealStatus.LOST))
        .group_by(deals.c.lost_reason)
        .order_by(count.desc(), deals.c.lost_reason.desc())
        .limit(literal_column(str(REASONS_MAX)))
    ).subquery()
    return select(json_rows(REASONS, by_reason.c)).scalar_subquery()
