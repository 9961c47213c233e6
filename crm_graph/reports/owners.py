"""What each owner has to show."""

import uuid
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
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

from crm_graph.models import Activity, ActivityType, Deal, DealStatus, Owner, PipelineStage
from crm_graph.reports.attribution import answered, met
from crm_graph.reports.deals import closings, win_rate
from crm_graph.reports.scope import NO_ROWS, TOTALS, WEIGHTED_TOTALS, ZERO, Scope, is_one, listed, weighted

_NOBODY: ColumnElement[uuid.UUID] = literal_column(f"'{uuid.UUID(int=0)}'::uuid", Uuid())


def owners(scope: Scope) -> Select[Any]:
    """A row for each active owner, for whoever else has something to show, and for the unassigned pool (null)."""
    owner = scope.read(Owner, "id", "name", "active")
    pool = select(cast(null(), Uuid), cast(null(), Text), true())
    everybody = union_all(select(owner.c.id, owner.c.name, owner.c.active), pool).subquery()
    parts = [_open(scope), _closed(scope), _entries(scope), _people(answered(scope)), _people(met(scope))]
    opened, closed, entries, wrote, booked = parts
    found: FromClause = everybody
    for part in parts:
        found = found.outerjoin(part, _key(part.c.owner_id) == _key(everybody.c.id))
    won, lost = func.coalesce(closed.c.won, ZERO), func.coalesce(closed.c.lost, ZERO)
    return (
        select(everybody.c.id.label("owner_id"), everybody.c.name)
        .add_columns(func.coalesce(opened.c.count, ZERO).label("open_count"))
        .add_columns(func.coalesce(opened.c.totals, NO_ROWS).label("open_totals"))
        .add_columns(won.label("won"), lost.label("lost"), win_rate(won, lost).label("win_rate"))
        .add_columns(func.coalesce(closed.c.totals, NO_ROWS).label("won_totals"))
        .add_columns(func.coalesce(entries.c.count, ZERO).label("activities"))
        .add_columns(func.coalesce(wrote.c.count, ZERO).label("replies"))
        .add_columns(func.coalesce(booked.c.count, ZERO).label("meetings"))
        .select_from(found)
        .where(or_(everybody.c.active, *(part.c.is_there for part in parts)))
    )


def _key(owner_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """The pool compares like an owner."""
    return func.coalesce(owner_id, _NOBODY)


def _open(scope: Scope) -> Subquery:
    deals = scope.read(Deal, "owner_id", "stage_id", "status", "amount", "currency")
    by_stage = (
        select(deals.c.owner_id, deals.c.stage_id, deals.c.currency)
        .add_columns(func.count().label("count"), func.sum(deals.c.amount).label("amount"))
        .where(is_one(deals.c.status, DealStatus.OPEN))
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
    is_won = is_one(deals.c.status, DealStatus.WON)
    by_currency = (
        select(deals.c.owner_id, deals.c.currency, func.sum(deals.c.amount).filter(is_won).label("amount"))
        .add_columns(func.count().filter(is_won).label("won"), func.count().filter(~is_won).label("lost"))
        .group_by(deals.c.owner_id, deals.c.currency)
    ).subquery()
    won, lost = func.sum(by_currency.c.won), func.sum(by_currency.c.lost)
    return _of_owner(by_currency, TOTALS, won.label("won"), lost.label("lost"))


def _of_owner(by_currency: Subquery, totals: Any, *counts: ColumnElement[Any]) -> Subquery:
    listed_totals = listed(totals, by_currency.c, where=by_currency.c.amount.is_not(None))
    return (
        select(by_currency.c.owner_id, *counts, listed_totals.label("totals"), true().label("is_there"))
        .group_by(by_currency.c.owner_id)
        .subquery()
    )


def _entries(scope: Scope) -> Subquery:
    """What each of them put on a timeline; changes and moves, which the system writes down, aside."""
    entries = scope.read(Activity, "type", "created_by", "occurred_at")
    return _counted(
        entries.c.created_by,
        scope.within(entries.c.occurred_at),
        ~is_one(entries.c.type, ActivityType.SYSTEM),
        entries.c.created_by.is_not(None),
    )


def _people(contacts: Select[Any]) -> Subquery:
    return _counted(contacts.subquery().c.owner_id)


def _counted(owner_id: ColumnElement[Any], *conditions: ColumnElement[bool]) -> Subquery:
    return (
        select(owner_id.label("owner_id"), func.count().label("count"), true().label("is_there"))
        .where(*conditions)
        .group_by(owner_id)
        .subquery()
    )
