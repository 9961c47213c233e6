"""Replies: which of text, HTML and snippet counts, and what closes a contact."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.webhooks import post

LEAD = "lena@kunde.example"
PITCH = "Hi Lena,\n\nwould you be interested in a short demo of it?\nIf not, just reply unsubscribe and I stop.\n\nMax"
pytestmark = pytest.mark.usefixtures("world")


def event(kind: str = "reply_received", at: str = "2026-01-06T09:00:00Z", **fields: Any) -> dict[str, Any]:
    return {"event_type": kind, "timestamp": at, "lead_email": LEAD, "email_account": "max@sender.com", **fields}


async def contact(sql: AsyncConnection) -> Any:
    return (await sql.execute(text("SELECT * FROM contacts WHERE email = :email"), {"email": LEAD})).one()


async def entries(sql: AsyncConnection) -> list[tuple[str, str]]:
    """The entries of the lead, without those about a deal alone."""
    query = """SELECT type, content FROM activities
        WHERE contact_id = (SELECT id FROM contacts WHERE email = :email) ORDER BY occurred_at"""
    return [(row.type, row.content) for row in await sql.execute(text(query), {"email": LEAD})]


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"reply_text": "Yes", "reply_html": "<p>No</p>"}, "Yes"),
        ({"reply_text": "Thanks, we looked at", "reply_html": "<p>Thanks, we looked at it.</p><p>Call me.</p>"},
         "Thanks, we looked at it.\n\nCall me."),
        ({"reply_text": "", "reply_html": "<style>p{}</style>", "reply_text_snippet": "Call me"}, "Call me"),
        ({"reply_text": "<div>Call <b>me</b></div><blockquote type=cite>unsubscribe</blockquote>"}, "Call me"),
        ({"reply_text_snippet": "Please send us the pri", "reply_html": "Please send us the pricing"},
         "Please send us the pricing"),
        ({"reply_html": '<div class="gmail_quote">Only history</div>'}, "Only history"),
        ({"reply_text": 5, "reply_html": None, "reply_subject": "Re: x"}, "Re: x"),
    ],
)  # fmt: skip
async def test_the_fullest_form_is_what_the_lead_wrote(
    client: httpx.AsyncClient, sql: AsyncConnection, fields: dict[str, Any], content: str
) -> None:
    await post(client, "instantly", event(**fields))
    assert await entries(sql) == [("email_in", content)]


async def test_our_own_e_mail_below_a_reply_closes_nobody(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await post(client, "instantly", event("email_sent", "2026-01-05T09:00:00Z", email_text=PITCH))
    await post(client, "instantly", event(reply_text=f"ok\n\n{PITCH}"))
    row = await contact(sql)
    assert (row.do_not_contact_at, row.reply_status) == (None, "neutral")
    assert (await entries(sql))[-1] == ("email_in", "ok")


@pytest.mark.parametrize(
    ("reply", "closed", "review"),
    [
        ("Unsubscribe", True, False),
        ("Please remove me from your list.", True, False),
        ("Stop. This is exactly what we need!", False, True),
        ("We'd love a demo. Unsubscribe my colleague Sam though.", False, True),
        ("I get too many e-mails. Not interested. Who are you?", False, None),
    ],
)
async def test_only_sure_words_close_a_contact(
    client: httpx.AsyncClient, sql: AsyncConnection, reply: str, closed: bool, review: bool | None
) -> None:
    await post(client, "instantly", event(reply_text=reply))
    row = await contact(sql)
    assert (row.do_not_contact_at is not None) == closed
    assert review is None or row.needs_review == review


async def test_a_reaction_is_an_entry_and_no_reply(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await post(client, "instantly", event(reply_text="👍"))
    assert await entries(sql) == [("system", "Reaction: 👍")]
    assert (await contact(sql)).reply_status is None


@pytest.mark.parametrize(
    ("subject", "reply", "status"),
    [
        ("Automatic reply: x", "I left Acme in October. Please contact sam@acme.example.", "wrong_person"),
        ("Automatic reply: x", "Your ticket #4821 has been received. We answer within two days.", "neutral"),
        ("Undeliverable: x", "550 5.1.1 user unknown", "bounced"),
        ("Automatic reply: x", "I am out of the office until 20 January 2026.", "out_of_office"),
        ("Re: x", "I'm away, but love it: send me the pricing", "out_of_office"),
    ],
)
async def test_an_automatic_reply_is_what_its_text_says(
    client: httpx.AsyncClient, sql: AsyncConnection, subject: str, reply: str, status: str
) -> None:
    await post(client, "instantly", event("auto_reply_received", reply_subject=subject, reply_text=reply))
    assert (await contact(sql)).reply_status == status
    assert await sql.scalar(text("SELECT count(*) FROM deals WHERE source = 'instantly'")) == 0


@pytest.mark.parametrize(("later", "until"), [("2026-01-07", "2026-01-12"), ("2026-01-05", "2026-01-20")])
async def test_a_later_notice_corrects_an_earlier_one_and_not_the_other_way(
    client: httpx.AsyncClient, sql: AsyncConnection, later: str, until: str
) -> None:
    await post(client, "instantly", event("auto_reply_received", reply_text="Out of office until 20 January 2026."))
    short = event("auto_reply_received", f"{later}T09:00:00Z", reply_text="Out of office until 12 January 2026.")
    await post(client, "instantly", short)
    assert (await contact(sql)).ooo_until.isoformat() == until
