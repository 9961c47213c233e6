"""Servers on data folders: held by this process or by another one, asked, and looked up among all processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from crm_graph.embedded import EmbeddedPostgres, runner
from tests.support.paths import PROJECT

ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="only root runs PostgreSQL as another user")
as_plain_user = pytest.mark.skipif(ROOT, reason="root may read and enter everything")

CHILD = """
import signal, sys
from pathlib import Path
from crm_graph.embedded import EmbeddedError, EmbeddedPostgres, cluster, runner
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))  # as the command line does
signal.signal(signal.SIGINT, signal.default_int_handler)  # even if the tests run in the background, which ignores it
runner.SYSTEM_DIR = Path(sys.argv[2])
cluster.ORPHAN_SECONDS = 0.1
try:
    with EmbeddedPostgres(Path(sys.argv[1]), durable=False):
        print("ready", flush=True)
        sys.stdin.readline()
except EmbeddedError as error:
    print(error, flush=True)
"""


class Child(subprocess.Popen[str]):
    """Another process of ours, and what it said first."""

    first_line = ""


def start(data_dir: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(data_dir, durable=False)


def ask(postgres: EmbeddedPostgres, sql: str, user: str = "app_admin", dbname: str = "crm") -> list[Any]:
    with psycopg.connect(**postgres.conninfo(user, dbname), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


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


@contextmanager
def child(data_dir: Path, *before: str) -> Iterator[Child]:
    """Another process of ours with a lease on the data folder, in a process group of its own like a terminal's job."""
    with Child(
        [*before, sys.executable, "-W", "error", "-c", CHILD, str(data_dir), str(runner.SYSTEM_DIR)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        try:
            process.first_line = process.stdout.readline().strip()
            yield process
        finally:
            process.kill()


def leave(process: Child) -> int:
    process.communicate("\n", timeout=20)
    return process.returncode


@dataclass
class Made:
    """What the first start was given."""

    data_dir: Path
    half_an_initdb: Path
    modes_before: dict[Path, tuple[int, int, int]]
