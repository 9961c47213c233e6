"""A text that is hard to read, and a translator that hangs: the event is stored, and other requests go on."""

import json
import threading
from typing import NoReturn

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support import stored
from tests.support.webhooks import fixture, post
from webhooks import inbox
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
