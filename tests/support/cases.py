"""Cases from files: events as a provider sends them, and what must hold in the database afterwards.

A file is a JSON list of {name, provider, events, expect}. The keys of `expect` for replies: `replyStatus` (one of
these), `needsReview`, `doNotContact`, `deals` (how many), `content` (of the newest reply's entry), `contentHas`,
`oooUntil`.
"""

import json
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.webhooks import post

Case = dict[str, Any]
CASES = Path(__file__).parent.parent / "webhooks" / "cases"
STATE = """SELECT reply_status, needs_review, do_not_contact_at IS NOT NULL AS closed, ooo_until,
        (SELECT count(*) FROM deals WHERE contact_id = contacts.id AND deleted_at IS NULL) AS deals,
        (SELECT content FROM activities WHERE contact_id = contacts.id AND type IN ('email_in', 'system')
         ORDER BY occurred_at DESC, id DESC LIMIT 1) AS content
    FROM contacts WHERE email = :email"""


def cases(file: str, provider: str) -> list[Case]:
    """The cases of a file that are about a provider."""
    found = json.loads((CASES / f"{file}.json").read_text(encoding="utf-8"))
    return [case for case in found if case["provider"] == provider]


async def send_all(client: httpx.AsyncClient, case: Case) -> None:
    """Post the events of a case in order, each as its provider does."""
    for event in case["events"]:
        answer = await post(client, case["provider"], event)
        assert answer.status_code == 200, answer.text


async def reply_mismatches(sql: AsyncConnection, case: Case) -> list[str]:
    """What doesn't hold of what a case about replies expects: a line for each."""
    email = str(case["events"][-1]["lead_email"]).lower()
    row = (await sql.execute(text(STATE), {"email": email})).one()
    found = {
        "replyStatus": row.reply_status.upper() if row.reply_status else None,
        "needsReview": row.needs_review,
        "doNotContact": row.closed,
        "deals": row.deals,
        "content": row.content,
        "contentHas": row.content,
        "oooUntil": row.ooo_until.isoformat() if row.ooo_until else None,
    }
    wrong = []
    for key, expected in case["expect"].items():
        actual = found[key]
        holds = actual in expected if key == "replyStatus" and isinstance(expected, list) else actual == expected
        if key == "contentHas":
            holds = all(part in (actual or "") for part in ([expected] if isinstance(expected, str) else expected))
        if not holds:
            wrong.append(f"{key}: {actual!r}, not {expected!r}")
    return wrong
