"""A PostgreSQL cluster and its server: creates, starts, finds (by its processes) and stops them."""

import hashlib
import logging
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import psutil
import psycopg

from crm_graph.embedded.config import INITDB, NOT_DURABLE, PORT, ROLES, SETTINGS
from crm_graph.embedded.errors import EmbeddedError, disk_full, is_disk_full
from crm_graph.embedded.files import last_lines, open_log, sync_dir, write_atomically
from crm_graph.embedded.locks import lock_within, open_lock
from crm_graph.embedded.runner import Runner, find_programs, make_private_dir

logger = logging.getLogger(__name__)

WAL_SEGMENT = 16 * 1024 * 1024  # bytes that PostgreSQL writes at once
START_SECONDS, STOP_SECONDS, ORPHAN_SECONDS = 120, 60, 10


class ConnInfo(TypedDict):
    """Keyword arguments of psycopg.connect."""

    host: str
    hostaddr: str
    port: str
    user: str
    dbname: str


@dataclass(frozen=True)
class Cluster:
    """A cluster and its server. Only the holder of the start lock may call these methods."""

    data_dir: Path
    home: Path  # folder of the cluster: usually data_dir itself
    runner: Runner
    durable: bool

    @property
    def path(self) -> Path:
        return self.home / "cluster"

    @property
    def log(self) -> Path:
        return self.data_dir / "postgres.log"

    @property
    def name(self) -> str:
        return f"crm-graph-{self.runner.uid}-{hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]}"

    @property
    def socket_dir(self) -> Path:
        """In the data folder if its path fits into a socket address; otherwise a folder with a short path in /tmp."""
        inside = self.home / "socket"
        socket_path = str(inside / f".s.PGSQL.{PORT}")
        # 103 bytes fit everywhere (Linux 107, macOS 103). libpq splits its host at commas; an unprintable path may
        # have bytes that are not UTF-8.
        if len(os.fsencode(socket_path)) <= 103 and socket_path.isprintable() and "," not in socket_path:
            return inside
        return Path("/tmp") / self.name  # noqa: S108 - not TMPDIR: every process must find the same one

    def conninfo(self, user: str, dbname: str) -> ConnInfo:
        """The parameters of a connection."""
        # An empty hostaddr keeps libpq from reading PGHOSTADDR, which would lead to another server.
        return ConnInfo(host=str(self.socket_dir), hostaddr="", port=PORT, user=user, dbname=dbname)

    def find_server(self) -> psutil.Process | None:
        """The server that runs on this cluster; None if none of its processes is left.

        The processes decide, not the pid file. A server whose pid file is missing or not its own runs on a folder that
        was deleted and maybe restored; PostgreSQL would end it within a minute. This method ends it at once, without a
        last checkpoint, which would write into the restored cluster (pg_control is opened by its absolute path).
        """
        deadline = time.monotonic() + ORPHAN_SECONDS
        while processes := self._processes():
            server = _parent_of(processes)
            if server and server.pid == self._pid_in_file():
                return server
            if server:
                logger.warning("stopping server %d on %s: its pid file belongs to another one", server.pid, self.path)
                self.stop(server, signal.SIGQUIT)
            elif time.monotonic() > deadline:
                pids = ", ".join(str(process.pid) for process in processes)
                raise EmbeddedError(f"server processes without a parent still run on {self.path}; end these: {pids}")
            time.sleep(0.02)
        return None

    def start(self) -> psutil.Process:
        """Start a server, after find_server returned None. Creates the cluster if it is missing."""
        programs = find_programs(self.runner, self.data_dir)
        if self.path.exists():
            self._check_version(programs)
        with self._server_lock() as lock:
            if not self.path.exists():
                self._initdb(programs)
            make_private_dir(self.socket_dir, self.runner)
            self._remove_stale_files()
            settings = SETTINGS | self._access_settings() | ({} if self.durable else NOT_DURABLE)
            options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
            command = [str(programs / "postgres"), "-D", str(self.path), *options]
            with open_log(self.log) as log:
                # The shell ends at once, so that the server is not our child and needs no wait().
                shell = self.runner.run("/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *command, stderr=log, inherit=lock)
        try:
            server = psutil.Process(int(shell.stdout))
        except psutil.NoSuchProcess:
            raise self._failure() from None
        logger.info("started PostgreSQL on %s as user %s, pid %d", self.path, self.runner.name, server.pid)
        return server

    @contextmanager
    def _server_lock(self) -> Iterator[int]:
        """A lock that the server's processes inherit and hold while one of them lives.

        It also protects against a server in another container, which find_server can't see: two servers would destroy
        the cluster.
        """
        lock = open_lock(self.data_dir / "server.lock")
        try:
            if not lock_within(lock, ORPHAN_SECONDS):
                raise EmbeddedError(
                    f"a server that this process can't see, maybe in another container, runs on {self.path}: let "
                    "the containers share one PID namespace, or set DATABASE_URL in all of them"
                )
            yield lock
        finally:
            os.close(lock)  # not LOCK_UN, which would unlock it for the server too

    def stop(self, server: psutil.Process, first: signal.Signals = signal.SIGINT) -> None:
        """Stop the server and wait until no process is left. If the fast stop takes too long, stop immediately."""
        for how, seconds in ((first, STOP_SECONDS), (signal.SIGQUIT, ORPHAN_SECONDS)):
            deadline = time.monotonic() + seconds
            while (running := self._processes()) and time.monotonic() < deadline:
                with suppress(psutil.NoSuchProcess):
                    server.send_signal(how)  # repeatedly: a server that is just starting may miss the first one
                time.sleep(0.02)
            if not running:
                logger.info("stopped PostgreSQL on %s", self.path)
                break
            logger.warning("the server on %s still runs %d s after %s", self.path, seconds, how.name)
        else:
            raise EmbeddedError(f"the server on {self.path} can't be stopped, pid {server.pid}")
        if self.socket_dir.parent != self.home:
            with suppress(OSError):
                self.socket_dir.rmdir()

    def create_database(self, server: psutil.Process, stop: threading.Event) -> None:
        """Wait for the server; create the role app_admin and its database if no earlier start completed that."""
        with self._connect(server, stop) as connection:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = 'app_admin'").rowcount:
                connection.execute("CREATE ROLE app_admin LOGIN CREATEROLE")
            if not connection.execute("SELECT FROM pg_database WHERE datname = 'crm'").rowcount:
                connection.execute("CREATE DATABASE crm OWNER app_admin")

    def _connect(self, server: psutil.Process, stop: threading.Event) -> psycopg.Connection:
        deadline, pause = time.monotonic() + START_SECONDS, 0.01
        while True:
            try:
                return psycopg.connect(**self.conninfo("postgres", "postgres"), autocommit=True, connect_timeout=10)
            except psycopg.OperationalError as error:
                if not is_alive(server):
                    raise self._failure() from error
                if time.monotonic() > deadline:
                    reason = " ".join(str(error).split())
                    raise EmbeddedError(
                        f"no connection to the server on {self.path} within {START_SECONDS} s: {reason}"
                    ) from error
            if stop.wait(pause):
                raise EmbeddedError(f"stopped waiting for the server on {self.path}, pid {server.pid}")
            pause = min(pause * 1.5, 0.5)  # each attempt is a line in its log while it recovers

    def _initdb(self, programs: Path) -> None:
        """Create the cluster in a temporary folder and rename it, so that a crash leaves no half of it."""
        for leftover in self.home.glob("cluster.new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        staging = tempfile.mkdtemp(prefix="cluster.new-", dir=self.home)
        self.runner.own(staging)
        sync = () if self.durable else ("--no-sync",)
        result = self.runner.run(str(programs / "initdb"), "-D", staging, *INITDB, *sync, stderr=subprocess.STDOUT)
        if result.returncode:
            shutil.rmtree(staging, ignore_errors=True)
            if is_disk_full(result.stdout):
                raise disk_full(self.home)
            raise EmbeddedError(f"initdb failed in {self.home}:\n{last_lines(result.stdout)}")
        os.rename(staging, self.path)
        sync_dir(self.home)  # after a power cut, the next start would otherwise find the old name and remove it
        logger.info("created a PostgreSQL cluster in %s", self.path)

    def _check_version(self, programs: Path) -> None:
        try:
            data = (self.path / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise EmbeddedError(f"{self.path} is not a PostgreSQL cluster; choose another CRM_DATA_DIR") from None
        version = self.runner.run(str(programs / "postgres"), "-V").stdout.split()[-1]
        if data != version.partition(".")[0]:
            raise EmbeddedError(
                f"{self.path} has the data of PostgreSQL {data}, but this is PostgreSQL {version}: dump it with "
                f"PostgreSQL {data} and load it into a new CRM_DATA_DIR, or choose another CRM_DATA_DIR"
            )

    def _access_settings(self) -> dict[str, str]:
        """The settings that let only this process's OS user connect, through the socket (`peer` asks the kernel).

        The rules are written at every start, outside the cluster: as root, we never write into a folder that another
        user could fill with links.
        """
        user = pwd.getpwuid(os.geteuid()).pw_name.replace('"', '""')
        hba, ident = self.home / "pg_hba.conf", self.home / "pg_ident.conf"
        write_atomically(hba, "local all all peer map=crm_graph\n", 0o644)
        write_atomically(ident, "".join(f'crm_graph "{user}" {role}\n' for role in ROLES), 0o644)
        return {
            "hba_file": str(hba),
            "ident_file": str(ident),
            "unix_socket_directories": '"' + str(self.socket_dir).replace('"', '""') + '"',
            "port": PORT,
            "cluster_name": self.name,
        }

    def _remove_stale_files(self) -> None:
        """Remove the files of a killed server: PostgreSQL takes any living process with that pid for a server."""
        endpoint = self.socket_dir / f".s.PGSQL.{PORT}"
        for stale in (self.path / "postmaster.pid", endpoint, Path(f"{endpoint}.lock")):
            stale.unlink(missing_ok=True)

    def _pid_in_file(self) -> int | None:
        try:
            return int((self.path / "postmaster.pid").read_text().partition("\n")[0])
        except (OSError, ValueError):
            return None

    def _processes(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error, OSError):
            if process.name() != "postgres" or process.uids().real != self.runner.uid:
                return False
            try:
                folder = process.cwd()
            except psutil.AccessDenied:
                # Root in a container usually lacks CAP_SYS_PTRACE and must rely on the command line.
                command = process.cmdline()
                return str(self.path) in command or " ".join(command).startswith(f"postgres: {self.name}: ")
            return folder == str(self.path) or os.path.samefile(folder, self.path)
        return False

    def _failure(self) -> EmbeddedError:
        lines = last_lines(self.log.read_text(errors="replace"))
        if is_disk_full(lines) or shutil.disk_usage(self.home).free < WAL_SEGMENT:  # which leaves no room for a log
            return disk_full(self.home)
        return EmbeddedError(f"PostgreSQL stopped while starting on {self.path}; the end of {self.log}:\n{lines}")


def is_alive(server: psutil.Process) -> bool:
    """Whether the process runs. A dead one may remain as a zombie, as in containers whose init does not reap."""
    try:
        return server.is_running() and server.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _parent_of(processes: list[psutil.Process]) -> psutil.Process | None:
    """The server among its processes: the one that is no other's child and has not the title of a child process."""
    pids = {process.pid for process in processes}
    for process in processes:
        with suppress(psutil.Error):
            if process.ppid() not in pids and not " ".join(process.cmdline()).startswith("postgres:"):
                return process
    return None
