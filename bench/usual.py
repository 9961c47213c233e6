"""The usual way: Strawberry types over SQLAlchemy's async ORM, a DataLoader per relation, served by uvicorn.

It follows the documentation of both projects and is written carefully, so that the comparison is fair: it reads the
first rows of each list by ROW_NUMBER instead of all, groups counts and totals, and has the same pool, driver, tables,
owner rule and token check as crm-graph. The types mirror the part of crm-graph's schema that is measured.
"""

# mypy: disable-error-code="no-any-return"
# The resolvers return ORM rows where Strawberry types are declared, which Strawberry allows but can't be typed.

import os
import uuid
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, TypeAlias

import jwt
import strawberry
from fastapi import FastAPI, Header, HTTPException
from sqlalchemy import or_, select
from sqlmodel import col
from strawberry.fastapi import GraphQLRouter

from bench.usual_loaders import Context, Id, sessions
from crm_graph import models

for kind in (models.ActivityType, models.DealStatus, models.ReplyStatus):
    strawberry.enum(kind)
Info: TypeAlias = strawberry.Info[Context, None]


@strawberry.type
class Owner:
    id: Id
    name: str


@strawberry.type
class Company:
    id: Id
    name: str
    domain: str | None
    industry: str | None


@strawberry.type
class Contact:
    id: Id
    full_name: str | None
    email: str
    title: str | None
    phone: str | None
    reply_status: models.ReplyStatus | None


@strawberry.type
class Activity:
    id: Id
    type: models.ActivityType
    content: str
    occurred_at: datetime

    @strawberry.field
    async def created_by(self, parent: strawberry.Parent[models.Activity], info: Info) -> Owner | None:
        return await info.context.owners.load(parent.created_by) if parent.created_by else None


@strawberry.type
class ActivityConnection:
    nodes: list[Activity]


DealRow: TypeAlias = strawberry.Parent[models.Deal]


@strawberry.type
class Deal:
    id: Id
    title: str
    amount: Decimal | None
    currency: str
    close_date: date | None
    status: models.DealStatus
    source: str | None
    notes: str | None
    created_at: datetime
    updated_at: datetime

    @strawberry.field
    async def contact(self, parent: DealRow, info: Info) -> Contact | None:
        return await info.context.contacts.load(parent.contact_id) if parent.contact_id else None

    @strawberry.field
    async def company(self, parent: DealRow, info: Info) -> Company | None:
        return await info.context.companies.load(parent.company_id) if parent.company_id else None

    @strawberry.field
    async def owner(self, parent: DealRow, info: Info) -> Owner | None:
        return await info.context.owners.load(parent.owner_id) if parent.owner_id else None

    @strawberry.field
    async def stage(self, parent: DealRow, info: Info) -> Annotated["PipelineStage", strawberry.lazy("bench.usual")]:
        return await info.context.stages.load(parent.stage_id)

    @strawberry.field
    async def activities(self, parent: DealRow, info: Info, first: int = 50) -> ActivityConnection:
        return ActivityConnection(nodes=await info.context.activities_of_deal.load((parent.id, first)))


@strawberry.type
class DealConnection:
    nodes: list[Deal]


@strawberry.type
class AmountTotal:
    amount: Decimal
    currency: str


StageRow: TypeAlias = strawberry.Parent[models.PipelineStage]


@strawberry.type
class PipelineStage:
    id: Id
    key: str
    name: str

    @strawberry.field
    async def deal_count(self, parent: StageRow, info: Info) -> int:
        return await info.context.deal_counts.load(parent.id)

    @strawberry.field
    async def amount_totals(self, parent: StageRow, info: Info) -> list[AmountTotal]:
        return await info.context.totals.load(parent.id)

    @strawberry.field
    async def deals(self, parent: StageRow, info: Info, first: int = 50) -> DealConnection:
        return DealConnection(nodes=await info.context.deals_of_stage.load((parent.id, first)))


@strawberry.type
class Pipeline:
    id: Id
    name: str

    @strawberry.field
    async def stages(self, parent: strawberry.Parent[models.Pipeline]) -> list[PipelineStage]:
        stage = models.PipelineStage
        query = select(stage).where(col(stage.pipeline_id) == parent.id).order_by(col(stage.order_index))
        return await _rows(query)


@strawberry.input
class DealFilter:
    stage_id: Id | None = None
    status: models.DealStatus | None = None


@strawberry.enum
class DealOrder(Enum):
    CREATED_AT_DESC = "created_at"


@strawberry.type
class SearchHit:
    score: float
    deal: Deal | None = None
    contact: Contact | None = None
    company: Company | None = None


@strawberry.type
class Query:
    @strawberry.field
    async def pipeline(self) -> Pipeline | None:
        return next(iter(await _rows(select(models.Pipeline).where(col(models.Pipeline.is_default)))), None)

    @strawberry.field
    async def deal(self, info: Info, id: Id) -> Deal | None:
        query = select(models.Deal).where(col(models.Deal.id) == id, info.context.visible(models.Deal))
        return next(iter(await _rows(query)), None)

    @strawberry.field
    async def deals(
        self, info: Info, filter: DealFilter, order_by: DealOrder = DealOrder.CREATED_AT_DESC, first: int = 50
    ) -> DealConnection:
        deal = models.Deal
        query = select(deal).where(info.context.visible(deal)).limit(first)
        if filter.stage_id:
            query = query.where(col(deal.stage_id) == filter.stage_id)
        if filter.status:
            query = query.where(col(deal.status) == filter.status)
        return DealConnection(nodes=await _rows(query.order_by(col(deal.created_at).desc(), col(deal.id).desc())))

    @strawberry.field
    async def search(self, info: Info, text: str, first: int = 20) -> list[SearchHit]:
        """Search with ILIKE, the usual first solution; without ranking."""
        words = f"%{text}%"
        deal, contact, company = models.Deal, models.Contact, models.Company
        named = or_(col(contact.full_name).ilike(words), col(contact.email).ilike(words))
        deals = select(deal).where(info.context.visible(deal), col(deal.title).ilike(words)).limit(first)
        contacts = select(contact).where(info.context.visible(contact), named).limit(first)
        companies = select(company).where(col(company.name).ilike(words)).limit(first)
        hits = [SearchHit(score=1.0, deal=row) for row in await _rows(deals)]
        hits += [SearchHit(score=1.0, contact=row) for row in await _rows(contacts)]
        hits += [SearchHit(score=1.0, company=row) for row in await _rows(companies)]
        return hits[:first]


async def _rows(query: Any) -> Any:
    async with sessions() as session:
        return (await session.scalars(query)).all()


async def context(authorization: Annotated[str, Header()] = "") -> Context:
    """The caller of a request, from the bearer token; reads the owner's row each time."""
    try:
        token = authorization.removeprefix("Bearer ")
        claims = jwt.decode(token, os.environ["JWT_SECRET"], algorithms=["HS256"], options={"require": ["exp", "sub"]})
        owner_id = uuid.UUID(claims["sub"])
    except (jwt.PyJWTError, ValueError):
        raise HTTPException(401) from None
    async with sessions() as session:
        owner = await session.get(models.Owner, owner_id)
    if owner is None or not owner.active:
        raise HTTPException(401)
    return Context(owner)


app = FastAPI()
app.include_router(GraphQLRouter(strawberry.Schema(Query), context_getter=context, graphql_ide=None), prefix="/graphql")
