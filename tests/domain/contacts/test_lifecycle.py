"""Contacts are deleted, restored, closed to outreach and opened again."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support import instantly
from tests.support.api import Json, ask, reason, refusal, send
from tests.support.database import recorded, unchanged
from tests.support.factories import ADA, BOB, READER, World
from tests.support.instantly import event

DELETE = "mutation ($in: DeleteContactInput!) { deleteContact(input: $in) { deletedContactId replayed } }"
RESTORE = "mutation ($in: RestoreContactInput!) { restoreContact(input: $in) { replayed contact { id version } } }"
CLOSE = """mutation ($in: SetDoNotContactInput!) { setDoNotContact(input: $in) { replayed contact {
    version doNotContactAt doNotContactReason } } }"""
OPEN = """mutation ($in: LiftDoNotContactInput!) { liftDoNotContact(input: $in) { replayed contact {
    version doNotContactAt doNotContactReason } } }"""
DEAL = "query ($id: UUID!) { deal(id: $id) { title contact { id } } }"
NAMES = {DELETE: "deleteContact", RESTORE: "restoreContact", CLOSE: "setDoNotContact", OPEN: "liftDoNotContact"}


async def call(client: httpx.AsyncClient, document: str, contact: Any, who: str = ADA, **given: Any) -> Json:
    answer = await ask(client, who, document, **{"in": {"contactId": str(contact), **given}})
    return dict(answer[NAMES[document]])


async def entries(sql: AsyncConnection, contact: Any) -> list[Any]:
    """The system entries of a contact, oldest first."""
    query = "SELECT content, created_by, meta_json AS meta FROM activities WHERE contact_id = :id AND type = 'system'"
    return list(await sql.execute(text(f"{query} ORDER BY created_at"), {"id": contact}))


async def test_a_deleted_contact_is_hidden_and_its_deals_stay(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact = world.ada.contact

    deleted = await call(client, DELETE, contact)

    assert deleted == {"deletedContactId": str(contact), "replayed": False}
    seen = await ask(
        client, ADA, "query ($id: UUID!) { contact(id: $id) { id } contacts { totalCount } }", id=str(contact)
    )
    assert seen == {"contact": None, "contacts": {"totalCount": 1}}
    deal = (await ask(client, ADA, DEAL, id=str(world.ada.deal)))["deal"]
    assert deal == {"title": "ada-own", "contact": None}
    [entry] = await entries(sql, contact)
    assert (entry.content, entry.created_by) == ("Contact deleted", world.ada.owner)


async def test_a_restored_contact_is_as_before(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    query = text("SELECT * FROM contacts WHERE id = :id")
    before = dict((await sql.execute(query, {"id": world.ada.contact})).mappings().one())
    await call(client, DELETE, world.ada.contact)

    restored = await call(client, RESTORE, world.ada.contact)

    assert restored["contact"] == {"id": str(world.ada.contact), "version": 3}
    after = dict((await sql.execute(query, {"id": world.ada.contact})).mappings().one())
    assert {name for name in before if before[name] != after[name]} == {"version", "updated_at"}
    deal = (await ask(client, ADA, DEAL, id=str(world.ada.deal)))["deal"]
    assert deal["contact"] == {"id": str(world.ada.contact)}
    assert [entry.content for entry in await entries(sql, world.ada.contact)] == ["Contact deleted", "Contact restored"]
    async with unchanged(sql):
        await call(client, RESTORE, world.ada.contact)


async def test_an_event_about_a_deleted_contact_leaves_it_deleted(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await call(client, DELETE, world.ada.contact)

    await instantly.send(client, event("reply_received", lead_email=world.ada.email, reply_text="Send me the price"))

    assert await sql.scalar(text("SELECT deleted_at FROM contacts WHERE id = :id"), {"id": world.ada.contact})
    assert await sql.scalar(text("SELECT count(*) FROM deals")) == 6


async def test_closing_and_opening_keep_the_reasons(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact = world.pool.contact

    closed = await call(client, CLOSE, contact, reason="Asked for it on the phone")
    again = await call(client, CLOSE, contact, reason="Wrote it, too")
    opened = await call(client, OPEN, contact, reason="Called back")

    assert closed["contact"]["doNotContactAt"] is not None
    assert again["contact"] == closed["contact"] | {"doNotContactReason": "Wrote it, too", "version": 3}
    assert opened["contact"] == {"doNotContactAt": None, "doNotContactReason": None, "version": 4}
    first, second, third = await entries(sql, contact)
    assert first.content == "Do not contact: Asked for it on the phone"
    changes = second.meta["changes"]
    assert changes == {"do_not_contact_reason": {"old": "Asked for it on the phone", "new": "Wrote it, too"}}
    assert third.content == "May be contacted again: Called back"
    assert third.meta["changes"]["do_not_contact_reason"] == {"old": "Wrote it, too", "new": None}
    assert third.created_by == world.ada.owner
    async with unchanged(sql):
        await call(client, OPEN, contact, reason="Once more")


async def test_events_neither_open_a_contact_nor_replace_the_reason(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await call(client, CLOSE, world.ada.contact, reason="The law")

    for type_ in ("lead_unsubscribed", "lead_interested", "reply_received"):
        await instantly.send(client, event(type_, lead_email=world.ada.email, reply_text="Yes, send me the price"))

    query = "SELECT do_not_contact_at IS NOT NULL, do_not_contact_reason FROM contacts WHERE id = :id"
    assert tuple((await sql.execute(text(query), {"id": world.ada.contact})).one()) == (True, "The law")


@pytest.mark.parametrize("document", [DELETE, RESTORE, CLOSE, OPEN], ids=NAMES.get)
async def test_refusals_change_nothing(
    document: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    given: Json = {"reason": "Why not"} if document in (CLOSE, OPEN) else {}
    own, colleagues, unknown = (str(id_) for id_ in (world.ada.contact, world.bob.contact, world.company))
    await sql.execute(text("UPDATE contacts SET deleted_at = now() WHERE id = :id"), {"id": world.bob.contact})

    async def refused(who: str, **more: Any) -> tuple[str, str | None]:
        return reason(await refusal(client, who, document, **{"in": {"contactId": own} | given | more}))

    async with unchanged(sql):
        assert await refused(READER) == ("FORBIDDEN", None)
        assert await refused(BOB) == await refused(ADA, contactId=unknown) == ("NOT_FOUND", "contactId")
        assert await refused(ADA, contactId=colleagues) == ("NOT_FOUND", "contactId")
        if document != RESTORE:
            assert await refused(ADA, expectedVersion=2) == ("VERSION_CONFLICT", "expectedVersion")
        if given:
            for wrong in ("", "  ", "x" * 501, "a\0b"):
                assert await refused(ADA, reason=wrong) == ("VALIDATION", "reason")


async def test_a_merged_or_erased_contact_is_not_restored(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    for column, value in (("merged_into_id", world.pool.contact), ("erased_at", "2026-01-01T00:00:00Z")):
        cast = "uuid" if column == "merged_into_id" else "timestamptz"
        change = f"UPDATE contacts SET deleted_at = now(), {column} = CAST(CAST(:v AS text) AS {cast}) WHERE id = :id"
        await sql.execute(text(change), {"v": str(value), "id": world.ada.contact})
        async with unchanged(sql):
            given = {"contactId": str(world.ada.contact)}
            assert reason(await refusal(client, ADA, RESTORE, **{"in": given})) == ("CONFLICT", "contactId")
        await sql.execute(text(f"UPDATE contacts SET {column} = NULL WHERE id = :id"), {"id": world.ada.contact})


@pytest.mark.parametrize("document", [DELETE, RESTORE, CLOSE, OPEN], ids=NAMES.get)
async def test_a_repeated_call_has_one_effect_in_few_statements(
    document: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact, given = world.ada.contact, {"reason": "Why not"} if document in (CLOSE, OPEN) else {}
    await ask(client, ADA, "{ me { id } }")  # knows the token
    if document == RESTORE:
        await call(client, DELETE, contact)
    if document == OPEN:
        await call(client, CLOSE, contact, reason="Before")
    with recorded() as statements:
        first = await call(client, document, contact, idempotencyKey="once", **given)
    assert len(statements) <= 4, statements

    async with unchanged(sql):
        again = await call(client, document, contact, idempotencyKey="once", **given)

    assert again == {**first, "replayed": True}


async def test_closing_a_contact_never_undoes_a_concurrent_deletion(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact = str(world.ada.contact)
    calls = [send(client, ADA, CLOSE, **{"in": {"contactId": contact, "reason": f"{i}"}}) for i in range(10)]
    calls.insert(5, send(client, ADA, DELETE, **{"in": {"contactId": contact}}))

    answers = [answer.json() for answer in await asyncio.gather(*calls)]

    codes = {error["extensions"]["code"] for answer in answers for error in answer.get("errors", [])}
    assert codes <= {"NOT_FOUND"}
    assert await sql.scalar(text("SELECT deleted_at IS NOT NULL FROM contacts WHERE id = :id"), {"id": contact})
