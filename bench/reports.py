"""Reports: how long a single client waits for one."""

import json
import time
from datetime import timedelta

import httpx

from bench.databases import Database
from bench.documents import REPORTS
from bench.figures import ContestantFailed, Figure, of_latencies
from bench.samples import JWT_SECRET, draw
from bench.seed import ADMIN
from bench.servers import KINDS, started
from crm_graph.identity.tokens import Tokens
from crm_graph.values import utc_now

# An eighth of the two years of data, as long as the default period.
QUARTER = {"from": "2025-10-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
WARM_UP = 10  # requests: PostgreSQL settles on a plan after five


def measure_reports(database: Database, seconds: float) -> dict[str, Figure]:
    """Measure each report for an admin, and one for a salesperson. Raises ContestantFailed."""
    admin = Tokens(JWT_SECRET.encode()).issue(ADMIN, timedelta(hours=12), utc_now())
    cases = {f"{name}, everybody's": (name, admin) for name in REPORTS}
    cases["pipelineReport, a salesperson's"] = "pipelineReport", draw(database)[0].token
    with started(KINDS[0], database) as server, httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        return {what: _measure(client, REPORTS[name], token, seconds) for what, (name, token) in cases.items()}


def _measure(client: httpx.Client, query: str, token: str, seconds: float) -> Figure:
    body = json.dumps({"query": query, "variables": QUARTER})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    sizes: list[int] = []

    def ask() -> float:
        sent = time.perf_counter()
        answer = client.post("/graphql", content=body, headers=headers, timeout=60)
        if answer.status_code != 200 or b'"errors":' in answer.content:
            raise ContestantFailed(f"HTTP {answer.status_code} {answer.text[:200]}")
        sizes.append(len(answer.content))
        return 1000 * (time.perf_counter() - sent)

    for _ in range(WARM_UP):
        ask()
    began, latencies = time.perf_counter(), [ask()]
    while time.perf_counter() < began + seconds:
        latencies.append(ask())
    return of_latencies(latencies, time.perf_counter() - began, sizes[-1], sent=len(sizes))
