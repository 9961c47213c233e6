"""The payloads of events: what happened, when, to which rows, and the data that a workflow needs."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.identity.principal import Principal
from crm_graph.import_export import importer
from crm_graph.import_export.csv_columns import Columns
from crm_graph.import_export.csv_reader import open_csv
from crm_graph.models import Role
from tests.support.api import Json, ask, refusal, send
from tests.support.events import all_events, check, new_events, types
from tests.support.factories import ADA, ROOT, World, add_deal
from tests.support.mutation_calls import document
from tests.support.pipelines import Board
from tests.support.webhooks import fixture, post


async def do(client: httpx.AsyncClient, name: str, who: str = ADA, **given: Any) -> Any:
    return (await ask(client, who, document(name), **{"in": given}))["done"]


async def test_an_interested_reply_emits_all_its_effects(
    client: httpx.AsyncClient, sql: AsyncConnection, world: World
) -> None:
    async with new_events(sql) as events:
        answer = await post(client, "instantly", fixture("instantly", "reply_received"))

    reply, status, deal = (event.payload for event in events[2:])
    assert (reply["related_type"], reply["related_id"]) == ("deal", answer.json()["deal_id"])
    assert reply["data"]["contact"]["email"] == "john.doe@example.com"
    assert reply["data"]["stage"]["key"] == "qualified"
    assert reply["activity_id"] == reply["data"]["activity"]["id"] == events[1].payload["activity_id"]
    assert (status["old_status"], status["new_status"]) == (None, "interested")
    assert (deal["data"]["deal"]["status"], deal["data"]["stage"]["key"]) == ("open", "qualified")


async def test_a_move_has_both_stages_and_its_time(
    client: httpx.AsyncClient, sql: AsyncConnection, world: World
) -> None:
    deal, stage = world.ada.deal, world.stage
    async with new_events(sql) as events:
        await do(client, "moveDealStage", dealId=str(deal), stageId=str(stage["won"]))

    [event] = events
    moved_at = await sql.scalar(text("SELECT max(moved_at) FROM deal_stage_history WHERE deal_id = :id"), {"id": deal})
    assert event.occurred_at == moved_at
    assert list(event.payload) == [
        "id", "type", "occurred_at", "source", "idempotency_key", "deal_id", "old_stage_id", "new_stage_id", "data",
    ]  # fmt: skip
    assert (event.deal_id, event.contact_id, event.owner_ids) == (deal, world.ada.contact, [world.ada.owner])
    assert event.payload["old_stage_id"] == str(stage["new"])
    assert event.payload["new_stage_id"] == str(stage["won"])
    data = event.payload["data"]
    assert list(data) == [
        "deal", "stage", "pipeline", "contact", "company", "owner", "old_stage", "new_stage",
    ]  # fmt: skip
    assert list(data["deal"])[:5] == ["id", "title", "amount", "currency", "status"]
    assert data["deal"] | {"title": "ada-own", "amount": "101.00", "status": "won", "version": 2} == data["deal"]
    assert (data["old_stage"]["key"], data["new_stage"]["key"], data["stage"]["key"]) == ("new", "won", "won")
    assert data["contact"]["email"] == world.ada.email
    assert data["company"] == {"id": str(world.company), "name": "Acme", "domain": "acme.example"}
    assert data["owner"]["email"] == ADA


async def test_an_update_has_the_old_value_of_each_column(
    client: httpx.AsyncClient, sql: AsyncConnection, world: World
) -> None:
    async with new_events(sql) as events:
        await do(client, "updateDeal", dealId=str(world.ada.deal), amount="7.5", notes="Call in May", contactId=None)

    [event] = events
    assert event.payload["data"]["changes"] == {
        "contact_id": {"old": str(world.ada.contact), "new": None},
        "amount": {"old": "101.00", "new": "7.50"},
        "notes": {"old": None, "new": "Call in May"},
    }
    assert event.payload["data"]["contact"] is None


async def test_no_change_emits_nothing(client: httpx.AsyncClient, sql: AsyncConnection, world: World) -> None:
    deal = str(world.ada.deal)
    async with new_events(sql) as events:
        await do(client, "updateDeal", dealId=deal, title="ada-own")
        await do(client, "moveDealStage", dealId=deal, stageId=str(world.stage["new"]))
        await do(client, "upsertContact", email=world.ada.email)

    assert events == []


async def test_a_refused_call_emits_nothing(client: httpx.AsyncClient, sql: AsyncConnection, world: World) -> None:
    deal = {"dealId": str(world.ada.deal)}
    refused: list[tuple[str, Json]] = [
        ("updateDeal", deal | {"title": "New", "expectedVersion": 7}),
        ("moveDealStage", deal | {"stageId": str(world.company)}),
        ("moveDealStage", {"dealId": str(world.bob.deal), "stageId": str(world.stage["won"])}),
    ]
    async with new_events(sql) as events:
        for name, given in refused:
            await refusal(client, ADA, document(name), **{"in": given})

    assert events == []


async def test_a_new_rank_in_the_column_emits_nothing(
    client: httpx.AsyncClient, sql: AsyncConnection, board: Board
) -> None:
    deal, other = await board.deal("new", rank="a0"), await board.deal("new", rank="a1")
    async with new_events(sql) as events:
        given = {"dealId": str(deal), "stageId": str(board.stage["new"]), "afterDealId": str(other)}
        await do(client, "moveDealStage", **given)

    assert await sql.scalar(text("SELECT rank FROM deals WHERE id = :id"), {"id": deal}) != "a0"
    assert events == []


async def test_many_moves_are_emitted_in_order(client: httpx.AsyncClient, sql: AsyncConnection, world: World) -> None:
    asked = [world.ada.deal, world.bob.deal, world.ada.cross]
    items = [{"dealId": str(deal), "stageId": str(world.stage["qualified"])} for deal in asked]
    async with new_events(sql) as events:
        results = (await do(client, "moveDeals", items=items, partial=True))["results"]

    assert [result["moved"] for result in results] == [True, False, True]
    assert types(events) == ["deal_stage_changed"] * 2
    assert {event.deal_id for event in events} == {world.ada.deal, world.ada.cross}


async def test_a_deleted_stages_deals_move(client: httpx.AsyncClient, sql: AsyncConnection, board: Board) -> None:
    deal = await board.deal("talks")
    async with new_events(sql) as events:
        stage, to = str(board.stage["talks"]), str(board.stage["new"])
        await do(client, "deleteStage", ROOT, stageId=stage, targetStageId=to)

    [event] = events
    assert (event.type, event.deal_id) == ("deal_stage_changed", deal)
    assert event.payload["old_stage_id"] == stage
    assert event.payload["data"]["old_stage"]["key"] == "talks"


async def test_the_deals_of_a_merged_contact_are_emitted(
    client: httpx.AsyncClient, sql: AsyncConnection, world: World
) -> None:
    loser = (await do(client, "upsertContact", email="second@fresh.example"))["contact"]["id"]
    deal = await add_deal(sql, world.stage, world.ada.owner, loser)
    async with new_events(sql) as events:
        await do(client, "mergeContacts", survivorId=str(world.ada.contact), loserId=loser)

    by_type = {event.type: event for event in events}
    assert sorted(types(events)) == ["contact_updated", "deal_updated"]
    assert str(by_type["contact_updated"].contact_id) == loser
    assert by_type["contact_updated"].payload["data"]["changes"]["merged_into_id"]["new"] == str(world.ada.contact)
    assert by_type["deal_updated"].deal_id == deal
    assert by_type["deal_updated"].payload["data"]["contact"]["email"] == world.ada.email


async def test_an_import_emits_an_event_per_line(
    database: Database, sql: AsyncConnection, world: World, tmp_path: Any
) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text(f"email,full name\nnew@fresh.example,New\n{world.ada.email},Renamed\n{world.pool.email},\n")
    async with new_events(sql) as events:
        with open_csv(file) as sheet:
            principal = Principal(world.ada.owner, Role.SALES, "import")
            columns = Columns(sheet.header, {})
            await importer.import_contacts(database, principal, sheet, columns, report=lambda line, reason: None)

    assert types(events) == ["contact_created", "contact_updated"]
    assert {event.source for event in events} == {"import"}
    assert list(events[1].payload["data"]["changes"]) == ["full_name"]


async def test_50_concurrent_moves_are_emitted_in_the_order_of_the_history(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    deal = world.ada.deal
    keys = ("new", "contacted", "qualified", "meeting_scheduled", "won", "lost")
    given = [{"dealId": str(deal), "stageId": str(world.stage[keys[i % 6]])} for i in range(50)]

    async with new_events(sql) as events:
        answers = await asyncio.gather(*(send(client, ADA, document("moveDealStage"), **{"in": one}) for one in given))
    assert all("errors" not in answer.json() for answer in answers)

    query = """SELECT from_stage_id, to_stage_id, moved_at FROM deal_stage_history
               WHERE deal_id = :id AND from_stage_id IS NOT NULL ORDER BY moved_at"""
    history = list(await sql.execute(text(query), {"id": deal}))
    moves = [(e.payload["old_stage_id"], e.payload["new_stage_id"], e.occurred_at) for e in events]
    assert moves == [(str(move.from_stage_id), str(move.to_stage_id), move.moved_at) for move in history]
    assert len(moves) > 30  # those whose deal was there already are none
    for before, after in pairwise(moves):
        assert before[1] == after[0]
    versions = [event.payload["data"]["deal"]["version"] for event in events]
    assert versions == list(range(2, len(moves) + 2))
    assert [event.payload["data"]["stage"]["id"] for event in events] == [new for _, new, _ in moves]


@pytest.mark.parametrize("table", ["deals", "contacts"])
async def test_a_change_in_plain_sql_is_emitted(table: str, world: World, sql: AsyncConnection) -> None:
    column = "title" if table == "deals" else "full_name"
    id_ = world.ada.deal if table == "deals" else world.ada.contact
    before = await sql.scalar(text("SELECT now()"))
    async with new_events(sql) as events:
        await sql.execute(text(f"UPDATE {table} SET {column} = 'By hand' WHERE id = :id"), {"id": id_})

    [event] = events
    assert (event.type, event.source) == (f"{table[:-1]}_updated", "sql")
    assert event.payload["data"]["changes"][column]["new"] == "By hand"
    assert before <= event.occurred_at < before + timedelta(minutes=1)  # though updated_at stayed as it was


async def test_events_of_older_versions_fit_the_schema(sql: AsyncConnection, world: World) -> None:
    events = await all_events(sql)
    assert {event.source for event in events} == {"sql"}
    assert {"contact_created", "deal_created", "activity_logged"} == set(types(events))
    for event in events:
        check(event)
