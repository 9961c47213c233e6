"""Who may read /metrics, and where: a token, a port of its own, or (in development only) this machine."""

from collections.abc import Mapping

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.types import Message, Scope

from crm_graph.database.engine import Database
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from tests.support.api import bearer

TOKEN = "a-token-of-a-scraper-for-the-tests-alone"
PORT = 9464
REMOTE = "192.168.1.5"


def client_of(app: FastAPI, peer: str = "127.0.0.1", port: int = 8000) -> httpx.AsyncClient:
    """A program at the address `peer`, connected to `port`."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(peer, 5000))
    return httpx.AsyncClient(transport=transport, base_url=f"http://localhost:{port}")


@pytest.fixture
def make(settings: Settings, database: Database, clean: None) -> "Make":
    return Make(settings, database)


class Make:
    """Makes applications with production settings and some changes."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._database = settings, database

    def __call__(self, **changes: object) -> FastAPI:
        return create_app(self._settings.model_copy(update=changes), self._database)


async def status(app: FastAPI, peer: str, port: int, path: str = "/metrics", **headers: str) -> int:
    async with client_of(app, peer, port) as client:
        answer = await client.get(path, headers=headers)
    if path == "/metrics":
        assert (answer.status_code == 200) == ("crm_graph_http" in answer.text)
    return answer.status_code


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer "}, {"X-Forwarded-For": "8.8.8.8"}], ids=str)
@pytest.mark.parametrize("peer", ["127.0.0.1", REMOTE])
async def test_in_production_nobody_can_read_it_by_default(make: Make, peer: str, headers: Mapping[str, str]) -> None:
    async with client_of(make(), peer) as client:
        answer = await client.get("/metrics", headers=headers)

    assert answer.status_code == 401
    assert (
        answer.json()["message"] == "/metrics answers 401: set METRICS_TOKEN, or METRICS_PORT for a listener of its own"
    )


async def test_with_a_token_every_caller_who_has_it_can_read_it(make: Make) -> None:
    app = make(metrics_token=SecretStr(TOKEN))
    async with client_of(app, REMOTE) as client:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, bearer("a@b.com")):
            answer = await client.get("/metrics", headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (401, "unauthenticated")
        assert (await client.get(f"/metrics?access_token={TOKEN}")).status_code == 401
        assert (await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})).status_code == 200
    assert await status(app, "127.0.0.1", 8000) == 401


async def test_with_a_port_of_its_own_it_is_there_and_nowhere_else(make: Make) -> None:
    app = make(metrics_port=PORT)
    assert await status(app, "127.0.0.1", PORT) == 200
    assert await status(app, "127.0.0.1", 8000) == 404
    assert await status(app, "127.0.0.1", 8000, Host=f"localhost:{PORT}") == 404  # a header is not a port


async def test_a_port_of_its_own_serves_nothing_else(make: Make) -> None:
    app = make(metrics_port=PORT)
    for path in ("/healthz", "/readyz", "/graphql", "/export/deals.csv", "/metrics/", "/"):
        assert await status(app, "127.0.0.1", PORT, path) == 404
    assert await status(app, "127.0.0.1", 8000, "/healthz") == 200


async def test_a_port_of_its_own_accepts_no_websocket(make: Make) -> None:
    sent: list[str] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    scope: Scope = {
        "type": "websocket",
        "path": "/graphql",
        "headers": [],
        "server": ("127.0.0.1", PORT),
        "client": None,
    }
    await make(metrics_port=PORT)(scope, receive, send)

    assert sent == ["websocket.close"]


async def test_a_token_is_needed_at_a_port_of_its_own_too(make: Make) -> None:
    app = make(metrics_port=PORT, metrics_token=SecretStr(TOKEN))
    assert await status(app, REMOTE, PORT) == 401
    assert await status(app, REMOTE, PORT, Authorization=f"Bearer {TOKEN}") == 200
    assert await status(app, REMOTE, 8000, Authorization=f"Bearer {TOKEN}") == 404


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        (REMOTE, {}),
        ("127.0.0.1", {"Host": "crm.example.com"}),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", {"Via": "1.1 proxy"}),
        (REMOTE, {"Authorization": "Bearer "}),
    ],
    ids=str,
)
async def test_in_development_only_this_machine_can_read_it(make: Make, peer: str, headers: dict[str, str]) -> None:
    app = make(crm_env="development")
    async with client_of(app, peer) as client:
        answer = await client.get("/metrics", headers=headers)

    assert answer.status_code == 404
    assert "METRICS_TOKEN" in answer.json()["message"]
    assert await status(app, "127.0.0.1", 8000) == 200
