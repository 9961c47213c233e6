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
class Books:
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


def draw(seed: int) -> Books:
    """A team's rows, the same for the same seed but for the moment they end at."""
    books = Books(random.Random(seed))
    for email, role in TEAM.items():
        row = {"id": books.id(), "name": email[:4].title(), "email": email, "role": role, "active": email != CARL}
        books.owners.append(row)
    for name in ("Sales", "Renewals"):
        pipeline = {"id": books.id(), "name": f"Books: {name}", "is_default": False}
        books.pipelines.append(pipeline)
        books.stages += [_stage(books, pipeline, place) for place in range(len(STAGES))]
    books.contacts = [_contact(books, i) for i in range(books.rng.randrange(8))]
    for i in range(books.rng.randrange(14)):
        deal, moves = _deal(books, i)
        books.deals.append(deal)
        books.moves += moves
    books.activities = [row for _ in range(books.rng.randrange(25)) for row in _activity(books)]
    return books


def _stage(books: Books, pipeline: Row, place: int) -> Row:
    key, kind, probability = STAGES[place]
    row = {"id": books.id(), "pipeline_id": pipeline["id"], "key": key, "name": key.title(), "order_index": place}
    return row | {"kind": kind, "probability": Decimal(probability), "deleted_at": books.now if key == "old" else None}


def _contact(books: Books, i: int) -> Row:
    status = books.maybe(*books.rng.sample([*ReplyStatus], 3), ReplyStatus.INTERESTED, ReplyStatus.OUT_OF_OFFICE)
    deleted = books.rng.choice((None, None, None, books.now))
    return {
        "id": books.id(),
        "email": f"lead{i}@acme.example",
        "owner_id": books.owner_id(),
        "reply_status": status,
        "reply_status_at": status and books.rng.choice((books.time(), books.now - timedelta(days=3))),
        "deleted_at": deleted,
        "erased_at": books.rng.choice((None, deleted)),
    }


def _deal(books: Books, i: int) -> tuple[Row, list[Row]]:
    pipeline = books.rng.choice(books.pipelines)
    stages = [row for row in books.stages if row["pipeline_id"] == pipeline["id"]]
    way = _way(books, stages)
    last = way[-1]
    deal = {
        "id": books.id(),
        "title": f"Deal {i}",
        "pipeline_id": pipeline["id"],
        "stage_id": last["id"],
        "status": last["kind"],
        "owner_id": books.owner_id(),
        "contact_id": books.maybe(*(row["id"] for row in books.contacts)),
        "amount": books.maybe(*(Decimal(cents) / 100 for cents in (0, 1, 333, 99_950, 10**13 - 1))),
        "currency": books.rng.choice(("EUR", "EUR", "JPY")),
        "close_date": books.maybe(date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date.max),
        "lost_reason": books.maybe("price", "Price", "çok pahalı") if last["kind"] == "lost" else None,
        "campaign_id": books.maybe(None, None, "c-1", "c-3"),
        "rank": "a0",
        "deleted_at": books.rng.choice((None, None, None, None, books.now)),
    }
    times = sorted({books.time() for _ in way})[: len(way)]
    while len(times) < len(way):
        times.append(times[-1] + timedelta(microseconds=1))
    moves = [
        {
            "id": books.id(),
            "deal_id": deal["id"],
            "from_stage_id": way[place - 1]["id"] if place else None,
            "to_stage_id": stage["id"],
            "moved_at": times[place],
            "source": "test",
        }
        for place, stage in enumerate(way)
    ]
    return deal, moves


def _way(books: Books, stages: list[Row]) -> list[Row]:
    """From stage to stage, back and forth; nobody is left in a deleted one."""
    way = [stages[0]] if books.rng.random() < 0.7 else [books.rng.choice(stages)]
    for _ in range(books.rng.randrange(6)):
        way.append(books.rng.choice([row for row in stages if row is not way[-1]]))
    if way[-1]["deleted_at"]:
        way.append(books.rng.choice([row for row in stages if not row["deleted_at"]]))
    return way


def _activity(books: Books) -> Iterator[Row]:
    links = {
        "contact_id": books.maybe(*(row["id"] for row in books.contacts)),
        "deal_id": books.maybe(*(row["id"] for row in books.deals)),
    }
    if any(links.values()):
        yield {
            "id": books.id(),
            "type": books.rng.choice(("email_in", "email_in", "email_out", "meeting", "meeting", "note", "system")),
            "content": "...",
            "meta_json": books.rng.choice(CAMPAIGNS) | books.rng.choice(({"event": "x"}, {"arranges": True})),
            "created_by": books.maybe(*(row["id"] for row in books.owners)),
            "occurred_at": books.time(),
        } | links


async def store(sql: AsyncConnection, books: Books) -> None:
    """In place of what was stored before."""
    await remove(sql)
    for model, rows in (
        (models.Owner, books.owners),
        (models.Pipeline, books.pipelines),
        (models.PipelineStage, books.stages),
        (models.Contact, books.contacts),
        (models.Deal, books.deals),
        (models.DealStageHistory, books.moves),
        (models.Activity, books.activities),
    ):
        if rows:
            await sql.execute(insert(table(model)), rows)


async def remove(sql: AsyncConnection) -> None:
    """What `store` has stored: pipelines outlive a test."""
    for name in ("activities", "deal_stage_history", "deals", "contacts", "owners"):
        await sql.execute(text(f"DELETE FROM {name}"))
    ours = "(SELECT id FROM pipelines WHERE name LIKE 'Books: %')"
    await sql.execute(text(f"DELETE FROM pipeline_stages WHERE pipeline_id IN {ours}"))
    await sql.execute(text(f"DELETE FROM pipelines WHERE id IN {ours}"))
