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

ROOT = Path(__file__).parent.parent.parent
STOP_SECONDS = 20


class Fleet:
    """The processes of one installation by their names; what they log is in the folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.kills: Counter[str] = Counter()
        self._folder = folder
        self._environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}
        self._commands: dict[str, tuple[str, dict[str, str]]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: str, **environment: str) -> None:
        """Run a command in the background under a name; keywords are environment variables."""
        self._commands[name] = command, environment
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "crm_graph", command],
                env=self._environment | environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def kill(self, name: str) -> None:
        """kill -9, and start it again at once."""
        process = self._running[name]
        assert process.poll() is None, f"{name} ended by itself with {process.returncode}; see its log"
        process.kill()
        await asyncio.to_thread(process.wait)
        self.kills[name] += 1
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
    embedded.revive(threading.Event())
