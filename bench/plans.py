"""The plan that PostgreSQL chooses for the board's statement."""

import json
from collections.abc import Iterator
from typing import Any

from bench.databases import Database
from bench.figures import ContestantFailed
from bench.pgbench import Pgbench
from bench.samples import draw

INDEX = "deals_board_idx"


def board_plan(database: Database) -> str:
    """One sentence: whether the board uses its index and has no sequential scan of `deals`."""
    try:
        [statement] = Pgbench(database).statements("board", draw(database)[:1])
    except ContestantFailed as error:
        return f"not checked: {error}"
    with database.connect() as connection:
        row = connection.execute(f"EXPLAIN (FORMAT JSON) {statement}").fetchone()
    assert row
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    nodes = list(_nodes(plan[0]["Plan"]))
    indexes = sorted({node["Index Name"] for node in nodes if str(node.get("Index Name", "")).startswith("deals")})
    scanned = any(node["Node Type"] == "Seq Scan" and node.get("Relation Name") == "deals" for node in nodes)
    verdict = "holds" if INDEX in indexes and not scanned else "FAILS"
    read = ", ".join(f"`{name}`" for name in indexes) or "no index"
    return f"{verdict}: the board reads deals through {read}, and {'with' if scanned else 'without'} a sequential scan"


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)
