"""The contestants with HTTP servers. Each is one process, which runs during the whole contest."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench import n8n
from bench.databases import ROOT, Database, bench_dir
from bench.documents import OURS, POSTGRAPHILE, USUAL, Document
from bench.figures import ContestantFailed, Figure
from bench.node import NodeMissing, node, npm_packages
from bench.postings import FRESH_LENGTH, Posting
from bench.samples import JWT_SECRET, SIGNING_SECRET, Sample

START_SECONDS = 60
TYPENAME = Posting('{"query": "{ __typename }"}')


@dataclass(frozen=True, slots=True)
class Kind:
    """A contestant and how to start it."""

    name: str
    documents: Mapping[str, Document]

    def command(self, database: Database, port: int) -> tuple[list[str], dict[str, str]]:
        """The command line and its environment variables. Raises ContestantFailed."""
        url = database.url.render_as_string(hide_password=False)
        common = {"PORT": str(port), "DATABASE_URL": url, "JWT_SECRET": JWT_SECRET, "PYTHONPATH": str(ROOT)}
        if self.name == "ours":
            own = {"HMAC_SHARED_SECRET_INSTANTLY": SIGNING_SECRET, "PUBLIC_URL": "http://127.0.0.1"}
            return [sys.executable, "-m", "crm_graph", "serve"], common | own | {"LOG_LEVEL": "warning"}
        if self.name in ("usual", "ceiling"):
            options = ["--loop", "uvloop", "--http", "httptools", "--log-level", "warning", "--no-access-log"]
            application = [f"bench.{self.name}:app", "--port", str(port), "--lifespan", "off"]
            return [sys.executable, "-m", "uvicorn", *application, *options], common
        try:
            if self.name == "n8n":
                return n8n.command(database, port, SIGNING_SECRET)
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
N8N = Kind("n8n", {})


@dataclass(frozen=True, slots=True)
class Server:
    """A running contestant."""

    kind: Kind
    database: Database
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, document: Document, sample: Sample) -> Any:
        """The data of a GraphQL response. Raises ContestantFailed with the first error."""
        return self.answer(posting(document, sample))["data"]

    def answer(self, posting: Posting) -> Any:
        """The response to one request. Raises ContestantFailed with the first error."""
        body = posting.filled(secrets.token_hex(FRESH_LENGTH // 2))
        try:
            answer = self._post(posting.path, body, posting.headers(body))
        except httpx.HTTPError as error:
            raise ContestantFailed(f"{type(error).__name__}: {error}; {self.last_line()}") from error
        with suppress(ValueError):
            parsed = answer.json()
            if answer.status_code == 200 and isinstance(parsed, dict) and "errors" not in parsed:
                return parsed
        raise ContestantFailed(_line(f"HTTP {answer.status_code} {answer.text}"))

    def is_ready(self) -> bool:
        """Whether the server responds."""
        with suppress(httpx.HTTPError):
            if self.kind is N8N:
                return httpx.get(f"http://127.0.0.1:{self.port}/healthz/readiness", timeout=10).status_code == 200
            body = TYPENAME.filled("")
            return self._post(TYPENAME.path, body, TYPENAME.headers(body)).status_code < 500
        return False

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return httpx.post(f"http://127.0.0.1:{self.port}{path}", content=body, headers=headers, timeout=60)

    def measure(self, requests: Path, seconds: float, *, budget: int | None = None) -> Figure:
        """Load the server in a closed loop from another process. Raises ContestantFailed if a request fails."""
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
        """The last line of its log."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return _line(lines[-1]) if lines else "its log is empty"


@contextmanager
def started(kind: Kind, database: Database) -> Iterator[Server]:
    """Start a contestant and wait until it is ready. Raises ContestantFailed."""
    port = _free_port()
    command, environment = kind.command(database, port)
    folder = bench_dir() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{kind.name}-{database.size.deals}.log"
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=inherited | environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
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
        if server.is_ready():
            return
        time.sleep(0.1)
    raise ContestantFailed(f"did not start: {server.last_line()}")


def posting(document: Document, sample: Sample) -> Posting:
    """The request for a sample, as a client sends it."""
    return Posting(json.dumps({"query": document.query, "variables": document.variables(sample)}), token=sample.token)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _line(text: str, length: int = 200) -> str:
    return " ".join(text.split())[:length]
