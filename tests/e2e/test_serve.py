"""`serve` as operators run it: probes, the commands beside it, what keeps it from starting, and how it stops."""

import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from crm_graph.database import migrations
from crm_graph.database.migrations import migrate
from crm_graph.embedded import EmbeddedPostgres
from tests.support.commands import Commands, free_port, postgres_of, started, wait_until_it_serves
from tests.support.database import scratch_database
from tests.support.webhooks import signature

pytestmark = pytest.mark.slow

OLD_SECRET = "old-secret-for-the-tests-of-serve-itself"
SECRETS = {
    "JWT_SECRET": "a-secret-for-the-tests-of-serve-itself",
    "HMAC_SHARED_SECRET_CALCOM": "cal-secret-for-the-tests-of-serve-itself",
    "HMAC_SHARED_SECRET_INSTANTLY": f"new-secret-for-the-tests-of-serve-itself,{OLD_SECRET}",
}


ELSEWHERE = SECRETS | {"PUBLIC_URL": "https://crm.example.com"}  # for commands that refuse to start


@dataclass(frozen=True)
class Served:
    """A server that runs, and the environment in which commands find it and its data."""

    process: subprocess.Popen[str]
    base: str
    log: Path
    environment: dict[str, str]


@pytest.fixture(scope="module")
def served(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    port = str(free_port())
    log, base = tmp_path_factory.mktemp("serve") / "log", f"http://127.0.0.1:{port}"
    database = {"CRM_DATA_DIR": str(data_dir), "EMBEDDED_DATABASE": "true"}
    environment = SECRETS | database | {"PORT": port, "PUBLIC_URL": base}
    with started("serve", log=log, **environment) as process:
        wait_until_it_serves(process, base, log)
        yield Served(process, base, log, environment)


def me(served: Served, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{served.base}/graphql", json={"query": "{ me { email role } }"}, headers=headers)


def sent(crm: Commands, served: Served, *arguments: str, **environment: str) -> dict[str, Any]:
    (line,) = crm("send", *arguments, **served.environment | environment).lines()
    answer: dict[str, Any] = json.loads(line)
    return answer


def test_probes_need_no_token(served: Served) -> None:
    healthy, ready = httpx.get(f"{served.base}/healthz"), httpx.get(f"{served.base}/readyz")
    assert (healthy.status_code, ready.status_code) == (200, 200)
    assert ready.json() == {"status": "ok", "schema": migrations.head(), "needed": migrations.head(), "warnings": []}
    assert "server" not in healthy.headers


def test_without_a_setting_for_them_the_metrics_are_closed_and_the_log_says_why(served: Served) -> None:
    assert httpx.get(f"{served.base}/metrics").status_code == 401
    warned = [line for line in map(json.loads, served.log.read_text().splitlines()) if "/metrics" in line["message"]]
    why = "/metrics answers 401: set METRICS_TOKEN, or METRICS_PORT for a listener of its own"
    assert [line["message"] for line in warned] == [why]


def test_an_owner_added_beside_it_gets_a_token_that_works(crm: Commands, served: Served) -> None:
    crm("owner", "add", "--name", "Ada", "--email", "ada@seller.com", "--role", "admin", **served.environment).lines()
    (token,) = crm("token", "--owner", "ada@seller.com", **served.environment).lines()
    assert me(served, token).json() == {"data": {"me": {"email": "ada@seller.com", "role": "ADMIN"}}}
    assert me(served, token[:-2]).status_code == 401


def test_send_signs_as_the_provider_does(crm: Commands, served: Served, tmp_path: Path) -> None:
    booked = sent(crm, served, "calcom", "booking_created")
    assert (booked["http"], booked["status"]) == (200, "ok")
    first = sent(crm, served, "instantly", "reply_received")
    assert (first["http"], first["status"]) == (200, "ok")
    again = sent(crm, served, "instantly", "reply_received")
    assert (again["status"], again["webhook_id"]) == ("duplicate", first["webhook_id"])
    own = tmp_path / "own.json"
    own.write_bytes(b'{"event": "reply", "lead": {"email": "own@acme.com"}, "message": {"text": "Merhaba \xc5\x9f"}}')
    bare = f"{served.base.removeprefix('http://')}/"
    mine = sent(crm, served, "instantly", "--file", str(own), "--url", bare, PORT="1")
    assert (mine["http"], mine["status"]) == (200, "ok")


def test_send_fails_when_the_answer_is_a_refusal(crm: Commands, served: Served) -> None:
    wrong = served.environment | {"HMAC_SHARED_SECRET_CALCOM": "another-secret-than-that-of-the-server"}
    done = crm("send", "calcom", "ping", **wrong)
    hint = "crm-graph: the server uses another secret: set CRM_DATA_DIR or the provider's secret as it does\n"
    assert (done.code, done.err) == (1, hint)
    assert json.loads(done.out)["http"] == 401


def test_replay_by_id_and_by_state(crm: Commands, served: Served, tmp_path: Path) -> None:
    nobody = tmp_path / "nobody.json"
    nobody.write_text('{"event_type": "reply_received", "reply_text": "who am I?"}')
    stored = sent(crm, served, "instantly", "--file", str(nobody))
    assert stored["status"] == "quarantined"
    (one,) = crm("replay", stored["webhook_id"], **served.environment).lines()
    assert one.split("\t")[0] == stored["webhook_id"]
    several = ("--status", stored["status"], "--since", "2020-01-01")
    found = crm("replay", *several, **served.environment).lines()
    assert one in found
    later = crm("replay", "--status", stored["status"], "--since", "2999-01-01", **served.environment)
    assert (later.code, later.out, later.err) == (0, "", "none\n")


def test_replay_since_a_time_with_an_offset(crm: Commands, served: Served, tmp_path: Path) -> None:
    nobody = tmp_path / "nobody.json"
    nobody.write_text('{"event_type": "reply_received", "reply_text": "somebody else"}')
    since = datetime.now(UTC) - timedelta(seconds=1)
    stored = sent(crm, served, "instantly", "--file", str(nobody))
    ahead = timezone(timedelta(hours=5))
    for same in (since.astimezone(ahead), since, since.replace(tzinfo=None)):
        found = crm("replay", "--status", "quarantined", "--since", same.isoformat(), **served.environment).lines()
        assert stored["webhook_id"] in "".join(found)
    # the same clock shows a later time further west
    later = since.replace(tzinfo=timezone(timedelta(hours=-5))).isoformat()
    assert not crm("replay", "--status", "quarantined", "--since", later, **served.environment).out


def test_the_port_is_taken(crm: Commands, served: Served) -> None:
    line = crm("serve", **served.environment).problem()
    assert line == f"can't listen on 127.0.0.1:{served.environment['PORT']}: Address already in use; set PORT or HOST"


def test_its_log_is_lines_of_json_without_secrets(served: Served) -> None:
    httpx.get(f"{served.base}/healthz?token=in-the-query%0A%1b[31m")
    text = served.log.read_text()
    assert all(json.loads(line) for line in text.splitlines())
    assert "in-the-query" not in text
    assert not any(secret in text for secret in ",".join(SECRETS.values()).split(","))


def test_a_worker_of_a_copy_pauses_deliveries_as_a_server_does(crm: Commands, served: Served) -> None:
    elsewhere = served.environment | {"PUBLIC_URL": "https://staging.example.com"}
    with started("worker", log=served.log.with_name("worker"), **elsewhere):
        deadline = time.monotonic() + 30
        while not httpx.get(f"{served.base}/readyz").json()["warnings"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    [warning] = httpx.get(f"{served.base}/readyz").json()["warnings"]
    both = (
        f"it was started with PUBLIC_URL https://staging.example.com, and this database was served under {served.base}"
    )
    assert f"deliveries are paused: {both}" in warning
    assert both in crm("endpoints", "list", **served.environment).err
    assert "deliveries are resumed" in crm("deliveries", "resume", **served.environment).out
    assert httpx.get(f"{served.base}/readyz").json()["warnings"] == []


def test_without_its_secret_or_its_public_url_it_does_not_start(crm: Commands, data_dir: Path) -> None:
    given = ELSEWHERE | {"CRM_DATA_DIR": str(data_dir), "EMBEDDED_DATABASE": "true"}
    assert "JWT_SECRET is not set" in crm("serve", **given | {"JWT_SECRET": ""}).problem()
    for command in ("serve", "worker"):
        assert "PUBLIC_URL is not set" in crm(command, **given | {"PUBLIC_URL": ""}).problem()


def test_weak_secrets_stop_serve_and_worker_and_migrate_reports_them(crm: Commands, served: Served) -> None:
    weak = served.environment | {"HMAC_SHARED_SECRET_CALCOM": "cal-secret", "PORT": str(free_port())}
    rotation = "HMAC_SHARED_SECRET_CALCOM=<new>,<old>"
    for command in ("serve", "worker", "owner list"):
        line = crm(*command.split(), **weak).problem()
        assert line.startswith("HMAC_SHARED_SECRET_CALCOM is too short")
        assert rotation in line
    migrated = crm("migrate", **weak)
    assert migrated.code == 0
    assert [rotation in line for line in migrated.remarks()] == [True]
    rotated = weak | {"HMAC_SHARED_SECRET_CALCOM": f"{SECRETS['HMAC_SHARED_SECRET_CALCOM']},cal-secret"}
    (warning,) = crm("owner", "list", **rotated).remarks()[:1]
    assert warning.startswith("HMAC_SHARED_SECRET_CALCOM (number 2 of its list) is too short")


@pytest.mark.parametrize(
    ("command", "host", "form"),
    [("serve", "127.0.0.1", "url"), ("migrate", "localhost", "parts"), ("owner list", "nowhere.invalid", "parts")],
)
def test_the_database_is_unreachable(crm: Commands, command: str, host: str, form: str) -> None:
    if form == "url":
        given = {"DATABASE_URL": f"postgresql://app_user:hidden-word@{host}:1/crm?password=hidden-word"}
    else:
        given = {"PG_HOST": host, "PG_PORT": "1", "PG_PASSWORD": "hidden-word"}
    line = crm(*command.split(), **ELSEWHERE, **given, PORT=str(free_port())).problem()
    assert line.startswith(f"can't reach the database app_user@{host}:1/crm: ")
    assert "refused" in line or "resolve" in line
    assert "hidden" not in line


def test_the_schema_is_behind_or_ahead(crm: Commands, server: URL) -> None:
    with scratch_database(server) as url:
        given = ELSEWHERE | {"DATABASE_URL": url.render_as_string(hide_password=False), "PORT": str(free_port())}
        assert "has no schema yet" in crm("serve", **given).problem()
        migrate(url)
        dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '001'")
            line = crm("serve", **given).problem()
            assert f"has schema 001, this crm-graph needs {migrations.head()}: run crm-graph migrate" in line
            assert "run crm-graph migrate" in crm("owner", "list", **given).problem()
            connection.execute("UPDATE alembic_version SET version_num = '999'")
            assert "has schema 999" in crm("serve", **given).problem()


def test_sigterm_under_requests(served: Served, data_dir: Path) -> None:
    body = json.dumps({"event": "reply", "lead": {"email": "late@acme.com"}, "message": {"text": "Hi"}}).encode()
    answers: list[httpx.Response] = []

    def post() -> None:
        headers = {"X-Signature": signature(OLD_SECRET, body), "Idempotency-Key": "under-sigterm"}
        url = f"{served.base}/crm/webhooks/instantly/reply"
        answers.append(httpx.post(url, content=body, headers=headers, timeout=20))

    with EmbeddedPostgres(data_dir) as postgres:
        database = psycopg.connect(**postgres.conninfo("app_admin"))
    with closing(database), socket.create_connection(("127.0.0.1", int(served.environment["PORT"]))) as stuck:
        stuck.sendall(b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        database.execute("LOCK TABLE webhooks_log")
        request = threading.Thread(target=post)
        request.start()
        while not database.execute("SELECT FROM pg_locks WHERE NOT granted").rowcount:
            time.sleep(0.02)
        served.process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        time.sleep(0.5)
        database.rollback()
        request.join(20)
        assert [answer.status_code for answer in answers] == [200], answers[0].text
        find = "SELECT status FROM webhooks_log WHERE idempotency_key = 'under-sigterm'"
        assert database.execute(find).rowcount == 1
        assert served.process.wait(20) == 0
        assert time.monotonic() - asked < 10
    assert not postgres_of(data_dir)
    assert "Traceback" not in served.log.read_text()
