"""The views for BI tools: the same figures as the API's, over the rows of all owners, for the role `readonly` only."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support import report_data
from tests.support.factories import ROOT, Row
from tests.support.report_model import ExpectedReports

VIEWS = ("report_deals", "report_stage_times", "report_replies")
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
OPEN = """SELECT currency, sum(amount)::text AS amount FROM report_deals
    WHERE pipeline = %s AND status = 'open' AND amount IS NOT NULL GROUP BY currency ORDER BY currency"""
CLOSED = """SELECT status, count(*) FROM report_deals
    WHERE pipeline = %s AND closed_at >= %s AND closed_at < %s GROUP BY status"""
STAYS = """SELECT stage_key, next_stage_key, days FROM report_stage_times
    WHERE pipeline = %s AND left_at >= %s AND left_at < %s"""


@pytest.fixture
async def shelf(clean: None, sql: AsyncConnection) -> AsyncIterator[None]:
    """The database that the views read."""
    yield
    await report_data.remove(sql)


@contextmanager
def connected(url: URL, role: str) -> Iterator[psycopg.Connection[Row]]:
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True, options=f"-c role={role}", row_factory=dict_row) as connection:
        yield connection


@pytest.mark.parametrize("seed", range(6))
async def test_views_add_up_to_what_reports_say(seed: int, admin_url: URL, sql: AsyncConnection, shelf: None) -> None:
    drawn = report_data.draw(seed)
    await report_data.store(sql, drawn)
    reports = ExpectedReports(drawn, ROOT)
    period = reports.since, reports.until

    with connected(admin_url, "readonly") as bi:
        for pipeline in drawn.pipelines:
            expected, name = reports.pipeline_report(pipeline), pipeline["name"]
            stays = bi.execute(STAYS, (name, *period)).fetchall()
            closed = {row["status"]: row["count"] for row in bi.execute(CLOSED, (name, *period))}

            assert bi.execute(OPEN, (name,)).fetchall() == [
                {"currency": row["currency"], "amount": row["amount"]} for row in expected["open"]["totals"]
            ]
            assert closed == {kind: n for kind in ("won", "lost") if (n := expected["closed"][kind])}
            assert of_stages(stays) == {
                row["stage"]["key"]: pytest.approx(row["medianDays"]) for row in expected["stages"] if row["left"]
            }
            assert Counter((row["stage_key"], row["next_stage_key"]) for row in stays) == {
                (row["stage"]["key"], way["toStage"]["key"]): way["moves"]
                for row in expected["stages"]
                for way in row["conversions"]
            }


def of_stages(stays: list[Row]) -> dict[str, Any]:
    keys = {row["stage_key"] for row in stays}
    return {key: median(float(row["days"]) for row in stays if row["stage_key"] == key) for key in keys}


async def test_replies_are_listed_with_what_they_answer(admin_url: URL, sql: AsyncConnection, shelf: None) -> None:
    drawn = report_data.draw(1)
    await report_data.store(sql, drawn)
    contacts = ExpectedReports(drawn, ROOT).contacts
    wrote = [row for row in drawn.activities if row["type"] == "email_in" and row["contact_id"] in contacts]

    with connected(admin_url, "readonly") as bi:
        found = bi.execute("SELECT * FROM report_replies").fetchall()

    assert len(found) == len(wrote) > 1
    for row in wrote:
        [shown] = [reply for reply in found if reply["activity_id"] == row["id"]]
        contact = contacts[row["contact_id"]]
        assert (shown["contact"], shown["reply_status"]) == (contact["email"], contact["reply_status"])
        assert (shown["campaign_id"], shown["mailbox"]) == tuple(
            row["meta_json"].get(key) for key in ("campaign_id", "email_account")
        )


async def test_a_deal_that_is_still_in_its_stage_has_no_end(admin_url: URL, sql: AsyncConnection, shelf: None) -> None:
    drawn = report_data.draw(2)
    await report_data.store(sql, drawn)
    live = {row["id"]: row for row in drawn.deals if not row["deleted_at"]}

    with connected(admin_url, "readonly") as bi:
        found = bi.execute("SELECT * FROM report_stage_times WHERE left_at IS NULL").fetchall()

    stages = {row["id"]: row["key"] for row in drawn.stages}
    assert {row["deal_id"]: row["stage_key"] for row in found} == {
        id_: stages[row["stage_id"]] for id_, row in live.items()
    }
    assert {row["days"] for row in found} == {row["next_stage"] for row in found} == {None}


@pytest.mark.parametrize("view", VIEWS)
def test_only_readonly_may_read_a_view(view: str, admin_url: URL) -> None:
    for role, may in (("readonly", {"SELECT"}), ("app_user", set[str]())):
        with connected(admin_url, role) as connection:
            query = "SELECT has_table_privilege(%s, %s) AS it"
            assert {
                right for right in RIGHTS if connection.execute(query, (view, right)).fetchone() == {"it": True}
            } == may
