"""Moves that an event causes: forward only, out of an open stage only, and never against a person who decided later."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.domain.deals import moves
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.identity.principal import machine
from crm_graph.values import utc_now
from tests.support.database import unchanged
from tests.support.deals import history
from tests.support.factories import World, add_deal
from tests.support.pipelines import Board

NOW = utc_now()
RECEIVED = NOW - timedelta(minutes=10)
Advance = Callable[[Any, Any], Awaitable[bool]]


@pytest.fixture
def advance(database: Database) -> Advance:
    """Move a deal to a stage because of an event that was received ten minutes ago; whether it moved."""

    async def call(deal: Any, stage: Any) -> bool:
        async with database.transaction() as transaction:
            work = UnitOfWork(transaction, machine("calcom"), NOW)
            return await moves.advance(work, deal, stage, occurred_at=RECEIVED, received_at=RECEIVED)

    return call


@pytest.mark.parametrize(
    ("start", "target", "moves_it"),
    [
        ("new", "qualified", True),
        ("new", "won", True),
        ("qualified", "new", False),
        ("qualified", "qualified", False),
        ("meeting_scheduled", "lost", True),
        ("won", "qualified", False),
        ("won", "lost", False),
        ("lost", "won", False),
    ],
)
async def test_forward_and_out_of_open_stages_alone(
    start: str, target: str, moves_it: bool, advance: Advance, world: World, sql: AsyncConnection
) -> None:
    status = {"won": "won", "lost": "lost"}.get(start, "open")
    place = world.stage | {"new": world.stage[start]}
    deal = await add_deal(sql, place, world.ada.owner, None, title="Moving", status=status)

    assert await advance(deal, world.stage[target]) is moves_it

    assert await history(sql, deal) == [(None, start)] + ([(start, target)] if moves_it else [])


async def test_a_stage_of_another_pipeline_is_no_way_forward(
    advance: Advance, board: Board, sql: AsyncConnection
) -> None:
    mine, partners = await board.deal("new"), board.world.ada.deal
    async with unchanged(sql):
        assert await advance(mine, board.world.stage["meeting_scheduled"]) is False
        assert await advance(partners, board.stage["won"]) is False


@pytest.mark.parametrize(
    ("by", "after", "moves_it"),
    [("person", timedelta(microseconds=1), False), ("person", timedelta(0), True), ("event", timedelta(1), True)],
)
async def test_a_person_who_decided_after_the_event_was_received_wins(
    by: str, after: timedelta, moves_it: bool, advance: Advance, world: World, sql: AsyncConnection
) -> None:
    latest = text("UPDATE deal_stage_history SET moved_at = :at, moved_by = :by WHERE deal_id = :deal")
    mover = world.bob.owner if by == "person" else None
    await sql.execute(latest, {"at": RECEIVED + after, "by": mover, "deal": world.ada.deal})

    assert await advance(world.ada.deal, world.stage["qualified"]) is moves_it


async def test_a_deal_without_history_moves(advance: Advance, world: World, sql: AsyncConnection) -> None:
    await sql.execute(text("DELETE FROM deal_stage_history WHERE deal_id = :deal"), {"deal": world.ada.deal})

    assert await advance(world.ada.deal, world.stage["qualified"]) is True
