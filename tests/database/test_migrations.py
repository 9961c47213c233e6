"""Migrations up, down, again and concurrently, and the roles and grants that they create."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql as q
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from crm_graph.database import migrations
from crm_graph.database.migrations import migrate
from crm_graph.errors import SetupError
from tests.support.database import catalogue, connected, scratch_database
from tests.support.schema import definitions, dump, migrate_to, run_client

pytestmark = pytest.mark.slow

KEPT = {"webhooks_log", "activities", "deal_stage_history"}
FIXED = {"suppression_key", "events"}  # what the server may only read
PRIVATE = {"suppression_key", "idempotency_keys", "webhook_endpoints"}  # from BI tools
MIGRATE = "import sys; from sqlalchemy import make_url; from crm_graph.database.migrations import migrate;"
MIGRATE += "print(migrate(make_url(sys.argv[1]))[1])"


@pytest.fixture
def empty(server: URL) -> Iterator[URL]:
    with scratch_database(server) as url:
        yield url


def whole(url: URL) -> dict[str, dict[str, str]]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return catalogue(connection) | definitions(url)
    finally:
        engine.dispose()


def tables(connection: psycopg.Connection[Any]) -> set[str]:
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {name for (name,) in tables} - {"alembic_version"}


def test_up_down_and_up_again_gives_the_same_database(empty: URL) -> None:
    assert migrate(empty) == (None, migrations.head())
    first = whole(empty)
    migrate_to(empty, "base")
    with connected(empty) as connection:
        assert tables(connection) == set()
        left = "SELECT count(*) FROM pg_default_acl"
        assert connection.execute(left).fetchone() == (0,)
    assert migrate(empty) == (None, migrations.head())
    assert whole(empty) == first


def test_a_restored_dump_is_the_same_database(server: URL, empty: URL) -> None:
    migrate(empty)
    with scratch_database(server) as copy:
        with connected(empty) as connection:
            connection.execute("INSERT INTO companies (name, name_key) VALUES ('Öz İnşaat', 'oz insaat')")
        run_client("psql", copy, "--set=ON_ERROR_STOP=1", "--quiet", stdin=dump(empty))
        assert whole(copy)["indexes"] == whole(empty)["indexes"]
        with connected(copy) as connection:
            connection.execute("SET search_path = ''")  # as pg_restore leaves it
            connection.execute("REINDEX TABLE public.companies")
            query = "SELECT name FROM public.companies WHERE to_tsvector('simple', public.crm_fold(name)) @@ %s"
            sought = connection.execute("SELECT public.crm_query('insaat')").fetchone()
            assert connection.execute(query, sought).fetchall() == [("Öz İnşaat",)]


def test_running_again_changes_nothing(empty: URL) -> None:
    migrate(empty)
    with connected(empty) as connection:
        connection.execute("UPDATE pipelines SET name = 'Renamed by its owner'")
        assert migrate(empty) == (migrations.head(), migrations.head())
        assert connection.execute("SELECT name FROM pipelines").fetchall() == [("Renamed by its owner",)]


def test_two_processes_at_once_migrate_once(empty: URL) -> None:
    url = empty.render_as_string(hide_password=False)
    command = [sys.executable, "-W", "error", "-c", MIGRATE, url]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    assert [process.communicate(timeout=60)[0].strip() for process in both] == [migrations.head()] * 2
    with connected(empty) as connection:
        assert connection.execute("SELECT count(*) FROM pipeline_stages").fetchone() == (7,)


def test_a_failing_migration_leaves_nothing(empty: URL) -> None:
    with connected(empty) as connection:
        connection.execute("CREATE TABLE webhooks_log (in_the_way int)")
        with pytest.raises(SetupError, match="webhooks_log"):
            migrate(empty)
        assert tables(connection) == {"webhooks_log"}


def test_a_user_without_rights_gets_a_one_line_error(empty: URL, admin_url: URL) -> None:
    as_app_user = empty.update_query_dict({"options": "-c role=app_user"})
    with pytest.raises(SetupError, match="permission denied for schema public") as refused:
        migrate(as_app_user)
    assert "\n" not in str(refused.value)
    assert "MIGRATION_DATABASE_URL" in str(refused.value)


def test_a_database_of_a_newer_version_is_left_alone(empty: URL) -> None:
    migrate(empty)
    with connected(empty) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '999'")
        with pytest.raises(SetupError, match="schema 999"):
            migrate(empty)
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("999",)]


def test_default_pipeline_has_its_seven_stages(admin_url: URL) -> None:
    query = """
        SELECT key, pipeline_stages.name, kind FROM pipeline_stages JOIN pipelines ON pipelines.id = pipeline_id
        WHERE is_default ORDER BY order_index
    """
    with connected(admin_url) as connection:
        assert connection.execute(query).fetchall() == [
            ("new", "New", "open"),
            ("contacted", "Contacted", "open"),
            ("qualified", "Qualified", "open"),
            ("meeting_scheduled", "Meeting Scheduled", "open"),
            ("proposal_sent", "Proposal Sent", "open"),
            ("won", "Won", "won"),
            ("lost", "Lost", "lost"),
        ]


def test_roles_that_exist_keep_their_password(admin_url: URL) -> None:
    policies = ScriptDirectory.from_config(migrations._config()).get_revision("002").module
    password = "SELECT rolpassword FROM pg_authid WHERE rolname = 'readonly'"
    engine = create_engine(admin_url)
    try:
        with engine.connect() as connection:  # never committed: roles belong to the whole server
            connection.execute(text("ALTER ROLE readonly PASSWORD 'set by the operator' NOLOGIN"))
            before = connection.scalar(text(password))
            with Operations.context(MigrationContext.configure(connection)):
                policies.upgrade()
                policies.upgrade()
            assert connection.scalar(text(password)) == before
            assert connection.scalar(text("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'readonly'")) is False
            connection.rollback()
    finally:
        engine.dispose()


def test_app_user_writes_rows_and_nothing_else(admin_url: URL) -> None:
    with connected(admin_url, "app_user") as connection:
        for table in tables(connection):
            allowed = {
                right
                for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
                if connection.execute("SELECT has_table_privilege(%s, %s)", (table, right)).fetchone() == (True,)
            }
            kept = {"SELECT", "INSERT", "UPDATE"} if table not in FIXED else {"SELECT"}
            assert allowed == kept | ({"DELETE"} if table not in KEPT | FIXED else set())


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (x int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE deals ADD COLUMN mine int",
        "DROP TABLE owner_mailboxes",
        "TRUNCATE owner_mailboxes",
        "CREATE ROLE mine",
        "DELETE FROM webhooks_log",
        "DELETE FROM activities",
        "DELETE FROM deal_stage_history",
        "UPDATE alembic_version SET version_num = '0'",
    ],
)
def test_app_user_may_not(admin_url: URL, statement: str) -> None:
    with connected(admin_url, "app_user") as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(statement)


def test_readonly_selects_and_nothing_else(admin_url: URL) -> None:
    with connected(admin_url, "readonly") as connection:
        for table in tables(connection):
            name = q.Identifier(table)
            reads = q.SQL("SELECT * FROM {} LIMIT 1").format(name)
            if table not in PRIVATE:
                connection.execute(reads)
            statements = ["DELETE FROM {}", "INSERT INTO {} DEFAULT VALUES", "TRUNCATE {}"]
            for statement in [*statements, *(["SELECT * FROM {}"] if table in PRIVATE else [])]:
                with pytest.raises(InsufficientPrivilege):
                    connection.execute(q.SQL(statement).format(name))
            with pytest.raises(InsufficientPrivilege):
                connection.execute("CREATE TABLE mine (x int)")


def test_tables_of_later_migrations_are_granted_too(empty: URL) -> None:
    migrate(empty)
    with connected(empty) as connection:
        connection.execute("CREATE TABLE later (x int GENERATED ALWAYS AS IDENTITY)")
    with connected(empty, "app_user") as connection:
        connection.execute("INSERT INTO later DEFAULT VALUES")
        connection.execute("DELETE FROM later")
    with connected(empty, "readonly") as connection:
        connection.execute("SELECT * FROM later")
        with pytest.raises(InsufficientPrivilege):
            connection.execute("DELETE FROM later")
