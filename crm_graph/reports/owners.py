"""The figures of each owner."""

import uuid

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Subquery,
    Text,
    Uuid,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
    union_all,
)

from crm_graph.models import Activity, ActivityType, AnySelect, Deal, DealStatus, Expression, Owner, PipelineStage
from crm_graph.reports.attribution import met, replied
from crm_graph.reports.deals import closings, win_rate
from crm_graph.reports.scope import (
    NO_ROWS,
    TOTALS,
    WEIGHTED_TOTALS,
    ZERO,
    Columns,
    Scope,
    is_one_of,
    json_rows,
    weighted,
)

_POOL: ColumnElement[uuid.UUID] = literal_column(f"'{uuid.UUID(int=0)}'::uuid", Uuid())


def owners(scope: Scope) -> AnySelect:
    """A row for each active owner, for each other owner with figures, and for the unassigned pool (id null)."""
    owner = scope.read(Owner, "id", "name", "active")
    pool = select(cast(null(), Uuid), cast(null(), Text), true())
    everyone = union_all(select(owner.c.id, owner.c.name, owner.c.active), pool).subquery()
    parts = [_open(scope), _closed(scope), _entries(scope), _contacts(replied(scope)), _contacts(met(scope))]
    open_, closed, entries, replies, meetings = parts
    joined: FromClause = everyone
    for part in parts:
        joined = joined.outerjoin(part, _key(part.c.owner_id) == _key(everyone.c.id))
    won, lost = func.coalesce(closed.c.won, ZERO), func.coalesce(closed.c.lost, ZERO)
    return (
        select(everyone.c.id.label("owner_id"), everyone.c.name)
        .add_columns(func.coalesce(open_.c.count, ZERO).label("open_count"))
        .add_columns(func.coalesce(open_.c.totals, NO_ROWS).label("open_totals"))
        .add_columns(won.label("won"), lost.label("lost"), win_rate(won, lost).label("win_rate"))
        .add_columns(func.coalesce(closed.c.totals, NO_ROWS).label("won_totals"))
        .add_columns(func.coalesce(entries.c.count, ZERO).label("activities"))
        .add_columns(func.coalesce(replies.c.count, ZERO).label("replies"))
        .add_columns(func.coalesce(meetings.c.count, ZERO).label("meetings"))
        .select_from(joined)
        .where(or_(everyone.c.active, *(part.c.has_figures for part in parts)))
    )


def _key(owner_id: Expression) -> Expression:
    """An owner id that joins, because the pool has an id, too."""
    return func.coalesce(owner_id, _POOL)


def _open(scope: Scope) -> Subquery:
    deals = scope.read(Deal, "owner_id", "stage_id", "status", "amount", "currency")
    by_stage = (
        select(deals.c.owner_id, deals.c.stage_id, deals.c.currency)
        .add_columns(func.count().label("count"), func.sum(deals.c.amount).label("amount"))
        .where(is_one_of(deals.c.status, DealStatus.OPEN))
        .group_by(deals.c.owner_id, deals.c.stage_id, deals.c.currency)
    ).subquery()
    stages = scope.read(PipelineStage, "id", "probability")
    by_currency = (
        select(by_stage.c.owner_id, by_stage.c.currency, func.sum(by_stage.c.count).label("count"))
        .add_columns(func.sum(by_stage.c.amount).label("amount"), weighted(by_stage, stages).label("weighted_amount"))
        .join_from(by_stage, stages, stages.c.id == by_stage.c.stage_id)
        .group_by(by_stage.c.owner_id, by_stage.c.currency)
    ).subquery()
    return _of_owner(by_currency, WEIGHTED_TOTALS, func.sum(by_currency.c.count).label("count"))


def _closed(scope: Scope) -> Subquery:
    deals = closings(scope)
    is_won = is_one_of(deals.c.status, DealStatus.WON)
    by_currency = (
        select(deals.c.owner_id, deals.c.currency, func.sum(deals.c.amount).filter(is_won).label("amount"))
        .add_columns(func.count().filter(is_won).label("won"), func.count().filter(~is_won).label("lost"))
        .group_by(deals.c.owner_id, deals.c.currency)
    ).subquery()
    won, lost = func.sum(by_currency.c.won), func.sum(by_currency.c.lost)
    return _of_owner(by_currency, TOTALS, won.label("won"), lost.label("lost"))


def _of_owner(by_currency: Subquery, totals: Columns, *counts: Expression) -> Subquery:
    rows_of_totals = json_rows(totals, by_currency.c, where=by_currency.c.amount.is_not(None))
    return (
        select(by_currency.c.owner_id, *counts, rows_of_totals.label("totals"), true().label("has_figures"))
        .group_by(by_currency.c.owner_id)
        .subquery()
    )


def _entries(scope: Scope) -> Subquery:
    """The number of timeline entries that each owner created, without the system's own about edits and moves."""
    entries = scope.read(Activity, "type", "created_by", "occurred_at")
    return _counted(
        entries.c.created_by,
        scope.within(entries.c.occurred_at),
        ~is_one_of(entries.c.type, ActivityType.SYSTEM),
        entries.c.created_by.is_not(None),
    )


def _contacts(contacts: AnySelect) -> Subquery:
    return _counted(contacts.subquery().c.owner_id)


def _counted(owner_id: Expression, *conditions: ColumnElement[bool]) -> Subquery:
    return (
        select(owner_id.label("owner_id"), func.count().label("count"), true().label("has_figures"))
        .where(*conditions)
        .group_by(owner_id)
        .subquery()
    )
