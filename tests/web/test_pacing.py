"""Strangers are slowed down above a burst, each for itself; known clients are not."""

import asyncio
from time import monotonic

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response

from crm_graph.web import pacing
from crm_graph.web.pacing import StrangerPacing, mark_known

DELAY = 0.2
BURST = 3


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    for name, value in (("BURST", BURST), ("DELAY_SECONDS", DELAY), ("PER_SECOND", 0.001)):
        monkeypatch.setattr(pacing, name, value)
    made = FastAPI()

    async def answer(request: Request) -> Response:
        if "authorization" in request.headers:
            mark_known(request)
        return PlainTextResponse("ok")

    made.add_route("/", answer)
    made.add_middleware(StrangerPacing)
    return made


async def seconds(app: FastAPI, count: int, client: str = "192.0.2.1", **headers: str) -> float:
    """How long that many requests at once take."""
    started = monotonic()
    transport = httpx.ASGITransport(app=app, client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://crm.test", headers=headers) as opened:
        answers = await asyncio.gather(*(opened.get("/") for _ in range(count)))
    assert {answer.status_code for answer in answers} == {200}
    return monotonic() - started


async def test_answers_above_the_burst_are_delayed(app: FastAPI) -> None:
    assert await seconds(app, BURST) < DELAY
    assert await seconds(app, 20) >= DELAY
    assert await seconds(app, BURST, "192.0.2.2") < DELAY, "another client"
    assert await seconds(app, 20, authorization="x") < DELAY, "the same client, with credentials"


async def test_answers_are_not_delayed_any_more_after_a_while(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await seconds(app, BURST + 1) >= DELAY
    monkeypatch.setattr(pacing, "PER_SECOND", 1_000_000)
    assert await seconds(app, 1) < DELAY


@pytest.mark.usefixtures("app")
async def test_websockets_are_delayed_before_they_open() -> None:
    opened = asyncio.Event()

    async def inner(*_: object) -> None:
        opened.set()

    paced = StrangerPacing(inner)
    scope = {"type": "websocket", "client": ("192.0.2.1", 1)}
    for _ in range(BURST):
        await paced(scope, _never, _never)  # type: ignore[arg-type]
    opened.clear()
    call = asyncio.create_task(paced(scope, _never, _never))  # type: ignore[arg-type]
    await asyncio.sleep(DELAY / 4)
    assert not opened.is_set()
    await call
    assert opened.is_set()


async def _never(*_: object) -> None:
    raise AssertionError
