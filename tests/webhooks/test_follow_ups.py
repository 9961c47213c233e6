"""A meeting that falls through opens a task, once per booking; arranging another one completes it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Role
from tests.support import stored
from tests.support.factories import add_owner
from tests.support.instantly import event, send
from tests.support.webhooks import fixture, post

CREATED, RESCHEDULED, CANCELLED, NO_SHOW = (
    json.loads(fixture("calcom", name))
    for name in ("booking_created", "booking_rescheduled", "booking_cancelled", "booking_no_show_updated")
)
JOHN = "john.doe@example.com"
TASKS = """
    SELECT activities.*, owners.email AS assignee FROM activities LEFT JOIN owners ON owners.id = assignee_id
    WHERE type = 'task' ORDER BY occurred_at, content COLLATE "C"
"""


def booking_event(of: dict[str, Any], day: int, uid: str | None = "one", **fields: Any) -> dict[str, Any]:
    """An event of a day in January about a booking."""
    booking = {"bookingUid" if of is NO_SHOW else "uid": uid}
    return of | {"createdAt": f"2026-01-{day:02}T12:00:00Z", "payload": of["payload"] | booking | fields}


def no_show(day: int, uid: str = "one", *, absent: bool = True) -> dict[str, Any]:
    return booking_event(NO_SHOW, day, uid, attendees=[{"email": JOHN, "noShow": absent}])


async def tasks(sql: AsyncConnection) -> list[Any]:
    """Every task, oldest first."""
    return list((await sql.execute(text(TASKS))).mappings())


async def test_a_cancelled_booking_opens_a_task_on_its_deal(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await add_owner(sql, "ana@seller.com")
    before = datetime.now(UTC)

    await send(client, booking_event(CREATED, 5), booking_event(CANCELLED, 6))

    [task] = await tasks(sql)
    [deal] = await sql.execute(text("SELECT id FROM deals"))
    assert task["content"] == "Rebook: Intro Call between Ana Host and John Doe (cancelled: No longer needed)"
    assert (task["deal_id"], task["contact_id"], task["assignee"]) == (deal.id, None, "ana@seller.com")
    assert (task["occurred_at"], task["completed_at"]) == (datetime(2026, 1, 6, 12, tzinfo=UTC), None)
    assert timedelta(days=1) <= task["due_at"] - before < timedelta(days=1, minutes=1)
    assert (task["created_by"], task["meta_json"]) == (None, {"source": "calcom"})
    assert task["effect_key"].startswith("task:calcom:")


async def test_without_an_open_deal_the_task_is_on_the_contact(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await add_owner(sql, "ana@seller.com", is_default=True)

    await send(client, no_show(6))

    [task] = await tasks(sql)
    contact = await sql.scalar(text("SELECT id FROM contacts"))
    assert (task["contact_id"], task["deal_id"], task["assignee"]) == (contact, None, "ana@seller.com")
    assert task["content"] == "Rebook the meeting (no-show)"


@pytest.mark.parametrize(
    ("payload", "content"),
    [
        ({"cancellationReason": None}, "Rebook: Intro (cancelled)"),
        ({"cancellationReason": " \n "}, "Rebook: Intro (cancelled)"),
        ({"cancellationReason": "no\x00 time\nnow"}, "Rebook: Intro (cancelled: no time now)"),
        ({"title": None, "eventTitle": None}, "Rebook the meeting (cancelled: No longer needed)"),
    ],
    ids=str,
)
async def test_the_text_of_the_task(
    payload: dict[str, Any], content: str, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(client, booking_event(CANCELLED, 6, **{"title": "Intro", **payload}))
    assert [task["content"] for task in await tasks(sql)] == [content]


async def test_one_booking_opens_one_task_whatever_happens_to_it(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(client, booking_event(CREATED, 5))
    await send(
        client,
        no_show(6),
        no_show(7, absent=False),
        no_show(8),
        booking_event(CANCELLED, 9),
        booking_event(CANCELLED, 10),
    )
    assert [task["content"] for task in await tasks(sql)] == ["Rebook the meeting (no-show)"]

    await send(client, booking_event(CANCELLED, 11, "two"))
    await send(
        client, booking_event(CANCELLED, 12, attendees=[{"email": "jane@example.com"}])
    )  # another seat of the first
    assert len(await tasks(sql)) == 3


async def test_concurrent_cancellations_open_one_task(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, booking_event(CREATED, 5))
    posted = [post(client, "calcom", booking_event(CANCELLED, 6 + i)) for i in range(10)]
    posted += [post(client, "calcom", no_show(6 + i)) for i in range(10)]

    assert {answer.json()["status"] for answer in await asyncio.gather(*posted)} == {"ok"}

    assert len(await tasks(sql)) == 1


@pytest.mark.parametrize("of", [CREATED, RESCHEDULED], ids=["made", "rescheduled"])
async def test_a_booking_afterwards_completes_the_tasks(
    of: dict[str, Any], client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(
        client,
        booking_event(CREATED, 5),
        booking_event(CANCELLED, 6),
        booking_event(CREATED, 5, "two"),
        no_show(7, "two"),
    )
    assert [task["completed_at"] for task in await tasks(sql)] == [None, None]

    await send(client, booking_event(of, 8, "three"))

    content = "Meeting booked" if of is CREATED else "Meeting rescheduled"
    found = await tasks(sql)
    for task in found:
        assert task["completed_at"] > task["created_at"]
        assert task["meta_json"]["outcome"] == f"{content}: {of['payload']['title']}"
    entries = list(await sql.execute(text("SELECT * FROM activities WHERE content LIKE 'Task completed: %'")))
    assert {(entry.meta_json["task_id"], entry.content) for entry in entries} == {
        (str(task["id"]), f"Task completed: {task['content']}") for task in found
    }
    assert {(entry.type, entry.deal_id, entry.contact_id) for entry in entries} == {
        ("system", found[0]["deal_id"], None)
    }


async def test_a_booking_completes_the_contacts_task_when_it_opens_the_deal(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(client, booking_event(CANCELLED, 6), booking_event(CREATED, 7, "two"))

    [task] = await tasks(sql)
    assert task["completed_at"] is not None
    [entry] = await sql.execute(text("SELECT * FROM activities WHERE content LIKE 'Task completed%'"))
    assert (entry.contact_id, entry.deal_id) == (task["contact_id"], None)


async def test_the_order_of_arrival_does_not_matter(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, booking_event(CREATED, 7, "two"), booking_event(CANCELLED, 6))
    assert await tasks(sql) == []  # the other meeting was arranged since

    await send(
        client, booking_event(CANCELLED, 9, "two"), booking_event(CREATED, 8, "two-again", attendees=[{"email": JOHN}])
    )
    assert [task["completed_at"] for task in await tasks(sql)] == [None]  # that one fell through later


async def test_a_task_of_a_person_is_not_completed(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, booking_event(CREATED, 5), booking_event(CANCELLED, 6))
    await send(client, booking_event(CANCELLED, 6, "jane's", title="Jane", attendees=[{"email": "jane@example.com"}]))
    copy = "INSERT INTO activities (type, deal_id, content, occurred_at) SELECT 'task', id, 'call', '2026-01-01'"
    await sql.execute(text(f"{copy} FROM deals"))

    await send(client, booking_event(CREATED, 7, "two"))

    assert [task["completed_at"] is None for task in await tasks(sql)] == [True, False, True]


async def test_a_task_that_a_person_completed_stays_as_it_is(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, booking_event(CREATED, 5), booking_event(CANCELLED, 6))
    await sql.execute(text("UPDATE activities SET completed_at = '2026-01-06' WHERE type = 'task'"))
    before = await tasks(sql)

    await send(client, booking_event(CREATED, 7, "two"), booking_event(CANCELLED, 8))

    assert await tasks(sql) == before


async def test_tasks_go_with_the_deal_that_an_event_gives_to_its_organiser(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await add_owner(sql, "default@seller.com", is_default=True)
    await send(
        client,
        no_show(4, "no organiser"),
        booking_event(CREATED, 3, organizer={}),
        booking_event(CANCELLED, 6, organizer={}),
    )
    assert [task["assignee"] for task in await tasks(sql)] == ["default@seller.com"] * 2
    await add_owner(sql, "ana@seller.com")

    await send(client, booking_event(CANCELLED, 7, "three"))

    assert [task["assignee"] for task in await tasks(sql)] == ["ana@seller.com"] * 3
    assert [task["deal_id"] is None for task in await tasks(sql)] == [True, False, False]


@pytest.mark.parametrize("columns", [{"active": False}, {"role": Role.READONLY}], ids=str)
async def test_an_owner_who_cannot_do_the_task_does_not_get_it(
    columns: dict[str, Any], client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    owner = await add_owner(sql, "gone@seller.com", **columns)
    await send(client, booking_event(CREATED, 5))
    await sql.execute(text("UPDATE deals SET owner_id = :owner"), {"owner": owner})

    await send(client, booking_event(CANCELLED, 6))

    assert [task["assignee"] for task in await tasks(sql)] == [None]


async def test_a_deleted_contact_gets_no_task(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, booking_event(CREATED, 5))
    await sql.execute(text("UPDATE contacts SET deleted_at = now()"))
    await send(client, booking_event(CANCELLED, 6))
    assert await tasks(sql) == []


async def test_a_booking_without_a_uid_is_followed_up_all_the_same(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(
        client, booking_event(CREATED, 5), booking_event(CANCELLED, 6, uid=None), booking_event(CREATED, 7, "two")
    )
    assert [task["completed_at"] is None for task in await tasks(sql)] == [False]


async def test_no_show_and_booked_in_instantly(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, event("lead_interested"), event("lead_no_show", "2026-01-08T12:00:00Z"))
    [task] = await tasks(sql)
    assert (task["content"], task["contact_id"], task["completed_at"]) == ("Rebook the meeting (no-show)", None, None)

    await send(client, event("lead_meeting_completed", "2026-01-09T12:00:00Z"))
    assert [task["completed_at"] for task in await tasks(sql)] == [None]
    await send(client, event("lead_meeting_booked", "2026-01-09T12:00:00Z"))
    assert (await tasks(sql))[0]["meta_json"]["outcome"] == "Marked as meeting booked in Instantly"


async def test_a_repeated_event_opens_no_second_task(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, event("lead_no_show"))
    before = await stored.everything(sql)
    assert (await post(client, "instantly", event("lead_no_show"))).json()["status"] == "duplicate"
    assert await stored.everything(sql) == before
