"""A full disk: said as such, whether a cluster is made or runs, and another attempt works once there is room."""

from pathlib import Path

import pytest

from crm_graph.embedded import EmbeddedError, cluster
from tests.support.postgres_processes import start

pytestmark = pytest.mark.slow

FULL = "^the disk of .* is full: make room there, or choose another CRM_DATA_DIR; then try again$"


def program(folder: Path, name: str, line: str) -> None:
    """A program that prints a line and fails, as PostgreSQL's do on a full disk."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{line}' >&2\nexit 1\n")
    path.chmod(0o755)


@pytest.mark.parametrize("line", ["could not write to file: No space left on device", "Disk quota exceeded"])
def test_initdb_without_room(folder: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    program(folder, "initdb", f"initdb: error: {line}")
    with monkeypatch.context() as patch:
        patch.setattr(cluster, "find_programs", lambda runner, data_dir: folder)
        with pytest.raises(EmbeddedError, match=FULL):
            start(folder / "data").__enter__()
    assert not list((folder / "data").glob("cluster*")), "no half of a cluster is left"


def test_another_failure_of_initdb_is_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(folder, "initdb", "initdb: error: something else")
    monkeypatch.setattr(cluster, "find_programs", lambda runner, data_dir: folder)
    with pytest.raises(EmbeddedError, match=r"initdb failed in .*\n.*something else"):
        start(folder / "data").__enter__()


def test_a_server_that_stops_without_room(data_dir: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(folder, "postgres", "PANIC:  could not write to file pg_wal/xlogtemp.7: No space left on device")
    monkeypatch.setattr(cluster, "find_programs", lambda runner, data_dir: folder)
    monkeypatch.setattr(cluster.Cluster, "_check_version", lambda self, programs: None)
    with pytest.raises(EmbeddedError, match=FULL):
        start(data_dir).__enter__()
