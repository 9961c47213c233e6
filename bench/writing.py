"""Who writes: the contestants of the writes, all on one copy of the database, each checked by what it stores."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import psycopg

from bench import pgbench, recording
from bench.checks import Ids, check_leaves
from bench.databases import ROOT, Database
from bench.effects import added, check_added, stored
from bench.figures import ContestantFailed, Figure
from bench.mutations import POSTINGS, Make, back, named_in_answer, there_and_back
from bench.postings import request_file
from bench.rounds import Contest
from bench.servers import KINDS, N8N, Server
from bench.targets import Target, draw_targets

FUNCTIONS = ROOT / "bench" / "postgraphile" / "functions.sql"


class Writer(Protocol):
    """Somebody who does some of the writes."""

    def works(self) -> Sequence[str]:
        """What it can be asked for."""

    def once(self, work: str, target: Target) -> None:
        """One request. Raises ContestantFailed."""

    def load(self, work: str, targets: Sequence[Target], seconds: float) -> Figure:
        """As many as it can. Raises ContestantFailed."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A writer as a contestant: what one request of it adds is what crm-graph's adds, and what each adds under load."""

    database: Database
    writer: Writer
    of_one: dict[str, dict[str, int]] = field(default_factory=dict)

    def works(self) -> Sequence[str]:
        return self.writer.works()

    def check(self, work: str, turn: int, expected: Ids | None) -> Ids | None:
        targets, before = draw_targets(self.database), stored(self.database, work)
        self.writer.once(work, targets[turn % len(targets)])
        self.of_one[work] = added(before, stored(self.database, work))
        found = [f"{number} {name}" for name, number in self.of_one[work].items()]
        if expected is not None and found != expected:
            raise ContestantFailed(f"one request left {', '.join(found)} where crm-graph's left {', '.join(expected)}")
        return found

    def measure(self, work: str, seconds: float) -> Figure:
        before = stored(self.database, work)
        figure = self.writer.load(work, draw_targets(self.database), seconds)
        check_added(added(before, stored(self.database, work)), self.of_one[work], figure)
        return figure


@dataclass(frozen=True, slots=True)
class OverHttp:
    """A server and what is posted to it."""

    server: Server
    makes: Mapping[str, Make]

    def works(self) -> Sequence[str]:
        return list(self.makes)

    def once(self, work: str, target: Target) -> None:
        check_leaves(self.server.answer(self.makes[work](target)), named_in_answer(work, target))

    def load(self, work: str, targets: Sequence[Target], seconds: float) -> Figure:
        with request_file(there_and_back(self.makes[work], targets)) as requests:
            return self.server.measure(requests, seconds)


@dataclass(frozen=True, slots=True)
class OverPgbench:
    """The statements that crm-graph sends."""

    database: Database
    scripts: Mapping[str, str]

    def works(self) -> Sequence[str]:
        return list(self.scripts)

    def once(self, work: str, target: Target) -> None:
        pgbench.run_once(self.database, self.scripts[work])

    def load(self, work: str, targets: Sequence[Target], seconds: float) -> Figure:
        return pgbench.run(self.database, [self.scripts[work]], seconds)


@contextmanager
def write_contest(database: Database, names: Sequence[str], works: Sequence[str]) -> Iterator[Contest]:
    """The named contestants that do some of these works, started."""
    held = Contest(database)
    with ExitStack() as stack:
        if works:
            _prepare(database)
        for kind in (*KINDS, N8N):
            makes = {work: make for work, make in POSTINGS.get(kind.name, {}).items() if work in works}
            if kind.name in names and makes and (server := held.started(stack, kind, makes)):
                held.contestants[kind.name] = Watched(database, OverHttp(server, makes))
        if "pgbench" in names:
            scripts = {work: script for work in works if (script := _script(held, work))}
            held.contestants["pgbench"] = Watched(database, OverPgbench(database, scripts))
        yield held


def _prepare(database: Database) -> None:
    """PostGraphile's functions, and the table in which pgbench looks up what to write to."""
    targets = draw_targets(database)
    with psycopg.connect(**database.postgres.conninfo("app_admin", database.name)) as admin:
        admin.execute(FUNCTIONS.read_bytes())
        recording.make_targets_table(admin, [*targets, *map(back, targets)])


def _script(held: Contest, work: str) -> str:
    """What pgbench repeats; where nothing could be recorded, that is its failure."""
    targets, make = draw_targets(held.database), POSTINGS["ours"][work]
    try:
        recorded = recording.record(held.database, make(targets[0]), make(back(targets[0])))
        return recording.script(recorded, back(targets[0]), 2 * len(targets))
    except Exception as error:
        held.outcome(work, "pgbench").failure = f"no SQL: {type(error).__name__}: {error}"[:200]
        return ""
