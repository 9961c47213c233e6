"""A PostgreSQL for the commands to work on, and a small team in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crm_graph.database.migrations import migrate
from crm_graph.embedded import EmbeddedPostgres
from tests.support.commands import crm, data_dir

__all__ = ["crm", "data_dir"]  # the fixtures


@pytest.fixture(scope="session")
def shared(embedded_dir: Path) -> Iterator[EmbeddedPostgres]:
    """A migrated database on a server that runs, so that commands join it instead of starting it."""
    with EmbeddedPostgres(embedded_dir) as postgres:
        migrate(postgres.url("app_admin"))
        yield postgres


@pytest.fixture
def rows(shared: EmbeddedPostgres) -> Any:
    """Asks the database that the commands work on."""

    def ask(query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(**shared.conninfo("app_admin"), autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    return ask


@pytest.fixture
def team(shared: EmbeddedPostgres, embedded_dir: Path) -> dict[str, str]:
    """Two owners, and the environment in which commands see them."""
    with psycopg.connect(**shared.conninfo("app_admin"), autocommit=True) as connection:
        for table in ("webhook_endpoints", "activities", "contacts", "companies", "owners"):
            connection.execute(f"DELETE FROM {table}".encode())
        connection.execute(
            "INSERT INTO owners (name, email, role, is_default) "
            "VALUES ('Ada', 'ada@seller.com', 'admin', true), ('Max', 'max@seller.com', 'sales', false)"
        )
        connection.execute("INSERT INTO owner_mailboxes SELECT 'max@sender.com', id FROM owners WHERE name = 'Max'")
    return {"CRM_DATA_DIR": str(embedded_dir), "EMBEDDED_DATABASE": "true"}
