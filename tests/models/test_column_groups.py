"""Groups of columns: each new column must be in one, and the database announces the columns of ANNOUNCED."""

from collections import Counter
from datetime import date
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from crm_graph.models import Company, Contact, Deal, table
from tests.support.events import new_events, types
from tests.support.factories import START, World, add

PARTITIONS: dict[type[SQLModel], tuple[tuple[str, ...], ...]] = {
    Company: (Company.EDITABLE, Company.BOOKKEEPING),
    Contact: (
        *(Contact.IDENTITY, Contact.EDITABLE, Contact.REPLY_STATUS, Contact.OUTREACH, Contact.LATEST),
        *(Contact.DELETION, Contact.BOOKKEEPING),
    ),
    Deal: (Deal.EDITABLE, Deal.MEMBERSHIP, Deal.PROGRESS, Deal.DELETION, Deal.BOOKKEEPING),
}
# The columns outside a group that cuts across the others, so that a new column is decided on for each of them.
KEPT_BY_ERASURES: dict[type[SQLModel], tuple[str, ...]] = {
    Contact: (
        *("id", *Contact.OWNERSHIP, "lifecycle_stage", *Contact.DELETION, *Contact.BOOKKEEPING),
        *("reply_status", "reply_status_source", "reply_status_at", "needs_review", "do_not_contact_at"),
    ),
    Deal: (
        *("contact_id", "company_id", "owner_id", "amount", "currency", "close_date", "source", "campaign_id"),
        *(*Deal.MEMBERSHIP, *Deal.PROGRESS, *Deal.DELETION, *Deal.BOOKKEEPING),
    ),
}
# Of these, contact_updated and deal_updated say nothing; some have an event of their own.
UNANNOUNCED: dict[type[SQLModel], tuple[str, ...]] = {
    Contact: (
        *("id", "owner_source", "erased_at", "latest_email_sent_at", *Contact.BOOKKEEPING),
        *("reply_status", "reply_status_source", "reply_status_at"),
    ),
    Deal: ("pipeline_id", "stage_id", "status", "rank", *Deal.BOOKKEEPING),
}
NOT_IN_SNAPSHOTS: dict[type[SQLModel], tuple[str, ...]] = {
    Contact: (
        *("company_id", "owner_source", "reply_status_source", "reply_status_at", "needs_review"),
        *(*Contact.LATEST, "do_not_contact_reason", "merged_into_id", "erased_at", "created_at", "updated_at"),
    ),
    Deal: ("contact_id", "company_id", "pipeline_id", "stage_id", "notes", "rank", "created_at", "updated_at"),
}
IN_JSON = {"do_not_contact_at": "do_not_contact", "deleted_at": "deleted"}


@pytest.mark.parametrize("model", PARTITIONS)
def test_each_column_is_in_exactly_one_group(model: type[SQLModel]) -> None:
    counted = Counter(name for group in PARTITIONS[model] for name in group)

    assert counted == dict.fromkeys(table(model).c.keys(), 1)


@pytest.mark.parametrize("model", [Contact, Deal])
def test_each_column_is_personal_or_not_announced_or_not_and_in_snapshots_or_not(
    model: type[Contact] | type[Deal],
) -> None:
    every_column = sorted(table(model).c.keys())

    assert sorted(model.PERSONAL + KEPT_BY_ERASURES[model]) == every_column
    assert sorted(model.ANNOUNCED + UNANNOUNCED[model]) == every_column
    assert sorted(model.SNAPSHOT + NOT_IN_SNAPSHOTS[model]) == every_column


async def test_the_update_of_a_contact_announces_exactly_the_announced_group(
    world: World, sql: AsyncConnection
) -> None:
    changes: dict[str, Any] = {
        **dict.fromkeys(("full_name", "title", "linkedin_url", "website", "phone"), "new"),
        **dict.fromkeys(("reply_summary", "do_not_contact_reason"), "new"),
        **dict.fromkeys(("reply_status_at", "do_not_contact_at", "latest_email_sent_at", "deleted_at"), START),
        **dict.fromkeys(("created_at", "updated_at"), START),
        "email": "new@acme.example",
        "company_id": await add(sql, Company, name="New", name_key="new"),
        "owner_id": world.bob.owner,
        "owner_source": "person",
        "lifecycle_stage": "customer",
        "custom": {"new": True},
        "reply_status_source": "person",
        "needs_review": True,
        "ooo_until": date(2026, 2, 1),
        "version": 2,
        "merged_into_id": world.bob.contact,
    }
    # reply_status and erased_at have events of their own.
    assert {*changes, "id", "reply_status", "erased_at"} == set(table(Contact).c.keys())

    payload = await _updated(sql, Contact, world.ada.contact, changes, "contact_updated")

    assert sorted(payload["changes"]) == sorted(Contact.ANNOUNCED)
    assert set(payload["contact"]) == {IN_JSON.get(name, name) for name in Contact.SNAPSHOT}


async def test_the_update_of_a_deal_announces_exactly_the_announced_group(world: World, sql: AsyncConnection) -> None:
    place = {"pipeline_id": world.stage["pipeline"], "stage_id": world.stage["lost"], "status": "lost"}
    deal = await add(sql, Deal, title="old", currency="USD", rank="a0", **place)
    changes: dict[str, Any] = {
        **dict.fromkeys(("title", "lost_reason", "source", "notes", "campaign_id"), "new"),
        **dict.fromkeys(("created_at", "updated_at", "deleted_at"), START),
        "contact_id": world.ada.contact,
        "company_id": world.company,
        "owner_id": world.ada.owner,
        "amount": 5,
        "currency": "EUR",
        "close_date": date(2026, 2, 1),
        "rank": "a1",
        "member_ids": [world.bob.owner],
        "version": 2,
    }
    # A move to another stage has an event of its own.
    assert {*changes, "id", *place} == set(table(Deal).c.keys())

    payload = await _updated(sql, Deal, deal, changes, "deal_updated")

    assert sorted(payload["changes"]) == sorted(Deal.ANNOUNCED)
    assert set(payload["deal"]) == {IN_JSON.get(name, name) for name in Deal.SNAPSHOT}


async def _updated(
    sql: AsyncConnection, model: type[SQLModel], id_: Any, changes: dict[str, Any], event_type: str
) -> dict[str, Any]:
    """Update a row behind the application's back; returns the data of the one event that this emits."""
    rows = table(model)
    async with new_events(sql) as events:
        await sql.execute(update(rows).where(rows.c.id == id_).values(changes))
    assert types(events) == [event_type]
    data: dict[str, Any] = events[0].payload["data"]
    return data
