"""A contest: each round checks the responses of all contestants, then measures them one after another."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from bench.checks import Ids, check, check_leaves
from bench.databases import Database
from bench.documents import POSTGRAPHILE_OWN, Document
from bench.figures import ContestantFailed, Figure, median
from bench.pgbench import Pgbench
from bench.postings import request_file
from bench.samples import Sample, draw
from bench.servers import KINDS, Kind, Server, posting, started

LABELS = {
    "ours": "crm-graph",
    "postgraphile": "PostGraphile",
    "postgraphile-own": "PostGraphile, own rows only",
    "usual": "Strawberry + SQLAlchemy + DataLoader",
    "pgbench": "pgbench, the same SQL",
    "n8n": "n8n alone",
}


class Contestant(Protocol):
    """A system that can do some of the works."""

    def works(self) -> Sequence[str]:
        """The works that it can do."""

    def check(self, work: str, turn: int, expected: Ids | None) -> Ids | None:
        """Send one request and check the response; returns its ids. Raises ContestantFailed."""

    def measure(self, work: str, seconds: float) -> Figure:
        """Measure under load. Raises ContestantFailed."""


@dataclass(frozen=True, slots=True)
class OverHttp:
    """A server and the documents that it is sent."""

    server: Server
    documents: Mapping[str, Document]
    samples: list[Sample]
    is_comparable: bool = True

    def works(self) -> Sequence[str]:
        return list(self.documents)

    def check(self, work: str, turn: int, expected: Ids | None) -> Ids | None:
        data = self.server.ask(self.documents[work], self.samples[turn % len(self.samples)])
        return check(work, data, expected if self.is_comparable else None)

    def measure(self, work: str, seconds: float) -> Figure:
        with request_file([posting(self.documents[work], sample) for sample in self.samples]) as requests:
            return self.server.measure(requests, seconds)


@dataclass(frozen=True, slots=True)
class OverPgbench:
    """pgbench with the statements that crm-graph sends."""

    pgbench: Pgbench
    samples: list[Sample]

    def works(self) -> Sequence[str]:
        return ["board", "counts", "detail", "page", "search"]

    def check(self, work: str, turn: int, expected: Ids | None) -> Ids | None:
        statements = self.pgbench.statements(work, [self.samples[turn % len(self.samples)]])
        check_leaves(self.pgbench.ask(statements[0]), expected or [])
        return None

    def measure(self, work: str, seconds: float) -> Figure:
        return self.pgbench.measure(self.pgbench.statements(work, self.samples), seconds)


@dataclass
class Outcome:
    """One contestant's rounds of one work. A single failure invalidates its figures."""

    figures: list[Figure] = field(default_factory=list)
    failure: str = ""

    @property
    def figure(self) -> Figure | None:
        """The medians, if nothing failed."""
        return median(self.figures) if self.figures and not self.failure else None


@dataclass
class Contest:
    """Contestants on one database, and their outcomes by work and name."""

    database: Database
    contestants: dict[str, Contestant] = field(default_factory=dict)
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)

    def outcome(self, work: str, name: str) -> Outcome:
        """The outcome of a contestant; created on first use."""
        return self.outcomes.setdefault((work, name), Outcome())

    def round(self, work: str, turn: int, seconds: float) -> None:
        """One round of a work: check all responses against crm-graph's, then measure each contestant."""
        expected: Ids | None = None
        able = [name for name, contestant in self.contestants.items() if work in contestant.works()]
        for name in able:
            with self._recorded(work, name):
                ids = self.contestants[name].check(work, turn, expected)
                expected = ids if name == "ours" else expected
        for place in range(len(able)):
            name = able[(place + turn) % len(able)]  # so that none always comes first or after the same one
            outcome = self.outcome(work, name)
            if not outcome.failure:
                with self._recorded(work, name):
                    outcome.figures.append(self.contestants[name].measure(work, seconds))
                    print(f"  {work:7} {LABELS[name]:36} {outcome.figures[-1].per_second:9.1f}/s", flush=True)

    def started(self, stack: ExitStack, kind: Kind, works: Iterable[str]) -> Server | None:
        """Start a contestant's server. If that fails, it is recorded as failed in these works."""
        try:
            return stack.enter_context(started(kind, self.database))
        except ContestantFailed as error:
            print(f"  {LABELS[kind.name]}: {error}", flush=True)
            for work in works:
                self.outcome(work, kind.name).failure = str(error)
            return None

    @contextmanager
    def _recorded(self, work: str, name: str) -> Iterator[None]:
        try:
            yield
        except ContestantFailed as error:
            outcome = self.outcome(work, name)
            outcome.failure = outcome.failure or str(error)
            print(f"  {work:7} {LABELS[name]:36} failed: {error}", flush=True)


@contextmanager
def contest(database: Database, names: Sequence[str], works: Sequence[str]) -> Iterator[Contest]:
    """Start the named contestants for works that only read."""
    held, samples = Contest(database), draw(database)
    with ExitStack() as stack:
        for kind in KINDS if works else ():
            able = [work for work in works if work in kind.documents]
            if kind.name in names and (server := held.started(stack, kind, able)):
                held.contestants[kind.name] = OverHttp(server, kind.documents, samples)
                if kind.name == "postgraphile":
                    own = OverHttp(server, POSTGRAPHILE_OWN, samples, is_comparable=False)
                    held.contestants["postgraphile-own"] = own
        if "pgbench" in names:
            held.contestants["pgbench"] = OverPgbench(Pgbench(database), samples)
        yield held
