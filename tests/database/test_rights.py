"""`migrate` repairs the rights that a restore left out, and says "nothing to do" only when there is nothing to do."""

from collections.abc import Iterator

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.engine import URL

from crm_graph.database import sql_files
from crm_graph.database.migrations import migrate, repair_rights
from crm_graph.errors import SetupError
from tests.support.database import connected, scratch_database
from tests.support.schema import dump, run_client


@pytest.fixture(scope="module")
def original(server: URL) -> Iterator[URL]:
    with scratch_database(server) as url:
        migrate(url)
        yield url


@pytest.fixture
def restored(server: URL, original: URL) -> Iterator[URL]:
    """A copy that was restored without rights."""
    script = dump(original, "--no-owner", "--no-acl")
    with scratch_database(server) as url:
        run_client("psql", url, "--set=ON_ERROR_STOP=1", "--quiet", "--output=/dev/null", stdin=script)
        yield url


def rights(url: URL) -> dict[str, str]:
    with connected(url) as connection:
        return dict(connection.execute(sql_files.read_sql("queries/rights.sql").encode()).fetchall())


def test_a_migrated_database_has_nothing_to_repair(original: URL) -> None:
    before = rights(original)
    assert repair_rights(original) == []
    assert rights(original) == before
    assert any("app_user" in granted for granted in before.values())


def test_a_database_that_was_restored_without_rights_gets_those_of_the_original(original: URL, restored: URL) -> None:
    assert rights(restored) != rights(original)
    with connected(restored, "app_user") as connection, pytest.raises(InsufficientPrivilege):
        connection.execute("SELECT FROM deals")

    [repaired] = repair_rights(restored)

    assert repaired.startswith("repaired the rights on ")
    assert rights(restored) == rights(original)
    assert repair_rights(restored) == []
    with connected(restored, "app_user") as connection:
        connection.execute("SELECT FROM deals")
        with pytest.raises(InsufficientPrivilege):
            connection.execute("DELETE FROM webhooks_log")


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        ("REVOKE SELECT ON deals FROM app_user", "table deals"),
        ("REVOKE UPDATE (payload) ON events FROM app_user", "column events.payload"),
        ("GRANT EXECUTE ON FUNCTION crm_test_endpoint TO PUBLIC", "function crm_test_endpoint"),
        ("REVOKE SELECT ON report_deals FROM readonly", "table report_deals"),
        ("GRANT SELECT ON webhook_endpoints TO readonly", "table webhook_endpoints"),
        ("REVOKE USAGE ON SCHEMA crm_jobs FROM app_user", "schema crm_jobs"),
        ("ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM readonly", "new objects r of"),
    ],
)
def test_each_kind_of_right_is_repaired_and_named(server: URL, original: URL, harm: str, named: str) -> None:
    with scratch_database(server, copy_of=original) as url:
        with connected(url) as connection:
            connection.execute(harm.encode())

        [repaired] = repair_rights(url)

        assert named in repaired
        assert rights(url) == rights(original)


def test_rights_of_other_roles_stay(server: URL, original: URL) -> None:
    with scratch_database(server, copy_of=original) as url:
        with connected(url) as connection:
            connection.execute("GRANT SELECT ON deals TO pg_monitor")
        granted = rights(url)

        assert repair_rights(url) == []
        assert rights(url) == granted


def test_a_user_that_does_not_own_the_schema_is_refused_in_one_line(restored: URL) -> None:
    before = rights(restored)

    with pytest.raises(SetupError, match="set MIGRATION_DATABASE_URL to a user that owns the schema") as refused:
        repair_rights(restored.set(username="readonly"))

    assert "\n" not in str(refused.value)
    assert rights(restored) == before
