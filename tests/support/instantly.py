"""Events about one lead of Instantly, and what they left."""

import json
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support import stored
from tests.support.webhooks import fixture, post

REPLY = json.loads(fixture("instantly", "reply_received"))
NORMALISED = json.loads(fixture("instantly", "normalised_reply"))
BOOKING = json.loads(fixture("calcom", "booking_created"))
LEAD = {key: REPLY[key] for key in ("campaign_id", "campaign_name", "lead_email", "email_account", "firstName")}


def event(type: str, at: str = "2026-01-06T12:00:00Z", **more: Any) -> dict[str, Any]:
    """An event about the lead of REPLY, a day later unless said otherwise."""
    return LEAD | {"event_type": type, "timestamp": at} | more


async def send(client: httpx.AsyncClient, *events: dict[str, Any]) -> None:
    for one in events:
        answer = await post(client, "calcom" if "triggerEvent" in one else "instantly", one)
        assert answer.json()["status"] == "ok", answer.text


async def contact(sql: AsyncConnection) -> dict[str, Any]:
    [found] = await stored.contacts(sql)
    return found


async def stages(sql: AsyncConnection) -> list[str]:
    return [deal["stage"] for deal in await stored.deals(sql)]
