"""The contestants that speak HTTP: each one server process, started once and kept for the whole run."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.databases import ROOT, Database, bench_dir
from bench.documents import OURS, POSTGRAPHILE, USUAL, Document
from bench.figures import ContestantFailed, Figure
from bench.node import NodeMissing, node, npm_packages
from bench.samples import JWT_SECRET, Sample

START_SECONDS = 60
TYPENAME = '{"query": "{ __typename }"}'


@dataclass(frozen=True, slots=True)
class Kind:
    """How a contestant is started."""

    name: str
    documents: Mapping[str, Document]

    def command(self, database: Database, port: int) -> tuple[list[str], dict[str, str]]:
        """The command line and what it needs in its environment. Raises ContestantFailed."""
        url = database.url.render_as_string(hide_password=False)
        common = {"PORT": str(port), "DATABASE_URL": url, "JWT_SECRET": JWT_SECRET, "PYTHONPATH": str(ROOT)}
        if self.name == "ours":
            return [sys.executable, "-m", "crm_graph", "serve"], common | {"LOG_LEVEL": "warning"}
        if self.name in ("usual", "ceiling"):
            options = ["--loop", "uvloop", "--http", "httptools", "--log-level", "warning", "--no-access-log"]
            application = [f"bench.{self.name}:app", "--port", str(port), "--lifespan", "off"]
            return [sys.executable, "-m", "uvicorn", *application, *options], common
        try:
            packages = npm_packages(ROOT / "bench" / "postgraphile")
            program = [str(node()), str(ROOT / "bench" / "postgraphile" / "server.cjs")]
        except NodeMissing as error:
            raise ContestantFailed(f"skipped: {error}") from error
        production = {"NODE_ENV": "production", "GRAPHILE_ENV": "production", "NODE_PACKAGES": str(packages)}
        return program, database.environment() | production | {"PORT": str(port)}


KINDS = (
    Kind("ours", OURS),
    Kind("postgraphile", POSTGRAPHILE),
    Kind("usual", USUAL),
)
CEILING = Kind("ceiling", {})


@dataclass(frozen=True, slots=True)
class Server:
    """A running contestant."""

    kind: Kind
    database: Database
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, document: Document, sample: Sample) -> Any:
        """The answer's data. Raises ContestantFailed with the first error."""
        url, headers = f"http://127.0.0.1:{self.port}/graphql", {"Authorization": f"Bearer {sample.token}"}
        body = {"query": document.query, "variables": document.variables(sample)}
        try:
            answer = httpx.post(url, json=body, headers=headers, timeout=60)
        except httpx.HTTPError as error:
            raise ContestantFailed(f"{type(error).__name__}: {error}; {self.last_line()}") from error
        with suppress(ValueError, AttributeError):
            parsed = answer.json()
            if answer.status_code == 200 and "errors" not in parsed:
                return parsed["data"]
        raise ContestantFailed(_line(f"HTTP {answer.status_code} {answer.text}"))

    def measure(self, requests: Path, seconds: float, *, budget: int | None = None) -> Figure:
        """Closed-loop load from a process of its own. Raises ContestantFailed when anything was answered wrongly."""
        command = [sys.executable, "-m", "bench.load", str(self.port), str(requests), "--seconds", str(seconds)]
        command += ["--requests", str(budget)] if budget else []
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=seconds + 120)
        if done.returncode:
            raise ContestantFailed(_line(done.stderr.strip().splitlines()[-1]))
        figure = Figure(**json.loads(done.stdout))
        if figure.errors or not figure.requests:
            raise ContestantFailed(_line(f"{figure.errors} of {figure.requests} failed: {figure.first_error}"))
        return figure

    def last_line(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return _line(lines[-1]) if lines else "it logged nothing"


@contextmanager
def started(kind: Kind, database: Database) -> Iterator[Server]:
    """A contestant, ready to answer. Raises ContestantFailed."""
    port = _free_port()
    command, environment = kind.command(database, port)
    folder = bench_dir() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{kind.name}-{database.size.deals}.log"
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=kept | environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    server = Server(kind, database, port, process, log)
    try:
        _wait(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        with suppress(httpx.HTTPError):
            url = f"http://127.0.0.1:{server.port}/graphql"
            headers = {"Content-Type": "application/json"}
            if httpx.post(url, content=TYPENAME, headers=headers, timeout=10).status_code < 500:
                return
        time.sleep(0.1)
    raise ContestantFailed(f"did not start: {server.last_line()}")


@contextmanager
def request_file(bodies: list[tuple[str | None, str]]) -> Iterator[Path]:
    """What the load generator reads: pairs of token and body."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(bodies, file)
        file.flush()
        yield Path(file.name)


def bodies(document: Document, samples: list[Sample]) -> list[tuple[str | None, str]]:
    """One request for each sample, as a client sends it."""
    return [
        (sample.token, json.dumps({"query": document.query, "variables": document.variables(sample)}))
        for sample in samples
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _line(text: str, length: int = 200) -> str:
    return " ".join(text.split())[:length]
