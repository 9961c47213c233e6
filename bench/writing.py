"""The contest of writes, on one copy of the database. Each contestant is checked by the rows that it stores."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import psycopg

from bench import pgbench, recording
from bench.checks import Ids, check_leaves
from bench.databases import ROOT, Database
from bench.effects import added, check_added, count_effects
from bench.figures import ContestantFailed, Figure
from bench.mutations import POSTINGS, MakePosting, expected_in_response, moved, there_and_back
from bench.postings import request_file
from bench.rounds import Contest
from bench.servers import KINDS, N8N, Server
from bench.targets import WriteTarget, draw_targets

FUNCTIONS = ROOT / "bench" / "postgraphile" / "functions.sql"


class Writer(Protocol):
    """A system that can do some of the writes."""

    def works(self) -> Sequence[str]:
        """The writes that it can do."""

    def once(self, work: str, target: WriteTarget) -> None:
        """Send one request. Raises ContestantFailed."""

    def load(self, work: str, targets: Sequence[WriteTarget], seconds: float) -> Figure:
        """Send as many requests as possible. Raises ContestantFailed."""


@dataclass(frozen=True, slots=True)
class CheckedWriter:
    """A contestant whose requests must add the same rows as crm-graph's, alone and under load."""

    database: Database
    writer: Writer
    of_one: dict[str, dict[str, int]] = field(default_factory=dict)

    def works(self) -> Sequence[str]:
        return self.writer.works()

    def check(self, work: str, turn: int, expected: Ids | None) -> Ids | None:
        targets, before = draw_targets(self.database), count_effects(self.database, work)
        self.writer.once(work, targets[turn % len(targets)])
        self.of_one[work] = added(before, count_effects(self.database, work))
        effects = [f"{number} {name}" for name, number in self.of_one[work].items()]
        if expected is not None and effects != expected:
            raise ContestantFailed(f"one request stored {', '.join(effects)}; crm-graph's stored {', '.join(expected)}")
        return effects

    def measure(self, work: str, seconds: float) -> Figure:
        before = count_effects(self.database, work)
        figure = self.writer.load(work, draw_targets(self.database), seconds)
        check_added(added(before, count_effects(self.database, work)), self.of_one[work], figure)
        return figure


@dataclass(frozen=True, slots=True)
class OverHttp:
    """A server and the requests that are posted to it."""

    server: Server
    makes: Mapping[str, MakePosting]

    def works(self) -> Sequence[str]:
        return list(self.makes)

    def once(self, work: str, target: WriteTarget) -> None:
        check_leaves(self.server.answer(self.makes[work](target)), expected_in_response(work, target))

    def load(self, work: str, targets: Sequence[WriteTarget], seconds: float) -> Figure:
        with request_file(there_and_back(self.makes[work], targets)) as requests:
            return self.server.measure(requests, seconds)


@dataclass(frozen=True, slots=True)
class OverPgbench:
    """pgbench with the statements that crm-graph sends."""

    database: Database
    scripts: Mapping[str, str]

    def works(self) -> Sequence[str]:
        return list(self.scripts)

    def once(self, work: str, target: WriteTarget) -> None:
        pgbench.run_once(self.database, self.scripts[work])

    def load(self, work: str, targets: Sequence[WriteTarget], seconds: float) -> Figure:
        return pgbench.run(self.database, [self.scripts[work]], seconds)


@contextmanager
def write_contest(database: Database, names: Sequence[str], works: Sequence[str]) -> Iterator[Contest]:
    """Start the named contestants that can do some of these works."""
    held = Contest(database)
    with ExitStack() as stack:
        if works:
            _prepare(database)
        for kind in (*KINDS, N8N):
            makes = {work: make for work, make in POSTINGS.get(kind.name, {}).items() if work in works}
            if kind.name in names and makes and (server := held.started(stack, kind, makes)):
                held.contestants[kind.name] = CheckedWriter(database, OverHttp(server, makes))
        if "pgbench" in names:
            scripts = {work: script for work in works if (script := _script(held, work))}
            held.contestants["pgbench"] = CheckedWriter(database, OverPgbench(database, scripts))
        yield held


def _prepare(database: Database) -> None:
    """Create PostGraphile's functions and the table in which pgbench looks up targets."""
    targets = draw_targets(database)
    with psycopg.connect(**database.postgres.conninfo("app_admin", database.name)) as admin:
        admin.execute(FUNCTIONS.read_bytes())
        recording.create_targets_table(admin, [*targets, *map(moved, targets)])


def _script(held: Contest, work: str) -> str:
    """The script for pgbench. If nothing can be recorded, pgbench is recorded as failed."""
    targets, make = draw_targets(held.database), POSTINGS["ours"][work]
    try:
        recorded = recording.record(held.database, make(targets[0]), make(moved(targets[0])))
        return recording.script(recorded, moved(targets[0]), 2 * len(targets))
    except Exception as error:
        held.outcome(work, "pgbench").failure = f"no SQL: {type(error).__name__}: {error}"[:200]
        return ""
