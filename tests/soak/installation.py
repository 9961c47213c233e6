"""An installation of its own: an embedded PostgreSQL with the schema, and the settings of the processes on it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from crm_graph.database.migrations import migrate
from crm_graph.embedded import EmbeddedPostgres
from tests.support.credentials import CALCOM_SECRET, INSTANTLY_SECRET, INSTANTLY_TOKEN, JWT_SECRET


@dataclass(frozen=True)
class Installation:
    """A PostgreSQL with its schema, an admin and the admin's endpoint."""

    embedded: EmbeddedPostgres
    data_dir: Path
    folder: Path

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Ask the database, as its superuser."""
        with psycopg.connect(
            **self.embedded.conninfo("postgres"), autocommit=True, row_factory=dict_row, connect_timeout=10
        ) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def script(self, statements: str) -> None:
        """Run several statements, as its superuser."""
        with psycopg.connect(**self.embedded.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(statements.encode())

    def count(self, query: str) -> int:
        """The one number that a query returns."""
        return int(next(iter(self.rows(query)[0].values())))

    def environment(self) -> dict[str, str]:
        """The settings of its processes."""
        return {
            "CRM_ENV": "development",  # deliveries may go to this machine
            "DATABASE_URL": self.embedded.url("app_user").render_as_string(hide_password=False),
            "JWT_SECRET": JWT_SECRET,
            "HMAC_SHARED_SECRET_INSTANTLY": INSTANTLY_SECRET,
            "HMAC_SHARED_SECRET_CALCOM": CALCOM_SECRET,
            "INSTANTLY_WEBHOOK_TOKEN": INSTANTLY_TOKEN,
            "INTERNAL_DOMAINS": "seller.com",
        }


@contextmanager
def installed() -> Iterator[Installation]:
    """Until the block ends."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="crm-graph-soak-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)  # the server's user, who isn't root, passes through
        embedded = stack.enter_context(EmbeddedPostgres(folder / "data"))
        migrate(embedded.url("app_admin"))
        yield Installation(embedded, folder / "data", folder)
