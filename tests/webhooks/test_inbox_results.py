"""What the inbox says about an event: which row has a body under a reused key, and what somebody must look at."""

import json

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support import stored
from tests.support.webhooks import fixture, post

REPLY = json.loads(fixture("instantly", "reply_received"))


async def test_another_body_under_a_used_key_is_stored_once_and_found_again(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    other = REPLY | {"reply_text": "another text", "email_id": "another"}
    await post(client, "instantly", REPLY, **{"Idempotency-Key": "k"})
    first = await post(client, "instantly", other, **{"Idempotency-Key": "k"})
    again = await post(client, "instantly", other, **{"Idempotency-Key": "k"})

    assert (first.status_code, again.status_code) == (422, 422)
    assert [row["status"] for row in await stored.webhooks(sql)] == ["processed", "quarantined"]
    kept = await sql.scalar(text("SELECT id::text FROM webhooks_log WHERE status = 'quarantined'"))
    assert kept in first.json()["message"]
    assert kept in again.json()["message"]


@pytest.mark.parametrize(("event_type", "warnings"), [("account_error", 1), ("campaign_completed", 0)])
async def test_an_ignored_event_is_a_warning_only_if_somebody_must_look(
    event_type: str, warnings: int, client: httpx.AsyncClient, clean: None, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await post(client, "instantly", REPLY | {"event_type": event_type})

    assert answer.json()["status"] == "ignored"
    assert caplog.messages.count("event needs attention") == warnings
