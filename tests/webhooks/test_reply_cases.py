"""Replies as the world sends them: a case of each kind that went wrong in a CRM, a mail parser or an importer."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.cases import Case, cases, reply_mismatches, send_all
from tests.support.factories import World

REPORTED = cases("reported", "instantly")


@pytest.mark.parametrize("case", REPORTED, ids=[case["name"] for case in REPORTED])
async def test_a_reported_case_has_the_right_outcome(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, case: Case
) -> None:
    await send_all(client, case)
    assert await reply_mismatches(sql, case) == []
