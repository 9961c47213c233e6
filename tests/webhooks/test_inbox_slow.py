"""A text that is hard to read, and a translator that hangs: the event is stored, and other requests go on."""

import json
import threading
from typing import NoReturn

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.domain.contacts import erasure_rules
from tests.support import stored
from tests.support.webhooks import fixture, post
from webhooks import event_log, inbox
from webhooks.provider import Provider

REPLY = json.loads(fixture("instantly", "reply_received"))
LARGE = 900_000


@pytest.mark.parametrize(("key", "status"), [(None, 202), ("evt_1", 500)])
async def test_an_event_whose_translator_hangs_is_stored_and_can_be_replayed(
    key: str | None,
    status: int,
    client: httpx.AsyncClient,
    sql: AsyncConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = threading.Event()

    def hang(*_: object) -> NoReturn:
        released.wait(30)
        raise AssertionError

    headers = {"Idempotency-Key": key} if key else {}
    with monkeypatch.context() as patched:
        patched.setattr(inbox, "TRANSLATE_SECONDS", 0.1)
        patched.setattr(Provider, "translate", hang)
        answer = await post(client, "instantly", REPLY, **headers)
        assert (await client.get("/healthz")).status_code == 200
    released.set()

    assert answer.status_code == status
    [row] = await stored.webhooks(sql)
    assert (row["status"], row["error"]) == ("error", "reading it took more than 0.1 s")
    again = await post(client, "instantly", REPLY, **headers)
    assert (again.status_code, again.json()["status"]) == (200, "ok")


@pytest.mark.parametrize("name", ["reply_text", "reply_html", "reply_subject", "firstName", "a variable"])
async def test_an_endless_character_reference_is_stored_and_applied(
    name: str, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    answer = await post(client, "instantly", REPLY | {name: f"see &#{'9' * 5_000}; and more"})

    assert answer.json()["status"] == "ok"
    [row] = await stored.webhooks(sql)
    assert row["status"] == "processed"


async def test_an_event_whose_addresses_can_not_be_read_is_stored(
    client: httpx.AsyncClient, sql: AsyncConnection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> NoReturn:
        raise RuntimeError("a text of a new kind")

    monkeypatch.setattr(event_log, "mentioned", fail)
    answer = await post(client, "instantly", REPLY)

    assert answer.json()["status"] == "ok"
    [row] = (await sql.execute(text("SELECT status, mentions FROM webhooks_log"))).all()
    assert tuple(row) == ("processed", [erasure_rules.MANY])  # an erasure searches the body
    assert "the addresses in a webhook can't be read" in caplog.text
