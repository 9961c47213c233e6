"""The SQL files define exactly the functions, triggers, views and grants that the migrations create."""

import re
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

SET = re.compile(r"^-- (\\set (\w+) .*)$", re.MULTILINE)
IS_OPEN = (
    "w.disabled_at IS NULL AND o.active AND (w.retry_at IS NULL OR w.retry_at <= now())"
    " AND NOT EXISTS (SELECT FROM deployment WHERE paused_at IS NOT NULL)"
)
IS_DUE = "d.status = 'pending' AND d.due_at <= now() AND (d.leased_until IS NULL OR d.leased_until < now())"
IS_FIRST = (
    "NOT EXISTS (SELECT FROM webhook_deliveries AS e WHERE e.endpoint_id = d.endpoint_id"
    " AND e.order_key = d.order_key AND e.status = 'pending' AND e.position < d.position)"
)


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


@pytest.mark.parametrize("name", [*sql_files.definitions(), *sql_files.queries()])
def test_a_file_says_what_it_does(name: str) -> None:
    assert sql_files.read_sql(name).startswith("-- ")


def test_queries_run_in_psql_with_the_parameters_that_their_comments_set(migrated: URL) -> None:
    for name in sql_files.queries():
        settings = SET.findall(sql_files.read_sql(name))
        assert {parameter for _, parameter in settings} == sql_files.read_statement(name)[1], name

        script = "\n".join([*(line for line, _ in settings), sql_files.read_sql(name)])
        run_client("psql", migrated, "--set=ON_ERROR_STOP=1", "--quiet", "--single-transaction", stdin=script)


@pytest.mark.parametrize("condition", [IS_OPEN, IS_DUE, IS_FIRST])
def test_queries_of_the_queue_agree_when_a_delivery_may_be_sent(condition: str) -> None:
    for name in ("due_endpoints", "lease_deliveries", "delivery_backlog"):
        sql, _ = sql_files.read_statement(f"queries/{name}.sql")
        assert condition in " ".join(sql.split()).replace("( ", "("), name
