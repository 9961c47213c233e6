"""Reports over random data: every figure equals what plain Python computes, for every caller."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.values import utc_now
from tests.support import report_data
from tests.support.api import ask
from tests.support.factories import ADA, BOB, READER, ROOT
from tests.support.report_model import ExpectedReports, utc
from tests.support.reports import WHOLE

pytestmark = pytest.mark.slow

PIPELINE = f"""query ($id: UUID, $from: DateTime, $to: DateTime) {{
    pipelineReport(pipelineId: $id, from: $from, to: $to) {{ pipeline {{ name }} from to {WHOLE} }} }}"""
OWNERS = """query ($from: DateTime, $to: DateTime) { ownerReport(from: $from, to: $to) {
    owner { name } openCount openTotals { currency amount weightedAmount } won lost winRate
    wonTotals { currency amount } activities replies meetings
} }"""


@pytest.fixture
async def shelf(client: httpx.AsyncClient, sql: AsyncConnection) -> AsyncIterator[None]:
    """The database that reports read; `client` first, so that its clean-up comes last."""
    yield
    await report_data.remove(sql)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_figure_is_what_plain_python_computes(
    client: httpx.AsyncClient, sql: AsyncConnection, shelf: None, seed: int
) -> None:
    drawn = report_data.draw(seed)
    since, until = drawn.period()
    given_period = {"from": since and since.isoformat(), "to": until and until.isoformat()}
    await report_data.store(sql, drawn)

    team = {row["email"]: row["id"] for row in drawn.owners}  # an e-mail's owner is remembered for seconds
    for who in (ADA, BOB, ROOT, READER):
        for pipeline in drawn.pipelines:
            started = utc_now()
            found = (await ask(client, team[who], PIPELINE, id=str(pipeline["id"]), **given_period))["pipelineReport"]
            begins, ends = utc(found.pop("from")), utc(found.pop("to"))

            expected = ExpectedReports(drawn, who, begins, ends)
            assert rounded(found) == rounded(expected.pipeline_report(pipeline)), who
            assert begins == (since or ends - timedelta(days=90))
            assert ends == until if until else started <= ends <= utc_now()

    found = (await ask(client, team[ROOT], OWNERS, **given_period))["ownerReport"]
    assert rounded(found) == rounded(ExpectedReports(drawn, ROOT, since, until).owner_report())


def rounded(value: Any) -> Any:
    """Without the last digits of floats."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 9) if isinstance(value, float) else value
