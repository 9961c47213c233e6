"""What Instantly's events do: status rules, and deals that only move forward."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.intent import REVIEW_THRESHOLD, classify
from tests.support import stored
from tests.support.factories import add_owner
from tests.support.instantly import BOOKING, REPLY, contact, event, send, stages
from tests.support.webhooks import post


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
async def test_an_absence_replaces_no_status_in_either_order(
    backwards: bool, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    wish = event("reply_received", "2026-01-05T12:00:00Z", reply_text="Yes please, send me the pricing.")
    absence = event("auto_reply_received", "2026-01-06T12:00:00Z", reply_text="I am out of the office.")
    await send(client, *([absence, wish] if backwards else [wish, absence]))
    assert (await contact(sql))["reply_status"] == "interested"
    assert await stages(sql) == ["qualified"]


async def test_interest_opens_a_deal_despite_the_provider_s_older_verdict(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    neutral = event("lead_neutral", "2026-01-05T12:00:00Z")
    wish = event("reply_received", "2026-01-06T12:00:00Z", reply_text="Yes please, send me the pricing.")
    await send(client, neutral, wish)
    assert await stages(sql) == ["qualified"]


async def test_interest_opens_no_deal_against_a_person(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await send(client, event("email_sent", "2026-01-05T12:00:00Z"))
    await sql.execute(text("UPDATE contacts SET reply_status = 'not_interested', reply_status_source = 'person'"))
    await send(client, event("reply_received", reply_text="Yes please, send me the pricing."))
    assert await stages(sql) == []


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


async def test_a_time_in_the_future_counts_as_now(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    """A sender's wrong clock must not create a status that nothing can replace."""
    await send(client, event("lead_neutral", "2999-01-01T00:00:00Z"), event("lead_interested", "0001-01-01T00:00:00Z"))
    assert (await contact(sql))["reply_status"] == "interested"


async def test_an_unsure_verdict_waits_for_review_and_opens_no_deal(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    """The rules are never sure about text below the quoted history."""
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
    """Move every deal to the stage with this key."""
    await sql.execute(
        text("UPDATE deals SET stage_id = stage.id, status = stage.kind FROM pipeline_stages stage WHERE key = :key"),
        {"key": key},
    )
