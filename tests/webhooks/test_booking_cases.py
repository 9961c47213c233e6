"""Bookings of every kind: a case of each that went wrong in a CRM, and what else they stand for."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Role
from tests.support.cases import Case, add_hosts, booking_mismatches, cases, send_all
from tests.support.events import new_events, types
from tests.support.factories import ADA, BOB, World, add_owner
from tests.support.webhooks import post

REPORTED = cases("reported", "calcom")
LENA = "lena@kunde.example"


@pytest.mark.parametrize("case", REPORTED, ids=[case["name"] for case in REPORTED])
async def test_a_reported_case_has_the_right_outcome(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, case: Case
) -> None:
    await add_hosts(sql, case)
    await send_all(client, case)
    assert await booking_mismatches(client, sql, case) == []


def booking(trigger: str = "BOOKING_CREATED", at: str = "2026-01-05T09:00:00.000Z", **fields: Any) -> dict[str, Any]:
    payload = {
        "uid": "b-1",
        "title": "Intro",
        "startTime": "2026-01-12T10:00:00Z",
        "organizer": {"email": "max@host.example", "name": "Max", "timeZone": "UTC"},
        "attendees": [{"email": LENA, "name": "Lena", "timeZone": "UTC"}],
        "status": "ACCEPTED",
    }
    return {"triggerEvent": trigger, "createdAt": at, "payload": payload | fields}


async def entries(sql: AsyncConnection) -> list[str]:
    query = """SELECT content FROM activities WHERE type IN ('meeting', 'no_show')
        AND contact_id IN (SELECT id FROM contacts WHERE email LIKE '%@kunde.example') ORDER BY occurred_at, content"""
    return list(await sql.scalars(text(query)))


@pytest.mark.parametrize("trigger", ["BOOKING_CREATED", "BOOKING_RESCHEDULED"])
async def test_a_booking_that_waits_for_its_host_moves_nothing(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, trigger: str
) -> None:
    async with new_events(sql) as events:
        await post(client, "calcom", booking(trigger, status="PENDING"))
    assert not {"meeting_booked", "meeting_rescheduled"} & set(types(events))
    assert (await entries(sql))[0].endswith(": Intro (not confirmed yet)")
    assert await sql.scalar(text("SELECT count(*) FROM deals WHERE source = 'calcom'")) == 0


async def test_overlapping_subscriptions_book_a_seat_once(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    for at in ("2026-01-05T09:00:00.120Z", "2026-01-05T09:00:00.480Z"):
        await post(client, "calcom", booking(at=at, seatsPerTimeSlot=5))
    assert await entries(sql) == ["Meeting booked: Intro"]


@pytest.mark.parametrize(
    "hosts",
    [
        {"organizer": {"email": "ana@kunde.example"}},
        {"hosts": [{"email": "Ana@Kunde.example"}]},
        {"team": {"name": "Sales", "members": [{"email": "ana@kunde.example", "name": "Ana"}]}},
    ],
)
async def test_a_host_among_the_attendees_is_no_lead(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, hosts: dict[str, Any]
) -> None:
    people = [{"email": "ana@kunde.example", "name": "Ana"}, {"email": LENA, "name": "Lena"}]
    await post(client, "calcom", booking(attendees=people, **hosts))
    assert list(await sql.scalars(text("SELECT email FROM contacts WHERE email LIKE '%@kunde.example'"))) == [LENA]


async def test_answers_are_on_the_timeline_and_fill_what_is_empty(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    responses = {
        "name": {"label": "your_name", "value": "Lena"},
        "email": {"label": "email_address", "value": LENA},
        "location": {"label": "location", "value": {"optionValue": "", "value": "integrations:daily"}},
        "attendeePhoneNumber": {"label": "Phone Number", "value": "+49301234"},
        "company": {"label": "Company", "value": "Kunde GmbH"},
        "tools": {"label": "Tools", "value": ["CRM", "Excel"]},
        "newsletter": {"label": "Newsletter", "value": True},
        "secret": {"label": "Secret", "value": "x", "isHidden": True},
    }
    await post(client, "calcom", booking(responses=responses))
    [entry] = await entries(sql)
    assert entry.splitlines() == [
        "Meeting booked: Intro", "Phone Number: +49301234", "Company: Kunde GmbH", "Tools: CRM, Excel",
        "Newsletter: True",
    ]  # fmt: skip
    query = (
        "SELECT phone, companies.name FROM contacts JOIN companies ON companies.id = company_id WHERE email = :email"
    )
    assert tuple((await sql.execute(text(query), {"email": LENA})).one()) == ("+49301234", "Kunde GmbH")


@pytest.mark.parametrize(("flags", "missed"), [({}, 2), ({"noShow": True}, 2), ({"noShow": False}, 0)])
async def test_guests_who_are_not_marked_are_all_absent(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, flags: dict[str, Any], missed: int
) -> None:
    people = [{"email": LENA, **flags}, {"email": "omar@kunde.example", **flags}]
    await post(client, "calcom", booking("AFTER_GUESTS_CAL_VIDEO_NO_SHOW", attendees=people))
    assert (await entries(sql)).count("Did not show up") == missed


async def test_a_host_who_did_not_come_leaves_a_task(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await post(client, "calcom", booking("AFTER_HOSTS_CAL_VIDEO_NO_SHOW"))
    assert await entries(sql) == ["The host did not show up"]
    tasks = await sql.scalars(text("SELECT content FROM activities WHERE type = 'task'"))
    assert list(tasks) == ["Rebook: Intro (the host did not show up)"]


async def owner_of(sql: AsyncConnection) -> tuple[str | None, str | None]:
    query = """SELECT o.email, c.owner_source FROM contacts c LEFT JOIN owners o ON o.id = c.owner_id
        WHERE c.email = :email"""
    return tuple((await sql.execute(text(query), {"email": LENA})).one())


async def members(sql: AsyncConnection) -> list[str]:
    query = """SELECT o.email FROM deals d JOIN owners o ON o.id = ANY (d.member_ids) ORDER BY o.email"""
    return list(await sql.scalars(text(query)))


def hosted(by: str, trigger: str = "BOOKING_CREATED", at: str = "2026-01-05T09:00:00.000Z", **more: Any) -> Any:
    return booking(trigger, at, organizer={"email": by, "name": "Host", "timeZone": "UTC"}, **more)


async def test_a_newer_host_takes_over_from_the_host_before(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await post(client, "calcom", hosted(ADA))
    assert await owner_of(sql) == (ADA, "organiser")
    await post(client, "calcom", hosted(BOB, "BOOKING_RESCHEDULED", "2026-01-06T09:00:00.000Z", uid="b-2"))
    assert (await owner_of(sql), await members(sql)) == ((BOB, "organiser"), [])
    query = "SELECT o.email FROM deals d JOIN owners o ON o.id = d.owner_id WHERE d.source = 'calcom'"
    assert list(await sql.scalars(text(query))) == [BOB]


async def test_a_late_booking_does_not_take_over_from_a_newer_host(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await post(client, "calcom", hosted(BOB, at="2026-01-06T09:00:00.000Z", uid="b-2"))
    await post(client, "calcom", hosted(ADA))
    assert (await owner_of(sql))[0] == BOB
    assert await members(sql) == [ADA]  # who has a meeting, too


async def test_the_old_hosts_cancellation_takes_nothing_back(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await post(client, "calcom", hosted(ADA))
    await post(client, "calcom", hosted(BOB, at="2026-01-06T09:00:00.000Z", uid="b-2"))
    await post(client, "calcom", hosted(ADA, "BOOKING_CANCELLED", "2026-01-06T09:00:05.000Z"))
    assert (await owner_of(sql), await members(sql)) == ((BOB, "organiser"), [])


@pytest.mark.parametrize("source", ["mailbox", "person"])
async def test_the_host_becomes_a_member_where_a_mailbox_or_a_person_chose_the_owner(
    source: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await post(client, "calcom", hosted(ADA))
    await sql.execute(text("UPDATE contacts SET owner_source = :s WHERE email = :e"), {"s": source, "e": LENA})
    await post(client, "calcom", hosted(BOB, at="2026-01-06T09:00:00.000Z", uid="b-2"))
    assert (await owner_of(sql), await members(sql)) == ((ADA, source), [BOB])
    await post(client, "calcom", hosted(BOB, at="2026-01-07T09:00:00.000Z", uid="b-3"))
    assert await members(sql) == [BOB]


async def test_a_host_who_is_not_in_the_team_is_no_member(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await post(client, "calcom", hosted(ADA))
    await post(client, "calcom", hosted("someone@else.example", at="2026-01-06T09:00:00.000Z", uid="b-2"))
    assert ((await owner_of(sql))[0], await members(sql)) == (ADA, [])


async def test_a_host_who_only_reads_is_no_member(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await add_owner(sql, "reads@seller.com", role=Role.READONLY)
    await post(client, "calcom", hosted(ADA))
    await sql.execute(text("UPDATE contacts SET owner_source = 'person' WHERE email = :e"), {"e": LENA})
    answer = await post(client, "calcom", hosted("reads@seller.com", at="2026-01-06T09:00:00.000Z", uid="b-2"))
    assert (answer.json()["status"], await members(sql)) == ("ok", [])


async def test_a_deal_with_20_members_takes_no_more_hosts(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await post(client, "calcom", hosted(ADA))
    await sql.execute(text("UPDATE contacts SET owner_source = 'person' WHERE email = :e"), {"e": LENA})
    full = [await add_owner(sql, f"h{i}@seller.com") for i in range(20)]
    await sql.execute(text("UPDATE deals SET member_ids = :m WHERE source = 'calcom'"), {"m": full})
    answer = await post(client, "calcom", hosted(BOB, at="2026-01-06T09:00:00.000Z", uid="b-2"))
    assert answer.json()["status"] == "ok"
    assert len(await members(sql)) == 20
