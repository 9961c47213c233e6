"""Contact.mailable: whether a workflow may send e-mails to somebody."""

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.api import ask
from tests.support.factories import ADA, World


@pytest.mark.parametrize(
    ("columns", "mailable"),
    [
        ("full_name = 'x'", True),
        ("do_not_contact_at = now()", False),
        ("reply_status = 'unsubscribed', needs_review = true", False),
        ("reply_status = 'unsubscribed', needs_review = false", True),  # and reopened by a person
        ("reply_status = 'question', needs_review = true", True),
        ("reply_status = 'bounced'", False),
        ("email = '491701234567@sms.cal.com'", False),
    ],
)
async def test_who_can_be_mailed(
    columns: str, mailable: bool, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await sql.execute(text(f"UPDATE contacts SET {columns} WHERE id = :id"), {"id": world.ada.contact})
    query = "query ($id: UUID!) { contact(id: $id) { mailable } }"
    assert (await ask(client, ADA, query, id=str(world.ada.contact)))["contact"] == {"mailable": mailable}
