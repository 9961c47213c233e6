"""Replies that are large and hard to read are stored within a second, and other requests are answered meanwhile."""

import asyncio
import json
from time import perf_counter

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support import stored
from tests.support.webhooks import fixture, post

REPLY = json.loads(fixture("instantly", "reply_received"))
LARGE = 900_000


@pytest.mark.parametrize(
    "text",
    [
        "a" * LARGE + " @",
        "On 1 Max <max@a.b>\n" * (LARGE // 19),
        "hi" + " " * LARGE + "x",
        "a@b.example " * (LARGE // 12),
    ],
    ids=["letters", "headers", "spaces", "addresses"],
)
async def test_a_reply_of_900_kb_is_stored_and_probes_are_answered_meanwhile(
    text: str, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    started = answered = perf_counter()
    posted = asyncio.create_task(post(client, "instantly", REPLY | {"reply_text": text}))
    longest = 0.0
    while not posted.done():
        assert (await client.get("/healthz")).status_code == 200
        longest, answered = max(longest, perf_counter() - answered), perf_counter()
        await asyncio.sleep(0.005)

    assert (await posted).json()["status"] == "ok"
    assert perf_counter() - started < 1
    assert longest < 0.2
    [row] = await stored.webhooks(sql)
    assert row["status"] == "processed"
