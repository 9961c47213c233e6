"""What Instantly's events do to contacts and deals: identity, owners, status rules, deals that only move forward."""

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.intent import REVIEW_THRESHOLD, classify
from crm_graph.models import Role
from tests.builders import add_owner, fixture, post
from tests.webhooks import stored

REPLY = json.loads(fixture("instantly", "reply_received"))
NORMALISED = json.loads(fixture("instantly", "normalised_reply"))
BOOKING = json.loads(fixture("calcom", "booking_created"))
LEAD = {key: REPLY[key] for key in ("campaign_id", "campaign_name", "lead_email", "email_account", "firstName")}


def event(type: str, at: str = "2026-01-06T12:00:00Z", **more: Any) -> dict[str, Any]:
    """An event about the lead of REPLY, a day later unless said otherwise."""
    return LEAD | {"event_type": type, "timestamp": at} | more


async def send(client: httpx.AsyncClient, *events: dict[str, Any]) -> None:
    for one in events:
        answer = await post(client, "calcom" if "triggerEvent" in one else "instantly", one)
        assert answer.json()["status"] == "ok", answer.text


async def contact(sql: AsyncConnection) -> dict[str, Any]:
    [found] = await stored.contacts(sql)
    return found


async def stages(sql: AsyncConnection) -> list[str]:
    return [deal["stage"] for deal in await stored.deals(sql)]


# Identity


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
    assert len((await contact(sql))["custom"]) == 200


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
    assert [activity["contact"] for activity in await stored.activities(sql)] == ["john.doe@example.com"] * 3


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


async def test_the_sending_mailbox_decides_whose_a_lead_is(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
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
async def test_a_mailbox_never_takes_what_a_person_gave(
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


# Status


@pytest.mark.parametrize(
    ("source", "status", "then", "stays"),
    [
        ("person", "question", event("lead_interested"), True),
        ("person", "interested", event("lead_unsubscribed"), True),
        ("person", "interested", event("email_bounced"), True),
        ("provider", "neutral", event("lead_interested"), False),
        ("provider", "neutral", event("reply_received", reply_text="Please remove me from your list."), True),
        ("model", "neutral", event("reply_received", reply_text="Please remove me from your list."), True),
        ("rules", "neutral", event("reply_received", reply_text="Please remove me from your list."), False),
        ("rules", "interested", event("lead_not_interested", "2026-01-05T10:00:00Z"), True),
        ("rules", "interested", event("auto_reply_received", reply_text="I am away."), True),
        ("provider", "neutral", event("lead_out_of_office"), True),
    ],
    ids=str,
)
async def test_who_may_overwrite_whom(
    source: str, status: str, then: dict[str, Any], stays: bool, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(client, event("email_sent", "2026-01-05T12:00:00Z"))
    update = "UPDATE contacts SET reply_status = :status, reply_status_source = :source, reply_status_at = :at"
    values = {"status": status, "source": source, "at": "2026-01-05T16:00:00Z"}
    await sql.execute(text(f"{update.replace(':at', 'CAST(:at AS text)::timestamptz')}"), values)

    await send(client, then)

    found = await contact(sql)
    assert (found["reply_status"] == status) == stays
    assert (found["reply_status_source"] == source) == (stays or source == "rules" or source == "provider")


async def test_unsubscribed_closes_the_contact_whatever_a_person_set(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(client, event("email_sent"))
    await sql.execute(text("UPDATE contacts SET reply_status = 'interested', reply_status_source = 'person'"))
    await send(client, event("lead_unsubscribed"))
    found = await contact(sql)
    assert (found["reply_status"], found["do_not_contact"]) == ("interested", True)


@pytest.mark.parametrize("backwards", [False, True])
async def test_unsubscribed_and_interested_in_either_order(
    backwards: bool, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    wants, leaves = event("lead_interested", "2026-01-06T08:00:00Z"), event("lead_unsubscribed", "2026-01-06T09:00:00Z")
    await send(client, *((leaves, wants) if backwards else (wants, leaves)))
    found = await contact(sql)
    assert (found["reply_status"], found["do_not_contact"]) == ("unsubscribed", True)
    assert await stages(sql) == ([] if backwards else ["qualified"])


@pytest.mark.parametrize("backwards", [False, True])
async def test_reply_and_booking_in_either_order(
    backwards: bool, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await send(client, *((BOOKING, REPLY) if backwards else (REPLY, BOOKING)))
    assert await stages(sql) == ["meeting_scheduled"]
    assert (await contact(sql))["reply_status"] == "interested"


async def test_a_time_ahead_is_now(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    """A sender's clock must not make a status that nothing can replace."""
    await send(client, event("lead_neutral", "2999-01-01T00:00:00Z"), event("lead_interested", "0001-01-01T00:00:00Z"))
    assert (await contact(sql))["reply_status"] == "interested"


async def test_an_unsure_verdict_waits_for_review_and_opens_no_deal(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    """The rules are never sure of what stands under the history."""
    unsure = "On Mon, Jan 5, 2026 Max <max@sender.com> wrote:\n> Hi John\n\nyes please send pricing"
    verdict = classify(unsure)
    assert (verdict.status, verdict.confidence < REVIEW_THRESHOLD) == ("interested", True)
    await send(client, event("reply_received", reply_text=unsure))
    found = await contact(sql)
    assert (found["reply_status"], found["needs_review"]) == ("interested", True)
    assert await stages(sql) == []


async def test_quoted_history_decides_nothing(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    quoted = "No, not interested.\n\nOn Mon, Jan 5, 2026 Max <max@sender.com> wrote:\n> Yes, please send the pricing!"
    await send(client, event("reply_received", reply_text=quoted))
    assert (await contact(sql))["reply_status"] == "not_interested"
    assert [activity["content"] for activity in await stored.activities(sql)] == ["No, not interested."]


async def test_a_reply_of_html_alone(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    html = "<div>Yes &amp; please<br>send pricing</div>" + "<" * 50_000
    await send(client, event("reply_received", reply_html=html))
    assert (await stored.activities(sql))[0]["content"].startswith("Yes & please\nsend pricing")


# Deals


async def test_interest_and_then_a_booking_move_one_deal(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, REPLY)
    [before] = (await sql.execute(text("SELECT id, source FROM deals"))).all()
    await send(client, BOOKING)
    [after] = (await sql.execute(text("SELECT id, source FROM deals"))).all()
    assert after == before
    assert await stages(sql) == ["meeting_scheduled"]
    moves = "SELECT stage.key FROM deal_stage_history JOIN pipeline_stages stage ON stage.id = to_stage_id"
    assert (await sql.scalars(text(f"{moves} ORDER BY moved_at"))).all() == ["qualified", "meeting_scheduled"]
    system = [activity["content"] for activity in await stored.activities(sql) if activity["type"] == "system"]
    assert system == ["Deal created in Qualified", "Qualified -> Meeting Scheduled"]


async def test_interest_twice_opens_one_deal(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, REPLY, event("lead_interested"), event("reply_received", reply_text="Yes, send the pricing"))
    assert await stages(sql) == ["qualified"]


@pytest.mark.parametrize("kind", ["lead_meeting_booked", "lead_meeting_completed", "lead_no_show"])
async def test_meetings_only_move_forward(kind: str, client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, REPLY, event(kind))
    assert await stages(sql) == ["meeting_scheduled"]
    await put_deal(sql, "proposal_sent")
    await send(client, event(kind, "2026-01-07T12:00:00Z"), BOOKING)
    assert await stages(sql) == ["proposal_sent"]


@pytest.mark.parametrize("kind", ["won", "lost"])
async def test_nothing_leaves_won_or_lost(kind: str, client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, REPLY)
    await put_deal(sql, kind)
    await send(client, event("lead_meeting_booked"), event("lead_closed"))
    assert await stages(sql) == [kind]


async def test_a_customer_gets_no_new_deal_and_a_lost_one_does(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, REPLY)
    await put_deal(sql, "won")
    await send(client, event("lead_interested"), BOOKING)
    assert await stages(sql) == ["won"]

    await put_deal(sql, "lost")
    await send(client, event("lead_interested", "2026-01-07T12:00:00Z"))
    assert await stages(sql) == ["lost", "qualified"]


async def test_closed_wins_the_open_deal(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, REPLY, event("lead_closed"))
    [deal] = await stored.deals(sql)
    assert (deal["stage"], deal["status"]) == ("won", "won")


async def test_a_person_s_later_move_stands(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    """The event reached us before the person moved the deal, and is applied after."""
    owner = await add_owner(sql, "max@sender.com")
    await send(client, REPLY)
    await sql.execute(text("UPDATE pipeline_stages SET key = 'gone' WHERE key = 'meeting_scheduled'"))
    assert (await post(client, "calcom", BOOKING)).json()["status"] == "stored"
    await sql.execute(text("UPDATE pipeline_stages SET key = 'meeting_scheduled' WHERE key = 'gone'"))
    await put_deal(sql, "contacted")
    await sql.execute(
        text(
            "INSERT INTO deal_stage_history (deal_id, to_stage_id, moved_at, moved_by, source) "
            "SELECT id, stage_id, now(), :owner, 'graphql' FROM deals"
        ),
        {"owner": owner},
    )
    await send(client, BOOKING)
    assert await stages(sql) == ["contacted"]


async def test_when_the_latest_e_mail_was_sent(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, event("email_sent", "2026-01-06T12:00:00Z"), event("email_sent", "2026-01-05T12:00:00Z"))
    assert (await contact(sql))["latest_email_sent_at"] == "2026-01-06T12:00:00Z"


async def test_labels(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    for label in ("Call Back Later", "Sıcak", "VIP"):
        await send(client, event(label))
    assert (await post(client, "instantly", event("new_thing"))).json()["status"] == "ignored"
    assert [activity["meta"]["label"] for activity in await stored.activities(sql)] == [
        "Call Back Later",
        "Sıcak",
        "VIP",
    ]
    assert ((await contact(sql))["reply_status"], await stages(sql)) == (None, [])


async def put_deal(sql: AsyncConnection, key: str) -> None:
    """Every deal, into the stage with this key."""
    await sql.execute(
        text("UPDATE deals SET stage_id = stage.id, status = stage.kind FROM pipeline_stages stage WHERE key = :key"),
        {"key": key},
    )
