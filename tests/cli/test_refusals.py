"""What PostgreSQL or the disk refuses is one line, with what to do about it."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from crm_graph.database.engine import RIGHTS_MESSAGE
from crm_graph.embedded import EmbeddedPostgres
from tests.support.commands import Commands, clean_environment

pytestmark = pytest.mark.slow


def test_what_postgresql_refuses_is_one_line_that_says_what_to_do(
    crm: Commands, team: dict[str, str], shared: EmbeddedPostgres
) -> None:
    with psycopg.connect(**shared.conninfo("app_admin"), autocommit=True) as connection:
        connection.execute("REVOKE SELECT ON contacts FROM app_user")
    line = crm("export", "contacts", "--owner", "ada@seller.com", **team).problem()
    assert line == f"{RIGHTS_MESSAGE}: permission denied for table contacts"
    assert "repaired the rights on table contacts" in crm("migrate", **team).out
    assert crm("export", "contacts", "--owner", "ada@seller.com", **team).code == 0


def test_a_read_only_database_and_an_unknown_parameter_are_one_line(crm: Commands, shared: EmbeddedPostgres) -> None:
    url = shared.url("app_user").update_query_dict({"options": "-c default_transaction_read_only=on"})
    given = {"DATABASE_URL": url.render_as_string(hide_password=False)}
    line = crm("owner", "add", "--name", "Eve", "--email", "eve@seller.com", "--role", "sales", **given).problem()
    assert line.startswith("the database refused: cannot execute INSERT in a read-only transaction: it is a replica")

    url = shared.url("app_user").update_query_dict({"pool_size": "5"})
    line = crm("owner", "list", DATABASE_URL=url.render_as_string(hide_password=False)).problem()
    assert 'invalid connection option "pool_size"' in line


def test_output_to_a_full_disk_is_one_line(crm: Commands, team: dict[str, str]) -> None:
    command = [sys.executable, "-m", "crm_graph", "owner", "list"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, env=clean_environment(**team), stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "crm-graph: no space left where the output is written\n")
