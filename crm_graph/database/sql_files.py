"""The SQL that is kept in files beside this module: functions, triggers, views, and statements too big for Python."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent / "sql"
_COMMENT = re.compile(r"^[ \t]*+--.*\n?", re.MULTILINE)
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)")


def read_sql(name: str) -> str:
    """The text of one file, named as in "events/emit_event.sql"."""
    return (FOLDER / name).read_text(encoding="utf-8")


def definitions() -> list[str]:
    """The files that define functions, triggers and views. They can be run in any order, and again."""
    return [name for name in _files() if not name.startswith(("queries/", "rights/"))]


def queries() -> list[str]:
    """The files that have one statement each, which the server runs with parameters."""
    return [name for name in _files() if name.startswith("queries/")]


def read_statement(name: str) -> tuple[str, set[str]]:
    """The statement of a file in `queries/`, without its comment, and the names of its parameters.

    A parameter is `:_name` in what is returned and `:name` in the file, as psql writes its variables.
    """
    sql = _COMMENT.sub("", read_sql(name)).strip().removesuffix(";")
    return _PARAMETER.sub(r":_\1", sql), set(_PARAMETER.findall(sql))


def _files() -> list[str]:
    return sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.sql"))
