"""A dump is restored into a server where the roles are missing: `migrate` creates them, or says who can."""

from pathlib import Path

import pytest

from crm_graph.database.migrations import migrate, repair_rights
from crm_graph.embedded import EmbeddedPostgres
from crm_graph.errors import SetupError
from tests.support.commands import Commands
from tests.support.database import connected, scratch_database

pytestmark = pytest.mark.slow


def test_missing_roles_are_created_and_named_or_the_statement_that_creates_them(data_dir: Path, crm: Commands) -> None:
    with EmbeddedPostgres(data_dir) as embedded, scratch_database(embedded.url("postgres", "postgres")) as url:
        with connected(url) as connection:
            connection.execute("ALTER ROLE app_admin NOCREATEROLE")
        migrate(url)
        with connected(url) as connection:
            for role in ("readonly", "app_user"):
                connection.execute(f"DROP OWNED BY {role}".encode())
                connection.execute(f"DROP ROLE {role}".encode())

        with pytest.raises(
            SetupError, match=r"a superuser must run CREATE ROLE app_user LOGIN; CREATE ROLE readonly LOGIN;"
        ):
            repair_rights(url.set(username="app_admin"))

        environment = {"DATABASE_URL": url.render_as_string(hide_password=False)}
        first, again = crm("migrate", **environment), crm("migrate", **environment)

    assert "created the role app_user: it has no password yet; created the role readonly" in first.out
    assert "repaired the rights on" in first.out
    assert "nothing to do" in again.out
