"""Events about persons who were erased: stored without a body, and without any effect."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.domain.contacts import erasure
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.identity.principal import machine
from crm_graph.models import Role, WebhookStatus
from crm_graph.settings import Settings
from crm_graph.values import utc_now
from tests.support import stored
from tests.support.api import Json, send
from tests.support.database import dump, everything, somebody_waits
from tests.support.factories import add_owner
from tests.support.instantly import BOOKING, NORMALISED, REPLY, event
from tests.support.webhooks import fixture, post
from webhooks import event_log, inbox
from webhooks.event_log import NewEvent
from webhooks.mentions import MENTIONS_MAX, mentioned
from webhooks.registry import PROVIDERS

LEAD, OTHER = REPLY["lead_email"], "other@globex.example"
ADMIN = machine("test")
ERASE = "mutation ($in: EraseContactInput!) { eraseContact(input: $in) { erasedContactId } }"
UPSERT = "mutation ($in: UpsertContactInput!) { upsertContact(input: $in) { contact { id } } }"


def no_shows(*emails: str) -> Json:
    """A booking whose attendees did not show up."""
    attendees = [{"email": email, "noShow": True} for email in emails]
    payload = {"bookingUid": "u1", "message": "x", "attendees": attendees}
    return {"triggerEvent": "BOOKING_NO_SHOW_UPDATED", "createdAt": "2026-01-05T10:00:00Z", "payload": payload}


async def erase(database: Database, *emails: str) -> None:
    for email in emails:
        async with database.transaction() as session:
            await erasure.erase(UnitOfWork(session, ADMIN, utc_now()), email=email)


async def but_events(sql: AsyncConnection) -> Any:
    """Every table except the stored events."""
    return {name: rows for name, rows in (await everything(sql)).items() if name != "webhooks_log"}


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("instantly", REPLY),
        ("instantly", event("email_sent")),
        ("instantly", event("email_opened")),
        ("instantly", event("Wants john.doe called")),
        ("instantly", event("reply_received", lead_email=f"John Doe <{LEAD}>", email=None)),
        ("instantly", NORMALISED | {"lead": {"email": f" {LEAD.upper()} "}}),
        ("calcom", BOOKING),
        ("calcom", BOOKING | {"triggerEvent": "BOOKING_PAID"}),
        ("calcom", no_shows(LEAD)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_event_about_an_erased_person_touches_nothing(
    provider: str, body: Json, client: httpx.AsyncClient, sql: AsyncConnection, database: Database
) -> None:
    await erase(database, LEAD)
    before = await but_events(sql)

    answer = await post(client, provider, body)

    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
    assert await but_events(sql) == before
    assert LEAD not in await dump(sql)
    [event_] = await stored.webhooks(sql)
    assert (event_["status"], event_["error"]) == ("ignored", "it is about a person who was erased")
    assert await sql.scalar(text("SELECT length(body) FROM webhooks_log")) == 0
    again = await post(client, provider, body)
    assert again.json()["status"] == "duplicate"


async def test_the_body_of_no_other_event_is_emptied(
    client: httpx.AsyncClient, sql: AsyncConnection, database: Database
) -> None:
    await erase(database, LEAD)
    for number in range(6):
        await post(client, "instantly", event("email_opened", lead_email=f"x{number}@other.example", email=None))

    await post(client, "instantly", REPLY)

    assert await sql.scalar(text("SELECT count(*) FROM webhooks_log WHERE length(body) = 0")) == 1


async def test_a_key_that_names_the_person_is_not_kept(
    client: httpx.AsyncClient, sql: AsyncConnection, database: Database
) -> None:
    await erase(database, LEAD)

    first = await post(client, "instantly", REPLY, **{"Idempotency-Key": f"reply of {LEAD.upper()}"})
    again = await post(client, "instantly", REPLY, **{"Idempotency-Key": f"reply of {LEAD.upper()}"})

    assert first.json()["status"] == "ignored"
    assert (again.status_code, again.json()["status"]) == (409, "duplicate")
    assert LEAD not in await dump(sql)


async def test_other_persons_in_the_event_are_applied(
    client: httpx.AsyncClient, sql: AsyncConnection, database: Database
) -> None:
    await erase(database, LEAD)

    answer = await post(client, "calcom", no_shows(LEAD, OTHER))

    assert answer.json()["status"] == "ok"
    assert [contact["email"] for contact in await stored.contacts(sql)] == [OTHER]
    assert {entry["contact"] for entry in await stored.activities(sql)} == {OTHER}
    assert LEAD not in await dump(sql)


async def test_an_event_about_several_persons_is_emptied_with_each_of_them(
    client: httpx.AsyncClient, sql: AsyncConnection, database: Database
) -> None:
    await post(client, "calcom", no_shows(LEAD, OTHER))

    await erase(database, OTHER)

    assert OTHER not in await dump(sql)
    assert {contact["email"] for contact in await stored.contacts(sql)} >= {LEAD}
    [event_] = await stored.webhooks(sql)
    assert event_["status"] == "processed"


async def test_an_event_that_waits_for_a_replay_is_ignored_after_the_erasure(
    client: httpx.AsyncClient, sql: AsyncConnection, database: Database, settings: Settings
) -> None:
    await sql.execute(text("UPDATE pipeline_stages SET key = 'elsewhere' WHERE key = 'qualified'"))
    try:
        failed = await post(client, "instantly", REPLY)
    finally:
        await sql.execute(text("UPDATE pipeline_stages SET key = 'qualified' WHERE key = 'elsewhere'"))
    await post(client, "instantly", event("email_opened", lead_email=OTHER))
    assert failed.json()["status"] == "stored"

    await erase(database, LEAD)

    assert [one["status"] for one in await stored.webhooks(sql)] == ["ignored", "ignored"]
    assert (await post(client, "instantly", REPLY)).json()["status"] == "duplicate"
    since = utc_now().replace(year=2020)
    replayed = await inbox.replay_since(database, settings, WebhookStatus.IGNORED, since, utc_now(), 10)
    assert [result.status for result in replayed] == [inbox.ResultStatus.IGNORED]  # the other one's
    assert LEAD not in await dump(sql)


async def test_a_body_under_a_reused_key_is_emptied_too(
    client: httpx.AsyncClient, sql: AsyncConnection, database: Database
) -> None:
    for body in (event("email_opened", lead_email=OTHER), REPLY):
        await post(client, "instantly", body, **{"Idempotency-Key": "one for two"})
    assert LEAD in await dump(sql)

    await erase(database, LEAD)

    assert LEAD not in await dump(sql)


async def test_a_person_who_comes_back_is_a_new_contact(
    client: httpx.AsyncClient, sql: AsyncConnection, database: Database
) -> None:
    await post(client, "instantly", REPLY)
    await erase(database, LEAD)
    async with database.transaction() as session:
        assert await erasure.lift_suppression(UnitOfWork(session, ADMIN, utc_now()), email=LEAD)

    answer = await post(client, "instantly", event("email_sent"))

    assert answer.json()["status"] == "ok"
    assert [contact["full_name"] for contact in await stored.contacts(sql)] == [None, "John"]


@pytest.fixture
async def root(sql: AsyncConnection, client: httpx.AsyncClient) -> str:
    """An admin, by id: the application, which lives longer than a test, knows owners by their addresses for a while."""
    return str(await add_owner(sql, "root@seller.com", role=Role.ADMIN))


async def test_an_event_during_an_erasure_has_no_effect(
    client: httpx.AsyncClient, sql: AsyncConnection, database: Database
) -> None:
    await post(client, "instantly", REPLY)
    async with database.transaction() as session:
        await erasure.erase(UnitOfWork(session, ADMIN, utc_now()), email=LEAD)
        arriving = [post(client, "instantly", event(name)) for name in ("email_sent", "email_opened")]
        tasks = [asyncio.create_task(one) for one in arriving]
        await somebody_waits(sql, len(tasks))
    answers = [(await task).json()["status"] for task in tasks]

    assert answers == ["ignored", "ignored"]
    assert LEAD not in await dump(sql)


async def test_an_erasure_during_an_event_erases_the_event_too(
    client: httpx.AsyncClient, root: str, sql: AsyncConnection, database: Database
) -> None:
    body = fixture("instantly", "email_opened")
    async with database.transaction() as session:
        new = NewEvent(uuid.uuid4(), "instantly", "email_opened", "k", None, body, utc_now())
        assert await event_log.store(session, new)
        found = event_log.stored_event(new, PROVIDERS["instantly"])
        await event_log.record_result(session, found, WebhookStatus.IGNORED, utc_now())
        erasing = asyncio.create_task(send(client, root, ERASE, **{"in": {"email": LEAD}}))
        await somebody_waits(sql)
    assert "errors" not in (await erasing).json()

    assert LEAD not in await dump(sql)


async def test_a_storm_of_events_and_upserts_around_an_erasure_leaves_nothing(
    client: httpx.AsyncClient, root: str, sql: AsyncConnection
) -> None:
    await post(client, "instantly", REPLY)
    names = ("email_sent", "email_opened", "reply_received", "link_clicked")
    sent = [event(names[i % 4], f"2026-01-06T12:00:{i:02}Z") for i in range(16)]
    calls: list[Any] = [post(client, "instantly", one) for one in sent]
    calls += [send(client, root, UPSERT, **{"in": {"email": LEAD, "fullName": "John Doe"}}) for _ in range(8)]
    calls.insert(6, send(client, root, ERASE, **{"in": {"email": LEAD}}))

    answers = [answer.json() for answer in await asyncio.gather(*calls)]

    codes = {error["extensions"]["code"] for answer in answers for error in answer.get("errors", [])}
    assert codes <= {"CONFLICT"}
    assert {answer["status"] for answer in answers if "status" in answer} <= {"ok", "ignored"}
    left = await dump(sql)
    assert [secret for secret in (LEAD, "john", "doe@") if secret in left] == []


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({"email": " John.Doe@Example.COM "}, {"john.doe@example.com"}),
        ({"a": [{"b": ["x@y.example", 1, None, True]}]}, {"x@y.example"}),
        ({"text": "Ask 'bob@y.example', or <mailto:eve@z.example>."}, {"bob@y.example", "eve@z.example"}),
        ({"text": "see http://x.example/?to=a@b.example&cc=c@d.example"}, {"a@b.example", "c@d.example"}),
        ({"email": "o'brien@y.example"}, {"o'brien@y.example"}),
        ({"email": "max@müller.example"}, {"max@xn--mller-kva.example"}),
        ({"text": "nobody @ all, @handle, a@"}, set()),
    ],
)
def test_addresses_are_found_anywhere_in_a_payload(payload: Any, found: set[str]) -> None:
    assert mentioned(payload) == found


def test_the_search_for_addresses_is_limited() -> None:
    deep: Any = "deep@y.example"
    for _ in range(50_000):
        deep = [deep]
    assert mentioned(deep) == {"deep@y.example"}
    assert len(mentioned({"text": " ".join(f"a{i}@y.example" for i in range(5_000))})) <= MENTIONS_MAX + 1
