"""The commands as a shell runs them: each in a process, an environment and a working folder of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

SCRIPT = str(Path(sys.executable).with_name("crm-graph"))


# Forks a process for each command: the imports take longer than most of what is tested. As long takes the interpreter's
# own end, of which only the part is done that may be noticed.
FORKS = """
import atexit, json, os, sys, threading
import sqlalchemy.dialects.postgresql.psycopg, typer.rich_utils  # what commands import late
from crm_graph.cli.app import main
import gc; gc.freeze()
for line in sys.stdin:
    order = json.loads(line)
    if not (pid := os.fork()):
        os.environ.clear()
        os.environ.update(order["env"])
        os.chdir(order["cwd"])
        for number, path in enumerate(("/dev/null", order["out"], order["err"])):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
        sys.argv = ["crm-graph", *order["arguments"]]
        try:
            main()
        except SystemExit as done:
            if not isinstance(done.code, int | None):
                raise
            threading._shutdown()
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(done.code or 0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    out: str
    err: str

    def lines(self) -> list[str]:
        """What it printed; it must have succeeded and warned of nothing."""
        assert (self.code, self.err) == (0, "")
        return self.out.splitlines()

    def remarks(self) -> list[str]:
        """What it said on stderr, though it succeeded."""
        assert self.code == 0
        return [line.removeprefix("crm-graph: ") for line in self.err.splitlines()]

    def problem(self, code: int = 1) -> str:
        """The one line with which it failed."""
        assert (self.code, self.out) == (code, "")
        assert self.err.startswith("crm-graph: ")
        assert self.err.count("\n") == 1
        return self.err.removeprefix("crm-graph: ").strip()


class Commands:
    """Runs `crm-graph ...`; keywords are environment variables."""

    def __init__(self, forks: subprocess.Popen[str], folder: Path) -> None:
        self._forks, self.folder = forks, folder

    def __call__(self, *arguments: str, **environment: str) -> Done:
        """Run a command to its end."""
        files = {name: str(self.folder / name) for name in ("out", "err")}
        for file in files.values():
            Path(file).write_bytes(b"")
        order = {"arguments": arguments, "env": clean_environment(**environment), "cwd": str(self.folder)} | files
        assert self._forks.stdin
        assert self._forks.stdout
        self._forks.stdin.write(json.dumps(order) + "\n")
        self._forks.stdin.flush()
        code = int(self._forks.stdout.readline())
        return Done(code, Path(files["out"]).read_text(), Path(files["err"]).read_text())


def clean_environment(**environment: str) -> dict[str, str]:
    """Only what a shell has anyway, and what is given."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | environment


@pytest.fixture(scope="session")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    folder = tmp_path_factory.mktemp("commands")
    command = [sys.executable, "-W", "error", "-c", FORKS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as forks:
        yield Commands(forks, folder)
        assert forks.stdin
        forks.stdin.close()


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """A data folder whose parent the server's user can enter (tmp_path is closed to it when root runs the tests)."""
    folder = Path(tempfile.mkdtemp(prefix="crm-graph-cli-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder / "data"
    left = postgres_of(folder)
    for process in left:
        process.kill()
    shutil.rmtree(folder)
    assert not left, "a PostgreSQL was left running"


def postgres_of(folder: Path) -> list[psutil.Process]:
    """The PostgreSQL servers whose data lie below a folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == "postgres" and str(folder) in " ".join(process.cmdline()):
                found.append(process)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def heed_ctrl_c() -> None:
    """In a child: even if the tests run in the background, where Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def started(*arguments: str, log: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The installed script, in the background, with its output in `log`; killed if the test didn't stop it."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [SCRIPT, *arguments],
            env=clean_environment(**environment),
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=heed_ctrl_c,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_it_serves(process: subprocess.Popen[str], base: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with suppress(httpx.HTTPError):
            if httpx.get(f"{base}/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text())


@dataclass(frozen=True)
class Served:
    """A server that runs, and the token of an admin."""

    base: str
    token: str


@contextmanager
def serving(crm: Commands, data_dir: Path, log: Path, **environment: str) -> Iterator[Served]:
    """Run `serve` with an admin who has a token; keywords are environment variables."""
    port = str(free_port())
    given = {
        "JWT_SECRET": "a-secret-for-the-end-to-end-tests-alone",
        "CRM_DATA_DIR": str(data_dir),
        "EMBEDDED_DATABASE": "true",
        "PUBLIC_URL": "https://crm.example.com",
    } | environment
    base = f"http://127.0.0.1:{port}"
    with started("serve", log=log, PORT=port, **given) as process:
        wait_until_it_serves(process, base, log)
        crm("owner", "add", "--name", "Ada", "--email", "ada@seller.com", "--role", "admin", **given).lines()
        (token,) = crm("token", "--owner", "ada@seller.com", **given).lines()
        yield Served(base, token)
