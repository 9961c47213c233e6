"""The loaders of the usual way (bench.usual): a DataLoader per relation, each batch one SELECT of ORM rows."""

import os
import uuid
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import aliased
from sqlmodel import col
from strawberry.dataloader import DataLoader
from strawberry.fastapi import BaseContext

from crm_graph.models import Activity, Company, Contact, Deal, Owner, PipelineStage, Role

Id: TypeAlias = uuid.UUID
PageKey: TypeAlias = tuple[uuid.UUID, int]
sessions = async_sessionmaker(
    create_async_engine(os.environ.get("DATABASE_URL", "postgresql+psycopg://"), pool_size=10, max_overflow=0),
    expire_on_commit=False,
)


class Context(BaseContext):
    """The caller and the loaders of one request. Loaders run concurrently, so each opens its own session."""

    def __init__(self, owner: Owner) -> None:
        super().__init__()
        self.owner = owner

    def visible(self, model: type[Deal] | type[Contact]) -> ColumnElement[bool]:
        """Own rows and the unassigned pool; all rows for roles other than sales."""
        mine = or_(col(model.owner_id) == self.owner.id, col(model.owner_id).is_(None))
        return and_(true() if self.owner.role != Role.SALES else mine, col(model.deleted_at).is_(None))

    @cached_property
    def contacts(self) -> DataLoader[Id, Any]:
        """By id."""
        return _by_id(Contact, lambda: self.visible(Contact))

    @cached_property
    def companies(self) -> DataLoader[Id, Any]:
        """By id."""
        return _by_id(Company)

    @cached_property
    def stages(self) -> DataLoader[Id, Any]:
        """By id."""
        return _by_id(PipelineStage)

    @cached_property
    def owners(self) -> DataLoader[Id, Any]:
        """By id."""
        return _by_id(Owner)

    @cached_property
    def deals_of_stage(self) -> DataLoader[PageKey, list[Any]]:
        """The first deals of each stage, in board order."""
        order = (col(Deal.rank), col(Deal.id))
        return _pages(Deal, col(Deal.stage_id), order, lambda: self.visible(Deal))

    @cached_property
    def activities_of_deal(self) -> DataLoader[PageKey, list[Any]]:
        """The latest activities of each deal, visible to everyone who can see the deal."""
        order = (col(Activity.occurred_at).desc(), col(Activity.id).desc())
        return _pages(Activity, col(Activity.deal_id), order, true)

    @cached_property
    def deal_counts(self) -> DataLoader[Id, int]:
        """How many deals each stage has."""

        async def load(ids: list[Id]) -> list[int]:
            stage = col(Deal.stage_id)
            query = select(stage, func.count()).where(stage.in_(ids), self.visible(Deal)).group_by(stage)
            async with sessions() as session:
                counts = dict((await session.execute(query)).tuples().all())
            return [counts.get(id, 0) for id in ids]

        return DataLoader(load)

    @cached_property
    def totals(self) -> DataLoader[Id, list[Any]]:
        """The sum of the amounts of each stage, per currency."""

        async def load(ids: list[Id]) -> list[list[Any]]:
            stage, currency, amount = col(Deal.stage_id), col(Deal.currency), col(Deal.amount)
            query = select(stage, currency, func.sum(amount).label("amount")).group_by(stage, currency)
            query = query.where(stage.in_(ids), amount.is_not(None), self.visible(Deal)).order_by(currency)
            totals: dict[Id, list[Any]] = {id: [] for id in ids}
            async with sessions() as session:
                for row in await session.execute(query):
                    totals[row.stage_id].append(row)
            return [totals[id] for id in ids]

        return DataLoader(load)


def _by_id(model: Any, visible: Callable[[], ColumnElement[bool]] = true) -> DataLoader[Id, Any]:
    async def load(ids: list[Id]) -> list[Any]:
        async with sessions() as session:
            rows = await session.scalars(select(model).where(model.id.in_(ids), visible()))
            by_id = {row.id: row for row in rows}
        return [by_id.get(id) for id in ids]

    return DataLoader(load)


def _pages(
    model: Any, key: Any, order: Sequence[Any], visible: Callable[[], ColumnElement[bool]]
) -> DataLoader[PageKey, list[Any]]:
    async def load(keys: list[PageKey]) -> list[list[Any]]:
        ids, longest = {id for id, _ in keys}, max(first for _, first in keys)
        place = func.row_number().over(partition_by=key, order_by=order).label("place")
        ranked = select(model, place).where(key.in_(ids), visible()).subquery()
        row = aliased(model, ranked)
        query = select(row).where(ranked.c.place <= longest).order_by(ranked.c.place)
        pages: dict[Id, list[Any]] = {id: [] for id in ids}
        async with sessions() as session:
            for item in await session.scalars(query):
                pages[getattr(item, key.key)].append(item)
        return [pages[id][:first] for id, first in keys]

    return DataLoader(load)
