"""The SQL that crm-graph sends for a document, for pgbench and EXPLAIN."""

import asyncio
import re
import uuid
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import Any, cast

from psycopg import sql

from crm_graph.auth import Principal, utc_now
from crm_graph.db import Database
from crm_graph.errors import Unavailable
from crm_graph.graphql.operations import Documents
from crm_graph.graphql.reads import Reads
from crm_graph.graphql.schema import build_schema
from crm_graph.models import Role

_PARAMETER = re.compile(r"'(?:[^']|'')*'|\$(\d+)")


class _Recorder:
    """Stands where the database is, and keeps what is sent to it."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def read_row(self, statement: str, parameters: Sequence[Any]) -> list[bytes | None]:
        """As Database.read_row, but nobody answers."""
        literals = [sql.Literal(value).as_string(None) for value in parameters]
        self.sent.append(_PARAMETER.sub(lambda m: literals[int(m[1]) - 1] if m[1] else m[0], statement))
        raise Unavailable


@cache
def _documents() -> Documents:
    return Documents(build_schema()._schema, is_open=False)


def sent_sql(document: str, variables: dict[str, Any], owner_id: uuid.UUID, role: Role) -> str:
    """The one statement that answers `document` for this caller, its parameters written into it as constants."""
    operation = _documents().operation(document, None, variables)
    recorder = _Recorder()
    reads = Reads(cast("Database", recorder))
    with suppress(Unavailable):
        asyncio.run(reads.answer(operation, Principal(owner_id, role), utc_now(), variables))
    [statement] = recorder.sent
    return statement
