"""Notes, calls and e-mails that people and workflows log: on which timelines they are, and who sees them."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Company
from tests.support.api import Json, ask, reason, refusal, send
from tests.support.database import recorded, unchanged
from tests.support.factories import ADA, BOB, READER, ROOT, START, World, add

LOG = """mutation ($in: LogActivityInput!) { logActivity(input: $in) { replayed activity {
    id type content meta occurredAt createdBy { email }
    contact { id latestEmailSentAt } deal { id } company { id } } } }"""
ENTRIES = "activities { totalCount nodes { content } }"


async def log(client: httpx.AsyncClient, who: str = ADA, **given: Any) -> Json:
    """The entry that was logged."""
    answer = await ask(client, who, LOG, **{"in": {"type": "NOTE", "content": "said so", **given}})
    return dict(answer["logActivity"]["activity"])


async def refused(client: httpx.AsyncClient, who: str = ADA, **given: Any) -> Json:
    return await refusal(client, who, LOG, **{"in": {"type": "NOTE", "content": "said so", **given}})


async def stored(sql: AsyncConnection, id_: str) -> Any:
    query = text("SELECT * FROM activities WHERE id = CAST(:id AS uuid)")
    return (await sql.execute(query, {"id": id_})).one()


async def latest_email(sql: AsyncConnection, contact: Any) -> Any:
    return await sql.scalar(text("SELECT latest_email_sent_at FROM contacts WHERE id = :id"), {"id": contact})


async def test_a_note_is_on_the_timeline_of_its_subject_only(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    before = datetime.now(UTC)

    note = await log(client, dealId=str(world.ada.deal), content="a\n\tb", meta={"call": {"minutes": 5}})

    row = await stored(sql, note["id"])
    assert (row.type, row.content, row.created_by) == ("note", "a\n\tb", world.ada.owner)
    assert (row.deal_id, row.contact_id, row.company_id) == (world.ada.deal, None, None)
    assert before <= row.occurred_at <= datetime.now(UTC)
    assert row.meta_json == {"source": "graphql", "call": {"minutes": 5}}
    assert note["createdBy"] == {"email": ADA}


@pytest.mark.parametrize("type_", ["CALL", "EMAIL_OUT"])
async def test_a_call_or_an_email_about_a_deal_is_also_on_its_contacts_timeline(
    type_: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    seen = await log(client, type=type_, dealId=str(world.ada.deal))
    named = await log(client, type=type_, dealId=str(world.ada.deal), contactId=str(world.pool.contact))
    of_a_colleague = await log(client, type=type_, dealId=str(world.ada.cross))

    assert (await stored(sql, seen["id"])).contact_id == world.ada.contact
    assert (await stored(sql, named["id"])).contact_id == world.pool.contact
    row = await stored(sql, of_a_colleague["id"])
    assert (row.deal_id, row.contact_id) == (world.ada.cross, None)
    assert await latest_email(sql, world.bob.contact) is None


async def test_an_email_only_moves_the_contacts_latest_one_forward(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    contact, at = str(world.ada.contact), START + timedelta(days=2)

    logged = await log(client, type="EMAIL_OUT", contactId=contact, occurredAt=at.isoformat())
    await log(client, type="EMAIL_OUT", contactId=contact, occurredAt=START.isoformat())
    await log(client, type="CALL", contactId=contact)
    await log(client, type="NOTE", contactId=contact)

    assert logged["contact"]["latestEmailSentAt"] == at.isoformat()
    assert await latest_email(sql, world.ada.contact) == at
    updated = await sql.scalar(text("SELECT updated_at > created_at FROM contacts WHERE id = :id"), {"id": contact})
    assert updated
    await log(client, type="EMAIL_OUT", dealId=str(world.ada.deal))
    assert await latest_email(sql, world.ada.contact) > at + timedelta(days=1)


async def test_concurrent_emails_leave_the_latest(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    times = [START + timedelta(minutes=i * 7 % 20) for i in range(20)]
    given = [{"type": "EMAIL_OUT", "content": "x", "contactId": str(world.ada.contact)} for _ in times]

    answers = await asyncio.gather(
        *(send(client, ADA, LOG, **{"in": one | {"occurredAt": at.isoformat()}})
          for one, at in zip(given, times, strict=True))
    )  # fmt: skip

    assert all("errors" not in answer.json() for answer in answers)
    assert await latest_email(sql, world.ada.contact) == max(times)


async def test_everybody_sees_an_entry_about_a_company_only(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    company = str(world.company)
    shared = await log(client, BOB, companyId=company, content="about Acme")
    await log(client, BOB, companyId=company, contactId=str(world.bob.contact), content="about Bob's lead")
    await log(client, BOB, companyId=company, dealId=str(world.bob.deal), content="about Bob's deal")
    other = await add(sql, Company, name="Other", name_key="other")
    await log(client, BOB, companyId=str(other), content="about Other")
    document = f"query ($id: UUID!) {{ company(id: $id) {{ {ENTRIES} }} }}"
    filtered = f"query ($f: ActivityFilter) {{ {ENTRIES.replace(' ', '(filter: $f) ', 1)} }}"

    seen = (await ask(client, ADA, document, id=company))["company"]["activities"]
    found = await ask(client, ADA, filtered, f={"companyId": company})

    assert seen == found["activities"] == {"totalCount": 1, "nodes": [{"content": "about Acme"}]}
    for who in (BOB, ROOT, READER):
        listed = (await ask(client, who, document, id=company))["company"]["activities"]["nodes"]
        assert [node["content"] for node in listed] == ["about Bob's deal", "about Bob's lead", "about Acme"]
    assert (await stored(sql, shared["id"])).company_id == world.company


async def test_a_deleted_contacts_entry_does_not_become_the_companys(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await log(client, companyId=str(world.company), contactId=str(world.ada.contact), content="personal")
    await sql.execute(text("UPDATE contacts SET deleted_at = now()"))
    await sql.execute(text("UPDATE deals SET deleted_at = now()"))

    for who in (ADA, BOB):
        assert (await ask(client, who, f"{{ {ENTRIES} }}"))["activities"] == {"totalCount": 0, "nodes": []}


async def test_a_report_from_the_future_is_refused(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    deal, now = str(world.ada.deal), datetime.now(UTC)

    async with unchanged(sql):
        for ahead in (now + timedelta(minutes=6), now + timedelta(days=400)):
            error = await refused(client, dealId=deal, occurredAt=ahead.isoformat())
            assert reason(error) == ("VALIDATION", "occurredAt")
    skewed = await log(client, dealId=deal, occurredAt=(now + timedelta(minutes=4)).isoformat())
    early = await log(client, dealId=deal, occurredAt="0001-01-01T00:00:00Z")

    assert (await stored(sql, skewed["id"])).occurred_at <= datetime.now(UTC)
    assert early["occurredAt"] == "0001-01-01T00:00:00+00:00"


NOT_CONTENT = ["", " \n\t", "a\x00b", "a\ud800", "bell\x07", "\x1b[31m", "\x7f", "\x85", "x" * 100_001]
NOT_META: list[Any] = [
    "text", 5, [1], True, {"a": "x\x00"}, {"a": 2**63}, {str(i): i for i in range(501)}, {"a": "x" * 100_000},
    {"source": "calcom"},
]  # fmt: skip


async def test_invalid_input_is_refused_by_field(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    deal = str(world.ada.deal)
    async with unchanged(sql):
        for content in NOT_CONTENT:
            assert reason(await refused(client, dealId=deal, content=content)) == ("VALIDATION", "content")
        for meta in NOT_META:
            assert reason(await refused(client, dealId=deal, meta=meta)) == ("VALIDATION", "meta")
        error = await refused(client, contactId=None)
        assert reason(error) == ("VALIDATION", "contactId")
        assert error["message"].endswith("say what this is about: contactId, dealId or companyId")
        for type_ in ("TASK", "SYSTEM", "EMAIL_IN", "note"):
            assert reason(await refused(client, dealId=deal, type=type_)) == ("BAD_REQUEST", "type")
    long = await log(client, dealId=deal, content="x" * 100_000, meta=None)
    assert len((await stored(sql, long["id"])).content) == 100_000


async def test_a_colleagues_rows_look_like_missing_ones(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    mine, unknown = str(world.ada.contact), str(uuid.uuid4())
    async with unchanged(sql):
        for name, colleagues in (("contactId", world.bob.contact), ("dealId", world.bob.deal), ("companyId", unknown)):
            for type_ in ("NOTE", "EMAIL_OUT"):
                other = {} if name == "contactId" else {"contactId": mine}
                one = await refused(client, type=type_, **{name: str(colleagues)}, **other)
                assert reason(one) == ("NOT_FOUND", name)
                assert await refused(client, type=type_, **{name: unknown}, **other) == one
        assert reason(await refused(client, READER, dealId=str(world.ada.deal))) == ("FORBIDDEN", None)


async def test_a_repeated_call_is_logged_once(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    given = {"type": "EMAIL_OUT", "content": "x", "dealId": str(world.ada.deal), "meta": {"a": 1}}
    given["idempotencyKey"] = "one"

    first = (await ask(client, ADA, LOG, **{"in": given}))["logActivity"]
    async with unchanged(sql):
        again = (await ask(client, ADA, LOG, **{"in": given}))["logActivity"]

    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["activity"] == first["activity"]


async def test_it_takes_five_statements_with_a_key(client: httpx.AsyncClient, world: World) -> None:
    given = {"type": "EMAIL_OUT", "content": "x", "dealId": str(world.ada.deal)}
    for key in ("first", "second"):  # the first time, a connection is new
        await ask(client, ADA, "{ __typename }")
        with recorded() as sent:
            await ask(client, ADA, LOG, **{"in": given | {"idempotencyKey": key}})
    assert len(sent) == 5
