"""Several leases on one server, in one process or in many: the last one stops it."""

import fcntl
import os
import signal
import threading
import warnings
from pathlib import Path

import pytest

from crm_graph.embedded import EmbeddedError, lease
from tests.support.postgres_processes import ask, child, leave, servers, start, the_server


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


def test_concurrent_leases_never_join_a_stopping_server(data_dir: Path) -> None:
    failures: list[BaseException] = []

    def come_and_go() -> None:
        try:
            for _ in range(4):
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
    monkeypatch.setattr(lease, "LOCK_SECONDS", 0.1)
    with open(data_dir / "start.lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(EmbeddedError, match="has been starting or stopping PostgreSQL in"):
            start(data_dir).__enter__()
