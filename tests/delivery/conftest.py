"""A receiver, and a worker that sends to it."""

import uuid
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.models import Role
from crm_graph.server import worker as worker_module
from crm_graph.server.worker import working
from crm_graph.settings import Settings
from tests.support.factories import add_owner
from tests.support.http_receiver import Receiver


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as opened:
        yield opened


@pytest.fixture
async def boss(sql: AsyncConnection, clean: None) -> uuid.UUID:
    return uuid.UUID(str(await add_owner(sql, "boss@seller.com", role=Role.ADMIN)))


@pytest.fixture
def working_settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"outbound_allowed_networks": ("127.0.0.0/8:*",)})


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers look and try again twenty times a second."""
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(worker_module, "RETRY_SECONDS", 0.05)


@pytest.fixture
async def worker(working_settings: Settings, database: Database, admin_url: URL, clean: None) -> AsyncIterator[None]:
    url = admin_url.update_query_dict({"options": "-c role=app_user"})
    async with working(working_settings, database, url):
        yield
