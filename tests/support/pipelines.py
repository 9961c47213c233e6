"""Beside the default pipeline one that tests may change as they like."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Pipeline, PipelineStage, table
from tests.support.factories import World, add, add_deal

STAGES = (("new", "New", "open"), ("talks", "Talks", "open"), ("won", "Won", "won"), ("lost", "Lost", "lost"))


@dataclass(frozen=True)
class Board:
    """The pipeline Partners, its stages by their keys, and the world around it."""

    sql: AsyncConnection
    world: World
    pipeline: Any
    stage: dict[str, Any]

    async def deal(self, key: str, rank: str = "a0", **columns: Any) -> Any:
        """A deal of ada's in a stage; returns its id."""
        place = {"pipeline": self.pipeline, "new": self.stage[key]}
        status = {"won": "won", "lost": "lost"}.get(key, "open")
        return await add_deal(self.sql, place, self.world.ada.owner, None, rank=rank, status=status, **columns)

    async def stages(self) -> list[tuple[str, str, str, float]]:
        """Key, name, kind and probability of the stages that are not deleted, in order."""
        query = """SELECT key, name, kind, probability FROM pipeline_stages
                   WHERE pipeline_id = :id AND deleted_at IS NULL ORDER BY order_index"""
        found = await self.sql.execute(text(query), {"id": self.pipeline})
        return [(row.key, row.name, row.kind, float(row.probability)) for row in found]

    async def keys(self) -> list[str]:
        """The stages' keys in order."""
        return [key for key, *_ in await self.stages()]


async def build(world: World, sql: AsyncConnection) -> Board:
    """The pipeline with its stages, none of them the migrations'."""
    pipeline = await add(sql, Pipeline, name="Partners")
    rows = [
        {"pipeline_id": pipeline, "key": key, "name": name, "kind": kind, "order_index": i + 1, "probability": i / 10}
        for i, (key, name, kind) in enumerate(STAGES)
    ]
    found = await sql.execute(insert(table(PipelineStage)).values(rows).returning(table(PipelineStage).c.id))
    return Board(sql, world, pipeline, dict(zip((key for key, *_ in STAGES), found.scalars(), strict=True)))


async def remove(board: Board) -> None:
    """Remove the board's pipeline."""
    await restore_pipelines(board.sql, board.world)


async def restore_pipelines(sql: AsyncConnection, world: World) -> None:
    """Leave only the migrated pipeline and its stages, as they were: `clean` does not empty these tables."""
    for statement in (
        "DELETE FROM deals",
        "DELETE FROM pipeline_stages WHERE pipeline_id <> :id",
        "DELETE FROM pipelines WHERE id <> :id",
        "UPDATE pipeline_stages SET deleted_at = NULL",
        "UPDATE pipelines SET is_default = true WHERE id = :id",
    ):
        await sql.execute(text(statement), {"id": world.stage["pipeline"]})
