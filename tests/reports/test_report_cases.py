"""Reports, case by case: the definition of figures where it is not obvious."""

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import ActivityType, Contact, Role
from tests.support.api import ask
from tests.support.factories import ADA, ROOT, Row, World, add, add_note, add_owner
from tests.support.reports import ATTRIBUTION, CLOSED, NOW, OPEN, STAGES, WHOLE, report, stage_of, walk
from tests.support.webhooks import fixture, post


async def test_a_reopened_deal_is_not_closed(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await walk(sql, world, ("new", 9), ("won", 8), ("proposal_sent", 7), amount=Decimal(10))

    found = await report(client, ADA, CLOSED)

    assert found["closed"]["won"] == 0
    assert found["closed"]["winRate"] is None
    assert found["closed"]["wonTotals"] == []


async def test_a_deal_that_was_closed_twice_counts_once_as_it_ended(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    twice = ("new", 40), ("won", 30), ("qualified", 20), ("lost", 10)
    await walk(sql, world, *twice, amount=Decimal(10), lost_reason="budget cut")

    now = await report(client, ADA, CLOSED)
    when_it_was_won = await report(client, ADA, CLOSED, from_=NOW - timedelta(35), to=NOW - timedelta(25))

    assert now["closed"] == {
        "won": 0,
        "lost": 1,
        "winRate": 0.0,
        "wonTotals": [],
        "lostTotals": [{"currency": "EUR", "amount": "10.00"}],
        "lostReasons": [{"reason": "budget cut", "deals": 1}],
    }
    assert when_it_was_won["closed"]["won"] == when_it_was_won["closed"]["lost"] == 0


async def test_the_win_rate_is_of_the_deals_closed_in_the_period(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    for won in (11, 10, 100):
        await walk(sql, world, ("new", 120), ("won", won), amount=Decimal("0.01"))
    await walk(sql, world, ("new", 120), ("lost", 10))

    closed = (await report(client, ADA, CLOSED))["closed"]

    assert (closed["won"], closed["lost"], closed["winRate"]) == (2, 1, 2 / 3)
    assert closed["wonTotals"] == [{"currency": "EUR", "amount": "0.02"}]
    assert closed["lostTotals"] == []
    assert closed["lostReasons"] == [{"reason": None, "deals": 1}]


async def test_a_deal_that_passes_a_stage_twice_counts_twice(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await walk(sql, world, ("new", 20), ("contacted", 18), ("new", 17), ("contacted", 14), ("qualified", 10))

    found = await report(client, ADA, STAGES)

    new, contacted = stage_of(found, "new"), stage_of(found, "contacted")
    assert (new["entered"], new["left"]) == (2, 2)
    assert (new["medianDays"], new["p90Days"]) == (2.5, pytest.approx(2.9))
    assert (contacted["entered"], contacted["left"]) == (2, 2)
    assert (contacted["medianDays"], contacted["p90Days"]) == (2.5, pytest.approx(3.7))
    ways = {way["toStage"]["key"]: (way["moves"], way["rate"]) for way in contacted["conversions"]}
    assert ways == {"new": (1, 0.5), "qualified": (1, 0.5)}


async def test_time_in_stage_counts_deals_that_left_in_the_period(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await walk(sql, world, ("new", 400), ("contacted", 10))
    await walk(sql, world, ("new", 80))

    new = stage_of(await report(client, ADA, STAGES), "new")

    assert (new["entered"], new["left"], new["medianDays"]) == (1, 1, 390.0)


async def test_a_period_includes_its_start_but_not_its_end(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await walk(sql, world, ("new", 20), ("won", 10))
    won = NOW - timedelta(days=10)

    at_once = await report(client, ADA, CLOSED, from_=won, to=won + timedelta(microseconds=1))
    before = await report(client, ADA, CLOSED, from_=won - timedelta(days=1), to=won)

    assert (at_once["closed"]["won"], before["closed"]["won"]) == (1, 0)


async def test_a_deleted_stage_stays_where_history_names_it(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await walk(sql, world, ("new", 40), ("contacted", 30), ("qualified", 20))
    await sql.execute(text("UPDATE pipeline_stages SET deleted_at = now() WHERE key IN ('contacted', 'proposal_sent')"))
    try:
        found = await report(client, ADA, STAGES)
        later = await report(client, ADA, STAGES, from_=NOW - timedelta(days=10))
    finally:
        await sql.execute(text("UPDATE pipeline_stages SET deleted_at = NULL"))

    assert stage_of(found, "contacted")["conversions"] == [{"toStage": {"key": "qualified"}, "moves": 1, "rate": 1.0}]
    assert "proposal_sent" not in [row["stage"]["key"] for row in found["stages"]]
    assert "contacted" not in [row["stage"]["key"] for row in later["stages"]]


async def test_deleted_rows_count_nowhere(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    empty = await report(client, ROOT, WHOLE)
    deleted = {"deleted_at": NOW, "amount": Decimal(1), "campaign_id": "c"}
    await walk(sql, world, ("new", 20), ("won", 10), **deleted)
    await walk(sql, world, ("new", 20), **deleted)
    contact = await add(
        sql, Contact, email="deleted@x.example", deleted_at=NOW, reply_status="interested", reply_status_at=NOW
    )
    for kind in (ActivityType.EMAIL_IN, ActivityType.MEETING):
        await add_note(sql, contact, None, "x", type=kind, occurred_at=NOW - timedelta(days=1))

    assert await report(client, ROOT, WHOLE) == empty


async def test_an_erased_person_still_counts(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    reply = {"reply_status": "interested", "reply_status_at": NOW - timedelta(days=2)}
    contact = await add(sql, Contact, email="zelda@x.example", owner_id=world.ada.owner, **reply)
    meta = {"campaign_id": "c-1", "step": 2, "arranges": True}
    for kind in (ActivityType.EMAIL_IN, ActivityType.MEETING):
        await add_note(sql, contact, None, "x", type=kind, occurred_at=NOW - timedelta(days=2), meta_json=meta)
    await walk(sql, world, ("new", 2), ("won", 1), contact_id=contact, amount=Decimal(5))
    before = {who: await report(client, who, WHOLE) for who in (ADA, ROOT)}

    await ask(client, ROOT, f'mutation {{ eraseContact(input: {{contactId: "{contact}"}}) {{ erasedContactId }} }}')

    assert {who: await report(client, who, WHOLE) for who in (ADA, ROOT)} == before
    [credited] = before[ADA]["attribution"]
    assert (credited["campaignId"], credited["step"]) == ("c-1", "2")
    assert [credited[kind] for kind in ("replies", "interested", "meetings", "won")] == [1, 1, 1, 1]


async def test_currencies_are_kept_apart_and_months_have_their_own_rows(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await sql.execute(text("DELETE FROM deals"))
    for amount, currency, closes in (
        ("0.01", "EUR", date(2026, 2, 28)), ("0.02", "EUR", date(2026, 2, 1)), ("1000.00", "USD", date(2026, 2, 1)),
        ("5.55", "EUR", date(2020, 1, 31)), ("7.00", "JPY", None), (None, "EUR", None), (None, "TRY", None),
    ):  # fmt: skip
        money = {"amount": Decimal(amount) if amount else None, "currency": currency, "close_date": closes}
        await walk(sql, world, ("new", 1), ("qualified", 0.5), **money)

    found = (await report(client, ADA, OPEN))["open"]

    assert found["count"] == 7
    assert [tuple(row.values()) for row in found["totals"]] == [
        ("EUR", "5.58", "2.23"), ("JPY", "7.00", "2.80"), ("USD", "1000.00", "400.00"),
    ]  # fmt: skip
    assert [tuple(row.values()) for row in found["forecast"]] == [
        ("2020-01-01", 1, "EUR", "5.55", "2.22"),
        ("2026-02-01", 2, "EUR", "0.03", "0.01"),
        ("2026-02-01", 1, "USD", "1000.00", "400.00"),
        (None, 1, "EUR", "0.00", "0.00"),
        (None, 1, "JPY", "7.00", "2.80"),
        (None, 1, "TRY", "0.00", "0.00"),
    ]


async def test_an_empty_pipeline_has_a_report(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await add_owner(sql, ADA)

    found = await report(client, ADA, WHOLE)

    nothing: Row = {"entered": 0, "left": 0, "medianDays": None, "p90Days": None, "conversions": []}
    assert [row.pop("stage")["key"] for row in found["stages"]][0::6] == ["new", "lost"]
    assert found["stages"] == [nothing] * 7
    assert found["open"] == {"count": 0, "totals": [], "forecast": []}
    assert found["closed"] == {
        "won": 0, "lost": 0, "winRate": None, "wonTotals": [], "lostTotals": [], "lostReasons": [],
    }  # fmt: skip
    assert found["attribution"] == found["repliesByStatus"] == []


async def test_a_pipeline_that_does_not_exist_has_none(client: httpx.AsyncClient, world: World) -> None:
    query = "query ($id: UUID!) { pipelineReport(pipelineId: $id) { open { count } } }"

    assert (await ask(client, ADA, query, id=str(uuid.uuid4())))["pipelineReport"] is None


async def test_events_as_they_arrive_are_credited_to_the_e_mail_that_was_answered(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await add_owner(sql, ROOT, role=Role.ADMIN)
    for name in ("email_sent", "reply_received", "auto_reply_received", "lead_interested", "lead_closed"):
        await post(client, "instantly", fixture("instantly", name))
    await post(client, "calcom", fixture("calcom", "booking_created"))

    period = {"from_": datetime(2025, 12, 1, tzinfo=UTC), "to": datetime(2026, 3, 1, tzinfo=UTC)}
    found = await report(client, ROOT, f"{ATTRIBUTION} {CLOSED}", **period)

    john = {"campaignId": "4ea94d08-5e9f-4d39-8e1b-0090ce895b82", "campaignName": "Q1 Outbound"}
    john |= {"step": "1", "variant": "1", "mailbox": "max@sender.com"}
    assert found["attribution"][0] == john | {"replies": 1, "interested": 1, "meetings": 1, "won": 1}
    assert sum(row["won"] for row in found["attribution"]) == found["closed"]["won"] == 1


async def test_the_owner_report_has_every_owner_and_the_pool(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await add_owner(sql, "idle@seller.com", active=False)
    await walk(sql, world, ("new", 9), ("won", 8), amount=Decimal("2.50"))
    await add_note(sql, world.ada.contact, None, "called", created_by=world.ada.owner, occurred_at=NOW - timedelta(1))

    query = """{ ownerReport { owner { name } openCount openTotals { currency amount } won winRate
                 wonTotals { currency amount } activities } }"""
    found = (await ask(client, ROOT, query))["ownerReport"]

    assert [row["owner"] and row["owner"]["name"] for row in found] == ["Ada", "Bob", "Reader", "Root", None]
    assert found[0] == {
        "owner": {"name": "Ada"}, "openCount": 2, "openTotals": [{"currency": "USD", "amount": "202.00"}], "won": 1,
        "winRate": 1.0, "wonTotals": [{"currency": "EUR", "amount": "2.50"}], "activities": 1,
    }  # fmt: skip
    assert (found[-1]["openCount"], found[-1]["openTotals"]) == (2, [{"currency": "USD", "amount": "20200.00"}])
