"""Memory: the resident set of a server process after many requests."""

from dataclasses import dataclass

import psutil

from bench.checks import check
from bench.databases import Database
from bench.documents import OURS
from bench.figures import ContestantFailed
from bench.postings import request_file
from bench.samples import draw
from bench.servers import KINDS, posting, started

MANY_SECONDS = 3_600
WARM = 1_000


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident set sizes in MB: after the start, after the first 1,000 requests, and at the end."""

    works: list[str]
    requests: int
    at_start: float
    warm: float
    at_end: float


def measure_memory(database: Database, requests: int) -> Memory:
    """Send a new server a mix of all queries that it answers correctly. Raises ContestantFailed."""
    ours, samples = KINDS[0], draw(database)
    with started(ours, database) as server:
        process = psutil.Process(server.process.pid)
        at_start = _megabytes(process)
        able = []
        for work, document in ours.documents.items():
            try:
                check(work, server.ask(document, samples[0]), None)
                able.append(work)
            except ContestantFailed as error:
                print(f"  memory: without {work}: {error}", flush=True)
        mixed = [posting(OURS[work], sample) for sample in samples for work in able]
        with request_file(mixed) as file:
            server.measure(file, MANY_SECONDS, budget=WARM)
            warm = _megabytes(process)
            more = server.measure(file, MANY_SECONDS, budget=requests - WARM)
            return Memory(able, WARM + more.requests, at_start, warm, _megabytes(process))


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6
