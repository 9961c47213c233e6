"""Random rows of a team that sells in two pipelines: deals with their ways through the stages, contacts, timelines."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph import models
from crm_graph.models import ReplyStatus, Role, table
from tests.support.factories import ADA, BOB, READER, ROOT, Row

CARL = "carl@seller.com"  # not active any more
TEAM = {ADA: Role.SALES, BOB: Role.SALES, CARL: Role.SALES, ROOT: Role.ADMIN, READER: Role.READONLY}
STAGES = (
    ("new", "open", "0.100"),
    ("talks", "open", "0.333"),
    ("old", "open", "0.500"),  # deleted
    ("won", "won", "1.000"),
    ("onboarded", "won", "1.000"),
    ("lost", "lost", "0.000"),
)
CAMPAIGNS: tuple[Row, ...] = (
    {},
    {"campaign_id": "c-1", "campaign_name": "Spring", "step": 1, "variant": "A", "email_account": "ada@sender.com"},
    {"campaign_id": "c-1", "campaign_name": "Spring", "step": 2, "email_account": "ada@sender.com"},
    {"campaign_id": "c-2", "step": "1", "variant": True, "email_account": "bob@sender.com"},
)
DAYS = 130  # in which everything happens: longer than the default period


@dataclass
class ReportData:
    """Rows as they are stored, and the moment at which everything is over."""

    rng: random.Random
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    owners: list[Row] = field(default_factory=list)
    pipelines: list[Row] = field(default_factory=list)
    stages: list[Row] = field(default_factory=list)
    contacts: list[Row] = field(default_factory=list)
    deals: list[Row] = field(default_factory=list)
    moves: list[Row] = field(default_factory=list)
    activities: list[Row] = field(default_factory=list)

    def id(self) -> uuid.UUID:
        return uuid.UUID(int=self.rng.getrandbits(128), version=4)

    def maybe(self, *values: Any) -> Any:
        return self.rng.choice((None, *values))

    def time(self) -> datetime:
        """Noon of some day before now, often the same one; never near the edge of a period that ends now."""
        return self.now - timedelta(days=self.rng.randrange(DAYS), hours=12)

    def owner_id(self) -> Any:
        return self.maybe(*(row["id"] for row in self.owners[:3]))

    def period(self) -> tuple[datetime | None, datetime | None]:
        """The default one, or one that begins or ends at the very moment at which something happened."""
        moments = [row["moved_at"] for row in self.moves] + [row["occurred_at"] for row in self.activities]
        since, until = self.maybe(*moments), self.maybe(*moments)
        return (since, until) if None in (since, until) or since < until else (since, None)


def draw(seed: int) -> ReportData:
    """A team's rows, the same for the same seed but for the moment they end at."""
    data = ReportData(random.Random(seed))
    for email, role in TEAM.items():
        row = {"id": data.id(), "name": email[:4].title(), "email": email, "role": role, "active": email != CARL}
        data.owners.append(row)
    for name in ("Sales", "Renewals"):
        pipeline = {"id": data.id(), "name": f"Reports: {name}", "is_default": False}
        data.pipelines.append(pipeline)
        data.stages += [_stage(data, pipeline, place) for place in range(len(STAGES))]
    data.contacts = [_contact(data, i) for i in range(data.rng.randrange(8))]
    for i in range(data.rng.randrange(14)):
        deal, moves = _deal(data, i)
        data.deals.append(deal)
        data.moves += moves
    data.activities = [row for _ in range(data.rng.randrange(25)) for row in _activity(data)]
    return data


def _stage(data: ReportData, pipeline: Row, place: int) -> Row:
    key, kind, probability = STAGES[place]
    row = {"id": data.id(), "pipeline_id": pipeline["id"], "key": key, "name": key.title(), "order_index": place}
    return row | {"kind": kind, "probability": Decimal(probability), "deleted_at": data.now if key == "old" else None}


def _contact(data: ReportData, i: int) -> Row:
    status = data.maybe(*data.rng.sample([*ReplyStatus], 3), ReplyStatus.INTERESTED, ReplyStatus.OUT_OF_OFFICE)
    deleted = data.rng.choice((None, None, None, data.now))
    return {
        "id": data.id(),
        "email": f"lead{i}@acme.example",
        "owner_id": data.owner_id(),
        "reply_status": status,
        "reply_status_at": status and data.rng.choice((data.time(), data.now - timedelta(days=3))),
        "deleted_at": deleted,
        "erased_at": data.rng.choice((None, deleted)),
    }


def _deal(data: ReportData, i: int) -> tuple[Row, list[Row]]:
    pipeline = data.rng.choice(data.pipelines)
    stages = [row for row in data.stages if row["pipeline_id"] == pipeline["id"]]
    way = _way(data, stages)
    last = way[-1]
    deal = {
        "id": data.id(),
        "title": f"Deal {i}",
        "pipeline_id": pipeline["id"],
        "stage_id": last["id"],
        "status": last["kind"],
        "owner_id": data.owner_id(),
        "contact_id": data.maybe(*(row["id"] for row in data.contacts)),
        "amount": data.maybe(*(Decimal(cents) / 100 for cents in (0, 1, 333, 99_950, 10**13 - 1))),
        "currency": data.rng.choice(("EUR", "EUR", "JPY")),
        "close_date": data.maybe(date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date.max),
        "lost_reason": data.maybe("price", "Price", "çok pahalı") if last["kind"] == "lost" else None,
        "campaign_id": data.maybe(None, None, "c-1", "c-3"),
        "rank": "a0",
        "deleted_at": data.rng.choice((None, None, None, None, data.now)),
    }
    times = sorted({data.time() for _ in way})[: len(way)]
    while len(times) < len(way):
        times.append(times[-1] + timedelta(microseconds=1))
    moves = [
        {
            "id": data.id(),
            "deal_id": deal["id"],
            "from_stage_id": way[place - 1]["id"] if place else None,
            "to_stage_id": stage["id"],
            "moved_at": times[place],
            "source": "test",
        }
        for place, stage in enumerate(way)
    ]
    return deal, moves


def _way(data: ReportData, stages: list[Row]) -> list[Row]:
    """From stage to stage, back and forth; nobody is left in a deleted one."""
    way = [stages[0]] if data.rng.random() < 0.7 else [data.rng.choice(stages)]
    for _ in range(data.rng.randrange(6)):
        way.append(data.rng.choice([row for row in stages if row is not way[-1]]))
    if way[-1]["deleted_at"]:
        way.append(data.rng.choice([row for row in stages if not row["deleted_at"]]))
    return way


def _activity(data: ReportData) -> Iterator[Row]:
    links = {
        "contact_id": data.maybe(*(row["id"] for row in data.contacts)),
        "deal_id": data.maybe(*(row["id"] for row in data.deals)),
    }
    if any(links.values()):
        yield {
            "id": data.id(),
            "type": data.rng.choice(("email_in", "email_in", "email_out", "meeting", "meeting", "note", "system")),
            "content": "...",
            "meta_json": data.rng.choice(CAMPAIGNS) | data.rng.choice(({"event": "x"}, {"arranges": True})),
            "created_by": data.maybe(*(row["id"] for row in data.owners)),
            "occurred_at": data.time(),
        } | links


async def store(sql: AsyncConnection, data: ReportData) -> None:
    """In place of what was stored before."""
    await remove(sql)
    for model, rows in (
        (models.Owner, data.owners),
        (models.Pipeline, data.pipelines),
        (models.PipelineStage, data.stages),
        (models.Contact, data.contacts),
        (models.Deal, data.deals),
        (models.DealStageHistory, data.moves),
        (models.Activity, data.activities),
    ):
        if rows:
            await sql.execute(insert(table(model)), rows)


async def remove(sql: AsyncConnection) -> None:
    """What `store` has stored: pipelines outlive a test."""
    for name in ("activities", "deal_stage_history", "deals", "contacts", "owners"):
        await sql.execute(text(f"DELETE FROM {name}"))
    ours = "(SELECT id FROM pipelines WHERE name LIKE 'Reports: %')"
    await sql.execute(text(f"DELETE FROM pipeline_stages WHERE pipeline_id IN {ours}"))
    await sql.execute(text(f"DELETE FROM pipelines WHERE id IN {ours}"))
