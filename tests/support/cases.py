"""Cases from files: events as a provider sends them, and what must hold in the database afterwards.

A file is a JSON list of {name, provider, events, expect}. The keys of `expect` for replies: `replyStatus` (one of
these), `needsReview`, `doNotContact`, `deals` (how many), `content` (of the newest reply's entry), `contentHas`,
`oooUntil`. For bookings: `each` (the contacts that the rest is about), `contact` (or that one), `noContact`, `company`,
`phone`, `owner` (an address), `mailable`, `meetings` and `openTasks` (how many), `stage` (of the deal), `lastStart`,
`timelineHas`, `noShow`.
"""

import json
import uuid
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.api import ask
from tests.support.factories import ROOT, add_owner
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


BOOKED = """SELECT c.id, c.phone, (SELECT email FROM owners WHERE id = c.owner_id) AS owner, companies.name AS company,
        (SELECT count(*) FROM activities WHERE contact_id = c.id AND type = 'meeting') AS meetings,
        (SELECT count(*) FROM activities WHERE type = 'task' AND completed_at IS NULL
         AND (contact_id = c.id OR deal_id IN (SELECT id FROM deals WHERE contact_id = c.id))) AS tasks,
        (SELECT count(*) > 0 FROM activities WHERE contact_id = c.id AND type = 'no_show') AS no_show,
        (SELECT string_agg(content, ' ') FROM activities WHERE contact_id = c.id) AS timeline,
        (SELECT meta_json ->> 'start' FROM activities WHERE contact_id = c.id AND type = 'meeting'
         ORDER BY occurred_at DESC LIMIT 1) AS last_start,
        (SELECT key FROM deals JOIN pipeline_stages AS s ON s.id = stage_id WHERE contact_id = c.id LIMIT 1) AS stage
    FROM contacts AS c LEFT JOIN companies ON companies.id = c.company_id WHERE c.email = :email"""


async def add_hosts(sql: AsyncConnection, case: Case) -> None:
    """Add the owner who is to be a contact's, and the hosts of a case, to the team."""
    hosts = {event["payload"].get("organizer", {}).get("email") for event in case["events"]}
    if owner := case["expect"].get("owner"):
        for email in sorted({owner, *filter(None, hosts)}):
            await add_owner(sql, email)


async def booking_mismatches(client: httpx.AsyncClient, sql: AsyncConnection, case: Case) -> list[str]:
    """What doesn't hold of what a case about bookings expects: a line for each."""
    expect = dict(case["expect"])
    first = case["events"][0]["payload"]["attendees"][0]["email"]
    emails = expect.pop("each", [expect.pop("contact", first)])
    absent = expect.pop("noContact", None)
    wrong = []
    if absent and await sql.scalar(text("SELECT count(*) FROM contacts WHERE email = :email"), {"email": absent}):
        wrong.append(f"{absent} is a contact")
    for email in emails:
        row = (await sql.execute(text(BOOKED), {"email": email})).one_or_none()
        if row is None:
            wrong.append(f"{email} is no contact")
            continue
        found = {
            **{name: getattr(row, name) for name in ("owner", "phone", "company", "meetings", "stage")},
            "openTasks": row.tasks, "noShow": row.no_show, "lastStart": row.last_start,
            "mailable": await _is_mailable(client, row.id),
            "timelineHas": expect.get("timelineHas") if expect.get("timelineHas", "") in row.timeline else row.timeline,
        }  # fmt: skip
        differing = ((key, value) for key, value in expect.items() if found[key] != value)
        wrong += [f"{email}: {key} {found[key]!r}, not {value!r}" for key, value in differing]
    return wrong


async def _is_mailable(client: httpx.AsyncClient, id_: uuid.UUID) -> bool:
    data = await ask(client, ROOT, "query ($id: UUID!) { contact(id: $id) { mailable } }", id=str(id_))
    return bool(data["contact"]["mailable"])
