"""Erasure: no personal data is left anywhere, the figures stay, and the person is never stored again."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.domain.contacts import erasure, mentions
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.identity.principal import machine
from crm_graph.values import utc_now
from tests.support.api import Json, ask, reason, refusal, send
from tests.support.database import dump, everything, recorded, somebody_waits, unchanged
from tests.support.erasure_subject import ALSO, CLOSE, OLD, SECRETS, UPSERT, ZELDA, add_erasure_subject, mutate
from tests.support.events import all_events, check, new_events, types
from tests.support.factories import ADA, READER, ROOT, World
from tests.support.instantly import event
from tests.support.webhooks import post

ERASE = "mutation ($in: EraseContactInput!) { eraseContact(input: $in) { erasedContactId replayed } }"
LIFT = "mutation ($in: LiftSuppressionInput!) { liftSuppression(input: $in) { lifted replayed } }"
RESTORE = "mutation ($in: RestoreContactInput!) { restoreContact(input: $in) { contact { id } } }"
REPLAY = "mutation ($in: ReplayWebhookInput!) { replayWebhook(input: $in) { applied } }"


@pytest.fixture
async def world(world: World, sql: AsyncConnection) -> World:
    """The team, and Ada's mailbox."""
    await sql.execute(text("INSERT INTO owner_mailboxes VALUES ('max@sender.com', :owner)"), {"owner": world.ada.owner})
    return world


async def figures(sql: AsyncConnection) -> Any:
    """What reports count: deals with their stages and history, entries by type and campaign, verdicts, webhooks."""
    queries = (
        "SELECT amount, currency, status, lost_reason, stage_id, source, campaign_id, owner_id FROM deals ORDER BY id",
        "SELECT deal_id, from_stage_id, to_stage_id, moved_at FROM deal_stage_history ORDER BY moved_at, id",
        "SELECT type, occurred_at, created_by, meta_json -> 'campaign_id', meta_json -> 'step', meta_json -> 'variant',"
        " meta_json -> 'email_account' FROM activities WHERE content !~ 'erased' ORDER BY occurred_at, id",
        "SELECT source, status, confidence, judged_at FROM reply_verdicts ORDER BY judged_at, id",
        "SELECT source, dedupe_key, received_at FROM webhooks_log ORDER BY received_at, id",
    )
    return [[tuple(row) for row in await sql.execute(text(query))] for query in queries]


async def test_no_personal_data_is_left_and_the_figures_stay(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact = await add_erasure_subject(client, sql)
    before, stored = await figures(sql), await dump(sql)
    assert [secret for secret in SECRETS if secret not in stored] == []

    erased = await mutate(client, ERASE, ROOT, contactId=contact)

    assert erased == {"erasedContactId": contact, "replayed": False}
    left = await dump(sql)
    assert [secret for secret in SECRETS if secret in left] == []
    assert await figures(sql) == before
    assert world.ada.email in left


async def test_others_are_left_alone(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    others = {name: set(rows) for name, rows in (await everything_but_logs(sql)).items()}
    contact = await add_erasure_subject(client, sql)

    await mutate(client, ERASE, ROOT, contactId=contact)

    for name, rows in (await everything_but_logs(sql)).items():
        assert others[name] <= set(rows), name


async def everything_but_logs(sql: AsyncConnection) -> dict[str, list[str]]:
    return {name: [repr(row) for row in rows] for name, rows in (await everything(sql)).items()}


async def test_what_an_erasure_keeps_of_rows(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    contact = await add_erasure_subject(client, sql)
    await mutate(client, ERASE, ROOT, contactId=contact)

    found = await sql.execute(text("SELECT * FROM contacts WHERE id = CAST(:id AS uuid)"), {"id": contact})
    row = found.mappings().one()
    kept = {name for name, value in row.items() if value not in (None, {}, False)}
    assert row["email"] == f"erased-{contact}@erased.invalid"
    assert kept == {
        "id", "email", "owner_id", "owner_source", "lifecycle_stage", "reply_status", "reply_status_source",
        "reply_status_at", "do_not_contact_at", "version", "created_at", "updated_at", "deleted_at", "erased_at",
    }  # fmt: skip
    deal = (await sql.execute(text("SELECT title, notes FROM deals WHERE contact_id = :id"), {"id": row["id"]})).one()
    assert tuple(deal) == ("Erased contact", None)
    entries = "SELECT content, created_by IS NOT NULL, deal_id IS NOT NULL FROM activities WHERE content ~ 'erased'"
    assert [tuple(entry) for entry in await sql.execute(text(f"{entries} ORDER BY content"))] == [
        ("Contact erased", True, False),
        ("Personal data erased", True, True),
    ]
    keys = "SELECT DISTINCT jsonb_object_keys(meta_json) FROM activities WHERE content = ''"
    metas = set(await sql.scalars(text(keys)))
    of_moves, of_campaigns = {"from_stage", "to_stage"}, {"campaign_id", "campaign_name", "step"}
    assert metas == {"source", "email_account", "organizer", "arranges"} | of_moves | of_campaigns
    assert await sql.scalar(text("SELECT count(*) FROM activities WHERE type = 'task' AND completed_at IS NULL")) == 0
    bodies = await sql.execute(text("SELECT status, length(body), error FROM webhooks_log ORDER BY status"))
    assert {tuple(one) for one in bodies} == {
        ("ignored", 0, "the body was erased with a person whom it names"),
        ("processed", 0, "the body was erased with a person whom it names"),
    }
    types = set(await sql.scalars(text("SELECT event_type FROM webhooks_log")))
    assert "(label)" in types


async def test_events_about_the_person_are_emptied_and_pending_deliveries_cancelled(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact = await add_erasure_subject(client, sql)
    count = "SELECT status, count(*) FROM webhook_deliveries GROUP BY status ORDER BY status"
    before = {row.status: row.count for row in await sql.execute(text(count))}
    other_contacts = (world.ada.contact, world.bob.contact)
    others = [one for one in await all_events(sql) if one.contact_id in other_contacts]
    earlier = {one.id: one for one in await all_events(sql)}

    async with new_events(sql) as events:
        await mutate(client, ERASE, ROOT, contactId=contact)

    assert sorted(types(events)) == ["contact_erased"] * 3 + ["deal_updated"]  # one for each of her contacts
    data = {str(new.type): new.payload["data"] for new in events}
    assert data["contact_erased"] == {}
    assert data["deal_updated"]["changes"]["title"] == {"old": None, "new": "Erased contact"}
    emptied = [one for one in await all_events(sql) if one.payload.get("erased")]
    assert len(emptied) == len(earlier) - len(await _fixture_events(sql))
    for one in emptied:
        check(one)
        whole = earlier[one.id].payload
        assert one.payload == whole | {"data": {}, "erased": True}
    after = {row.status: row.count for row in await sql.execute(text(count))}
    assert after == {"delivered": before["delivered"], "cancelled": before["pending"], "pending": len(events)}
    assert set(await sql.scalars(text("SELECT answer FROM webhook_attempts"))) == {None}
    assert [one for one in await all_events(sql) if one.contact_id in other_contacts] == others


async def _fixture_events(sql: AsyncConnection) -> list[Any]:
    """The events of the fixture `world`, which plain SQL created before the person was added."""
    return [one for one in await all_events(sql) if one.source == "sql"]


async def test_an_address_outside_the_team_is_erased_from_entries(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await post(client, "instantly", event("email_sent", lead_email=ZELDA, email_account="zelda@freelance.example"))

    await mutate(client, ERASE, ROOT, email=ZELDA)

    assert "freelance" not in await dump(sql)


@pytest.mark.parametrize("how", ["loser", "address", "deleted"])
async def test_any_contact_or_address_of_the_person_leads_to_all_of_its_data(
    how: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact = await add_erasure_subject(client, sql)
    loser = await sql.scalar(text("SELECT id FROM contacts WHERE email = :e"), {"e": OLD})
    if how == "deleted":
        delete = "mutation ($in: DeleteContactInput!) { deleteContact(input: $in) { deletedContactId } }"
        await mutate(client, delete, contactId=contact)
    given: Json = {"contactId": str(loser)} if how == "loser" else {"email": " ZQ@Former.example"}

    erased = await mutate(client, ERASE, ROOT, **given)

    assert erased["erasedContactId"] == contact
    left = await dump(sql)
    assert [secret for secret in SECRETS if secret in left] == []
    for address in (ZELDA, ALSO, OLD):
        assert (await mutate(client, LIFT, ROOT, email=address))["lifted"], address


async def test_an_address_without_a_contact_is_suppressed_until_that_is_lifted(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await post(client, "instantly", event("email_opened", lead_email=ZELDA, firstName="Zelda"))

    erased = await mutate(client, ERASE, ROOT, email=ZELDA)

    assert erased["erasedContactId"] is None
    assert "zelda" not in await dump(sql)
    async with unchanged(sql):
        error = await refusal(client, ADA, UPSERT, **{"in": {"email": ZELDA}})
        assert reason(error) == ("CONFLICT", "email")
    assert (await mutate(client, LIFT, ROOT, email="ZELDA.quux@acme.example"))["lifted"]
    assert not (await mutate(client, LIFT, ROOT, email=ZELDA))["lifted"]
    assert (await mutate(client, UPSERT, email=ZELDA))["created"]


async def test_erasing_again_succeeds_without_a_change(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact = await add_erasure_subject(client, sql)
    await mutate(client, ERASE, ROOT, contactId=contact)

    async with unchanged(sql):
        assert (await mutate(client, ERASE, ROOT, contactId=contact))["erasedContactId"] == contact
        assert (await mutate(client, ERASE, ROOT, email=OLD))["erasedContactId"] is None


async def test_an_erased_contact_can_not_be_restored(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact = await add_erasure_subject(client, sql)
    await mutate(client, ERASE, ROOT, contactId=contact)
    placeholder = f"erased-{contact}@erased.invalid"

    async with unchanged(sql):
        for address in (ZELDA, ALSO, OLD, placeholder):
            given = {"email": address, "restoreDeleted": True, "fullName": "Zelda"}
            assert reason(await refusal(client, ROOT, UPSERT, **{"in": given})) == ("CONFLICT", "email")
        by_id = {"contactId": contact}
        assert reason(await refusal(client, ROOT, RESTORE, **{"in": by_id})) == ("CONFLICT", "contactId")
        error = await refusal(client, ROOT, CLOSE, **{"in": by_id | {"reason": "x"}})
        assert reason(error) == ("NOT_FOUND", "contactId")


async def test_refusals_change_nothing(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    own = str(world.ada.contact)
    cases: list[tuple[str, Json, tuple[str, str | None]]] = [
        (ADA, {"contactId": own}, ("FORBIDDEN", None)),
        (READER, {"contactId": own}, ("FORBIDDEN", None)),
        (ROOT, {}, ("VALIDATION", "contactId")),
        (ROOT, {"contactId": own, "email": ZELDA}, ("VALIDATION", "contactId")),
        (ROOT, {"email": "zelda"}, ("VALIDATION", "email")),
        (ROOT, {"contactId": str(world.company)}, ("NOT_FOUND", "contactId")),
    ]
    async with unchanged(sql):
        for who, given, expected in cases:
            assert reason(await refusal(client, who, ERASE, **{"in": given})) == expected
        assert reason(await refusal(client, ADA, LIFT, **{"in": {"email": ZELDA}})) == ("FORBIDDEN", None)
        assert reason(await refusal(client, ROOT, LIFT, **{"in": {"email": "zelda"}})) == ("VALIDATION", "email")


async def test_a_repeated_call_has_one_effect_in_few_statements(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact = await add_erasure_subject(client, sql)
    await ask(client, ROOT, "{ me { id } }")  # knows the token
    with recorded() as statements:
        first = await mutate(client, ERASE, ROOT, contactId=contact, idempotencyKey="once")
    assert len(statements) <= 6 + 2 + len(mentions.TEXTS), statements

    async with unchanged(sql):
        again = await mutate(client, ERASE, ROOT, contactId=contact, idempotencyKey="once")

    assert again == {**first, "replayed": True}


async def test_a_replay_of_an_erased_body_is_refused(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact = await add_erasure_subject(client, sql)
    await mutate(client, ERASE, ROOT, contactId=contact)

    async with unchanged(sql):
        for id_ in await sql.scalars(text("SELECT id FROM webhooks_log")):
            error = await refusal(client, ROOT, REPLAY, **{"in": {"webhookId": str(id_)}})
            assert reason(error) == ("CONFLICT", "webhookId")
            assert "erased" in error["message"]


@pytest.mark.parametrize("address", [ZELDA, OLD])
async def test_an_upsert_during_an_erasure_is_refused(
    address: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection, database: Database
) -> None:
    await add_erasure_subject(client, sql)
    async with database.transaction() as session:
        await erasure.erase(UnitOfWork(session, machine("test"), utc_now()), email=ZELDA)
        given = {"email": address, "restoreDeleted": True, "fullName": "Zelda"}
        concurrent = asyncio.create_task(send(client, ROOT, UPSERT, **{"in": given}))
        await somebody_waits(sql)

    [error] = (await concurrent).json()["errors"]
    assert reason(error) == ("CONFLICT", "email")
    assert "zelda" not in await dump(sql)


async def test_a_deal_created_during_the_erasure_is_refused(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, database: Database
) -> None:
    contact = await add_erasure_subject(client, sql)
    create = "mutation ($in: CreateDealInput!) { createDeal(input: $in) { deal { id } } }"
    async with database.transaction() as session:
        await erasure.erase(UnitOfWork(session, machine("test"), utc_now()), contact_id=uuid.UUID(contact))
        concurrent = asyncio.create_task(send(client, ROOT, create, **{"in": {"title": "Zelda", "contactId": contact}}))
        await somebody_waits(sql)

    [error] = (await concurrent).json()["errors"]
    assert reason(error) == ("NOT_FOUND", "contactId")
    assert "zelda" not in await dump(sql)
