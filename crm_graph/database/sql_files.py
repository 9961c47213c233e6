"""The SQL that is kept in files beside this module: what defines the database's functions, triggers and views."""

from pathlib import Path

FOLDER = Path(__file__).parent / "sql"


def read_sql(name: str) -> str:
    """The text of one file, named as in "events/emit_event.sql"."""
    return (FOLDER / name).read_text(encoding="utf-8")


def definitions() -> list[str]:
    """The files that define functions, triggers and views. They can be run in any order, and again."""
    return sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.sql"))
