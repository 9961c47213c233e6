"""A lead who replied, and what is said of it through the API."""

from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Role
from tests.support import instantly
from tests.support.api import Json, ask
from tests.support.factories import add_owner
from tests.support.instantly import LEAD, event

SET = """mutation ($in: SetReplyStatusInput!) { setReplyStatus(input: $in) { applied deletedDealId replayed contact {
    version replyStatus replyStatusSource replySummary replyStatusAt needsReview doNotContactReason
    verdicts { source status summary confidence judgedBy { email } activity { content } } } } }"""
ANA, BOB, ROOT, READER = "ana@seller.com", "bob@seller.com", "root@seller.com", "reader@seller.com"
LIKES = {"reply_text": "Yes, I am interested. Please send me the price."}
ASKS = {"reply_text": "Where did you get my data from?"}


async def add_team(sql: AsyncConnection) -> None:
    """Ana, who has the lead's mailbox; a colleague, an admin and a reader."""
    await add_owner(sql, ANA, mailboxes=(LEAD["email_account"],))
    await add_owner(sql, BOB)
    await add_owner(sql, ROOT, role=Role.ADMIN)
    await add_owner(sql, READER, role=Role.READONLY)


async def replied(
    client: httpx.AsyncClient, sql: AsyncConnection, at: str = "2026-01-05T12:00:00Z", **reply: str
) -> Any:
    """The lead has replied; returns the contact's id."""
    await instantly.send(client, event("reply_received", at, **(reply or LIKES)))
    return await sql.scalar(text("SELECT id FROM contacts"))


async def say(client: httpx.AsyncClient, contact: Any, status: str, who: str = ANA, **given: Any) -> Json:
    """The payload of setReplyStatus."""
    answer = await ask(client, who, SET, **{"in": {"contactId": str(contact), "status": status, **given}})
    return dict(answer["setReplyStatus"])


async def replies(sql: AsyncConnection) -> list[str]:
    """The ids of the contact's e-mails, oldest first."""
    query = "SELECT id FROM activities WHERE type = 'email_in' ORDER BY occurred_at"
    return [str(id_) for id_ in await sql.scalars(text(query))]


async def judged(sql: AsyncConnection) -> list[Any]:
    """The entries about verdicts, oldest first."""
    query = "SELECT content, created_by, meta_json FROM activities WHERE content LIKE 'Reply judged%'"
    return list(await sql.execute(text(f"{query} ORDER BY created_at")))


async def live_deals(sql: AsyncConnection) -> list[str]:
    """The ids of the deals that are not deleted."""
    return [str(id_) for id_ in await sql.scalars(text("SELECT id FROM deals WHERE deleted_at IS NULL"))]
