"""The SQL files define what the migrations make: its functions, triggers and views with their rights, and no others."""

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import URL

from crm_graph.database import sql_files
from crm_graph.database.migrations import migrate
from tests.support.database import connected, scratch_database
from tests.support.schema import definitions, run_client

DROP_EVERYTHING = """
    DO $$
    DECLARE
        found text;
    BEGIN
        FOR found IN SELECT oid::regclass FROM pg_class
            WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace
        LOOP
            EXECUTE format('DROP VIEW %s', found);
        END LOOP;
        FOR found IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace LOOP
            EXECUTE format('DROP FUNCTION %s CASCADE', found);
        END LOOP;
    END $$
"""


@pytest.fixture(scope="module")
def template(server: URL) -> Iterator[URL]:
    with scratch_database(server) as url:
        migrate(url)
        yield url


@pytest.fixture
def migrated(server: URL, template: URL) -> Iterator[URL]:
    with scratch_database(server, copy_of=template) as url:
        yield url


def run_files(url: URL) -> None:
    """Run every file, pasted into psql."""
    script = "\n".join(sql_files.read_sql(name) for name in sql_files.definitions())
    run_client("psql", url, "--set=ON_ERROR_STOP=1", "--quiet", "--single-transaction", stdin=script)


def test_running_the_files_changes_nothing(migrated: URL) -> None:
    before = definitions(migrated)
    assert all(before.values())

    run_files(migrated)

    assert definitions(migrated) == before


def test_the_files_define_everything_that_the_migrations_do(migrated: URL) -> None:
    before = definitions(migrated)
    with connected(migrated) as connection:
        connection.execute(DROP_EVERYTHING.encode())
    assert not any(definitions(migrated).values())

    run_files(migrated)

    assert definitions(migrated) == before


@pytest.mark.parametrize("name", sql_files.definitions())
def test_a_file_says_what_it_does(name: str) -> None:
    assert sql_files.read_sql(name).startswith("-- ")
