"""Rows that differ in every column that lists are filtered by: a salesperson's, the pool's, a colleague's, deleted."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Activity, Company, Contact, Deal, DealStageHistory, Role, table
from tests.support.factories import ADA, BOB, ROOT, START, add, add_owner, stages

Row = dict[str, Any]
TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Scene:
    """Rows that differ in every column that filters look at; those named `theirs` are a colleague's, `gone` deleted."""

    owner: dict[str, Any]
    company: dict[str, Any]
    contact: dict[str, Any]
    stage: dict[str, Any]
    deals: list[Row]
    now: datetime

    def id(self, title: str) -> Any:
        """The id of the deal with this title."""
        return next(row["id"] for row in self.deals if row["title"] == title)


async def build_scene(sql: AsyncConnection) -> Scene:
    """Store the rows."""
    now, stage = datetime.now(UTC), await stages(sql)
    owner = {who: await add_owner(sql, who) for who in (ADA, BOB)} | {ROOT: await add_owner(sql, ROOT, role=Role.ADMIN)}
    firms: list[Row] = [
        {"name": "Acme", "domain": "acme.example", "location": "İstanbul", "industry": "Finance"},
        {"name": "Globex Ödemeler", "domain": "xn--kln-sna.example", "created_at": START + TICK},
        {"name": "theirs", "created_at": START + 2 * TICK, "updated_at": START + TICK},
    ]
    company = await stored(sql, Company, firms, "name", domain=None, location=None, industry=None, name_key="x")
    people: list[Row] = [
        {"email": "ada@a.example", "owner_id": owner[ADA], "full_name": "Çağrı", "reply_status": "interested",
         "lifecycle_stage": "customer", "company_id": company["Acme"]},
        {"email": "pool@b.example", "title": "Müdür", "needs_review": True, "lifecycle_stage": "qualified",
         "reply_status": "question", "created_at": START + TICK},
        {"email": "bare@c.example", "owner_id": owner[ADA], "phone": "+90 (532) 1", "created_at": START + 2 * TICK,
         "updated_at": START + TICK},
        {"email": "theirs@a.example", "owner_id": owner[BOB], "full_name": "theirs Çağrı", "needs_review": True,
         "reply_status": "interested", "company_id": company["Acme"], "created_at": START + TICK},
        {"email": "gone@a.example", "owner_id": owner[ADA], "full_name": "gone Çağrı", "deleted_at": START,
         "reply_status": "interested", "company_id": company["Acme"]},
    ]  # fmt: skip
    contact = await stored(
        sql, Contact, people, "email", owner_id=None, full_name=None, title=None, phone=None, company_id=None,
        reply_status=None, needs_review=False, lifecycle_stage="lead", deleted_at=None,
    )  # fmt: skip
    contact = {email.partition("@")[0]: id_ for email, id_ in contact.items()}
    deals = deals_of(owner, company, contact, now)
    await add_deals(sql, stage, deals)
    made = Scene(owner, company, contact, stage, deals, now)
    await add_tasks(sql, made)
    await add_notes(sql, made)
    return made


def deals_of(owner: Row, company: Row, contact: Row, now: datetime) -> list[Row]:
    """The deals, of which each filter finds some; `moved` is when they entered their stage."""
    deals: list[Row] = [
        {"title": "plain", "owner_id": owner[ADA], "moved": now},
        {"title": "low Straße", "owner_id": owner[ADA], "amount": "99.99", "close_date": date(2026, 1, 31),
         "campaign_id": "c-1", "company_id": company["Acme"], "contact_id": contact["ada"], "created_at": START + TICK,
         "moved": now - timedelta(days=30) + timedelta(minutes=1)},
        {"title": "edge", "owner_id": owner[ADA], "stage": "qualified", "amount": "100.00", "campaign_id": "C-1",
         "close_date": date(2026, 2, 1), "company_id": company["Acme"], "contact_id": contact["pool"],
         "created_at": START + 2 * TICK, "updated_at": START + TICK, "moved": now - timedelta(days=30, seconds=1)},
        {"title": "high", "stage": "won", "status": "won", "amount": "100.01", "close_date": date(2026, 2, 2),
         "contact_id": contact["pool"], "created_at": START + timedelta(1), "updated_at": START + timedelta(1)},
        {"title": "lost 100% sure", "stage": "lost", "status": "lost", "amount": "0.00", "close_date": date.max,
         "company_id": company["Globex Ödemeler"], "created_at": START + timedelta(2),
         "moved": now - timedelta(days=29)},
    ]  # fmt: skip
    like_edge = deals[2] | {"company_id": company["theirs"], "contact_id": contact["theirs"]}
    deals += [
        like_edge | {"title": "theirs", "owner_id": owner[BOB]},
        deals[2] | {"title": "gone", "deleted_at": START},
    ]
    return deals


async def add_deals(sql: AsyncConnection, stage: Row, deals: list[Row]) -> None:
    """Store them with two moves each of those that have moved."""
    for row in deals:
        row |= {"pipeline_id": stage["pipeline"], "stage_id": stage[row.pop("stage", "new")]}
        row["amount"] = Decimal(row["amount"]) if "amount" in row else None
    moves = [row.pop("moved", None) for row in deals]
    await stored(
        sql, Deal, deals, "title", owner_id=None, contact_id=None, company_id=None, close_date=None, campaign_id=None,
        status="open", currency="USD", rank="a0", deleted_at=None,
    )  # fmt: skip
    for row, moved in zip(deals, moves, strict=True):
        for moved_at in (moved, moved - timedelta(days=9)) if moved else ():
            await add(sql, DealStageHistory, deal_id=row["id"], to_stage_id=stage["new"], moved_at=moved_at, source="x")
        row["moved"] = moved


async def add_notes(sql: AsyncConnection, made: Scene) -> None:
    """Entries about a contact, a company and deals, by one or the other."""
    for content, type_, subject, at, by in (
        ("noted", "note", {"contact_id": made.contact["ada"]}, START, ADA),
        ("at Acme", "note", {"company_id": made.company["Acme"]}, START, ROOT),
        ("theirs", "note", {"deal_id": made.id("theirs")}, START, BOB),
        ("called", "call", {"deal_id": made.id("edge")}, START + TICK, BOB),
        ("on high", "note", {"deal_id": made.id("high")}, START + timedelta(1), None),
    ):  # fmt: skip
        who = made.owner[by] if by else None
        await add(sql, Activity, content=content, type=type_, occurred_at=at, created_by=who, **subject)


async def add_tasks(sql: AsyncConnection, made: Scene) -> None:
    """Open and completed ones, due and not."""
    ada, bob, due = made.owner[ADA], made.owner[BOB], START + timedelta(1)
    for content, title, task in (
        ("to do", "edge", {"assignee_id": ada, "due_at": due}),
        ("some day", "high", {"assignee_id": bob}),
        ("done", "edge", {"assignee_id": ada, "due_at": due - TICK, "completed_at": START}),
        ("theirs to do", "theirs", {"assignee_id": ada, "due_at": due}),
    ):
        await add(sql, Activity, content=content, type="task", deal_id=made.id(title), occurred_at=START, **task)


async def stored(sql: AsyncConnection, model: Any, rows: list[Row], key: str, **defaults: Any) -> dict[str, Any]:
    """Store rows, completed in place; returns their ids by `key`."""
    for row in rows:
        given = dict(row)
        row |= {"id": uuid.uuid4(), "created_at": START, "updated_at": START} | defaults | given
    await sql.execute(insert(table(model)), rows)
    return {row[key]: row["id"] for row in rows}
