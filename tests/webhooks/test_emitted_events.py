"""Each webhook emits the events of its effects once, with the provider as their source."""

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.api import ask
from tests.support.events import new_events, types
from tests.support.factories import ROOT, World
from tests.support.webhooks import FIXTURES, fixture, post

REPLY = ["contact_created", "activity_logged", "reply_received", "contact_status_changed"]
MARK = ["contact_created", "contact_status_changed"]
ENTRY = ["contact_created", "activity_logged"]
EVENTS = {
    "instantly": {
        "auto_reply_received": [*REPLY, "contact_updated"],  # the day until which the person is away
        "custom_label": ENTRY,
        "email_bounced": MARK,
        "email_sent": ENTRY,
        "lead_closed": ["contact_created"],  # there was no deal to win
        "lead_interested": [*MARK, "deal_created"],
        "lead_meeting_booked": [*ENTRY, "meeting_booked"],
        "lead_meeting_completed": ENTRY,
        "lead_neutral": MARK,
        "lead_no_show": [*ENTRY, "meeting_no_show", "activity_logged"],  # the task of finding another time
        "lead_not_interested": MARK,
        "lead_out_of_office": REPLY,
        "lead_unsubscribed": [*MARK, "contact_updated"],  # must not be written to
        "lead_wrong_person": MARK,
        "normalised_reply": [*REPLY, "deal_created"],
        "reply_received": [*REPLY, "deal_created"],
    },
    "calcom": {
        "after_guests_cal_video_no_show": [*ENTRY, "meeting_no_show", "activity_logged"],
        "after_hosts_cal_video_no_show": [*ENTRY, "activity_logged"],
        "booking_cancelled": [*ENTRY, "meeting_cancelled", "activity_logged"],
        "booking_created": [*ENTRY, "meeting_booked", "deal_created"],
        "booking_no_show_updated": [*ENTRY, "meeting_no_show", "activity_logged"],
        "booking_rejected": ENTRY,
        "booking_requested": ENTRY,
        "booking_rescheduled": [*ENTRY, "meeting_rescheduled", "deal_created"],
        "form_submitted": ENTRY,
        "meeting_ended": ENTRY,
        "meeting_started": ENTRY,
        "normalised_booking": [*ENTRY, "meeting_booked", "deal_created"],
    },
}
IGNORED = {
    "account_error", "campaign_completed", "email_link_clicked", "email_opened", "link_clicked", "ping",
    "form_submitted_no_email", "booking_paid", "booking_payment_initiated", "recording_ready",
    "recording_transcription_generated", "instant_meeting", "ooo_created", "form_submitted_no_event",
    "routing_form_fallback_hit", "delegation_credential_error", "wrong_assignment_report",
}  # fmt: skip
SAMPLES = [
    (provider, path.stem)
    for provider in EVENTS
    for path in sorted((FIXTURES / provider / "fixtures").glob("*.json"))
    if not path.stem.endswith(".expected")
]
REPLAY = "mutation ($in: ReplayWebhookInput!) { replayWebhook(input: $in) { applied } }"


@pytest.mark.parametrize(("provider", "name"), SAMPLES)
async def test_a_webhook_emits_its_effects_once(
    provider: str, name: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    async with new_events(sql) as events:
        await post(client, provider, fixture(provider, name))
    async with new_events(sql) as again:
        await post(client, provider, fixture(provider, name), **{"Idempotency-Key": "another"})

    assert types(events) == ([] if name in IGNORED else EVENTS[provider][name])
    assert again == []
    assert {event.source for event in events} <= {provider}
    for event in events:
        assert event.payload["data"]["contact"]["id"] == str(event.contact_id)


async def test_a_no_show_that_is_undone_emits_no_no_show(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    body = fixture("calcom", "booking_no_show_updated")
    assert body.count(b'"noShow": true') == 1
    async with new_events(sql) as events:
        await post(client, "calcom", body.replace(b'"noShow": true', b'"noShow": false'))

    assert types(events) == ENTRY


async def test_a_failed_webhook_emits_nothing_until_it_is_replayed(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await sql.execute(text("ALTER TABLE deals ADD CONSTRAINT broken CHECK (title = '') NOT VALID"))
    try:
        async with new_events(sql) as failed:
            await post(client, "instantly", fixture("instantly", "reply_received"))
    finally:
        await sql.execute(text("ALTER TABLE deals DROP CONSTRAINT broken"))
    assert failed == []
    stored = await sql.scalar(text("SELECT id FROM webhooks_log WHERE status = 'error'"))
    async with new_events(sql) as events:
        await ask(client, ROOT, REPLAY, **{"in": {"webhookId": str(stored)}})

    assert types(events) == EVENTS["instantly"]["reply_received"]
    assert {event.source for event in events} == {"instantly"}
