"""`demo`: where it refuses to start. What it shows is in tests/e2e."""

import json
import socket
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import URL

from crm_graph.cli import demo
from crm_graph.database.migrations import migrate
from crm_graph.settings.demo_secrets import is_made_by_demo
from tests.support.commands import Commands, free_port
from tests.support.database import scratch_database
from tests.support.webhooks import fixture

pytestmark = pytest.mark.slow

OWNER = "INSERT INTO owners (name, email, role) VALUES ('Ada', 'ada@seller.com', 'admin')"
TEAM = """
INSERT INTO owners (name, email, role, active) VALUES ('Ada', 'ada@seller.com', 'admin', false),
    ('Max', 'max@seller.com', 'sales', true), ('Ana', 'ana@seller.com', 'sales', true),
    ('Rita', 'rita@seller.com', 'readonly', true)
"""
IN_USE = "the database is in use: the demo only fills an empty one"


@pytest.mark.parametrize(
    ("already", "problem"),
    [
        (OWNER, IN_USE),
        ("INSERT INTO contacts (email) VALUES ('lead@acme.example')", IN_USE),
        (f"{TEAM}; INSERT INTO owners (name, email, role) VALUES ('Grace', 'grace@acme.example', 'admin')", IN_USE),
        (
            TEAM,
            "ada@seller.com is no longer an active admin: crm-graph owner update --email ada@seller.com --role admin",
        ),
    ],
    ids=["an owner", "a contact", "the team and a stranger", "the team without its admin"],
)
def test_a_database_that_is_not_the_demos(
    crm: Commands, server: URL, data_dir: Path, already: str, problem: str
) -> None:
    counts = "SELECT (SELECT count(*) FROM owners), (SELECT count(*) FROM contacts)"
    with scratch_database(server) as url:
        migrate(url)
        dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(already.encode())
            before = connection.execute(counts).fetchone()
            given = {"DATABASE_URL": dsn, "CRM_DATA_DIR": str(data_dir), "PORT": str(free_port())}
            assert problem in crm("demo", **given).problem()
            assert connection.execute(counts).fetchone() == before


def test_a_data_folder_with_other_peoples_data(
    crm: Commands, team: dict[str, str], embedded_dir: Path, rows: Any
) -> None:
    given = {"CRM_DATA_DIR": str(embedded_dir), "PORT": str(free_port())}
    done = crm("demo", **given)
    assert done.code == 1
    assert IN_USE in done.err
    elsewhere = crm("demo", **given, DATABASE_URL="postgresql://app_user@127.0.0.1:1/crm")
    assert elsewhere.err.startswith(
        f"crm-graph: the demo's secrets can't be kept beside the database in {embedded_dir}"
    )
    assert not is_made_by_demo(embedded_dir), "it stays a folder for production"
    assert rows("SELECT count(*) FROM owners") == [(2,)]


def test_the_sample_booking_follows_the_reply_that_led_to_it() -> None:
    reply, booking = (json.loads(fixture(provider, name)) for provider, name in demo.SAMPLES[:2])
    assert reply["lead_email"] == booking["payload"]["attendees"][0]["email"]
    assert reply["timestamp"] < booking["createdAt"] < booking["payload"]["startTime"]


def test_a_taken_port_is_seen_before_anything_starts(crm: Commands, data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        untouched = data_dir.parent / "untouched"
        line = crm("demo", CRM_DATA_DIR=str(untouched), PORT=port).problem()
    assert line.startswith(f"can't listen on 127.0.0.1:{port}")
    assert not untouched.exists()
