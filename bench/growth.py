"""Growth: the time of the same board on databases of different sizes, measured in turn."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.databases import Database
from bench.figures import Figure
from bench.plans import board_plan
from bench.rounds import LABELS, contest

WORK = "board"


@dataclass(frozen=True, slots=True)
class Growth:
    """The figures of each contestant at each size, and the plan at the largest."""

    sizes: list[int]
    figures: dict[str, list[Figure | None]]
    plan: str


def measure_growth(databases: Sequence[Database], names: Sequence[str], rounds: int, seconds: float) -> Growth:
    """Measure the board at each size. An owner has the same number of deals at each; only other owners' data grows."""
    with ExitStack() as stack:
        contests = [stack.enter_context(contest(database, names, [WORK])) for database in databases]
        for turn in range(rounds):
            for held in contests:
                print(f"  {held.database.size.deals:,} deals", flush=True)
                held.round(WORK, turn, seconds)
    measured = [name for name in LABELS if any((WORK, name) in held.outcomes for held in contests)]
    figures = {name: [held.outcome(WORK, name).figure for held in contests] for name in measured}
    return Growth([database.size.deals for database in databases], figures, board_plan(databases[-1]))
