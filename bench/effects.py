"""What writes left in the database: a benchmark of writes that did nothing is worth nothing."""

from bench.databases import Database
from bench.figures import ContestantFailed, Figure
from bench.mutations import EFFECTS


def stored(database: Database, work: str) -> dict[str, int]:
    """How much there is of what the work adds to."""
    columns = ", ".join(f"{sql} AS {name}" for name, sql in EFFECTS[work].items())
    with database.connect() as connection:
        cursor = connection.execute(f"SELECT {columns}")
        row = cursor.fetchone()
        assert row
        assert cursor.description
        return {column.name: int(value) for column, value in zip(cursor.description, row, strict=True)}


def added(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """The difference."""
    return {name: after[name] - before[name] for name in after}


def check_added(found: dict[str, int], of_one: dict[str, int], figure: Figure) -> None:
    """All requests together must have added as much as one did, each time. Raises ContestantFailed."""
    wrong = [
        f"{found[name]} {name} instead of {number * figure.sent}"
        for name, number in of_one.items()
        if found[name] != number * figure.sent
    ]
    if wrong:
        raise ContestantFailed(f"{figure.sent} requests left {', '.join(wrong)}")
