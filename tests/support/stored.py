"""What an event left in the database, in words that fit a fixture's expectation."""

from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

CONTACTS = """
    SELECT contacts.email, full_name, title, phone, contacts.website, contacts.linkedin_url, companies.name AS company,
           owners.email AS owner, owner_source, reply_status, reply_summary, reply_status_source, needs_review,
           ooo_until, do_not_contact_at IS NOT NULL AS do_not_contact, latest_email_sent_at, custom
    FROM contacts LEFT JOIN companies ON companies.id = company_id LEFT JOIN owners ON owners.id = owner_id
    ORDER BY contacts.email COLLATE "C"
"""
ACTIVITIES = """
    SELECT type, content, occurred_at, meta_json AS meta, contacts.email AS contact, deal_id IS NOT NULL AS on_deal,
           owners.email AS assignee, due_at IS NOT NULL AS is_due, completed_at IS NOT NULL AS is_completed
    FROM activities LEFT JOIN contacts ON contacts.id = contact_id LEFT JOIN owners ON owners.id = assignee_id
    ORDER BY activities.created_at, occurred_at, type, content COLLATE "C"
"""
DEALS = """
    SELECT deals.title, contacts.email AS contact, pipelines.name AS pipeline, pipeline_stages.key AS stage, status,
           source, campaign_id, currency, owners.email AS owner
    FROM deals JOIN pipeline_stages ON pipeline_stages.id = stage_id JOIN pipelines ON pipelines.id = deals.pipeline_id
    LEFT JOIN contacts ON contacts.id = contact_id LEFT JOIN owners ON owners.id = deals.owner_id
    ORDER BY deals.created_at, deals.id
"""
WEBHOOKS = """
    SELECT source, event_type, status, error, attempts, idempotency_key, contact_id IS NOT NULL AS has_contact,
           deal_id IS NOT NULL AS has_deal
    FROM webhooks_log ORDER BY received_at, id
"""


async def contacts(sql: AsyncConnection) -> list[dict[str, Any]]:
    """Every contact."""
    return await _rows(sql, CONTACTS)


async def activities(sql: AsyncConnection) -> list[dict[str, Any]]:
    """Every entry of the timeline, in the order in which it was written."""
    return await _rows(sql, ACTIVITIES)


async def deals(sql: AsyncConnection) -> list[dict[str, Any]]:
    """Every deal, oldest first."""
    return await _rows(sql, DEALS)


async def webhooks(sql: AsyncConnection) -> list[dict[str, Any]]:
    """Every stored event, oldest first."""
    return await _rows(sql, WEBHOOKS)


async def everything(sql: AsyncConnection) -> dict[str, Any]:
    """All of it."""
    return {
        "webhooks": await webhooks(sql),
        "contacts": await contacts(sql),
        "activities": await activities(sql),
        "deals": await deals(sql),
    }


async def counts(sql: AsyncConnection) -> tuple[int, int, int, int]:
    """How many events, contacts, activities and deals there are."""
    names = ("webhooks_log", "contacts", "activities", "deals")
    found = [await sql.scalar(text(f"SELECT count(*) FROM {name}")) for name in names]
    return found[0], found[1], found[2], found[3]


async def _rows(sql: AsyncConnection, query: str) -> list[dict[str, Any]]:
    return [_plain(row) for row in (await sql.execute(text(query))).mappings()]


def _plain(row: RowMapping) -> dict[str, Any]:
    return {
        key: value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value
        for key, value in row.items()
    }
