"""The commands that need no HTTP server: what they print, and the one line with which they fail."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import jwt
import pytest
from sqlalchemy.engine import URL

from crm_graph.database import migrations
from crm_graph.settings.demo_secrets import DEMO_MARK, make_demo_secrets, mark_as_made_by_demo
from tests.support.commands import Commands, free_port, postgres_of
from tests.support.database import scratch_database
from tests.support.paths import PROJECT

pytestmark = pytest.mark.slow

SECRET = "a-secret-for-the-tests-of-commands"
SDL_FILE = PROJECT / "schema.graphql"


@contextmanager
def settings_file(crm: Commands, text: str) -> Iterator[None]:
    """A `.env` in the folder that commands run in."""
    file = crm.folder / ".env"
    file.write_text(text)
    try:
        yield
    finally:
        file.unlink()


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
    done, short = crm(*command.split(), "--help"), crm(*command.split(), "-h")
    assert done.code == 0
    assert "Usage: crm-graph" in done.out
    assert short == done


def test_version(crm: Commands) -> None:
    assert crm("--version").lines() == [f"crm-graph {metadata.version('crm-graph')}"]


def test_bash_completes_commands_and_options(crm: Commands, tmp_path: Path) -> None:
    """As bash runs it: the script that --show-completion prints calls the command again."""
    script = crm("--show-completion", "bash").out
    for words, found in ((["rep"], "replay"), (["token", "rev"], "revoke"), (["token", "revoke", "--ow"], "--owner")):
        line = " ".join(["crm-graph", *words])
        given = {"_CRM_GRAPH_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words))}
        assert crm(**given).lines() == [found]
    assert "complete -o default -F _crm_graph_completion crm-graph" in script
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


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


EMBEDDED, DEVELOPMENT = {"EMBEDDED_DATABASE": "true"}, {"CRM_ENV": "development"}


@pytest.mark.parametrize(
    ("command", "mode", "problem"),
    [
        ("owner list", EMBEDDED, "no database in"),
        ("owner list", DEVELOPMENT, "no database in"),
        ("owner list", {}, "no database is set"),
        ("token --owner ada@seller.com", EMBEDDED, "no database in"),
        ("export contacts", EMBEDDED, "no database in"),
        ("import contacts leads.csv", EMBEDDED, "no database in"),
        ("endpoints list", EMBEDDED, "no database in"),
        ("deliveries resume", EMBEDDED, "no database in"),
        ("replay --status error --since 2026-01-01", EMBEDDED, "no database in"),
        ("worker", EMBEDDED, "no database in"),
        ("migrate", {}, "no database is set"),
        ("serve", {}, "no database is set"),
    ],
)
def test_no_command_makes_a_database_unasked(
    crm: Commands, tmp_path: Path, command: str, mode: dict[str, str], problem: str
) -> None:
    (crm.folder / "leads.csv").write_text("email\nlead@acme.example\n")
    fresh = tmp_path / "fresh"
    given = {"CRM_DATA_DIR": str(fresh), "JWT_SECRET": SECRET, "PUBLIC_URL": "https://crm.example.com"} | mode
    line = crm(*command.split(), **given).problem()
    where = f"there is no database in {fresh}: run crm-graph migrate to create it, or crm-graph demo to try crm-graph"
    assert line == where if mode else "set DATABASE_URL or PG_HOST to use your PostgreSQL, or EMBEDDED_DATABASE" in line
    assert problem in line
    assert not fresh.exists()


def test_an_unmarked_folder_is_production_and_a_marked_one_the_demos(
    crm: Commands, team: dict[str, str], embedded_dir: Path
) -> None:
    named = {"CRM_DATA_DIR": str(embedded_dir)}
    assert "no database is set" in crm("owner", "list", **named).problem()
    mark_as_made_by_demo(embedded_dir)
    secret = make_demo_secrets(embedded_dir)["JWT_SECRET"]
    try:
        assert len(crm("owner", "list", **named).lines()) == 2
        (token,) = crm("token", "--owner", "ada@seller.com", **named).lines()
        assert jwt.decode(token, secret, algorithms=["HS256"])
        assert (
            "was made by crm-graph demo"
            in crm("token", "--owner", "ada@seller.com", **team, JWT_SECRET=SECRET).problem()
        )
        given = team | {"JWT_SECRET": SECRET, "PUBLIC_URL": "https://crm.example.com", "PORT": str(free_port())}
        served = crm("serve", **given).problem()
        assert served.startswith(f"CRM_DATA_DIR ({embedded_dir}) was made by crm-graph demo, and production must not")
    finally:
        for name in (DEMO_MARK, "demo-secrets.env"):
            (embedded_dir / name).unlink()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("calcom",), "booking_created"),
        (("calcom", "bookingcreated"), "calcom has no sample 'bookingcreated'; there are: after_guests_cal_video_"),
        (("calcom", "../../instantly/fixtures/email_sent"), "calcom has no sample"),
        (("calcom", "ping.expected"), "calcom has no sample"),
        (("calcom", "ping", "--file", __file__), "give either the name of a sample (ping), or --file"),
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
    "arguments",
    [
        "",
        "--status error",
        "--since 2026-01-01",
        "%s --status error",
        "%s --since 2026-01-01",
        "%s --status error --since 2026-01-01",
    ],
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
    commands = ("serve", "worker", "migrate", "demo", "owner list", "token --owner ada@seller.com", "send calcom ping")
    with settings_file(crm, "DATABSE_URL=postgresql://u:hidden-word@h/d\n"):
        found = {crm(*command.split(), **team).problem() for command in commands}
    assert found == {".env line 1: 'DATABSE_URL' is not a setting; did you mean DATABASE_URL?"}


def test_each_wrong_setting_has_a_line_on_stderr(crm: Commands, team: dict[str, str]) -> None:
    with settings_file(crm, "PROT=1\nPORT='9\n"):
        done = crm("owner", "list", **team, LOG_LEVEL="loud")
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines() == [
        "crm-graph: .env line 1: 'PROT' is not a setting; did you mean PORT?",
        "crm-graph: .env line 2: PORT can't be read; write NAME=value, and close every quote",
        "crm-graph: LOG_LEVEL must be debug, info, warning or error (in the environment)",
    ]


def test_what_looks_wrong_in_the_environment_is_said_once(crm: Commands, team: dict[str, str]) -> None:
    with settings_file(crm, "PORT=8001\n"):
        done = crm("owner", "list", **team, PORT="8002", JWT_SECERT="hidden", PGHOST="hidden", HOSTNAME="hidden")
    assert done.remarks() == [
        "the variable 'JWT_SECERT' is not a setting; did you mean JWT_SECRET?",
        "the environment and .env differ, the environment wins: PORT",
    ]


def test_a_data_folder_that_is_a_file(crm: Commands, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for command in ("owner list", "migrate", "demo"):
        given = {"CRM_DATA_DIR": str(tmp_path / "file"), "CRM_ENV": "development", "PORT": str(free_port())}
        assert str(tmp_path / "file") in crm(*command.split(), **given).err.splitlines()[-1]
