"""Deals as they are stored, and what their history and timeline say."""

from itertools import pairwise
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def stored(sql: AsyncConnection, deal: Any) -> Any:
    query = """SELECT deals.*, key FROM deals JOIN pipeline_stages ON stage_id = pipeline_stages.id
               WHERE deals.id = CAST(:id AS uuid)"""
    return (await sql.execute(text(query), {"id": str(deal)})).mappings().one()


async def history(sql: AsyncConnection, deal: Any) -> list[tuple[str | None, str]]:
    """The moves of a deal, oldest first, as stage keys."""
    query = """SELECT old.key AS old, new.key AS new FROM deal_stage_history
               LEFT JOIN pipeline_stages old ON old.id = from_stage_id JOIN pipeline_stages new ON new.id = to_stage_id
               WHERE deal_id = CAST(:id AS uuid) ORDER BY moved_at, deal_stage_history.id"""
    return [(row.old, row.new) for row in await sql.execute(text(query), {"id": str(deal)})]


async def timeline(sql: AsyncConnection, deal: Any) -> list[Any]:
    """The system's entries of a deal, oldest first."""
    query = """SELECT content, meta_json AS meta, contact_id, created_by, occurred_at FROM activities
               WHERE deal_id = CAST(:id AS uuid) AND type = 'system' ORDER BY occurred_at, created_at"""
    return list(await sql.execute(text(query), {"id": str(deal)}))


async def assert_gap_free(sql: AsyncConnection, deal: Any) -> None:
    """Each move starts where the last one ended, later than it, and the last one is where the deal is."""
    query = "SELECT from_stage_id, to_stage_id, moved_at FROM deal_stage_history WHERE deal_id = :id ORDER BY moved_at"
    moves = list(await sql.execute(text(query), {"id": deal}))
    assert moves[0].from_stage_id is None
    for before, after in pairwise(moves):
        assert after.from_stage_id == before.to_stage_id
        assert after.moved_at > before.moved_at
    row = (await sql.execute(text("SELECT stage_id, version FROM deals WHERE id = :id"), {"id": deal})).one()
    assert row.stage_id == moves[-1].to_stage_id
    assert row.version == len(moves)
