"""Servers and workers as processes of their own, which are killed without warning and start again."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from crm_graph.embedded import EmbeddedPostgres
from tests.support.paths import PROJECT

READY = {"serve": b'"message": "listening"', "worker": b'"message": "working"'}  # what each logs then
READY_SECONDS, STOP_SECONDS = 60, 20


class Processes:
    """The processes of one installation by their names; what they log is in the folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.kills: Counter[str] = Counter()
        self.failed_starts = 0
        self._folder = folder
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "LOG_FORMAT": "json",
            **environment,
        }
        self._commands: dict[str, tuple[str, dict[str, str]]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._logged: dict[str, int] = {}

    def start(self, name: str, command: str, **environment: str) -> None:
        """Run a command in the background under a name; keywords are environment variables."""
        self._commands[name] = command, environment
        with self._log(name).open("ab") as log:
            self._logged[name] = log.tell()
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "crm_graph", command],
                env=self._environment | environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def pid(self, name: str) -> int:
        """The number of a running process."""
        return self._running[name].pid

    async def ready(self, *names: str) -> None:
        """Until they have started, all without names. Raises TimeoutError.

        One that finds no database at its start ends, and is started again as a supervisor would.
        """
        async with asyncio.timeout(READY_SECONDS):
            for name in names or list(self._running):
                while not self._is_ready(name):
                    if self._running[name].poll() is not None:
                        self.failed_starts += 1
                        self._start_again(name)
                    await asyncio.sleep(0.1)

    def _is_ready(self, name: str) -> bool:
        return READY[self._commands[name][0]] in self._log(name).read_bytes()[self._logged[name] :]

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    async def kill(self, name: str) -> None:
        """kill -9 once it runs, and start it again at once."""
        await self.ready(name)
        process = self._running[name]
        assert process.poll() is None, f"{name} ended by itself with {process.returncode}; see its log"
        process.kill()
        await asyncio.to_thread(process.wait)
        self.kills[name] += 1
        self._start_again(name)

    def _start_again(self, name: str) -> None:
        command, environment = self._commands[name]
        self.start(name, command, **environment)

    def stop(self) -> dict[str, int]:
        """SIGTERM to all; their exit codes."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return {name: process.returncode for name, process in self._running.items()}


def restart_postgres(embedded: EmbeddedPostgres, data_dir: Path) -> None:
    """Stop PostgreSQL as if it had crashed, and start it again."""
    server = int((data_dir / "cluster" / "postmaster.pid").read_text().split()[0])
    os.kill(server, signal.SIGQUIT)
    while embedded.is_running():
        threading.Event().wait(0.02)
    embedded.restart(threading.Event())
