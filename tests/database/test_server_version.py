"""A PostgreSQL that is too old, or a database that is not UTF-8, is refused by name, before anything is changed."""

import pytest
from sqlalchemy.engine import URL

from crm_graph.database import server_version
from crm_graph.database.engine import place
from crm_graph.database.migrations import migrate
from crm_graph.errors import SetupError
from crm_graph.server import databases
from tests.support.database import connected, scratch_database


@pytest.fixture
def all_are_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server that the tests run on counts as too old."""
    monkeypatch.setattr(server_version, "OLDEST", 99)


def refusal(url: URL) -> str:
    return rf"^the database {place(url)} is on PostgreSQL \d+(\.\d+)+; crm-graph needs PostgreSQL 99 or newer$"


def test_migrate_changes_nothing_on_an_old_server(server: URL, all_are_old: None) -> None:
    with scratch_database(server) as url:
        with pytest.raises(SetupError, match=refusal(url)):
            migrate(url)
        with connected(url) as connection:
            assert connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,)


async def test_no_process_works_on_an_old_server(admin_url: URL, all_are_old: None) -> None:
    urls = databases.Urls(admin_url, admin_url, is_embedded=False)
    with pytest.raises(SetupError, match=refusal(admin_url)):
        async with databases.database(urls):
            pass


async def test_the_present_server_is_new_enough(admin_url: URL) -> None:
    async with databases.database(databases.Urls(admin_url, admin_url, is_embedded=False)):
        pass


def test_a_database_in_another_encoding_is_refused(server: URL) -> None:
    with connected(server) as connection:
        as_of_old = "ENCODING 'LATIN1' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'"
        connection.execute(f"CREATE DATABASE crm_latin1 TEMPLATE template0 {as_of_old}".encode())
    try:
        with pytest.raises(SetupError, match="has encoding LATIN1: create it with ENCODING 'UTF8'"):
            migrate(server.set(database="crm_latin1"))
    finally:
        with connected(server) as connection:
            connection.execute("DROP DATABASE crm_latin1")
