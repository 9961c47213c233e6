"""The contact that an event of Instantly is about, and its owner."""

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Role
from tests.support import stored
from tests.support.factories import add_owner
from tests.support.instantly import BOOKING, NORMALISED, REPLY, contact, event, send, stages
from tests.support.webhooks import post


async def test_the_lead_is_taken_from_the_documented_key(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, REPLY | {"email": "shadow@elsewhere.example", "idempotency_key": "x", "event": "y", "Rank": 7})
    found = await contact(sql)
    assert found["email"] == "john.doe@example.com"
    assert found["custom"] == {"Rank": 7, "event": "y", "idempotency_key": "x"}


async def test_a_lead_without_the_documented_key_is_found_by_the_variable(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(client, REPLY | {"lead_email": "", "email": " John.Doe@EXAMPLE.com "})
    assert (await contact(sql))["email"] == "john.doe@example.com"


async def test_variables_of_any_type(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    variables = {"a": True, "b": 1.5, "c": "", "d": None, "e": {"x": 1}, "f": [1], "g\x00": "h\x00\ud800", "": "i"}
    body = json.dumps(REPLY | variables).encode()[:-1] + b', "huge": 1e999}'
    answer = await post(client, "instantly", body)
    assert answer.json()["status"] == "ok"
    assert (await contact(sql))["custom"] == {"a": True, "b": 1.5, "g": "h"}


async def test_too_many_variables_are_cut(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, REPLY | {f"v{i}": i for i in range(5_000)})
    assert len((await contact(sql))["custom"]) == 250  # the other half is for people


async def test_nul_and_surrogates_are_removed_everywhere(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    dirty = {key: f"\x00{value}\ud800" if isinstance(value, str) else value for key, value in REPLY.items()}
    body = json.dumps(dirty | {"event_type": "reply_received"})
    answer = await post(client, "instantly", body.encode())
    assert answer.json()["status"] == "ok"
    found = await contact(sql)
    assert (found["email"], found["full_name"], found["reply_status"]) == (
        "john.doe@example.com",
        "John Doe",
        "interested",
    )
    assert await sql.scalar(text("SELECT body FROM webhooks_log")) == body.encode()


async def test_an_event_only_fills_what_is_empty(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, REPLY)
    await sql.execute(text("""UPDATE contacts SET full_name = 'Johnny', custom = '{"Rank": 1}'"""))
    await send(client, event("email_sent", firstName="X", phone="+49 1", Rank=2, Size=3))
    found = await contact(sql)
    assert (found["full_name"], found["phone"], found["custom"]) == ("Johnny", "+49 1", {"Rank": 1, "Size": 3})


async def test_a_further_address_finds_its_contact(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, REPLY)
    await sql.execute(text("INSERT INTO contact_emails (email, contact_id) SELECT 'jd@old.example', id FROM contacts"))
    await send(client, event("email_sent", lead_email="jd@old.example"))
    assert (await contact(sql))["email"] == "john.doe@example.com"
    about = [activity["contact"] for activity in await stored.activities(sql) if activity["contact"]]
    assert about == ["john.doe@example.com"] * 2


async def test_a_company_of_emoji_alone_is_known_by_its_domain(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, REPLY | {"companyName": "🚀"})
    assert (await contact(sql))["company"] == "🚀"


@pytest.mark.parametrize(
    ("email", "name", "company"),
    [
        ("a@gmail.com", "", None),
        ("a@gmail.com", "Acme", "Acme"),
        ("a@acme.com", "", "acme.com"),
        ("a@acme.com", "Acme", "Acme"),
    ],
)
async def test_the_company(
    email: str, name: str, company: str | None, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(client, REPLY | {"lead_email": email, "companyName": name})
    assert (await contact(sql))["company"] == company


async def test_a_deleted_contact_stays_deleted_and_gets_no_deal(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(client, event("email_sent"))
    await sql.execute(text("UPDATE contacts SET deleted_at = now()"))
    await send(client, REPLY, BOOKING)
    assert await stages(sql) == []
    assert await sql.scalar(text("SELECT deleted_at FROM contacts")) is not None


# Owners


async def test_the_sending_mailbox_decides_the_owner(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await add_owner(sql, "max@crm.example", mailboxes=("max@sender.com",))
    await add_owner(sql, "boss@crm.example", role=Role.ADMIN, is_default=True)
    await send(client, REPLY)
    found = await contact(sql)
    assert (found["owner"], found["owner_source"]) == ("max@crm.example", "mailbox")
    assert [deal["owner"] for deal in await stored.deals(sql)] == ["max@crm.example"]


async def test_the_owner_s_own_address_is_a_mailbox_too(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await add_owner(sql, "max@sender.com")
    await send(client, NORMALISED | {"email_account": "MAX@Sender.com"})
    assert (await contact(sql))["owner"] == "max@sender.com"


@pytest.mark.parametrize("account", [None, "", "stranger@sender.com", "no address", 5])
async def test_an_unknown_mailbox_means_the_default_owner(
    account: Any, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await add_owner(sql, "boss@crm.example", is_default=True)
    await send(client, REPLY | {"email_account": account})
    found = await contact(sql)
    assert (found["owner"], found["owner_source"]) == ("boss@crm.example", "default")


async def test_without_a_default_owner_a_lead_is_in_the_pool(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await add_owner(sql, "max@sender.com", active=False)
    await send(client, REPLY)
    found = await contact(sql)
    assert (found["owner"], found["owner_source"]) == (None, None)


@pytest.mark.parametrize(
    ("owner", "source", "taken_over"),
    [
        (None, None, True),
        ("boss@crm.example", "default", True),
        ("boss@crm.example", "person", False),
        ("boss@crm.example", "mailbox", False),
        ("left@crm.example", "person", True),
    ],
)
async def test_a_mailbox_never_replaces_a_person_s_choice(
    owner: str | None,
    source: str | None,
    taken_over: bool,
    client: httpx.AsyncClient,
    sql: AsyncConnection,
) -> None:
    await add_owner(sql, "max@sender.com")
    await add_owner(sql, "boss@crm.example", is_default=True)
    await add_owner(sql, "left@crm.example", active=False)
    await send(client, REPLY | {"email_account": ""})
    given = "SELECT id FROM owners WHERE email = :owner"
    values = {"owner": owner, "source": source}
    await sql.execute(text(f"UPDATE contacts SET owner_id = ({given}), owner_source = :source"), values)
    await sql.execute(text(f"UPDATE deals SET owner_id = ({given})"), {"owner": owner})

    await send(client, event("email_sent"))

    found = await contact(sql)
    expected = ("max@sender.com", "mailbox") if taken_over else (owner, source)
    assert (found["owner"], found["owner_source"]) == expected
    assert [deal["owner"] for deal in await stored.deals(sql)] == [expected[0]]


async def test_an_open_deal_follows_its_contact_to_the_new_owner_and_emits_that(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(client, REPLY | {"email_account": ""})
    columns = "contact_id, pipeline_id, stage_id, status, currency, rank"
    gone = f"INSERT INTO deals (title, deleted_at, {columns}) SELECT 'Deleted', now(), {columns} FROM deals"
    await sql.execute(text(gone))
    max_ = await add_owner(sql, "max@sender.com")

    await send(client, event("email_sent"))

    found = await sql.execute(text("SELECT deleted_at IS NULL AS is_live, owner_id, version FROM deals ORDER BY 1"))
    assert [tuple(row) for row in found] == [(False, None, 1), (True, max_, 2)]
    entries = "SELECT meta_json FROM activities WHERE content = 'Deal changed: owner_id' AND contact_id IS NULL"
    changes = {"owner_id": {"old": None, "new": str(max_)}}
    assert (await sql.scalars(text(entries))).all() == [{"source": "instantly", "changes": changes}]
