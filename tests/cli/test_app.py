"""The commands that need no HTTP server: what they print, and the one line with which they fail."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from crm_graph.database import migrations
from tests.support.commands import Commands, free_port, postgres_of
from tests.support.database import scratch_database
from tests.support.paths import PROJECT

pytestmark = pytest.mark.slow

SECRET = "a-secret-for-the-tests-of-commands"
SDL_FILE = PROJECT / "schema.graphql"


@pytest.mark.parametrize(
    "command",
    [
        "",
        "serve",
        "migrate",
        "demo",
        "owner",
        "owner add",
        "owner list",
        "owner update",
        "token",
        "token list",
        "token revoke",
        "send",
    ],
)
def test_help(crm: Commands, command: str) -> None:
    done = crm(*command.split(), "--help")
    assert done.code == 0
    assert "Usage: crm-graph" in done.out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("nonsense", "No such command 'nonsense'"),
        ("serve --port 70000", "--port"),
        ("serve --workers 0", "--workers"),
        ("owner add --name Ada", "--email"),
        ("owner add --name Ada --email a@b.c --role boss", "boss"),
        ("replay not-an-id", "not-an-id|UUID"),
        ("replay --status lost --since 2026-01-01", "lost"),
        ("replay --status error --since yesterday", "'yesterday' is not a time: write 2026-01-05 or"),
        ("replay --status error --since 0001-01-01T00:00:00+23:00", "is not a time"),
        ("send calcom --file /nowhere.json", "/nowhere.json"),
    ],
)
def test_wrong_usage(crm: Commands, arguments: str, problem: str) -> None:
    line = crm(*arguments.split()).problem(code=2)
    assert any(part in line for part in problem.split("|"))


def test_migrate_joins_the_embedded_server(crm: Commands, team: dict[str, str], embedded_dir: Path) -> None:
    (line,) = crm("migrate", **team).lines()
    assert line == f"the embedded database in {embedded_dir} has schema {migrations.head()}"
    assert postgres_of(embedded_dir)


def test_migrate_on_a_given_server(crm: Commands, server: URL) -> None:
    with scratch_database(server) as url:
        given = {"DATABASE_URL": url.render_as_string(hide_password=False)}
        assert crm("migrate", **given).lines() == [f"schema none -> {migrations.head()}"]
        assert crm("migrate", **given).lines() == [f"schema {migrations.head()}, nothing to do"]


def test_a_new_embedded_database_is_announced(crm: Commands, data_dir: Path) -> None:
    fresh = data_dir.parent / "fresh"
    assert crm("owner", "list", CRM_DATA_DIR=str(fresh)).remarks() == [f"created a new database in {fresh}", "none"]
    assert crm("owner", "list", CRM_DATA_DIR=str(fresh)).remarks() == ["none"]
    shutil.rmtree(fresh)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("calcom",), "booking_created"),
        (("calcom", "bookingcreated"), "calcom has no sample 'bookingcreated'; there are: booking_cancelled, "),
        (("calcom", "../../instantly/fixtures/email_sent"), "calcom has no sample"),
        (("calcom", "ping.expected"), "calcom has no sample"),
        (("hubspot", "ping"), "unknown provider 'hubspot'; there are: instantly, calcom"),
        (("calcom", "ping"), "HMAC_SHARED_SECRET_CALCOM is not set"),
    ],
)
def test_nothing_to_send(crm: Commands, data_dir: Path, arguments: tuple[str, ...], problem: str) -> None:
    assert problem in crm("send", *arguments, CRM_DATA_DIR=str(data_dir)).problem()


def test_send_to_nobody(crm: Commands, data_dir: Path) -> None:
    environment = {"HMAC_SHARED_SECRET_CALCOM": SECRET, "PORT": str(free_port()), "CRM_DATA_DIR": str(data_dir)}
    line = crm("send", "calcom", "ping", **environment).problem()
    assert f"http://127.0.0.1:{environment['PORT']}/crm/webhooks/calcom/booking" in line
    assert "crm-graph serve" in line
    assert SECRET not in line


@pytest.mark.parametrize(
    "arguments", ["", "--status error", "--since 2026-01-01", "%s --status error --since 2026-01-01"]
)
def test_replay_of_what(crm: Commands, team: dict[str, str], arguments: str) -> None:
    given = arguments.replace("%s", "0b0e7a3c-58f1-4c50-8d5b-000000000000").split()
    assert "--status and --since" in crm("replay", *given, **team).problem()


def test_replay_of_an_unknown_event(crm: Commands, team: dict[str, str]) -> None:
    unknown = "0b0e7a3c-58f1-4c50-8d5b-000000000000"
    assert crm("replay", unknown, **team).problem() == f"webhook not found: {unknown}"
    nothing = crm("replay", "--status", "error", "--since", "2026-01-01", **team)
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "none\n")


def test_schema_is_the_committed_one(crm: Commands) -> None:
    assert crm("schema").out == SDL_FILE.read_text(encoding="utf-8")


def test_a_wrong_setting(crm: Commands) -> None:
    assert "PG_PORT" in crm("owner", "list", PG_HOST="localhost", PG_PORT="many").problem()


def test_a_line_of_the_settings_file_that_sets_nothing(crm: Commands, team: dict[str, str]) -> None:
    file = crm.folder / ".env"
    file.write_text("DATABSE_URL=postgresql://u:hidden-word@h/d\n")
    try:
        done = crm("owner", "list", **team)
        refused = crm("token", "--owner", "ada@seller.com", **team)
    finally:
        file.unlink()
    assert done.remarks() == [".env line 1: 'DATABSE_URL' is not a setting; did you mean DATABASE_URL?"]
    assert len(done.out.splitlines()) == 2
    assert len(refused.err.splitlines()) == 2


def test_a_data_folder_that_is_a_file(crm: Commands, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in crm("owner", "list", CRM_DATA_DIR=str(tmp_path / "file")).problem()
