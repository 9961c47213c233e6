"""Who the contact of a booking is: by address, by an id in the link, and when there are very many attendees."""

import json
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support import stored
from tests.support.webhooks import fixture, post
from webhooks.calcom import booking

CREATED = json.loads(fixture("calcom", "booking_created"))
NO_SHOW = json.loads(fixture("calcom", "booking_no_show_updated"))
FORM = json.loads(fixture("calcom", "form_submitted"))
JOHN, JANE = ({"email": f"{name}@example.com", "name": name.title()} for name in ("john", "jane"))
ANA, OPS = ({"email": email} for email in ("ana@seller.com", "ops@mail.SELLER.com"))


def booked(event: dict[str, Any] = CREATED, **fields: Any) -> dict[str, Any]:
    """A booking with other values in its payload."""
    return event | {"payload": event["payload"] | fields}


async def send(client: httpx.AsyncClient, event: dict[str, Any], status: str = "ok") -> None:
    answer = await post(client, "calcom", event)
    assert (answer.status_code, answer.json()["status"]) == (200, status), answer.text


async def emails(sql: AsyncConnection) -> list[str]:
    return [contact["email"] for contact in await stored.contacts(sql)]


@pytest.mark.parametrize(
    ("attendees", "booker"),
    [
        ([JOHN, JANE], "john@example.com"),
        ([ANA, JANE, JOHN], "jane@example.com"),
        ([OPS, JANE], "jane@example.com"),
        ([{"email": None}, "x", JOHN], "john@example.com"),
        ([], "john.doe@example.com"),  # a hidden seat: only the answers name the booker
    ],
    ids=str,
)
async def test_the_booker_is_the_first_from_outside(
    attendees: list[Any], booker: str, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(client, booked(attendees=attendees))
    assert await emails(sql) == [booker]


async def test_the_team_s_own_meetings_are_ignored(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, booked(attendees=[ANA, OPS]), "ignored")
    await send(client, booked(NO_SHOW, attendees=[ANA | {"noShow": True}]), "ignored")
    form = json.loads(json.dumps(FORM).replace("elif@tekno.example", "ana@seller.com"))
    await send(client, form, "ignored")
    assert await emails(sql) == []


async def test_a_contact_in_the_metadata_wins_over_the_address(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, booked(attendees=[JOHN]))
    known = await sql.scalar(text("SELECT id FROM contacts"))
    for i, name in enumerate(("contact_id", "contactId")):
        await send(client, booked(attendees=[JANE], uid=f"u{i}", metadata={name: str(known)}))
    assert await emails(sql) == ["john@example.com"]
    assert len(await stored.deals(sql)) == 1

    unknown: list[Any] = [str(uuid.uuid4()), "x", 5, None, []]
    for i, wrong in enumerate(unknown):
        await send(client, booked(attendees=[JANE], uid=f"w{i}", metadata={"contact_id": wrong}))
    assert await emails(sql) == ["jane@example.com", "john@example.com"]


async def test_a_deleted_contact_in_the_metadata_does_not_count(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(client, booked(attendees=[JOHN]))
    known = await sql.scalar(text("UPDATE contacts SET deleted_at = now() RETURNING id"))
    await send(client, booked(attendees=[JANE], uid="other", metadata={"contact_id": str(known)}))
    assert await emails(sql) == ["jane@example.com", "john@example.com"]


async def test_a_known_person_never_books_as_another(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    """The booker writes the link, and so the id in it: John's deal must not move because Jane names John."""
    await send(client, booked(attendees=[JOHN]))
    await send(client, booked(attendees=[JANE], uid="janes"))
    await sql.execute(text("UPDATE deals SET stage_id = (SELECT id FROM pipeline_stages WHERE key = 'new')"))
    await sql.execute(
        text("INSERT INTO contact_emails SELECT 'jane@home.example', id FROM contacts WHERE email = 'jane@example.com'")
    )
    john = await sql.scalar(text("SELECT id FROM contacts WHERE email = 'john@example.com'"))

    for i, address in enumerate(("jane@example.com", "JANE@home.example")):
        event = booked(attendees=[{"email": address}], uid=f"forged{i}", metadata={"contact_id": str(john)})
        await send(client, event)

    assert {deal["contact"]: deal["stage"] for deal in await stored.deals(sql)} == {
        "john@example.com": "new",
        "jane@example.com": "meeting_scheduled",
    }
    entries = [entry["contact"] for entry in await stored.activities(sql) if entry["type"] == "meeting"]
    assert entries.count("john@example.com") == 1


async def test_an_address_that_only_a_deleted_contact_has_is_not_known(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(client, booked(attendees=[JANE]))
    await sql.execute(text("UPDATE contacts SET deleted_at = now()"))
    await send(client, booked(attendees=[JOHN], uid="johns"))
    john = await sql.scalar(text("SELECT id FROM contacts WHERE email = 'john@example.com'"))

    await send(client, booked(attendees=[JANE], uid="by-id", metadata={"contact_id": str(john)}))

    entries = [entry["contact"] for entry in await stored.activities(sql) if entry["type"] == "meeting"]
    assert sorted(entries) == ["jane@example.com", "john@example.com", "john@example.com"]


@pytest.mark.parametrize("event", [CREATED, NO_SHOW], ids=["created", "no-show"])
async def test_an_event_with_very_many_attendees_is_read_to_a_limit(
    event: dict[str, Any], client: httpx.AsyncClient, sql: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(booking, "ATTENDEES_MAX", 10)
    crowd = [{"email": None}, *({"email": f"p{n:05}@example.com", "noShow": True} for n in range(9_999))]

    await send(client, booked(event, attendees=crowd))

    known = await emails(sql)
    assert known == [f"p{n:05}@example.com" for n in range(1 if event is CREATED else 10)]
    entries = [entry["content"] for entry in await stored.activities(sql) if entry["type"] in ("meeting", "no_show")]
    note = "\nThe event names 10,000 attendees; the first 10 with an e-mail address count."
    assert len(entries) == len(known)
    assert all(entry.endswith(note) for entry in entries)


async def test_as_many_attendees_as_are_read_need_no_note(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    team = [{"email": f"p{n}@seller.com"} for n in range(99)]

    await send(client, booked(attendees=[*team, JOHN]))
    await send(client, booked(attendees=[*team, ANA, JOHN], uid="other"), "ignored")

    [meeting] = [entry for entry in await stored.activities(sql) if entry["type"] == "meeting"]
    assert (meeting["contact"], "attendees" in meeting["content"]) == ("john@example.com", False)
