"""A server that dies while it is leased is restarted, once, and never after the last lease was given up."""

import fcntl
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from crm_graph.embedded import EmbeddedError, EmbeddedPostgres, supervisor
from crm_graph.embedded.cluster import is_alive
from crm_graph.embedded.locks import open_lock
from tests.support.postgres_processes import ask, servers, start, the_server


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(supervisor, "CHECK_SECONDS", 0.05)
    caplog.set_level(logging.INFO)


@contextmanager
def kept(data_dir: Path) -> Iterator[EmbeddedPostgres]:
    with start(data_dir) as postgres, supervisor.supervised(postgres):
        yield postgres


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def answers(postgres: EmbeddedPostgres) -> bool:
    try:
        return ask(postgres, "SELECT 1") == [(1,)]
    except psycopg.OperationalError:
        return False


def kill_the_server(data_dir: Path) -> psutil.Process:
    server = the_server(data_dir)
    server.kill()
    wait_for(lambda: not is_alive(server))
    return server


def test_a_killed_server_comes_back_with_its_data_and_one_warning(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with EmbeddedPostgres(data_dir) as postgres, supervisor.supervised(postgres):
        ask(postgres, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
        killed = kill_the_server(data_dir)
        wait_for(lambda: answers(postgres) and postgres.is_running())
        assert the_server(data_dir) != killed
        assert ask(postgres, "SELECT answer FROM kept") == [(42,)]
    assert servers(data_dir) == []
    warned = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert warned == ["the embedded PostgreSQL died and was restarted"]


def test_two_leases_on_one_folder_restart_one_server(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    with kept(data_dir) as first, kept(data_dir) as second:
        caplog.clear()
        killed = kill_the_server(data_dir)
        wait_for(lambda: first.is_running() and second.is_running())
        assert the_server(data_dir) != killed
        assert answers(first)
    assert servers(data_dir) == []
    assert sum(record.message.startswith("started PostgreSQL") for record in caplog.records) == 1


def test_leaving_while_the_server_starts_again_stops_it(data_dir: Path) -> None:
    with kept(data_dir):
        family = servers(data_dir)
        kill_the_server(data_dir)
        wait_for(lambda: any(process not in family for process in servers(data_dir)))
    assert servers(data_dir) == []


def test_leaving_while_the_restart_waits_for_its_lock_starts_nothing(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    turn = open_lock(data_dir / "start.lock")
    with start(data_dir) as postgres:
        caplog.clear()
        fcntl.flock(turn, fcntl.LOCK_EX)
        with supervisor.supervised(postgres):
            kill_the_server(data_dir)
            wait_for(lambda: not servers(data_dir))
            time.sleep(0.2)  # now it waits
            unlocking = threading.Timer(0.1, fcntl.flock, (turn, fcntl.LOCK_UN))
            unlocking.start()
        unlocking.join()
    assert not [record for record in caplog.records if "started" in record.message]


def test_after_leaving_nothing_is_restarted(data_dir: Path) -> None:
    with start(data_dir) as postgres:
        pass
    assert not postgres.restart(threading.Event())
    assert servers(data_dir) == []


def test_a_failed_restart_is_logged_and_tried_again(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = data_dir / "cluster" / "postgresql.auto.conf"
    with kept(data_dir) as postgres:
        config.write_text("no_such_setting = 1\n")
        try:
            kill_the_server(data_dir)
            wait_for(lambda: "next attempt in 0.05 s" in caplog.text and "next attempt in 0.1 s" in caplog.text)
        finally:
            config.write_text("")
        assert "no_such_setting" in caplog.text
        wait_for(postgres.is_running)
        assert answers(postgres)


def test_no_empty_cluster_replaces_one_that_was_removed(data_dir: Path) -> None:
    cluster, aside = data_dir / "cluster", data_dir / "aside"
    with start(data_dir) as postgres:
        kill_the_server(data_dir)
        wait_for(lambda: not servers(data_dir))
        cluster.rename(aside)
        try:
            with pytest.raises(EmbeddedError, match="was removed or replaced"):
                postgres.restart(threading.Event())
            assert not cluster.exists()
        finally:
            shutil.rmtree(cluster, ignore_errors=True)
            aside.rename(cluster)


def test_a_short_block_does_not_wait_for_the_next_look(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "CHECK_SECONDS", 60)
    began = time.monotonic()
    with supervisor.supervised(EmbeddedPostgres(data_dir)):
        pass
    assert time.monotonic() - began < 1
