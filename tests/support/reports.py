"""Asking for reports, and deals that have come a way."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Deal, DealStageHistory
from tests.support.api import ask
from tests.support.factories import Row, World, add

NOW = datetime.now(UTC)
REPORT = "query ($from: DateTime, $to: DateTime) { pipelineReport(from: $from, to: $to) { %s } }"
AMOUNTS = "currency amount weightedAmount"
OPEN = f"open {{ count totals {{ {AMOUNTS} }} forecast {{ month deals {AMOUNTS} }} }}"
STAGES = "stages { stage { key } entered left medianDays p90Days conversions { toStage { key } moves rate } }"
TOTALS = "wonTotals { currency amount } lostTotals { currency amount }"
CLOSED = f"closed {{ won lost winRate {TOTALS} lostReasons {{ reason deals }} }}"
REPLIES = "repliesByStatus { status contacts }"
ATTRIBUTION = "attribution { campaignId campaignName step variant mailbox replies interested meetings won }"
WHOLE = f"{OPEN} {STAGES} {CLOSED} {REPLIES} {ATTRIBUTION}"


async def report(client: httpx.AsyncClient, who: object, selected: str, **period: Any) -> Row:
    given = {name.rstrip("_"): time.isoformat() for name, time in period.items()}
    found: Row = (await ask(client, who, REPORT % selected, **given))["pipelineReport"]
    return found


async def walk(sql: AsyncConnection, world: World, *way: tuple[str, float], **columns: Any) -> Any:
    """A deal of Ada's that entered these stages so many days ago; returns its id."""
    ids = [world.stage[key] for key, _ in way]
    status = {"won": "won", "lost": "lost"}.get(way[-1][0], "open")
    place = {"pipeline_id": world.stage["pipeline"], "stage_id": ids[-1], "status": status, "rank": "a"}
    owned = {"title": "Walk", "currency": "EUR", "owner_id": world.ada.owner} | columns
    deal = await add(sql, Deal, **place, **owned)
    for number, (_, days) in enumerate(way):
        before = ids[number - 1] if number else None
        at = NOW - timedelta(days=days)
        await add(
            sql, DealStageHistory, deal_id=deal, from_stage_id=before, to_stage_id=ids[number], moved_at=at, source="x"
        )
    return deal


def stage_of(found: Row, key: str) -> Row:
    return next(row for row in found["stages"] if row["stage"]["key"] == key)
