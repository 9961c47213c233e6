"""Where the data folder and the socket may be, and where root puts a cluster that its user can't reach."""

import logging
import os
import pwd
import shutil
import socket
import stat
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from crm_graph.embedded import EmbeddedError, runner
from crm_graph.embedded.cluster import Cluster
from crm_graph.embedded.runner import Runner
from tests.support.data_folders import fake_cluster, moved
from tests.support.postgres_processes import as_root, ask, servers, start, the_server

pytestmark = pytest.mark.slow


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


def test_the_socket_folder_is_private(data_dir: Path) -> None:
    with start(data_dir) as postgres:
        found = Path(postgres.conninfo("app_user")["host"]).lstat()
        assert stat.S_IMODE(found.st_mode) == 0o700
        assert found.st_uid == the_server(data_dir).uids().real


@pytest.mark.parametrize("squat", ["link", "open to all", pytest.param("of another user", marks=as_root)])
def test_a_socket_folder_of_another_user_is_refused(data_dir: Path, folder: Path, squat: str) -> None:
    owner = (data_dir / "cluster").stat().st_uid
    trap = folder / "trap"
    trap.mkdir(0o700)
    os.chown(trap, owner, -1)
    with moved(data_dir, folder / ("x" * 120)) as place:
        socket_dir = Cluster(place, place, Runner.choose(place / "cluster"), durable=False).socket_dir
        assert socket_dir.parent == Path("/tmp")
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


def test_pghostaddr_in_the_environment_is_ignored(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


@as_root
def test_root_moves_the_cluster_of_an_unreachable_data_folder(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    closed = folder / "closed"
    closed.mkdir(0o700)
    with caplog.at_level(logging.INFO), start(closed / "data") as postgres:
        ask(postgres, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
        home = Path((closed / "data" / "cluster.path").read_text().strip())
        assert home.parent == runner.SYSTEM_DIR / "clusters"
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
    with pytest.raises(EmbeddedError, match=f"can't enter {folder}: run chmod"):
        start(folder / "data").__enter__()
    assert not (folder / "data" / "cluster.path").exists()
