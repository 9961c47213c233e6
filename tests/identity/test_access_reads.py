"""The owner rule in reads: a colleague's row looks as if it did not exist, along every path of the schema."""

import json
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.identity.access import visible
from crm_graph.identity.principal import Principal
from crm_graph.models import Activity, DealStageHistory, Role, WebhookLog, table
from tests.support.api import ask, reason, refusal, send
from tests.support.factories import ADA, BOB, READER, ROOT, START, World, add

DEAL = """query ($id: UUID!) { deal(id: $id) { id title amount contact { id email } owner { name }
    activities { totalCount nodes { content } } stageHistory { totalCount nodes { id movedAt } } } }"""
CONTACT = """query ($id: UUID!) { contact(id: $id) { id email deals { totalCount nodes { id } }
    activities { totalCount nodes { content deal { id } } } } }"""
BY_EMAIL = "query ($email: String!) { contactByEmail(email: $email) { id email } }"
COMPANY = """query ($id: UUID!) { company(id: $id) {
    contacts { totalCount nodes { id } } deals { totalCount edges { node { id contact { id } } } } } }"""
LISTS = "{ deals { totalCount nodes { id } } contacts { totalCount nodes { id } } }"
BOARD = """{ pipeline { stages { key dealCount amountTotals { amount currency }
    deals { totalCount nodes { id } } } } }"""
ACTIVITIES_OF_LISTS = """{ deals { nodes { activities { nodes { content contact { id } deal { id } } } } }
    contacts { nodes { activities { nodes { content contact { id } deal { id } } } } } }"""


async def test_a_colleagues_deal_is_hidden_on_the_timeline_of_a_shared_contact(
    client: httpx.AsyncClient, world: World
) -> None:
    create = "mutation ($i: CreateDealInput!) { createDeal(input: $i) { deal { id } } }"
    made = await ask(client, BOB, create, i={"title": "SECRET", "contactId": str(world.pool.contact)})
    edit = "mutation ($i: UpdateDealInput!) { updateDeal(input: $i) { deal { id } } }"
    await ask(client, BOB, edit, i={"dealId": made["createDeal"]["deal"]["id"], "notes": "SECRET", "amount": "9.99"})

    document = "query ($id: UUID!) { contact(id: $id) { activities { nodes { content meta createdBy { email } } } } }"
    seen = await ask(client, ADA, document, id=str(world.pool.contact))

    assert "SECRET" not in json.dumps(seen)
    assert "9.99" not in json.dumps(seen)


def ids(*values: Any) -> set[str]:
    return {str(value) for value in values}


def nodes(connection: dict[str, Any]) -> set[str]:
    return {node["id"] for node in connection["nodes"]}


async def test_a_colleagues_deal_looks_like_one_that_does_not_exist(client: httpx.AsyncClient, world: World) -> None:
    of_a_colleague = await send(client, ADA, DEAL, id=str(world.bob.deal))
    of_no_one = await send(client, ADA, DEAL, id=str(uuid.uuid4()))

    assert of_a_colleague.json() == of_no_one.json() == {"data": {"deal": None}}
    assert of_a_colleague.status_code == of_no_one.status_code == 200


async def test_a_colleagues_contact_looks_like_one_that_does_not_exist(client: httpx.AsyncClient, world: World) -> None:
    of_a_colleague = await send(client, ADA, CONTACT, id=str(world.bob.contact))
    of_no_one = await send(client, ADA, CONTACT, id=str(uuid.uuid4()))
    by_email = await send(client, ADA, BY_EMAIL, email=world.bob.email.upper())
    unknown = await send(client, ADA, BY_EMAIL, email="nobody@acme.example")

    assert of_a_colleague.json() == of_no_one.json() == {"data": {"contact": None}}
    assert by_email.json() == unknown.json() == {"data": {"contactByEmail": None}}


async def test_own_and_unassigned_rows_are_visible(client: httpx.AsyncClient, world: World) -> None:
    for side in (world.ada, world.pool):
        assert (await ask(client, ADA, DEAL, id=str(side.deal)))["deal"]["id"] == str(side.deal)
        assert (await ask(client, ADA, CONTACT, id=str(side.contact)))["contact"]["id"] == str(side.contact)
        found = await ask(client, ADA, BY_EMAIL, email=side.email)
        assert found["contactByEmail"]["id"] == str(side.contact)


async def test_the_edge_from_my_deal_to_a_colleagues_contact_is_null(client: httpx.AsyncClient, world: World) -> None:
    mine = await ask(client, ADA, DEAL, id=str(world.ada.cross))
    admins = await ask(client, ROOT, DEAL, id=str(world.ada.cross))

    assert mine["deal"]["contact"] is None
    assert admins["deal"]["contact"] == {"id": str(world.bob.contact), "email": world.bob.email}


async def test_a_colleagues_deal_is_absent_from_my_contact(client: httpx.AsyncClient, world: World) -> None:
    mine = (await ask(client, ADA, CONTACT, id=str(world.ada.contact)))["contact"]
    admins = (await ask(client, ROOT, CONTACT, id=str(world.ada.contact)))["contact"]

    assert nodes(mine["deals"]) == ids(world.ada.deal)
    assert mine["deals"]["totalCount"] == 1
    assert nodes(admins["deals"]) == ids(world.ada.deal, world.bob.cross)
    shown = {entry["deal"]["id"] for entry in mine["activities"]["nodes"] if entry["deal"]}
    assert shown == ids(world.ada.deal)


async def test_lists_and_their_counts_hold_own_rows_and_the_pool(client: httpx.AsyncClient, world: World) -> None:
    mine = await ask(client, ADA, LISTS)

    assert nodes(mine["deals"]) == ids(world.ada.deal, world.ada.cross, world.pool.deal, world.pool.cross)
    assert nodes(mine["contacts"]) == ids(world.ada.contact, world.pool.contact)
    assert (mine["deals"]["totalCount"], mine["contacts"]["totalCount"]) == (4, 2)


@pytest.mark.parametrize("who", [ROOT, READER])
async def test_an_admin_and_a_reader_see_everything(who: str, client: httpx.AsyncClient, world: World) -> None:
    seen = await ask(client, who, LISTS)

    assert (seen["deals"]["totalCount"], seen["contacts"]["totalCount"]) == (6, 3)
    for side in (world.ada, world.bob, world.pool):
        assert (await ask(client, who, DEAL, id=str(side.deal)))["deal"]["id"] == str(side.deal)


async def test_the_board_counts_and_sums_what_its_reader_sees(client: httpx.AsyncClient, world: World) -> None:
    for who, count, total in ((ADA, 4, "20402.00"), (BOB, 4, "22220.00"), (ROOT, 6, "22422.00")):
        stages = (await ask(client, who, BOARD))["pipeline"]["stages"]
        [new] = [stage for stage in stages if stage["key"] == "new"]
        assert (new["dealCount"], new["deals"]["totalCount"], len(new["deals"]["nodes"])) == (count, count, count)
        assert new["amountTotals"] == [{"amount": total, "currency": "USD"}]


async def test_a_shared_company_shows_only_what_is_visible(client: httpx.AsyncClient, world: World) -> None:
    company = (await ask(client, ADA, COMPANY, id=str(world.company)))["company"]

    assert nodes(company["contacts"]) == ids(world.ada.contact, world.pool.contact)
    assert company["contacts"]["totalCount"] == 2
    deals = [edge["node"] for edge in company["deals"]["edges"]]
    assert {deal["id"] for deal in deals} == ids(world.ada.deal, world.ada.cross, world.pool.deal, world.pool.cross)
    assert {deal["contact"]["id"] for deal in deals if deal["contact"]} == ids(world.ada.contact, world.pool.contact)
    assert company["deals"]["totalCount"] == 4


async def test_activities_are_those_of_visible_contacts_and_deals(client: httpx.AsyncClient, world: World) -> None:
    answer = await ask(client, ADA, ACTIVITIES_OF_LISTS)

    entries = [e for kind in answer.values() for node in kind["nodes"] for e in node["activities"]["nodes"]]
    contents = {entry["content"] for entry in entries}
    # An activity of a colleague's deal is visible at my contact: the contact is mine.
    assert contents == {"ada-note", "ada-own-note", "ada-cross-note", "pool-note", "pool-own-note", "pool-cross-note",
                        "bob-cross-note"}  # fmt: skip
    assert str(world.bob.contact) not in json.dumps(entries)
    assert str(world.bob.cross) not in json.dumps(entries)


async def test_activities_and_moves_are_as_visible_as_what_they_are_about(
    client: httpx.AsyncClient, world: World, database: Database
) -> None:
    # The API has no list that starts at them, so the rule itself is tested.
    async def seen(model: type[Activity] | type[DealStageHistory], principal: Principal) -> set[Any]:
        key = table(model).c.content if model is Activity else table(model).c.deal_id
        async with database.read() as connection:
            return set(await connection.scalars(select(key).where(visible(model, principal))))

    ada, reader = Principal(world.ada.owner, Role.SALES), Principal(None, Role.READONLY)
    assert await seen(Activity, ada) == {
        "ada-note", "ada-own-note", "ada-cross-note", "pool-note", "pool-own-note", "pool-cross-note", "bob-cross-note",
    }  # fmt: skip
    assert len(await seen(Activity, reader)) == 9
    own = {world.ada.deal, world.ada.cross, world.pool.deal, world.pool.cross}
    assert await seen(DealStageHistory, ada) == own
    assert await seen(DealStageHistory, reader) == own | {world.bob.deal, world.bob.cross}


@pytest.mark.parametrize("list_name", ["deals", "contacts"])
async def test_a_cursor_of_a_colleagues_row_opens_nothing(
    list_name: str, client: httpx.AsyncClient, world: World
) -> None:
    edges = (await ask(client, BOB, f"{{ {list_name} {{ edges {{ cursor node {{ id }} }} }} }}"))[list_name]["edges"]
    page = f"query ($after: String) {{ {list_name}(after: $after) {{ totalCount nodes {{ id }} }} }}"
    mine = nodes((await ask(client, ADA, page))[list_name])

    for edge in edges:
        answer = (await ask(client, ADA, page, after=edge["cursor"]))[list_name]
        assert nodes(answer) <= mine
        assert answer["totalCount"] == len(mine)


async def test_the_webhook_log_is_for_admins(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    await add(
        sql, WebhookLog, source="instantly", event_type="x", dedupe_key="k", body=b"{}", received_at=START,
        status="processed", contact_id=world.bob.contact,
    )  # fmt: skip
    query = "{ webhooksLog { totalCount nodes { body contact { id } } } }"

    for who in (ADA, READER):
        assert reason(await refusal(client, who, query))[0] == "FORBIDDEN"

    log = (await ask(client, ROOT, query))["webhooksLog"]
    assert log == {"totalCount": 1, "nodes": [{"body": "{}", "contact": {"id": str(world.bob.contact)}}]}


async def test_deleted_rows_are_visible_to_no_one(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    for name in ("deals", "contacts"):
        await sql.exec_driver_sql(f"UPDATE {name} SET deleted_at = now() WHERE owner_id = '{world.ada.owner}'")

    for who in (ADA, ROOT, READER):
        assert (await ask(client, who, DEAL, id=str(world.ada.deal)))["deal"] is None
        assert (await ask(client, who, BY_EMAIL, email=world.ada.email))["contactByEmail"] is None
        seen = await ask(client, who, LISTS)
        assert not ids(world.ada.deal, world.ada.cross) & nodes(seen["deals"])
        assert str(world.ada.contact) not in nodes(seen["contacts"])
    [new] = [s for s in (await ask(client, ADA, BOARD))["pipeline"]["stages"] if s["key"] == "new"]
    assert new["dealCount"] == 2
