"""Effects of Cal.com's triggers: the booker, the deal that moves, and what overlapping subscriptions may not repeat."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from tests.support import stored
from tests.support.factories import add_owner
from tests.support.webhooks import fixture, post

CREATED = json.loads(fixture("calcom", "booking_created"))
RESCHEDULED = json.loads(fixture("calcom", "booking_rescheduled"))
NO_SHOW = json.loads(fixture("calcom", "booking_no_show_updated"))
STARTED = json.loads(fixture("calcom", "meeting_started"))
FORM = json.loads(fixture("calcom", "form_submitted"))
NORMALISED = json.loads(fixture("calcom", "normalised_booking"))
JOHN, JANE = ({"email": f"{name}@example.com", "name": name.title()} for name in ("john", "jane"))
ANA, OPS = ({"email": email} for email in ("ana@seller.com", "ops@mail.SELLER.com"))


def booked(event: dict[str, Any] = CREATED, *, at: str | None = None, **fields: Any) -> dict[str, Any]:
    """A booking with other values in its payload."""
    created_at = {} if at is None else {"createdAt": at}
    return event | created_at | {"payload": event["payload"] | fields}


async def send(client: httpx.AsyncClient, event: dict[str, Any], status: str = "ok") -> None:
    answer = await post(client, "calcom", event)
    assert (answer.status_code, answer.json()["status"]) == (200, status), answer.text


async def emails(sql: AsyncConnection) -> list[str]:
    return [contact["email"] for contact in await stored.contacts(sql)]


async def meetings(sql: AsyncConnection) -> list[str]:
    return [a["meta"]["event"] for a in await stored.activities(sql) if a["type"] in ("meeting", "no_show")]


@pytest.fixture
async def choosy(database: Database, settings: Settings, clean: None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application with CALCOM_EVENT_TYPES set to intro calls."""
    app = create_app(settings.model_copy(update={"calcom_event_types": ("intro-call",)}), database)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://crm.test") as opened:
        yield opened


# The organiser


async def test_the_organiser_owns_the_contact(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await add_owner(sql, "ana@crm.example", mailboxes=("ana@seller.com",))
    for i, event in enumerate((CREATED, STARTED)):
        body = json.dumps(event).replace("john.doe@", f"john{i}@")
        assert (await post(client, "calcom", body.encode())).json()["status"] == "ok"
    found = [(contact["owner"], contact["owner_source"]) for contact in await stored.contacts(sql)]
    assert found == [("ana@crm.example", "organiser")] * 2


# Event types


async def test_other_bookings_than_sales_are_ignored(choosy: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(choosy, booked(type="support", uid="other"), "ignored")
    assert await stored.counts(sql) == (1, 0, 0, 0)
    await send(choosy, CREATED)
    assert await emails(sql) == ["john.doe@example.com"]


async def test_an_event_without_an_event_type_is_for_known_contacts(
    choosy: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(choosy, STARTED, "ignored")
    await send(choosy, NO_SHOW, "ignored")
    assert await stored.counts(sql) == (2, 0, 0, 0)
    await send(choosy, CREATED)
    await send(choosy, STARTED, "duplicate")
    await send(choosy, STARTED | {"createdAt": "2026-01-05T16:30:01Z"})
    assert sorted(await meetings(sql)) == ["BOOKING_CREATED", "MEETING_STARTED"]
    await send(choosy, NORMALISED)


# Once


async def test_overlapping_subscriptions_have_one_effect(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, CREATED)
    before = await stored.everything(sql)
    await send(client, booked(at="2026-01-05T16:30:00.600Z"))
    after = await stored.everything(sql)
    assert [len(after[kind]) for kind in after] == [2, *(len(before[kind]) for kind in list(before)[1:])]
    assert after["activities"] == before["activities"]


async def test_an_overlapping_event_does_not_move_a_deal_again(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, CREATED)
    await sql.execute(text("UPDATE deals SET stage_id = (SELECT id FROM pipeline_stages WHERE key = 'contacted')"))
    await send(client, booked(at="2026-01-05T16:30:00.600Z"))
    assert [deal["stage"] for deal in await stored.deals(sql)] == ["contacted"]


async def test_the_seats_of_one_event_are_several_people(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, booked(attendees=[JOHN]))
    await send(client, booked(attendees=[JANE]))  # same uid, same createdAt
    assert await emails(sql) == ["jane@example.com", "john@example.com"]
    assert len(await meetings(sql)) == 2
    assert len(await stored.deals(sql)) == 2


async def test_a_no_show_toggles(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    def mark(at: str, **marks: bool) -> dict[str, Any]:
        people = [{"email": f"{name}@example.com", "noShow": absent} for name, absent in marks.items()]
        return booked(NO_SHOW, at=at, attendees=people)

    for at, absent in (("2026-01-01T10:00:00Z", True), ("2026-01-01T10:01:00Z", False), ("2026-01-01T10:02:00Z", True)):
        await send(client, mark(at, john=absent))
    await send(client, mark("2026-01-01T10:02:00Z", john=True), "duplicate")
    await send(client, mark("2026-01-01T10:03:00Z", john=True, jane=False, ana=True))

    found = [entry for entry in await stored.activities(sql) if entry["type"] == "no_show"]
    entries = [(entry["contact"][:4], entry["meta"]["no_show"]) for entry in found]
    assert entries[:3] == [("john", True), ("john", False), ("john", True)]
    assert sorted(entries[3:]) == [("ana@", True), ("jane", False), ("john", True)]
    assert await stored.deals(sql) == []


async def test_the_same_form_twice_in_one_moment(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    """Forms have no uid: the answers of two people must not count as one event."""
    other = json.loads(json.dumps(FORM).replace("elif@", "can@"))
    await send(client, FORM)
    await send(client, other)
    await send(client, FORM, "duplicate")
    assert await emails(sql) == ["can@tekno.example", "elif@tekno.example"]


# Deals


async def test_rescheduled_has_a_new_uid_and_leaves_one_deal(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, CREATED)
    await send(client, RESCHEDULED)
    assert sorted(await meetings(sql)) == ["BOOKING_CREATED", "BOOKING_RESCHEDULED"]
    assert [deal["stage"] for deal in await stored.deals(sql)] == ["meeting_scheduled"]


async def test_cancelled_moves_nothing_back(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, CREATED)
    cancelled = json.loads(fixture("calcom", "booking_cancelled"))
    await send(client, booked(cancelled, uid=CREATED["payload"]["uid"]))
    assert [(deal["stage"], deal["status"]) for deal in await stored.deals(sql)] == [("meeting_scheduled", "open")]


async def test_a_request_opens_no_deal_until_it_is_confirmed(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, json.loads(fixture("calcom", "booking_requested")))
    assert await stored.deals(sql) == []
    await send(client, CREATED)
    assert len(await stored.deals(sql)) == 1


async def test_the_newest_open_deal_moves(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, CREATED)
    copy = """
        INSERT INTO deals (title, contact_id, pipeline_id, stage_id, currency, status, rank, created_at, updated_at)
        SELECT :title, contact_id, deals.pipeline_id, stage.id, 'USD', stage.kind, 'a0', CAST(:at AS text)::timestamptz,
               now() FROM deals JOIN pipeline_stages stage ON stage.key = :stage LIMIT 1
    """
    for title, stage, at in (
        ("older", "new", "2090-01-01"),
        ("newest open", "new", "2091-01-01"),
        ("newer, lost", "lost", "2092-01-01"),
    ):
        await sql.execute(text(copy), {"title": title, "stage": stage, "at": at})
    await send(client, RESCHEDULED)
    found = {deal["title"]: deal["stage"] for deal in await stored.deals(sql)}
    assert (found["older"], found["newest open"], found["newer, lost"]) == ("new", "meeting_scheduled", "lost")


async def test_the_metadata_names_the_pipeline(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    pipeline = await sql.scalar(text("INSERT INTO pipelines (name) VALUES ('Partners') RETURNING id"))
    await sql.execute(
        text(
            "INSERT INTO pipeline_stages (pipeline_id, key, name, order_index, probability, kind) "
            "VALUES (:id, 'meeting_scheduled', 'Talking', 1, 0.5, 'open')"
        ),
        {"id": pipeline},
    )
    try:
        await send(client, booked(metadata={"pipeline": "Partners"}))
        assert [deal["pipeline"] for deal in await stored.deals(sql)] == ["Partners"]
    finally:
        for table in ("deal_stage_history", "activities", "deals", "pipeline_stages", "pipelines"):
            where = {"pipelines": "id = :id", "pipeline_stages": "pipeline_id = :id"}.get(table, ":id = :id")
            await sql.execute(text(f"DELETE FROM {table} WHERE {where}"), {"id": pipeline})


async def test_an_unknown_pipeline_is_noted_on_the_timeline(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, booked(metadata={"pipeline": "Nowhere"}))
    assert [deal["pipeline"] for deal in await stored.deals(sql)] == ["Default Sales"]
    [meeting] = [a["content"] for a in await stored.activities(sql) if a["type"] == "meeting"]
    assert "no pipeline 'Nowhere'" in meeting


# Shapes


@pytest.mark.parametrize("at", ["2026-01-05T16:30:00Z", "2026-01-05T16:30:00.000Z", "2026-01-05T17:30:00+01:00"])
async def test_times_come_in_three_forms(at: str, client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, booked(at=at, price=None))
    assert {activity["occurred_at"] for activity in await stored.activities(sql)} == {"2026-01-05T16:30:00Z"}


@pytest.mark.parametrize("flat", [True, False])
async def test_a_meeting_s_time_is_its_start(flat: bool, client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    """createdAt is the booking's. Newer versions of Cal.com nest these events as well."""
    nested = {key: value for key, value in STARTED.items() if key != "triggerEvent"}
    event = STARTED if flat else {"triggerEvent": "MEETING_STARTED", "createdAt": "2026-01-05Z", "payload": nested}
    await send(client, event)
    assert [activity["occurred_at"] for activity in await stored.activities(sql)] == ["2026-01-12T10:00:00Z"]


@pytest.mark.parametrize(
    "responses",
    [
        {"Email": "elif@tekno.example"},
        {"a": {"label": "Your e-mail?", "value": "elif@tekno.example"}, "b": {"value": "x@boss.example"}},
        {"q1": {"label": "E-posta", "value": " Elif@TEKNO.example "}},
        {"q1": {"label": "How can we reach you", "response": "elif@tekno.example"}},
        {"q1": {"value": ["elif@tekno.example"]}, "q2": {"value": {"label": "x", "id": 5}}, "q3": None, "q4": [[[]]]},
    ],
    ids=str,
)
async def test_the_address_in_a_form(responses: Any, client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, booked(FORM, responses=responses))
    assert await emails(sql) == ["elif@tekno.example"]


async def test_the_name_in_a_form(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    answers = {"e": "elif@tekno.example", "x": {"label": "Ad", "value": "Elif"}, "y": {"label": "SOYAD", "value": "Su"}}
    await send(client, booked(FORM, responses=answers))
    assert [contact["full_name"] for contact in await stored.contacts(sql)] == ["Elif Su"]
