"""The statements that crm-graph sends for one write, and the pgbench script that sends the same again and again.

Everything stays as it was sent, except what must differ from one time to the next: the target is looked up first by a
random number, new rows get new ids, and times are now().
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
from bench.targets import Target
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
    """What was sent: `$1` for raw cursors, `%(name)s` for the others."""

    text: str
    parameters: Any
    is_raw: bool

    def named(self) -> dict[str, Any]:
        """The parameters by name, or by place."""
        given = self.parameters or {}
        return given if isinstance(given, dict) else {str(place): value for place, value in enumerate(given, 1)}


@dataclass(frozen=True, slots=True)
class Recording:
    """The same request twice, BEGIN and COMMIT aside: where the values differ, they are new each time."""

    fresh: str
    at: datetime
    statements: list[Statement]
    again: list[Statement]


def record(database: Database, there: Posting, back: Posting) -> Recording:
    """What `back` sends, whenever `there` has made it necessary. Raises ValueError for what is refused."""
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
        raise ValueError("the same request sends other statements the second time")
    return Recording(fresh, at, statements, again)


async def _send(client: httpx.AsyncClient, posting: Posting) -> str:
    """Returns what was fresh in it."""
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

    async def kept(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        text = query.decode() if isinstance(query, bytes) else str(query)
        statements.append(Statement(text, params, isinstance(self, psycopg.AsyncRawCursor)))
        return await execute(self, query, params, **options)

    with patch.object(psycopg.AsyncCursor, "execute", kept):
        yield statements


def make_targets_table(admin: psycopg.Connection[Any], targets: Sequence[Target]) -> None:
    """Where a script looks up what to write to."""
    rows = [[number, *(getattr(target, name) for name in COLUMNS)] for number, target in enumerate(targets, 1)]
    columns = "owner uuid, owner_email text, deal uuid, stage uuid, other_stage uuid, contact uuid, email text"
    admin.execute(f"CREATE TABLE {TARGETS_TABLE} (n integer PRIMARY KEY, {columns})")
    admin.cursor().executemany(f"INSERT INTO {TARGETS_TABLE} VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", rows)
    admin.execute(f"GRANT SELECT ON {TARGETS_TABLE} TO {USER}")
    admin.execute(f"ANALYZE {TARGETS_TABLE}")


def script(recording: Recording, target: Target, targets: int) -> str:
    """One transaction for pgbench, with any of so many targets in the place of the one that was recorded."""
    values = _Values(recording.fresh, recording.at, {str(getattr(target, name)): name for name in COLUMNS})
    pairs = zip(recording.statements, recording.again, strict=True)
    written = [_written(statement, again.named(), values) for statement, again in pairs]
    fresh = [f"gen_random_uuid() AS {name}" for name in ("fresh", *values.new.values())]
    look_up = f"SELECT {', '.join([*COLUMNS, *fresh])} FROM {TARGETS_TABLE} WHERE n = :n \\gset"
    return "\n".join([f"\\set n random(1, {targets})", look_up, "BEGIN;", *written, "COMMIT;", ""])


def _written(statement: Statement, again: dict[str, Any], values: "_Values") -> str:
    given = statement.named()
    columns = {place: name for name, place in _ASSIGNED.findall(statement.text)}
    expressions = {
        name: values.expression(columns.get(name, name), value, value != again[name]) for name, value in given.items()
    }
    if statement.is_raw:
        text = re.sub(r"\$(\d+)", lambda found: expressions[found[1]], statement.text)
    else:
        text = statement.text % expressions if given else statement.text
    return text + (" \\gset locked_" if _TOP in text else ";")


@dataclass
class _Values:
    """What stands in a script for a value that was sent."""

    fresh: str
    at: datetime
    names: dict[str, str]
    new: dict[uuid.UUID, str] = field(default_factory=dict)

    def expression(self, name: str, value: Any, differs: bool) -> str:
        """A variable where it differs from target to target or from time to time, else a constant."""
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
            kept = sql.Literal(value.replace(self.fresh, "") if self.fresh in value else "").as_string(None)
            return f"concat({kept}, (:fresh)::text)"
        return without_variables(sql.Literal(value).as_string(None))


def without_variables(statement: str) -> str:
    """The statement with no colon in a string before a word: pgbench would take '12:30' for a variable."""
    return _LITERAL.sub(_escaped, statement)


def _escaped(literal: re.Match[str]) -> str:
    if not re.search(r":\w", literal[2]):
        return literal[0]
    text = literal[2] if literal[1] else literal[2].replace("\\", "\\\\")
    return "E'" + text.replace(":", "\\x3a") + "'"
