"""Counts the rows that writes stored, so that writes without an effect are not measured."""

from bench.databases import Database
from bench.figures import ContestantFailed, Figure
from bench.mutations import EFFECTS


def count_effects(database: Database, work: str) -> dict[str, int]:
    """The current counts of everything that a write adds to."""
    columns = ", ".join(f"{sql} AS {name}" for name, sql in EFFECTS[work].items())
    with database.connect() as connection:
        cursor = connection.execute(f"SELECT {columns}")
        row = cursor.fetchone()
        assert row
        assert cursor.description
        return {column.name: int(value) for column, value in zip(cursor.description, row, strict=True)}


def added(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """The differences of two counts."""
    return {name: after[name] - before[name] for name in after}


def check_added(total: dict[str, int], of_one: dict[str, int], figure: Figure) -> None:
    """Check that all requests together added a multiple of what one did. Raises ContestantFailed."""
    wrong = [
        f"{total[name]} {name} instead of {number * figure.sent}"
        for name, number in of_one.items()
        if total[name] != number * figure.sent
    ]
    if wrong:
        raise ContestantFailed(f"{figure.sent} requests stored {', '.join(wrong)}")
