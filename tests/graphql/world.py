"""A small team with two salespeople, their contacts and deals, and links across them that only an admin could make."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Activity, ActivityType, Company, Contact, Deal, DealStageHistory, DealStatus, Role
from tests.builders import add_owner
from tests.graphql.asking import add, stages

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
ADA, BOB, ROOT, READER = "ada@seller.com", "bob@seller.com", "root@seller.com", "reader@seller.com"


@dataclass(frozen=True)
class Side:
    """What belongs to one salesperson, or to the pool."""

    owner: Any
    contact: Any
    email: str
    deal: Any
    cross: Any  # a deal of this side with the other's contact
    activity: Any
    amount: str


@dataclass(frozen=True)
class World:
    """Everybody's rows."""

    ada: Side
    bob: Side
    pool: Side
    company: Any
    stage: dict[str, Any]


async def build(sql: AsyncConnection) -> World:
    """Two salespeople, an admin and a reader; one company; for each side a contact, two deals and their traces."""
    await add_owner(sql, ROOT, role=Role.ADMIN)
    await add_owner(sql, READER, role=Role.READONLY)
    ada, bob = await add_owner(sql, ADA), await add_owner(sql, BOB)
    company = await add(sql, Company, name="Acme", name_key="acme", domain="acme.example")
    stage = await stages(sql)
    contacts = {
        name: await add_contact(sql, f"{name}s.lead@acme.example", owner, company_id=company)
        for name, owner in (("ada", ada), ("bob", bob), ("pool", None))
    }
    sides = {}
    for name, owner, other, amount in (
        ("ada", ada, "bob", "101.00"),
        ("bob", bob, "ada", "1010.00"),
        ("pool", None, "bob", "10100.00"),
    ):
        deal = await add_deal(sql, stage, owner, contacts[name], amount=amount, company_id=company, title=f"{name}-own")
        cross = await add_deal(
            sql, stage, owner, contacts[other], amount=amount, company_id=company, title=f"{name}-cross"
        )
        note = await add_note(sql, contacts[name], None, f"{name}-note")
        email = f"{name}s.lead@acme.example"
        sides[name] = Side(owner, contacts[name], email, deal, cross, note, amount)
    return World(sides["ada"], sides["bob"], sides["pool"], company, stage)


async def add_contact(sql: AsyncConnection, email: str, owner: Any, **columns: Any) -> Any:
    """A contact of the owner, or of the pool."""
    return await add(sql, Contact, email=email, owner_id=owner, full_name=email, **columns)


async def add_deal(sql: AsyncConnection, stage: dict[str, Any], owner: Any, contact: Any, **columns: Any) -> Any:
    """A deal in the stage New with its first history row and its first activity."""
    values = {"title": "Deal", "currency": "USD", "rank": "a0", "status": DealStatus.OPEN} | columns
    deal = await add(
        sql, Deal, owner_id=owner, contact_id=contact, pipeline_id=stage["pipeline"], stage_id=stage["new"], **values
    )
    await add(sql, DealStageHistory, deal_id=deal, to_stage_id=stage["new"], moved_at=START, source="test")
    await add_note(sql, contact, deal, f"{values['title']}-note")
    return deal


async def add_note(sql: AsyncConnection, contact: Any, deal: Any, content: str, **columns: Any) -> Any:
    """An activity."""
    values = {"type": ActivityType.NOTE, "occurred_at": START + timedelta(hours=1)} | columns
    return await add(sql, Activity, contact_id=contact, deal_id=deal, content=content, **values)
