"""The scope of reports: which rows count for whom, which periods are refused, and one statement for each report."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import ActivityType
from tests.support.api import ask, reason, refusal
from tests.support.database import recorded, unchanged
from tests.support.factories import ADA, BOB, READER, ROOT, Row, World, add_note
from tests.support.reports import ATTRIBUTION, CLOSED, NOW, OPEN, REPORT, STAGES, WHOLE, report, stage_of, walk


@pytest.mark.parametrize(
    "period",
    [
        {"from": "2026-01-05T00:00:00Z", "to": "2026-01-05T00:00:00Z"},
        {"from": "2026-01-05T00:00:00+02:00", "to": "2026-01-04T21:59:59Z"},
        {"from": "9999-12-31T00:00:00Z"},
    ],
)
async def test_a_period_that_ends_before_it_begins_is_refused(
    period: Row, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    owners = "query ($from: DateTime, $to: DateTime) { ownerReport(from: $from, to: $to) { won } }"
    async with unchanged(sql):
        for document in (REPORT % "open { count }", owners):
            error = await refusal(client, ROOT, document, **period)

            assert reason(error) == ("VALIDATION", "from")
            assert "from must be before to, which is " in error["message"]


async def test_any_end_has_a_default_start(client: httpx.AsyncClient, world: World) -> None:
    for until in ("0001-01-01T00:00:01Z", "0001-04-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        found = (await ask(client, ADA, REPORT % "from to", to=until))["pipelineReport"]

        begins, ends = datetime.fromisoformat(found["from"]), datetime.fromisoformat(found["to"])
        assert ends == datetime.fromisoformat(until)
        assert begins == (
            ends - timedelta(days=90) if ends.year > 1 or ends.month > 3 else begins.min.replace(tzinfo=UTC)
        )


async def test_a_salesperson_reports_on_their_own_and_the_pool(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    for owner, amount in ((world.ada.owner, 1), (world.bob.owner, 20), (None, 300)):
        await walk(sql, world, ("new", 9), ("won", 8), owner_id=owner, amount=Decimal(amount))

    won = {who: (await report(client, who, CLOSED))["closed"]["wonTotals"] for who in (ADA, BOB, ROOT, READER)}
    counts = {who: (await report(client, who, OPEN))["open"]["count"] for who in (ADA, BOB, ROOT, READER)}

    assert {who: totals[0]["amount"] for who, totals in won.items()} == {
        ADA: "301.00", BOB: "320.00", ROOT: "321.00", READER: "321.00",
    }  # fmt: skip
    assert counts == {ADA: 4, BOB: 4, ROOT: 6, READER: 6}


async def test_a_colleagues_contact_gives_no_credit_to_its_campaign(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    meta = {"campaign_id": "c-9", "step": 3}
    sent = {"type": ActivityType.EMAIL_OUT, "meta_json": meta, "occurred_at": NOW - timedelta(days=20)}
    await add_note(sql, world.bob.contact, None, "sent", **sent)
    await walk(sql, world, ("new", 9), ("won", 8), contact_id=world.bob.contact)

    found = {who: (await report(client, who, ATTRIBUTION))["attribution"] for who in (ADA, ROOT)}

    assert [(row["campaignId"], row["step"], row["won"]) for row in found[ADA]] == [(None, None, 1)]
    assert [(row["campaignId"], row["step"], row["won"]) for row in found[ROOT]] == [("c-9", "3", 1)]


@pytest.mark.parametrize("who", [ADA, READER])
async def test_the_report_on_owners_is_for_admins(who: str, client: httpx.AsyncClient, world: World) -> None:
    error = await refusal(client, who, "{ ownerReport { owner { name } openCount } }")

    assert reason(error) == ("FORBIDDEN", None)


@pytest.mark.parametrize("who", [ADA, ROOT])
async def test_a_report_is_one_statement_the_first_time_and_later(
    who: str, client: httpx.AsyncClient, world: World
) -> None:
    await ask(client, who, "{ __typename }")
    with recorded() as first:
        await report(client, who, WHOLE)
    with recorded() as again:
        await report(client, who, WHOLE, from_=NOW - timedelta(days=7))

    assert len(first) == 1
    assert again == first


async def test_figures_that_are_not_selected_are_not_computed(client: httpx.AsyncClient, world: World) -> None:
    for selected, tables in (
        ("from to", {"pipelines"}),
        (OPEN, {"pipelines", "deals", "pipeline_stages"}),
        (CLOSED, {"pipelines", "deals", "pipeline_stages", "deal_stage_history"}),
        ("repliesByStatus { contacts }", {"pipelines", "contacts"}),
    ):
        await ask(client, ROOT, "{ __typename }")
        with recorded() as sent:
            await report(client, ROOT, selected)

        assert (
            set(re.findall(r"\b(pipelines|pipeline_stages|deals|deal_stage_history|contacts|activities) AS", sent[0]))
            == tables
        )


async def test_two_reports_fit_in_one_document(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await walk(sql, world, ("new", 130), ("won", 100))
    both = f"{CLOSED} {STAGES}"
    quarters = f"""query ($a: DateTime!, $b: DateTime!) {{
        last: pipelineReport(from: $a, to: $b) {{ {both} }} present: pipelineReport(from: $b) {{ {both} }} }}"""
    a, b = ((NOW - timedelta(days=days)).isoformat() for days in (150, 90))

    found = await ask(client, ADA, quarters, a=a, b=b)

    assert (found["last"]["closed"]["won"], found["present"]["closed"]["won"]) == (1, 0)
    assert (stage_of(found["last"], "new")["left"], stage_of(found["present"], "new")["left"]) == (1, 0)
