"""What the first start creates, and what every later one completes, sets and logs."""

from pathlib import Path

import psycopg
import pytest

from crm_graph.embedded import EmbeddedError, EmbeddedPostgres
from tests.support.postgres_processes import Made, ask, servers, start


def test_the_first_start_makes_a_cluster_whose_text_rules_depend_on_no_system_locale(data_dir: Path) -> None:
    with start(data_dir) as postgres:
        assert ask(
            postgres,
            """SELECT datlocprovider::text, datlocale, datcollate, pg_encoding_to_char(encoding),
                      pg_get_userbyid(datdba)
               FROM pg_database WHERE datname = 'crm'""",
        ) == [("b", "C.UTF-8", "C", "UTF8", "app_admin")]
        assert ask(postgres, "SELECT lower('INFO'), upper('i'), current_setting('data_checksums')") == [
            ("info", "I", "on")
        ]
        assert ask(
            postgres, "SELECT rolcanlogin, rolcreaterole, rolsuper FROM pg_roles WHERE rolname = 'app_admin'"
        ) == [(True, True, False)]


def test_a_commit_is_durable_unless_a_test_turned_that_off(data_dir: Path) -> None:
    settings = "SELECT current_setting('fsync'), current_setting('synchronous_commit')"
    with EmbeddedPostgres(data_dir) as postgres:
        assert ask(postgres, settings) == [("on", "on")]
    with EmbeddedPostgres(data_dir, durable=False) as postgres:
        assert ask(postgres, settings) == [("off", "off")]


def test_app_admin_can_make_the_other_roles_and_they_can_log_in(data_dir: Path) -> None:
    with start(data_dir) as postgres:
        ask(postgres, "CREATE ROLE app_user LOGIN; CREATE ROLE readonly LOGIN")
        assert ask(postgres, "SELECT current_user", user="app_user") == [("app_user",)]
        assert ask(postgres, "SELECT current_user", user="readonly") == [("readonly",)]
        ask(postgres, "DROP ROLE app_user, readonly")


def test_after_a_crash_between_initdb_and_the_database_the_next_start_creates_the_rest(data_dir: Path) -> None:
    with start(data_dir) as postgres:
        ask(postgres, "DROP DATABASE crm", user="postgres", dbname="postgres")
        ask(postgres, "DROP ROLE app_admin", user="postgres", dbname="postgres")
    with start(data_dir) as postgres:
        assert ask(postgres, "SELECT current_user, current_database()") == [("app_admin", "crm")]


def test_half_an_initdb_is_removed_and_run_again(made: Made) -> None:
    assert not made.half_an_initdb.exists()


def test_a_failed_start_shows_the_end_of_the_log_and_blocks_nothing(data_dir: Path) -> None:
    config = data_dir / "cluster" / "postgresql.auto.conf"
    config.write_text("no_such_setting = 1\n")
    try:
        with pytest.raises(EmbeddedError, match=r"postgres\.log:\n(.*\n)*.*no_such_setting"):
            start(data_dir).__enter__()
        assert servers(data_dir) == []
    finally:
        config.write_text("")
    with start(data_dir) as postgres:
        assert ask(postgres, "SELECT 1") == [(1,)]


def test_the_log_has_no_personal_data_and_each_start_has_a_new_one(data_dir: Path) -> None:
    with start(data_dir) as postgres:
        ask(
            postgres,
            """DROP TABLE IF EXISTS people; CREATE TABLE people (email text PRIMARY KEY);
               INSERT INTO people VALUES ('ada@example.com')""",
        )
        with pytest.raises(psycopg.errors.UniqueViolation, match=r"ada@example\.com"):
            ask(postgres, "INSERT INTO people VALUES ('ada@example.com')")
        log = (data_dir / "postgres.log").read_text()
        assert "duplicate key" in log
        assert "ada@example.com" not in log
    with start(data_dir):
        assert "duplicate key" not in (data_dir / "postgres.log").read_text()
        assert "duplicate key" in (data_dir / "postgres.log.1").read_text()
