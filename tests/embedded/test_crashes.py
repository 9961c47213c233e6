"""The next start after kill -9, a deleted folder or stale files."""

import os
import shutil
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from crm_graph.embedded import EmbeddedError, EmbeddedPostgres, cluster
from tests.support.data_folders import moved
from tests.support.postgres_processes import ROOT, ask, child, servers, start, the_server

pytestmark = pytest.mark.slow


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
    with start(data_dir):
        server = the_server(data_dir)
        orphan = next(process for process in servers(data_dir) if process != server)
        orphan.suspend()
        server.kill()
        try:
            deadline = time.monotonic() + 20
            while servers(data_dir) != [orphan] and time.monotonic() < deadline:
                time.sleep(0.02)  # the others notice at once that their server ended
            with monkeypatch.context() as impatient:
                impatient.setattr(cluster, "ORPHAN_SECONDS", 0.1)
                with pytest.raises(EmbeddedError, match=f"still run on .*: {orphan.pid}$"):
                    start(data_dir).__enter__()
        finally:
            orphan.resume()  # now it notices that its server ended, and exits
        with start(data_dir) as postgres:
            assert ask(postgres, "SELECT 1") == [(1,)]
    assert servers(data_dir) == []


@pytest.mark.parametrize("content", ["living", "cut", "empty"])
def test_a_stale_pid_file_neither_stops_the_start_nor_another_process(data_dir: Path, content: str) -> None:
    cluster_dir = data_dir / "cluster"
    owner = cluster_dir.stat()
    user = owner.st_uid if ROOT else None  # of the server's own user PostgreSQL believes most
    with subprocess.Popen(["sleep", "60"], user=user) as unrelated:
        try:
            lines = f"{unrelated.pid}\n{cluster_dir}\n1700000000\n5432\n{data_dir / 'socket'}\n\n 1 1\nready   \n"
            stale = {"living": lines, "cut": "12", "empty": ""}
            for path in (cluster_dir / "postmaster.pid", data_dir / "socket" / ".s.PGSQL.5432.lock"):
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
    subprocess.run(["cp", "-a", data_dir, place], check=True)
    with ExitStack() as before:
        before.enter_context(start(place))
        doomed = the_server(folder)
        shutil.rmtree(place)
        with moved(data_dir, place), start(place) as postgres:
            assert the_server(folder) != doomed
            before.close()  # its lease was on the deleted folder: it must not stop the new server
            assert ask(postgres, "SELECT 1") == [(1,)]
    assert servers(folder) == []
