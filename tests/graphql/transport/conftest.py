"""A served application with limits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from crm_graph.database.engine import Database
from crm_graph.graphql.transport.subscriptions import Limits
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from tests.support.factories import World
from tests.support.subscriptions import BOARD, Serve, serving


@pytest.fixture
def serve(settings: Settings, database: Database, world: World) -> Serve:
    """Serves with limits, and with a page that may connect."""
    changed = settings.model_copy(update={"allowed_origins": (BOARD,)})

    @asynccontextmanager
    async def serve(**limits: float) -> AsyncIterator[str]:
        app = create_app(changed, database, limits=Limits(**{"linger": 0.1} | limits))  # type: ignore[arg-type]
        async with serving(app) as host:
            yield host

    return serve


@pytest.fixture
async def host(serve: Serve) -> AsyncIterator[str]:
    async with serve() as host:
        yield host
