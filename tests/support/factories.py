"""Rows that tests start from: a small team, its contacts and deals, and links across that only an admin could make."""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from crm_graph.models import (
    Activity,
    ActivityType,
    Company,
    Contact,
    Deal,
    DealStageHistory,
    DealStatus,
    Owner,
    OwnerMailbox,
    PipelineStage,
    Role,
    table,
)

Row = dict[str, Any]
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
    team = [_owner(ROOT, Role.ADMIN), _owner(READER, Role.READONLY), _owner(ADA), _owner(BOB)]
    ada, bob, company = team[2]["id"], team[3]["id"], uuid.uuid4()
    acme = {"id": company, "name": "Acme", "name_key": "acme", "domain": "acme.example"}
    stage = await stages(sql)
    owners = {"ada": ada, "bob": bob, "pool": None}
    contacts = {n: _contact(f"{n}s.lead@acme.example", owner, company_id=company) for n, owner in owners.items()}
    sides, deals, notes = {}, [], []
    for name, other, amount in (("ada", "bob", "101.00"), ("bob", "ada", "1010.00"), ("pool", "bob", "10100.00")):
        shared = {"amount": amount, "company_id": company}
        own = _deal(stage, owners[name], contacts[name]["id"], title=f"{name}-own", **shared)
        cross = _deal(stage, owners[name], contacts[other]["id"], title=f"{name}-cross", **shared)
        note = _note(contacts[name]["id"], None, f"{name}-note")
        deals += [own, cross]
        notes += [note, *(_note(deal["contact_id"], deal["id"], f"{deal['title']}-note") for deal in (own, cross))]
        contact = contacts[name]
        sides[name] = Side(owners[name], contact["id"], contact["email"], own["id"], cross["id"], note["id"], amount)
    stored: list[tuple[type[SQLModel], list[Row]]] = [
        (Owner, team),
        (Company, [acme]),
        (Contact, list(contacts.values())),
        (Deal, deals),
    ]
    stored += [(DealStageHistory, [_creation(deal) for deal in deals]), (Activity, notes)]
    await sql.exec_driver_sql("; ".join(_insertion(model, rows) for model, rows in stored))  # in one round trip
    return World(sides["ada"], sides["bob"], sides["pool"], company, stage)


async def add_deal(sql: AsyncConnection, stage: dict[str, Any], owner: Any, contact: Any, **columns: Any) -> Any:
    """A deal in the stage New with its first history row and its first activity; returns its id."""
    deal = _deal(stage, owner, contact, **columns)
    await _store(sql, Deal, [deal])
    await _store(sql, DealStageHistory, [_creation(deal)])
    await _store(sql, Activity, [_note(contact, deal["id"], f"{deal['title']}-note")])
    return deal["id"]


async def add_note(sql: AsyncConnection, contact: Any, deal: Any, content: str, **columns: Any) -> None:
    """An activity."""
    await _store(sql, Activity, [_note(contact, deal, content, **columns)])


async def _store(sql: AsyncConnection, model: type[SQLModel], rows: list[Row]) -> None:
    await sql.execute(insert(table(model)).returning(table(model).c.id), rows)  # RETURNING makes it one statement


def _insertion(model: type[SQLModel], rows: list[Row]) -> str:
    """The statement that stores rows, with its values in it."""
    columns = ", ".join(rows[0])
    given = json.dumps(rows, default=str).replace("'", "''")
    name = table(model).name
    return f"INSERT INTO {name} ({columns}) SELECT {columns} FROM jsonb_populate_recordset(NULL::{name}, '{given}')"


def _owner(email: str, role: Role = Role.SALES) -> Row:
    values = Owner(name=email.partition("@")[0].title(), email=email, role=role).model_dump(exclude={"created_at"})
    return {name: value for name, value in values.items() if value is not None}


def _contact(email: str, owner: Any, **columns: Any) -> Row:
    return {"id": uuid.uuid4(), "email": email, "owner_id": owner, "full_name": email} | columns


def _deal(stage: dict[str, Any], owner: Any, contact: Any, **columns: Any) -> Row:
    values = {"title": "Deal", "currency": "USD", "rank": "a0", "status": DealStatus.OPEN} | columns
    place = {"pipeline_id": stage["pipeline"], "stage_id": stage["new"]}
    return {"id": uuid.uuid4(), "owner_id": owner, "contact_id": contact} | place | values


def _creation(deal: Row) -> Row:
    return {"deal_id": deal["id"], "to_stage_id": deal["stage_id"], "moved_at": START, "source": "test"}


def _note(contact: Any, deal: Any, content: str, **columns: Any) -> Row:
    values = {"type": ActivityType.NOTE, "occurred_at": START + timedelta(hours=1)} | columns
    return {"id": uuid.uuid4(), "contact_id": contact, "deal_id": deal, "content": content} | values


async def add_owner(
    sql: AsyncConnection, email: str, *, role: Role = Role.SALES, mailboxes: tuple[str, ...] = (), **columns: Any
) -> Any:
    """An owner; returns the id."""
    owner = Owner(name=email.partition("@")[0].title(), email=email, role=role, **columns)
    await sql.execute(insert(table(Owner)).values(owner.model_dump(exclude={"created_at"})))
    for mailbox in mailboxes:
        await sql.execute(insert(OwnerMailbox).values(email=mailbox, owner_id=owner.id))
    return owner.id


async def add(sql: AsyncConnection, model: type[SQLModel], **columns: Any) -> Any:
    """A row that no verb would make; returns its id."""
    found = await sql.execute(insert(table(model)).values(**columns).returning(table(model).c.id))
    return found.scalar_one()


async def stages(sql: AsyncConnection) -> dict[str, Any]:
    """The ids of the default pipeline's stages by key, and the pipeline's own under `pipeline`."""
    c = table(PipelineStage).c
    query = select(c.key, c.id, c.pipeline_id).where(c.pipeline_id.in_(_default_pipeline()))
    found = list(await sql.execute(query))
    return {row.key: row.id for row in found} | {"pipeline": found[0].pipeline_id}


def _default_pipeline() -> Any:
    pipelines = Owner.metadata.tables["pipelines"].c
    return select(pipelines.id).where(pipelines.is_default)
