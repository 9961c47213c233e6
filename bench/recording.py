"""Records the statements that crm-graph sends for a write, and writes a pgbench script that repeats them.

The script changes only what must differ each time: it looks up a random target first, new rows get new ids, and times
are now().
"""

import asyncio
import re
import secrets
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import httpx
import psycopg
from psycopg import sql

from bench.databases import USER, Database
from bench.postings import FRESH_LENGTH, Posting
from bench.samples import JWT_SECRET, SIGNING_SECRET
from bench.targets import WriteTarget
from crm_graph.database.engine import Database as Connections
from crm_graph.server.app import create_app
from crm_graph.settings import Settings

COLUMNS = ("owner", "owner_email", "deal", "stage", "other_stage", "contact", "email")
TARGETS_TABLE = "bench_targets"
_TOP = "AS top"  # the first rank of the column that a statement has locked
_ASSIGNED = re.compile(r"(\w+)\s*=\s*\$(\d+)")
_LITERAL = re.compile(r"(E?)'((?:[^']|'')*)'")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was sent: with `$1` for raw cursors, `%(name)s` for others."""

    text: str
    parameters: Any
    is_raw: bool

    def named(self) -> dict[str, Any]:
        """The parameters by name, or by position."""
        values = self.parameters or {}
        return values if isinstance(values, dict) else {str(place): value for place, value in enumerate(values, 1)}


@dataclass(frozen=True, slots=True)
class Recording:
    """The statements of the same request, twice, without BEGIN and COMMIT. Values that differ are new each time."""

    fresh: str
    at: datetime
    statements: list[Statement]
    again: list[Statement]


def record(database: Database, there: Posting, back: Posting) -> Recording:
    """Record what `back` sends after `there` has moved the deal. Raises ValueError if a request is refused."""
    return asyncio.run(_record(database, there, back))


async def _record(database: Database, there: Posting, back: Posting) -> Recording:
    settings = Settings.load(jwt_secret=JWT_SECRET, hmac_shared_secret_instantly=(SIGNING_SECRET,))
    connections = Connections(database.url)
    try:
        transport = httpx.ASGITransport(create_app(settings, connections))
        async with httpx.AsyncClient(transport=transport, base_url="http://recorded") as client:
            for _ in range(2):  # the first time fills the caches
                await _send(client, there)
                at = datetime.now(UTC)
                with _recorded() as statements:
                    fresh = await _send(client, back)
            await _send(client, there)
            with _recorded() as again:
                await _send(client, back)
    finally:
        await connections.close()
    if [statement.text for statement in statements] != [statement.text for statement in again]:
        raise ValueError("the same request sent other statements the second time")
    return Recording(fresh, at, statements, again)


async def _send(client: httpx.AsyncClient, posting: Posting) -> str:
    """Send a request; returns its unique text."""
    fresh = secrets.token_hex(FRESH_LENGTH // 2)
    body = posting.filled(fresh)
    answer = await client.post(posting.path, content=body, headers=posting.headers(body))
    if answer.status_code != 200 or b'"errors":' in answer.content:
        raise ValueError(f"HTTP {answer.status_code} {answer.text}"[:200])
    return fresh


@contextmanager
def _recorded() -> Iterator[list[Statement]]:
    statements: list[Statement] = []
    execute = psycopg.AsyncCursor.execute

    async def recorded(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        text = query.decode() if isinstance(query, bytes) else str(query)
        statements.append(Statement(text, params, isinstance(self, psycopg.AsyncRawCursor)))
        return await execute(self, query, params, **options)

    with patch.object(psycopg.AsyncCursor, "execute", recorded):
        yield statements


def create_targets_table(admin: psycopg.Connection[Any], targets: Sequence[WriteTarget]) -> None:
    """Create the table in which a script looks up its target."""
    rows = [[number, *(getattr(target, name) for name in COLUMNS)] for number, target in enumerate(targets, 1)]
    columns = "owner uuid, owner_email text, deal uuid, stage uuid, other_stage uuid, contact uuid, email text"
    admin.execute(f"CREATE TABLE {TARGETS_TABLE} (n integer PRIMARY KEY, {columns})")
    admin.cursor().executemany(f"INSERT INTO {TARGETS_TABLE} VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", rows)
    admin.execute(f"GRANT SELECT ON {TARGETS_TABLE} TO {USER}")
    admin.execute(f"ANALYZE {TARGETS_TABLE}")


def script(recording: Recording, target: WriteTarget, targets: int) -> str:
    """A transaction for pgbench, with one of `targets` random targets instead of the recorded one."""
    values = _Values(recording.fresh, recording.at, {str(getattr(target, name)): name for name in COLUMNS})
    pairs = zip(recording.statements, recording.again, strict=True)
    lines = [_script_line(statement, again.named(), values) for statement, again in pairs]
    fresh = [f"gen_random_uuid() AS {name}" for name in ("fresh", *values.new.values())]
    look_up = f"SELECT {', '.join([*COLUMNS, *fresh])} FROM {TARGETS_TABLE} WHERE n = :n \\gset"
    return "\n".join([f"\\set n random(1, {targets})", look_up, "BEGIN;", *lines, "COMMIT;", ""])


def _script_line(statement: Statement, again: dict[str, Any], values: "_Values") -> str:
    parameters = statement.named()
    columns = {place: name for name, place in _ASSIGNED.findall(statement.text)}
    expressions = {
        name: values.expression(columns.get(name, name), value, value != again[name])
        for name, value in parameters.items()
    }
    if statement.is_raw:
        text = re.sub(r"\$(\d+)", lambda match: expressions[match[1]], statement.text)
    else:
        text = statement.text % expressions if parameters else statement.text
    return text + (" \\gset locked_" if _TOP in text else ";")


@dataclass
class _Values:
    """The expressions of a script for the values that were sent."""

    fresh: str
    at: datetime
    names: dict[str, str]
    new: dict[uuid.UUID, str] = field(default_factory=dict)

    def expression(self, name: str, value: Any, differs: bool) -> str:
        """A variable if the value differs by target or by request, otherwise a constant."""
        if name == "rank":
            return "bench_key_before(:locked_top)"
        if name == "version":
            return "version + 1"
        if isinstance(value, datetime):
            return f"(now() + interval '{round((value - self.at).total_seconds())} seconds')"
        if isinstance(value, str | uuid.UUID) and str(value) in self.names:
            return f"(:{self.names[str(value)]})::{'uuid' if isinstance(value, uuid.UUID) else 'text'}"
        if differs and isinstance(value, uuid.UUID):
            return f"(:{self.new.setdefault(value, f'new_{len(self.new)}')})::uuid"
        if differs and isinstance(value, str):
            constant = sql.Literal(value.replace(self.fresh, "") if self.fresh in value else "").as_string(None)
            return f"concat({constant}, (:fresh)::text)"
        return escape_colons(sql.Literal(value).as_string(None))


def escape_colons(statement: str) -> str:
    """Escape colons in string literals: pgbench would read '12:30' as a variable."""
    return _LITERAL.sub(_escaped, statement)


def _escaped(literal: re.Match[str]) -> str:
    if not re.search(r":\w", literal[2]):
        return literal[0]
    text = literal[2] if literal[1] else literal[2].replace("\\", "\\\\")
    return "E'" + text.replace(":", "\\x3a") + "'"
