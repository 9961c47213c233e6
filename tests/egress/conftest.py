"""A receiver on loopback, and a client that may call it."""

from collections.abc import AsyncIterator

import pytest

from crm_graph.egress.client import HttpClient
from tests.support.http_receiver import (
    Receiver,
)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as opened:
        yield opened


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    async with HttpClient(deadline_seconds=1) as opened:
        yield opened
