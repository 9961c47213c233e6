"""Members of a deal see it and work on it, read its contact, and can't give it away."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.domain.deals.members import MEMBERS_MAX
from crm_graph.models import Activity, Contact, Deal, Role
from tests.support.api import ask, reason, refusal, send
from tests.support.database import unchanged
from tests.support.deals import stored, timeline
from tests.support.endpoints import add_endpoint, deliveries_of
from tests.support.factories import ADA, BOB, READER, ROOT, START, World, add, add_owner

SHARE = "mutation ($in: AddDealMemberInput!) { addDealMember(input: $in) { deal { version members { email } } } }"
LEAVE = "mutation ($in: RemoveDealMemberInput!) { removeDealMember(input: $in) { deal { members { email } } } }"
UPDATE = "mutation ($in: UpdateDealInput!) { updateDeal(input: $in) { deal { title } } }"
MOVE = "mutation ($in: MoveDealStageInput!) { moveDealStage(input: $in) { deal { stage { key } } } }"
LOG = "mutation ($in: LogActivityInput!) { logActivity(input: $in) { activity { id } } }"
DELETE = "mutation ($in: DeleteDealInput!) { deleteDeal(input: $in) { deletedDealId } }"
ASSIGN = "mutation ($in: AssignDealInput!) { assignDeal(input: $in) { deal { id } } }"
CLAIM = "mutation ($in: ClaimDealInput!) { claimDeal(input: $in) { deal { id } } }"
UPDATE_CONTACT = "mutation ($in: UpdateContactInput!) { updateContact(input: $in) { contact { id } } }"
DELETE_CONTACT = "mutation ($in: DeleteContactInput!) { deleteContact(input: $in) { deletedContactId } }"
MERGE = "mutation ($in: MergeContactsInput!) { mergeContacts(input: $in) { contact { id } } }"
DEAL = """query ($id: UUID!) { deal(id: $id) { title contact { email } members { email }
    activities(first: 50) { nodes { content } } } }"""


async def share(client: httpx.AsyncClient, deal: Any, owner: Any, who: str = ADA) -> dict[str, Any]:
    answer = await ask(client, who, SHARE, **{"in": {"dealId": str(deal), "ownerId": str(owner)}})
    return dict(answer["addDealMember"]["deal"])


async def test_a_member_reads_the_deal_its_timeline_and_its_contact(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    of_contact = {"contact_id": world.ada.contact, "occurred_at": START}
    other = await add(sql, Activity, type="note", content="of the contact", **of_contact)
    await add(sql, Activity, type="note", content="of the deal", deal_id=world.ada.deal, occurred_at=START)
    assert (await ask(client, BOB, DEAL, id=str(world.ada.deal)))["deal"] is None

    await share(client, world.ada.deal, world.bob.owner)

    deal = (await ask(client, BOB, DEAL, id=str(world.ada.deal)))["deal"]
    assert (deal["contact"], deal["members"]) == ({"email": world.ada.email}, [{"email": BOB}])
    contents = [entry["content"] for entry in deal["activities"]["nodes"]]
    assert {"of the deal", "Member added: Bob"} <= set(contents)
    lists = "{ deals { nodes { id } } contacts(first: 50) { nodes { id activities(first: 50) { nodes { id } } } } }"
    seen = await ask(client, BOB, lists)
    assert str(world.ada.deal) in {node["id"] for node in seen["deals"]["nodes"]}
    [contact] = [node for node in seen["contacts"]["nodes"] if node["id"] == str(world.ada.contact)]
    assert str(other) not in {entry["id"] for entry in contact["activities"]["nodes"]}


async def test_a_member_works_on_the_deal(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await share(client, world.ada.deal, world.bob.owner)
    deal = {"dealId": str(world.ada.deal)}

    await ask(client, BOB, UPDATE, **{"in": deal | {"title": "Renamed by Bob"}})
    await ask(client, BOB, MOVE, **{"in": deal | {"stageId": str(world.stage["qualified"])}})
    await ask(client, BOB, LOG, **{"in": deal | {"type": "CALL", "content": "talked"}})

    row = await stored(sql, world.ada.deal)
    assert (row["title"], row["key"], row["owner_id"]) == ("Renamed by Bob", "qualified", world.ada.owner)
    calls = await sql.execute(text("SELECT contact_id, created_by FROM activities WHERE content = 'talked'"))
    assert [tuple(call) for call in calls] == [(None, world.bob.owner)]


@pytest.mark.parametrize(
    ("document", "given", "expected"),
    [
        (DELETE, {"dealId": "deal"}, ("FORBIDDEN", "dealId")),
        (ASSIGN, {"dealId": "deal", "ownerId": "bob"}, ("FORBIDDEN", "ownerId")),
        (UPDATE, {"dealId": "deal", "ownerId": "bob"}, ("FORBIDDEN", "ownerId")),
        (CLAIM, {"dealId": "deal"}, ("CONFLICT", "dealId")),
        (SHARE, {"dealId": "deal", "ownerId": "root"}, ("FORBIDDEN", "dealId")),
        (LEAVE, {"dealId": "deal", "ownerId": "eve"}, ("FORBIDDEN", "dealId")),
        (UPDATE_CONTACT, {"contactId": "contact", "fullName": "x"}, ("NOT_FOUND", "contactId")),
        (DELETE_CONTACT, {"contactId": "contact"}, ("NOT_FOUND", "contactId")),
        (MERGE, {"survivorId": "own", "loserId": "contact"}, ("NOT_FOUND", "loserId")),
        (MERGE, {"survivorId": "contact", "loserId": "own"}, ("NOT_FOUND", "survivorId")),
        (LOG, {"contactId": "contact", "type": "NOTE", "content": "x"}, ("NOT_FOUND", "contactId")),
    ],
)
async def test_a_member_can_not_give_the_deal_away_or_change_its_contact(
    document: str,
    given: dict[str, str],
    expected: Any,
    client: httpx.AsyncClient,
    world: World,
    sql: AsyncConnection,
) -> None:
    eve = await add_owner(sql, "eve@seller.com")
    await share(client, world.ada.deal, world.bob.owner)
    await share(client, world.ada.deal, eve)
    known = {"deal": world.ada.deal, "contact": world.ada.contact, "own": world.bob.contact, "bob": world.bob.owner}
    known |= {"root": await sql.scalar(text("SELECT id FROM owners WHERE email = :e"), {"e": ROOT}), "eve": eve}
    filled = {name: str(known.get(value, value)) for name, value in given.items()}

    async with unchanged(sql):
        error = await refusal(client, BOB, document, **{"in": filled})

    assert reason(error) == expected


async def test_only_a_colleague_who_works_can_be_added(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    reader = await sql.scalar(text("SELECT id FROM owners WHERE email = :e"), {"e": READER}) or await add_owner(
        sql, READER, role=Role.READONLY
    )
    gone = await add_owner(sql, "gone@seller.com", active=False)
    for nobody in (reader, gone, uuid.uuid4()):
        async with unchanged(sql):
            error = await refusal(client, ADA, SHARE, **{"in": {"dealId": str(world.ada.deal), "ownerId": str(nobody)}})
        assert reason(error) == ("NOT_FOUND", "ownerId")


async def test_the_owner_and_members_are_not_added_again(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    first = await share(client, world.ada.deal, world.bob.owner)
    async with unchanged(sql):
        assert await share(client, world.ada.deal, world.bob.owner) == first
        assert await share(client, world.ada.deal, world.ada.owner) == first


async def test_a_deal_has_at_most_20_members(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    helpers = [await add_owner(sql, f"helper{i}@seller.com") for i in range(MEMBERS_MAX)]
    await sql.execute(text("UPDATE deals SET member_ids = :m WHERE id = :id"), {"m": helpers, "id": world.ada.deal})
    async with unchanged(sql):
        error = await refusal(
            client, ADA, SHARE, **{"in": {"dealId": str(world.ada.deal), "ownerId": str(world.bob.owner)}}
        )
    assert reason(error) == ("VALIDATION", "ownerId")


async def test_a_member_leaves_and_sees_the_deal_no_more(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await share(client, world.ada.deal, world.bob.owner)
    gone = {"dealId": str(world.ada.deal), "ownerId": str(world.bob.owner)}

    assert (await ask(client, BOB, LEAVE, **{"in": gone}))["removeDealMember"] == {"deal": None}

    assert (await ask(client, BOB, DEAL, id=str(world.ada.deal)))["deal"] is None
    entries = await timeline(sql, world.ada.deal)
    assert entries[-1].content == "Member removed: Bob"
    assert entries[-1].meta["changes"] == {"member_ids": {"old": [str(world.bob.owner)], "new": None}}


async def test_members_added_at_once_are_all_members(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    helpers = [await add_owner(sql, f"helper{i}@seller.com") for i in range(8)]
    await asyncio.gather(*(share(client, world.ada.deal, helper) for helper in helpers))
    row = await stored(sql, world.ada.deal)
    assert (sorted(row["member_ids"]), row["version"]) == (sorted(helpers), 1 + len(helpers))


async def test_a_member_gets_the_events_of_the_deal_and_no_others(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    endpoint = await add_endpoint(sql, world.bob.owner)
    await ask(client, ADA, UPDATE, **{"in": {"dealId": str(world.ada.deal), "title": "before"}})
    await share(client, world.ada.deal, world.bob.owner)
    await ask(client, ADA, UPDATE, **{"in": {"dealId": str(world.ada.deal), "title": "after"}})
    await ask(client, ADA, LOG, **{"in": {"dealId": str(world.ada.deal), "type": "NOTE", "content": "n"}})
    await ask(client, ADA, LOG, **{"in": {"contactId": str(world.ada.contact), "type": "NOTE", "content": "n"}})

    query = "SELECT type, payload #> '{data,changes}' AS changes FROM events WHERE id = :id"
    events = [(await sql.execute(text(query), {"id": d.event_id})).one() for d in await deliveries_of(sql, endpoint)]
    assert [event.type for event in events] == ["deal_updated", "deal_updated", "activity_logged"]
    assert events[0].changes == {"member_ids": {"old": None, "new": [str(world.bob.owner)]}}
    assert events[1].changes == {"title": {"old": "before", "new": "after"}}


async def test_memberships_end_with_the_owner(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await share(client, world.ada.deal, world.bob.owner)
    document = "mutation ($in: DeactivateOwnerInput!) { deactivateOwner(input: $in) { owner { id } } }"
    await ask(client, ROOT, document, **{"in": {"ownerId": str(world.bob.owner)}})
    assert (await stored(sql, world.ada.deal))["member_ids"] is None
    assert (await timeline(sql, world.ada.deal))[-1].content == "Member removed, hand-over"


async def test_a_deleted_deal_gives_no_member_its_contact(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await share(client, world.ada.deal, world.bob.owner)
    document = "query ($id: UUID!) { contact(id: $id) { id } }"
    assert (await ask(client, BOB, document, id=str(world.ada.contact)))["contact"] is not None
    await ask(client, ADA, DELETE, **{"in": {"dealId": str(world.ada.deal)}})
    assert (await ask(client, BOB, document, id=str(world.ada.contact)))["contact"] is None


async def test_readonly_owners_change_no_members(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    if not await sql.scalar(text("SELECT id FROM owners WHERE email = :e"), {"e": READER}):
        await add_owner(sql, READER, role=Role.READONLY)
    async with unchanged(sql):
        answer = await send(
            client, READER, SHARE, **{"in": {"dealId": str(world.ada.deal), "ownerId": str(world.bob.owner)}}
        )
    assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_deal_whose_contact_has_another_owner_shows_it_to_members(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    carol = await add_owner(sql, "carol@seller.com")
    contact = await add(sql, Contact, email="c@lead.example", owner_id=carol)
    place = {"pipeline_id": world.stage["pipeline"], "stage_id": world.stage["new"], "rank": "b0", "currency": "USD"}
    deal = await add(sql, Deal, title="t", owner_id=world.ada.owner, contact_id=contact, **place)
    assert (await ask(client, ADA, DEAL, id=str(deal)))["deal"]["contact"] is None
    await share(client, deal, world.bob.owner)
    assert (await ask(client, BOB, DEAL, id=str(deal)))["deal"]["contact"] == {"email": "c@lead.example"}
