"""The results as Markdown: medians of one run, their ratios, and whether the goals are met."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.documents import READS
from bench.figures import Figure
from bench.growth import Growth
from bench.memory import Memory
from bench.mutations import WRITES
from bench.rounds import LABELS, Outcome
from bench.seed import Size

NOTES = """\
- Closed loop: 8 connections, each sends its next request as soon as it has read the response. Each contestant is one
  server process on the same database, measured in turn in every round; each figure is the median of the rounds.
  Requests rotate over 20 owners. Only ratios are meaningful: servers, load generator and PostgreSQL share the cores.
- Before each measurement of reads every contestant's response is checked: it must have the same rows in the same order.
- PostGraphile does less: it checks no token, applies the owner rule to deals only, and counts without totals. In "own
  rows only", its query is easier, without the unassigned pool.
- "The usual way" checks the token, reads the caller's row on each request, and searches with ILIKE.
- A report covers a quarter. One client requests it, waits for the response and requests it again.
- pgbench sends the SQL that crm-graph sends, with constants, prepared, and discards the results.
- Writes go to a copy of the database. Requests rotate over 800 deals or contacts of 20 owners, and each move changes
  the stage. Before each measurement, one request of each contestant is checked: it must add the rows that crm-graph's
  adds. After it, all requests together, warm-up included, must have added the corresponding multiple.
- PostGraphile's field calls a PL/pgSQL function that does the same work in one statement (`bench/postgraphile/`), and
  does not verify who calls.
- pgbench repeats the statements that were recorded from crm-graph for one request, between BEGIN and COMMIT. It first
  looks up a random target; ids of new rows, times, keys and the rank above the column's first are generated in SQL.
- n8n alone verifies the signature and stores reply, contact and timeline entry with one SQL statement; it does not
  classify the reply, and saves no executions (EXECUTIONS_DATA_SAVE_ON_SUCCESS=none).\
"""


@dataclass
class Run:
    """The results of a run."""

    machine: list[tuple[str, str]]
    options: str
    size: Size
    outcomes: dict[tuple[str, str], Outcome]
    reads: list[str]
    writes: list[str]
    ceiling: str
    growth: Growth | None = None
    memory: Memory | str | None = None
    reports: dict[str, Figure] | str | None = None
    deliveries: dict[str, Figure] | str | None = None

    def figure(self, work: str, name: str) -> Figure | None:
        """The medians of a contestant that was measured and never failed."""
        outcome = self.outcomes.get((work, name))
        return outcome.figure if outcome else None

    def ratio(self, work: str, name: str) -> float | None:
        """crm-graph's requests per second as a multiple of a contestant's."""
        ours, other = self.figure(work, "ours"), self.figure(work, name)
        return ours.per_second / other.per_second if ours and other else None


def markdown(run: Run) -> str:
    """The report."""
    lines = ["# Benchmark results", "", "Written by `make bench`. Ratios of medians of one run.", ""]
    lines += [f"- {name}: {value}" for name, value in run.machine]
    size = run.size
    lines += [f"- data: {size.owners:,} owners, {size.contacts:,} contacts, {size.deals:,} deals"]
    lines += [f"- run: {run.options}", f"- ceiling of the load generator: {run.ceiling}", ""]
    lines += ["## Goals", "", *_goals(run), ""]
    works = [*run.reads, *run.writes]
    lines += ["## crm-graph's requests per second, as a multiple of each other's", "", *_ratios(run), ""] * bool(works)
    for work in works:
        lines += [f"## {work}: {(READS | WRITES)[work]}", "", *_table(run, work), ""]
    if run.growth:
        lines += ["## Growth: rows against time", "", *_growth(run.growth), ""]
    lines += ["## How it was measured", "", NOTES, ""]
    return "\n".join(lines)


def _goals(run: Run) -> Iterator[str]:
    yield from ("| goal | value | met |", "|---|---|---|")
    for name, goal in (("postgraphile", 3.0), ("postgraphile-own", 3.0), ("pgbench", 0.7), ("usual", 50.0)):
        yield _goal(f"board: {goal:g}x {LABELS[name]}", run.ratio("board", name), goal)
    for work, name, goal in (("move", "postgraphile", 0.7), ("ingest", "n8n", 30.0), ("ingest", "pgbench", 0.5)):
        yield _goal(f"{work}: {goal:g}x {LABELS[name]}", run.ratio(work, name), goal)
    if run.growth:
        largest = _growth_ratio(run.growth, "ours")
        yield _goal("growth: board p50, largest to smallest, at most 1.3", largest, 1.3, at_most=True)
        yield f"| plan of the board at the largest size | {run.growth.plan} | |"
    if isinstance(run.memory, Memory):
        name = f"memory after {run.memory.requests:,} requests ({', '.join(run.memory.works)}), under 150 MB"
        yield _goal(name, run.memory.at_end, 150, at_most=True)
        yield f"| memory after the start, and after 1,000 | {run.memory.at_start:.0f}, {run.memory.warm:.0f} | |"
    elif run.memory:
        yield f"| memory | {run.memory} | |"
    yield from _report_goals(run)
    yield from _delivery_goals(run)


def _report_goals(run: Run) -> Iterator[str]:
    if isinstance(run.reports, dict):
        for name, figure in run.reports.items():
            goal = f"{name}: p50 of one client in ms at {run.size.deals:,} deals, under 200"
            yield _goal(goal, figure.p50, 200, at_most=True)
    elif run.reports:
        yield f"| reports | {run.reports} | |"


def _delivery_goals(run: Run) -> Iterator[str]:
    if isinstance(run.deliveries, dict):
        steady, backlog = run.deliveries.items()
        yield _goal(f"{steady[0]}, under 250", steady[1].p95, 250, at_most=True)
        yield f"| {steady[0].replace('p95', 'p50')} | {steady[1].p50:,.1f} | |"
        yield f"| {backlog[0]} | {backlog[1].per_second:,.0f} | |"
    elif run.deliveries:
        yield f"| deliveries | {run.deliveries} | |"


def _ratios(run: Run) -> Iterator[str]:
    others = [name for name in LABELS if name != "ours"]
    yield "| work | " + " | ".join(LABELS[name] for name in others) + " |"
    yield "|---|" + "---:|" * len(others)
    for work in (*run.reads, *run.writes):
        ratios = (run.ratio(work, name) for name in others)
        yield f"| {work} | " + " | ".join("" if ratio is None else f"{ratio:.2f}" for ratio in ratios) + " |"


def _goal(name: str, value: float | None, limit: float, *, at_most: bool = False) -> str:
    if value is None:
        return f"| {name} | not measured | |"
    holds = value <= limit if at_most else value >= limit
    return f"| {name} | {value:.2f} | {'yes' if holds else 'NO'} |"


def _table(run: Run, work: str) -> Iterator[str]:
    yield "| contestant | requests/s | p50 ms | p95 ms | kB | requests/s of each round |"
    yield "|---|---:|---:|---:|---:|---|"
    for name in LABELS:
        outcome = run.outcomes.get((work, name))
        if outcome is None:
            continue
        figure = outcome.figure
        if figure is None:
            yield f"| {LABELS[name]} | {_cell(outcome.failure)} | | | | |"
            continue
        size = f"{figure.size / 1000:.0f}" if figure.size else ""
        rounds = " ".join(f"{single.per_second:.0f}" for single in outcome.figures)
        yield (
            f"| {LABELS[name]} | {figure.per_second:.1f} | {figure.p50:.1f} | {figure.p95:.1f} | {size} | {rounds} |"
        )


def _growth(growth: Growth) -> Iterator[str]:
    yield "The board's p50 in ms by the number of deals in the database, each owner having about 1,000 of them."
    yield "Requests rotate over 20 owners, or all of them where there are fewer."
    yield ""
    yield "| contestant | " + " | ".join(f"{size:,}" for size in growth.sizes) + " | largest to smallest |"
    yield "|---|" + "---:|" * (len(growth.sizes) + 1)
    for name, figures in growth.figures.items():
        cells = (f"{figure.p50:.1f}" if figure else "failed" for figure in figures)
        ratio = _growth_ratio(growth, name)
        yield f"| {LABELS[name]} | " + " | ".join(cells) + f" | {'' if ratio is None else f'{ratio:.2f}'} |"
    yield ""
    yield "![rows against time](growth.png)"


def _growth_ratio(growth: Growth, name: str) -> float | None:
    figures = growth.figures.get(name, [])
    if not figures or figures[0] is None or figures[-1] is None:
        return None
    return figures[-1].p50 / figures[0].p50


def _cell(text: str) -> str:
    return text.replace("|", "\\|") or "not measured"
