"""`python -m bench.cost`: what documents really cost, beside their points; with --search, the costliest allowed ones.

The costs are the CPU time and the memory of PostgreSQL's backend, the CPU time of reading and compiling, and the bytes
of the answer. No allowed document may take more than a second or 100 MB.
"""

import argparse
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from graphql import GraphQLSchema, VariableValues, get_variable_values, parse

from bench import databases
from bench.cost_documents import DOCUMENTS
from bench.cost_search import Candidate, candidates
from bench.seed import ADMIN
from crm_graph.database.engine import session_options
from crm_graph.errors import CrmError
from crm_graph.graphql.engine import complexity
from crm_graph.graphql.engine.compiler import Compiler
from crm_graph.graphql.engine.documents import Documents, InvalidDocument
from crm_graph.graphql.engine.library_internals import graphql_schema
from crm_graph.graphql.engine.plans import PlanInputs
from crm_graph.graphql.engine.weights import ANSWER_MAX, COUNTED_ABOVE
from crm_graph.graphql.execution.answer_size import TOO_LARGE
from crm_graph.graphql.transport.schema import build_schema
from crm_graph.identity.principal import Principal
from crm_graph.models import Role
from crm_graph.values import utc_now

SECONDS_MAX, MEGABYTES_MAX = 1.0, 100.0
NOISE = 1.3  # CPU time of the same query differs by as much with what runs beside it
TICKS = 100  # per second, of /proc's CPU times
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """What one document cost: points, milliseconds of CPU time, megabytes."""

    name: str
    who: str
    points: int
    python_ms: float
    backend_ms: float
    backend_mb: float
    answer_mb: float
    document: str = field(repr=False)

    @property
    def share(self) -> float:
        """The largest part of a bound that it takes."""
        seconds = max(self.python_ms, self.backend_ms) / 1000
        return max(seconds / SECONDS_MAX, self.backend_mb / MEGABYTES_MAX, self.answer_mb * 1e6 / ANSWER_MAX / 2)

    def __str__(self) -> str:
        per_point = 1000 * (self.python_ms + self.backend_ms) / max(self.points, 1)
        return (
            f"{self.name[:36]:36} {self.who:5} {self.points:9,} points {self.backend_ms:6.0f} ms PostgreSQL "
            f"{self.backend_mb:6.1f} MB {self.python_ms:6.0f} ms Python {self.answer_mb:6.2f} MB answer "
            f"{per_point:5.2f} µs/point"
        )


class Meter:
    """Measures documents on a seeded database, as an admin and as a salesperson."""

    def __init__(self, database: databases.Database) -> None:
        self.schema: GraphQLSchema = graphql_schema(build_schema())
        self._conninfo = database.conninfo
        with database.connect() as connection:
            rows = connection.execute("SELECT id FROM owners ORDER BY email = %s DESC, id LIMIT 2", [ADMIN]).fetchall()
        self._principals = {"admin": Principal(rows[0][0], Role.ADMIN), "sales": Principal(rows[1][0], Role.SALES)}
        self.measure("warm-up", "{ me { id } }", {}, "admin")

    def measure(self, name: str, document: str, variables: dict[str, Any], who: str) -> Cost:
        """Run a document on a connection of its own. Raises InvalidDocument, CrmError, psycopg.Error."""
        points = complexity.check(self.schema, parse(document), variables).points
        started = time.thread_time()
        operation = Documents(self.schema, is_development=False).operation(document, None, variables)
        values = get_variable_values(self.schema, operation.node.variable_definitions or (), variables)
        assert isinstance(values, VariableValues), values
        measured = complexity.check(self.schema, operation.document, values.coerced)
        counts_bytes = measured.most_bytes > COUNTED_ABOVE
        compiler = Compiler(operation, self._principals[who], values, counts_bytes=counts_bytes)
        plan = compiler.query([fields for _key, fields in compiler.root_fields()])
        parameters = plan.parameters(PlanInputs(self._principals[who], utc_now(), values))
        python_ms = 1000 * (time.thread_time() - started)
        with psycopg.connect(**self._conninfo, autocommit=True, options=session_options()) as connection:
            process = Path(f"/proc/{connection.info.backend_pid}")
            before = _backend(process)
            cursor = psycopg.RawCursor(connection)
            cursor.execute(plan.sql.encode(), parameters)
            result = cursor.pgresult
            assert result is not None
            size = sum(len(result.get_value(0, column) or b"") for column in range(result.nfields))
            after = _backend(process)
        return Cost(
            name, who, points, python_ms, after[0] - before[0], after[1] - before[1], size / 1e6, document
        )  # fmt: skip

    def measure_all(self, named: Iterable[tuple[str, str, dict[str, Any]]]) -> list[Cost]:
        """Measure each document for both callers, without those that one of them may not run."""
        costs = []
        for name, document, variables in named:
            for who in self._principals:
                with suppress(InvalidDocument, CrmError):
                    costs.append(self.measure(name, document, variables, who))
        return costs

    def search(self, seconds: float, seed: int) -> list[Cost]:
        """The costliest of the random documents just below the limit that can be measured in so many seconds."""
        until, costs = time.monotonic() + seconds, list[Cost]()
        best: list[Candidate] = []
        by_document: dict[str, Candidate] = {}
        for number, candidate in enumerate(candidates(self.schema, seed, best)):
            if time.monotonic() > until:
                break
            by_document[candidate.document] = candidate
            who = list(self._principals)[number % 2]
            try:
                costs.append(self.measure(f"random {number}", candidate.document, {}, who))
            except (InvalidDocument, CrmError):
                continue
            except psycopg.Error as error:
                if error.sqlstate != TOO_LARGE:  # the answer: that is a limit, too
                    raise
            costs.sort(key=lambda cost: -cost.share)
            best[:] = [by_document[cost.document] for cost in costs[:SHOWN]]
        print(f"{len(costs)} documents just below the limit, seed {seed}")
        return costs


def _backend(process: Path) -> tuple[float, float]:
    """The milliseconds of CPU time that a backend has taken, and its peak of memory of its own in MB."""
    times = (process / "stat").read_text().rpartition(")")[2].split()
    lines = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    peak, shared = (int(lines[name].split()[0]) / 1000 for name in ("VmHWM", "RssShmem"))
    return 1000 * (int(times[11]) + int(times[12])) / TICKS, peak - shared


def main() -> None:
    """Print the costs; exit with an error when one is above its bound."""
    parser = argparse.ArgumentParser(prog="python -m bench.cost", description=__doc__)
    parser.add_argument("--deals", type=int, default=100_000, help="the size of the data set")
    parser.add_argument("--search", type=float, metavar="SECONDS", help="search for the costliest documents instead")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6, help="of the search")
    arguments = parser.parse_args()
    with databases.server() as postgres:
        meter = Meter(databases.database(postgres, arguments.deals))
        costs = meter.search(arguments.search, arguments.seed) if arguments.search else meter.measure_all(DOCUMENTS)
    for cost in costs[: SHOWN if arguments.search else None]:
        print(cost)
    too_costly = [cost for cost in costs if cost.share > NOISE]
    for cost in too_costly:
        print(f"\nabove the bounds, {SECONDS_MAX:.0f} s and {MEGABYTES_MAX:.0f} MB: {cost}\n{cost.document[:2_000]}")
    if too_costly:
        raise SystemExit(f"{len(too_costly)} allowed documents cost too much")


if __name__ == "__main__":
    main()
