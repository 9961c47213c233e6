"""Upgrades of databases with data, from every revision, and while a server of the previous version runs."""

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy.engine import URL

from crm_graph.database import migrations
from crm_graph.database.engine import Database
from crm_graph.database.migrations import migrate
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from tests.support.api import ask
from tests.support.database import connected, scratch_database
from tests.support.revision_rows import CONTACT, DEAL, ENDPOINT, OWNER, insert_rows, stored_rows
from tests.support.schema import definitions, migrate_to

pytestmark = pytest.mark.slow

REVISIONS = [
    script.revision for script in ScriptDirectory.from_config(migrations._config()).walk_revisions() if script.nextrev
][::-1]
# Those that most installations come from, and the oldest; `make fuzz` upgrades from every one.
AT_ONCE = (REVISIONS[0], *REVISIONS[-4:])
READ = """{
    companies(filter: {text: "insaat"}) { nodes { name } }
    deals(filter: {text: "contacted"}) { nodes { id amount stage { key } contact { email } } }
    contacts(filter: {replyStatus: INTERESTED}) { nodes { email } }
    pipelines { stages { id key } }
}"""
FOUND = {
    "companies": {"nodes": [{"name": "Öz İnşaat"}]},
    "deals": {
        "nodes": [
            {"id": DEAL, "amount": "1200.50", "stage": {"key": "contacted"}, "contact": {"email": "ayse@oz.example"}}
        ]
    },
    "contacts": {"nodes": [{"email": "ayse@oz.example"}]},
}
MOVE = "mutation ($input: MoveDealStageInput!) { moveDealStage(input: $input) { deal { stage { key } } } }"
NEW_EVENTS = """SELECT type, source, payload #>> '{data,new_stage,key}', (SELECT count(*) FROM webhook_deliveries
    WHERE event_id = events.id) FROM events WHERE position > %s"""
# How the server before revision 009 calls the database's functions.
CALLS_BEFORE_009 = (
    "SELECT crm_forget_events(now() - interval '30 days', 1000)",
    f"SELECT crm_test_endpoint('{ENDPOINT}', now())",
    "SELECT crm_lock_column(stage_id, gen_random_uuid()) FROM deals",
    "SELECT crm_address_hmac('a@b.example')",
    "SELECT to_tsvector('simple', crm_fold('Öz İnşaat')) @@ crm_query('insaat')",
)


def _old(revision: str) -> pytest.MarkDecorator:
    is_left_out = revision not in AT_ONCE and "FUZZ_EXAMPLES" not in os.environ
    return pytest.mark.skipif(is_left_out, reason="a second for each revision: see make fuzz")


@pytest.fixture
def empty(server: URL) -> Iterator[URL]:
    with scratch_database(server) as url:
        yield url


@pytest.fixture(scope="module")
def of_008(server: URL) -> Iterator[URL]:
    with scratch_database(server) as url:
        migrate_to(url, "008")
        with connected(url) as connection:
            insert_rows(connection, "008")
        yield url


@pytest.fixture
def filled(server: URL, of_008: URL) -> Iterator[URL]:
    """A database of the revision before 009, with rows."""
    with scratch_database(server, copy_of=of_008) as url:
        yield url


@pytest.mark.parametrize("revision", [pytest.param(revision, marks=_old(revision)) for revision in REVISIONS])
async def test_a_database_with_data_is_upgraded_from(revision: str, empty: URL, settings: Settings) -> None:
    # given
    migrate_to(empty, revision)
    with connected(empty) as connection:
        insert_rows(connection, revision)
        before = stored_rows(connection)

        # when
        assert migrate(empty) == (revision, migrations.head())

        # then
        after = stored_rows(connection)
        for table, rows in before.items():
            assert [in_columns_of(old, new) for old, new in zip(rows, after[table], strict=True)] == rows, table
        last = connection.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()
        if not after["webhook_endpoints"]:
            connection.execute(f"INSERT INTO webhook_endpoints (owner_id, url, secret) VALUES ('{OWNER}', 'x', 'x')")
        await serve(settings, empty)
        events = connection.execute(NEW_EVENTS, last).fetchall()
    assert [event for event in events if event[0] == "deal_stage_changed"] == [
        ("deal_stage_changed", "graphql", "qualified", 1)
    ]


def in_columns_of(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """A row without the columns that the upgrade has added."""
    return {name: value for name, value in new.items() if name in old}


async def serve(settings: Settings, url: URL) -> None:
    """Have the server read what the database held before the upgrade, and move a deal."""
    database = Database(url.update_query_dict({"options": "-c role=app_user"}), pool_size=1)
    transport = httpx.ASGITransport(create_app(settings, database))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://crm.test") as client:
            ready = await client.get("/readyz")
            assert (ready.status_code, ready.json()["status"]) == (200, "ok")
            found = await ask(client, OWNER, READ)
            [pipeline] = found.pop("pipelines")
            stages = {stage["key"]: stage["id"] for stage in pipeline["stages"]}
            assert found == FOUND
            moved = await ask(client, OWNER, MOVE, input={"dealId": DEAL, "stageId": stages["qualified"]})
            assert moved == {"moveDealStage": {"deal": {"stage": {"key": "qualified"}}}}
    finally:
        await database.close()


def test_calls_of_the_previous_version_work_after_009(filled: URL) -> None:
    with connected(filled, "app_user") as connection:
        connection.prepare_threshold = 0
        for call in CALLS_BEFORE_009:
            connection.execute(call.encode())
        migrate(filled)
        for call in CALLS_BEFORE_009:
            assert connection.execute(call.encode()).fetchone() not in (None, (None,)), call


def test_the_old_name_still_purges_events_for_the_server_alone(filled: URL) -> None:
    migrate(filled)
    with connected(filled, "app_user") as connection:
        assert connection.execute("SELECT crm_forget_events(now() - interval '1 day', 9)").fetchone() == (0,)
        assert connection.execute("SELECT crm_forget_events(now() + interval '1 day', 1)").fetchone() == (2,)
    with connected(filled, "readonly") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT crm_forget_events(now(), 1)")


def test_down_from_009_restores_the_functions(filled: URL) -> None:
    before = definitions(filled)
    migrate(filled)
    assert definitions(filled) != before

    migrate_to(filled, "008")

    assert definitions(filled) == before


def test_009_runs_while_servers_write(filled: URL) -> None:
    counts, problems, is_over = [0, 0], list[BaseException](), threading.Event()

    def write(number: int) -> None:
        # In opposite orders, so that writers and the migration would lock one another out if they waited for long.
        statements = [f"UPDATE deals SET notes = %s WHERE id = '{DEAL}'",
                      f"UPDATE contacts SET phone = %s WHERE id = '{CONTACT}'"][:: 1 if number else -1]  # fmt: skip
        try:
            with connected(filled, "app_user") as connection:
                connection.execute("SET statement_timeout = '8s'; SET lock_timeout = '8s'")
                while not is_over.is_set():
                    with connection.transaction():
                        connection.execute("SELECT FROM owners WHERE id = %s FOR UPDATE", [OWNER])  # not one another
                        for statement in statements:
                            connection.execute(statement.encode(), [f"{number} {counts[number]}"])
                    counts[number] += 1
        except BaseException as problem:
            problems.append(problem)

    with connected(filled) as connection:
        [last] = connection.execute("SELECT max(position) FROM events").fetchone() or [None]
        writers = [threading.Thread(target=write, args=[number]) for number in range(2)]
        for writer in writers:
            writer.start()
        while min(counts) == 0 and not problems:
            time.sleep(0.01)
        migrate(filled)
        at_upgrade = sum(counts)
        while sum(counts) < at_upgrade + 10 and not problems:
            time.sleep(0.01)
        is_over.set()
        for writer in writers:
            writer.join()
        written = connection.execute(
            "SELECT type, count(*) FROM events WHERE position > %s GROUP BY type ORDER BY type", [last]
        ).fetchall()
    assert problems == []
    assert written == [("contact_updated", sum(counts)), ("deal_updated", sum(counts))]


def test_009_waits_for_a_long_transaction_without_blocking_others(filled: URL) -> None:
    outcome = list[object]()
    upgrade = threading.Thread(target=lambda: outcome.append(migrate(filled)))
    with connected(filled, "app_user") as long, connected(filled, "app_user") as other:
        with long.transaction():
            long.execute("UPDATE contacts SET phone = '1' WHERE id = %s", [CONTACT])
            upgrade.start()
            for number in range(3):
                other.execute("UPDATE deals SET notes = %s WHERE id = %s", [str(number), DEAL])
                time.sleep(0.05)
            assert upgrade.is_alive()
        upgrade.join()
    assert outcome == [("008", migrations.head())]
