"""A person who is in every table, Zelda: what an erasure has to find."""

from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.api import Json, ask
from tests.support.events import subscribe
from tests.support.factories import ADA, ROOT
from tests.support.instantly import BOOKING, event
from tests.support.webhooks import post

UPSERT = "mutation ($in: UpsertContactInput!) { upsertContact(input: $in) { created contact { id } } }"
MERGE = "mutation ($in: MergeContactsInput!) { mergeContacts(input: $in) { contact { id } } }"
SET_STATUS = "mutation ($in: SetReplyStatusInput!) { setReplyStatus(input: $in) { applied } }"
UPDATE_DEAL = "mutation ($in: UpdateDealInput!) { updateDeal(input: $in) { deal { id } } }"
MOVE = "mutation ($in: MoveDealStageInput!) { moveDealStage(input: $in) { deal { id } } }"
CLOSE = "mutation ($in: SetDoNotContactInput!) { setDoNotContact(input: $in) { contact { id } } }"
LOG = "mutation ($in: LogActivityInput!) { logActivity(input: $in) { activity { id } } }"
TASK = "mutation ($in: CreateTaskInput!) { createTask(input: $in) { task { id } } }"

ZELDA, ALSO, OLD = "zelda.quux@acme.example", "zelda@private.example", "zq@former.example"
SECRETS = (ZELDA, ALSO, OLD, "zelda", "quux", "+90 532", "pineapple", "papaya", "mango", "guava", "lychee")
SAID: Json = {
    "lead_email": "Zelda.Quux@ACME.example", "firstName": "Zelda", "lastName": "Quux", "phone": "+90 532 000",
    "jobTitle": "Head of pineapple", "favourite": "papaya", "reply_text": "Send me the price of a mango, please",
}  # fmt: skip


async def mutate(client: httpx.AsyncClient, document: str, who: str = ADA, **given: Any) -> Any:
    [payload] = (await ask(client, who, document, **{"in": given})).values()
    return payload


async def add_erasure_subject(client: httpx.AsyncClient, sql: AsyncConnection) -> str:
    """A person in every table, under three addresses, with a deal that has come far; returns the contact's id."""
    admin = await sql.scalar(text("SELECT id FROM owners WHERE email = :email"), {"email": ROOT})
    endpoint = await subscribe(sql, admin)
    for one in (
        event("email_sent", **SAID),
        event("reply_received", **SAID),
        event("Call zelda about the guava", **SAID),
        event("email_opened", **SAID),
        event("link_clicked", **{**SAID, "lead_email": ALSO}),
        event("reply_received", **{**SAID, "lead_email": "Zelda Quux <zelda@private.example>", "email": None}),
    ):
        await post(client, "instantly", one, **{"Idempotency-Key": f"{one['event_type']} of {one['lead_email']}"})
    attendee = {"name": "Zelda Quux", "email": ZELDA}
    answers = {"email": {"value": ZELDA}}
    who = {"attendees": [attendee], "responses": answers, "organizer": {"email": ADA}}
    booking = BOOKING["payload"] | who | {"title": "Zelda & Max on lychee"}
    await post(client, "calcom", BOOKING | {"payload": booking})
    contact = str(await sql.scalar(text("SELECT id FROM contacts WHERE email = :email"), {"email": ZELDA}))
    deal = str(await sql.scalar(text("SELECT id FROM deals WHERE contact_id = CAST(:id AS uuid)"), {"id": contact}))
    await mutate(client, UPDATE_DEAL, dealId=deal, title="Zelda's mango", notes="likes papaya", amount="12.50")
    proposal = await sql.scalar(text("SELECT id FROM pipeline_stages WHERE key = 'proposal_sent'"))
    await mutate(client, MOVE, dealId=deal, stageId=str(proposal))
    await mutate(client, SET_STATUS, contactId=contact, status="QUESTION", summary="Asks for a mango")
    await mutate(client, CLOSE, contactId=contact, reason="Allergic to guava")
    note: Json = {"type": "NOTE", "content": "Zelda likes guava", "meta": {"step": 2, "said": "papaya"}}
    await mutate(client, LOG, contactId=contact, **note)
    await mutate(client, LOG, dealId=deal, type="CALL", content="Zelda was not in")
    await mutate(client, TASK, contactId=contact, content="Bring Zelda a pineapple")
    for address in (ALSO, OLD):
        new: Json = {"email": address, "fullName": "Z. Quux", "custom": {"x": "papaya"}}
        made = await mutate(client, UPSERT, **new, idempotencyKey=f"make {address}")
        await mutate(client, MERGE, survivorId=contact, loserId=made["contact"]["id"])
    await _deliver(sql, endpoint)
    return contact


async def _deliver(sql: AsyncConnection, endpoint: Any) -> None:
    """As if every second event had been delivered to an endpoint that repeats what it gets; the others still wait."""
    deliver = """WITH sent AS (
        UPDATE webhook_deliveries SET status = 'delivered', settled_at = now(), attempts = 1
        WHERE endpoint_id = :id AND position % 2 = 0 RETURNING id, event_id)
    INSERT INTO webhook_attempts (delivery_id, attempted_at, duration_ms, status_code, answer)
    SELECT sent.id, now(), 7, 200, 'Got ' || payload::text FROM sent JOIN events ON events.id = sent.event_id"""
    await sql.execute(text(deliver), {"id": endpoint})
