"""pgbench: the SQL that crm-graph sends and nothing else, to measure what PostgreSQL itself can do here."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.databases import Database, programs
from bench.documents import OURS
from bench.figures import ContestantFailed, Figure, of_latencies
from bench.load import CONNECTIONS
from bench.recording import escape_colons
from bench.samples import Sample
from bench.sent import sent_sql
from crm_graph.models import Role

WARMUP_SECONDS = 2  # each of 8 clients prepares each of 20 statements, which costs more than running them


@dataclass(frozen=True, slots=True)
class Pgbench:
    """One statement for each sample, chosen at random by each client."""

    database: Database

    def statements(self, work: str, samples: list[Sample]) -> list[str]:
        """The statements that crm-graph sends. Raises ContestantFailed."""
        document = OURS[work]
        try:
            return [
                sent_sql(document.query, document.variables(sample), UUID(sample.owner_id), Role.SALES)
                for sample in samples
            ]
        except Exception as error:
            raise ContestantFailed(f"no SQL: {type(error).__name__}: {error}"[:200]) from error

    def ask(self, statement: str) -> Any:
        """The first value of the result, parsed if it is JSON as text. Raises ContestantFailed."""
        with self.database.connect() as connection:
            row = connection.execute(statement).fetchone()
        if row is None or row[0] is None:
            raise ContestantFailed("the statement returned nothing")
        return json.loads(row[0]) if isinstance(row[0], str) else row[0]

    def measure(self, statements: list[str], seconds: float) -> Figure:
        """Measure with as many clients as the load generator has connections. Raises ContestantFailed."""
        scripts = [escape_colons(statement).rstrip().rstrip(";") + ";\n" for statement in statements]
        return run(self.database, scripts, seconds)


def run(database: Database, scripts: Sequence[str], seconds: float) -> Figure:
    """Run in a closed loop a random script each time, with prepared statements. Raises ContestantFailed."""
    length = ["-c", str(CONNECTIONS), "-j", "2", "-T", str(round(WARMUP_SECONDS + seconds)), "-l"]
    return _figure(_run_logged(database, scripts, length))


def run_once(database: Database, script: str) -> None:
    """Run a script once. Raises ContestantFailed."""
    _run_logged(database, [script], ["-c", "1", "-t", "1"])


def _run_logged(database: Database, scripts: Sequence[str], length: list[str]) -> list[str]:
    """Run pgbench; returns the lines of its log."""
    with tempfile.TemporaryDirectory(prefix="pgbench-") as folder:
        command = [str(programs() / "pgbench"), "-n", "-M", "prepared", *length]
        for number, script in enumerate(scripts):
            file = Path(folder, f"{number}.sql")
            file.write_text(script)
            command += ["-f", str(file)]
        environment = os.environ | database.environment()
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise ContestantFailed(_problem(done.stderr))
        return [line for log in Path(folder).glob("pgbench_log.*") for line in log.read_text().splitlines()]


def _problem(output: str) -> str:
    lines = output.strip().splitlines()
    return " ".join(
        next((line for line in lines if "ERROR" in line), lines[-1] if lines else "pgbench failed").split()
    )[:200]


def _figure(lines: list[str]) -> Figure:
    """Read pgbench's log: client, number, microseconds, script, and the end in seconds and microseconds."""
    fields = [line.split() for line in lines]
    runs = sorted((int(f[4]) + int(f[5]) / 1e6, int(f[2]) / 1e3) for f in fields)
    begin = runs[0][0] - runs[0][1] / 1e3 + WARMUP_SECONDS
    measured = [(end, latency) for end, latency in runs if end >= begin]
    if not measured:
        raise ContestantFailed("pgbench finished nothing after its warm-up")
    return of_latencies([latency for _, latency in measured], measured[-1][0] - begin, size=0, sent=len(runs))
