"""`python -m bench`: seeds a database, starts each contestant, measures them in turn and writes a report."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from bench import databases, deliveries, memory, reports
from bench.documents import READS
from bench.figures import ContestantFailed, Figure
from bench.growth import measure_growth
from bench.machine import describe
from bench.mutations import WRITES
from bench.plot import draw_growth
from bench.postings import Posting, request_file
from bench.report import Run, markdown
from bench.rounds import Contest, contest
from bench.servers import CEILING, KINDS, N8N, started
from bench.writing import write_contest
from crm_graph.server.serve import stop_on_sigterm

CONTESTANTS = [*(kind.name for kind in (*KINDS, N8N)), "pgbench"]
PARTS = ("growth", "memory", "reports", "deliveries")
GROWTH_WITH = ("ours", "postgraphile", "pgbench")  # the usual way is too slow for a growth curve in reasonable time


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a run."""

    reads: list[str]
    writes: list[str]
    parts: list[str]
    contestants: list[str]
    rounds: int
    seconds: float
    deals: int
    growth_sizes: list[int]
    memory_requests: int
    delivered: int
    is_complete: bool

    def __str__(self) -> str:
        return f"{self.rounds} rounds of {self.seconds:g} s each, after a warm-up"


def main() -> None:
    """Run the benchmarks; only a complete run replaces bench/results.md."""
    options = _parse_options()
    stop_on_sigterm()
    with databases.server() as postgres:
        database = databases.database(postgres, options.deals)
        machine = describe(database)
        with contest(database, options.contestants, options.reads) as reading:
            _measure(reading, options.reads, options)
        with databases.copied(database) as copy, write_contest(copy, options.contestants, options.writes) as writing:
            _measure(writing, options.writes, options)
        sent = _deliveries(database, options) if "deliveries" in options.parts else None
        outcomes = reading.outcomes | writing.outcomes
        ceiling = _ceiling(database, options.seconds)
        run = Run(machine, str(options), database.size, outcomes, options.reads, options.writes, ceiling)
        run.deliveries = sent
        if "memory" in options.parts:
            run.memory = _memory(database, options.memory_requests)
        if "reports" in options.parts:
            run.reports = _reports(database, options.seconds)
        if "growth" in options.parts:
            by_size = [databases.database(postgres, deals) for deals in options.growth_sizes]
            names = [name for name in GROWTH_WITH if name in options.contestants]
            run.growth = measure_growth(by_size, names, options.rounds, options.seconds)
    _write(run, databases.ROOT / "bench" if options.is_complete else databases.bench_dir())


def _measure(contest: Contest, works: list[str], options: Options) -> None:
    for turn in range(options.rounds if works else 0):
        print(f"round {turn + 1} of {options.rounds}", flush=True)
        for work in works:
            contest.round(work, turn, options.seconds)


def _write(run: Run, folder: Path) -> None:
    problem = draw_growth(run.growth, folder / "growth.png") if run.growth else None
    text = markdown(run)
    print(f"\n{text}")
    (folder / "results.md").write_text(text)
    print(f"written to {folder / 'results.md'}" + (f"; {problem}" if problem else ""))


def _ceiling(database: databases.Database, seconds: float) -> str:
    """How many requests the load generator can send and read when the server does no work."""
    try:
        with started(CEILING, database) as server, request_file([Posting("{}")]) as requests:
            figure = server.measure(requests, seconds)
            return f"{figure.per_second:,.0f} requests/s of 120 kB, from an ASGI application that does nothing else"
    except ContestantFailed as error:
        return f"not measured: {error}"


def _memory(database: databases.Database, requests: int) -> memory.Memory | str:
    try:
        return memory.measure_memory(database, requests)
    except ContestantFailed as error:
        return f"not measured: {error}"


def _deliveries(database: databases.Database, options: Options) -> dict[str, Figure] | str:
    try:
        with databases.copied(database) as copy:
            return deliveries.measure_deliveries(copy, options.delivered, max(10.0, options.seconds))
    except ContestantFailed as error:
        return f"not measured: {error}"


def _reports(database: databases.Database, seconds: float) -> dict[str, Figure] | str:
    try:
        return reports.measure_reports(database, seconds)
    except ContestantFailed as error:
        return f"not measured: {error}"


def _parse_options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    every = [*READS, *WRITES, *PARTS]
    parser.add_argument("--quick", action="store_true", help="little data and short rounds")
    parser.add_argument("--only", action="append", choices=every, help="run only this; can be repeated")
    parser.add_argument("--contestant", action="append", choices=CONTESTANTS, help="run only this one; can be repeated")
    parser.add_argument("--rounds", type=int, help="number of rounds; default 3, quick 1")
    parser.add_argument("--seconds", type=float, help="seconds for each measurement; default 8, quick 2")
    parser.add_argument("--deals", type=int, help="1,000 deals for each owner; default 100,000 deals, quick 10,000")
    arguments = parser.parse_args()
    chosen: list[str] = arguments.only or every
    is_complete = not (arguments.quick or arguments.only or arguments.contestant or arguments.deals)
    return Options(
        reads=[work for work in READS if work in chosen],
        writes=[work for work in WRITES if work in chosen],
        parts=[part for part in PARTS if part in chosen],
        contestants=arguments.contestant or CONTESTANTS,
        rounds=arguments.rounds or (1 if arguments.quick else 3),
        seconds=arguments.seconds or (2 if arguments.quick else 8),
        deals=arguments.deals or (10_000 if arguments.quick else 100_000),
        growth_sizes=[1_000, 10_000] if arguments.quick else [10_000, 100_000, 1_000_000],
        memory_requests=3_000 if arguments.quick else 100_000,
        delivered=1_000 if arguments.quick else 5_000,
        is_complete=is_complete,
    )


if __name__ == "__main__":
    main()
