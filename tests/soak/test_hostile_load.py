"""A hostile owner and a hostile stranger: ten honest clients get all of their answers, and memory comes back.

`make soak` prints how much slower they are. Latencies are compared with those of a quiet server in the same run.
"""

import asyncio
import json
import os
import random
import statistics
import sys
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from time import monotonic, perf_counter

import httpx
import psutil
import pytest

from bench.documents import BOARD, DETAIL
from tests.soak.installation import Installation, installed
from tests.soak.load import MOVE
from tests.soak.processes import Processes
from tests.support.api import bearer
from tests.support.commands import free_port
from tests.support.paths import PROJECT
from tests.support.webhooks import ENDPOINTS, fixture, signed

QUIET_SECONDS, HOSTILE_SECONDS, RECOVERY_SECONDS = 8.0, 20.0, 6.0
CLIENTS = 10
PAUSE_SECONDS = 0.4  # of a client between calls, on average
# Of the quiet p95. 4 is the goal, on a machine with nothing else to do; HOSTILE_TIMES=4 asks for it.
TIMES_MAX = float(os.environ.get("HOSTILE_TIMES", "8"))
GROWTH_MAX = 1.2  # of the quiet memory

SEED = """
SET session_replication_role = replica;
INSERT INTO contacts (id, email, full_name, owner_id)
SELECT gen_random_uuid(), 'c' || n || '-' || lower(o.name) || '@lead.example', 'Lead ' || n, o.id
FROM owners o, generate_series(1, CASE o.name WHEN 'Mallory' THEN 10000 ELSE 300 END) n;
INSERT INTO deals
    (title, contact_id, pipeline_id, stage_id, owner_id, amount, currency, status, notes, rank, campaign_id)
SELECT 'Deal of ' || c.full_name, c.id, s.pipeline_id, s.id, c.owner_id, 100, 'USD', s.kind,
       repeat('notes ', 800),
       'a0' || lpad((row_number() OVER ())::text, 6, '0') || 'V', 'k' || abs(hashtext(c.email)) % 50
FROM contacts c JOIN LATERAL
    (SELECT * FROM pipeline_stages ORDER BY (abs(hashtext(c.email)) + order_index) % 7 LIMIT 1) s ON true;
INSERT INTO deal_stage_history (deal_id, to_stage_id, moved_at, source)
SELECT id, stage_id, now() - random() * interval '80 days', 'seed' FROM deals;
ANALYZE;
"""


@dataclass
class Figures:
    """What honest clients saw: seconds by what they did, and errors."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)

    def p95(self) -> dict[str, float]:
        """Milliseconds, by what was done."""
        return {what: statistics.quantiles(times, n=20)[-1] * 1_000 for what, times in self.seconds.items()}


class HonestClient:
    """A salesperson and a provider: looks at the board and at a deal, moves it, and posts a reply."""

    def __init__(self, http: httpx.AsyncClient, owner: str, deals: list[str], stages: list[str]) -> None:
        self._http, self._owner, self._deals, self._stages = http, owner, deals, stages

    async def work(self, figures: Figures, until: float) -> None:
        """Do each in turn until then."""
        for step in range(10**6):
            for what in ("board", "detail", "move", "webhook"):
                await asyncio.sleep(PAUSE_SECONDS * 2 * random.random())
                if monotonic() > until:
                    return
                started = perf_counter()
                try:
                    error = await self._call(what, step)
                except httpx.TransportError as failure:
                    error = repr(failure)
                figures.seconds[what].append(perf_counter() - started)
                if error:
                    figures.errors.append(f"{what}: {error}")

    async def _call(self, what: str, step: int) -> str | None:
        deal = self._deals[step % len(self._deals)]
        if what == "webhook":
            body = json.loads(fixture("instantly", "reply_received"))
            email = f"{uuid.uuid4().hex}@honest.example"
            raw = json.dumps(body | {"lead_email": email, "email": email, "email_id": email}).encode()
            answer = await self._http.post(ENDPOINTS["instantly"], content=raw, headers=signed("instantly", raw))
            return None if answer.is_success else answer.text
        query, variables = {
            "board": (BOARD, {"first": 50}),
            "detail": (DETAIL, {"id": deal, "first": 50}),
            "move": (MOVE, {"in": {"dealId": deal, "stageId": self._stages[step % len(self._stages)]}}),
        }[what]
        body = {"query": query, "variables": variables}
        answer = await self._http.post("/graphql", json=body, headers=bearer(self._owner))
        return None if answer.status_code == 200 and "errors" not in answer.json() else answer.text[:300]


def seed(installation: Installation) -> list[tuple[str, list[str]]]:
    """The honest owners with some of their deals."""
    names = ["Mallory", *(f"Honest{number}" for number in range(CLIENTS))]
    for name in names:
        role = "sales"
        installation.rows(
            "INSERT INTO owners (id, name, email, role, is_default) VALUES (%s, %s, %s, %s, %s)",
            uuid.uuid4(), name, f"{name.lower()}@seller.com", role, name == "Honest0",
        )  # fmt: skip
    installation.script(SEED)
    return [
        (
            f"{name.lower()}@seller.com",
            [
                row["id"]
                for row in installation.rows(
                    "SELECT d.id::text FROM deals d JOIN owners o ON o.id = owner_id "
                    "WHERE o.name = %s AND status = 'open' LIMIT 20",
                    name,
                )
            ],
        )
        for name in names[1:]
    ]


async def attack(port: int) -> dict[str, int]:
    """Run the attackers; what they counted."""
    token = bearer("mallory@seller.com")["Authorization"].removeprefix("Bearer ")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.soak.attackers", str(port), token, str(HOSTILE_SECONDS),
        cwd=PROJECT, stdout=asyncio.subprocess.PIPE, env=os.environ,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0
    return dict(json.loads(output))


async def measured(clients: list[HonestClient], seconds: float) -> Figures:
    """The honest clients, for some seconds."""
    figures, until = Figures(), monotonic() + seconds
    await asyncio.gather(*(client.work(figures, until) for client in clients))
    return figures


async def test_honest_clients_are_served_while_others_attack(capsys: pytest.CaptureFixture[str]) -> None:
    with installed() as installation:
        owners, port = seed(installation), free_port()
        stages = [row["id"] for row in installation.rows("SELECT id::text FROM pipeline_stages WHERE kind = 'open'")]
        processes = Processes(installation.folder, installation.environment())
        try:
            processes.start("server", "serve", PORT=str(port))
            await processes.ready()
            server = psutil.Process(processes.pid("server"))
            limits = httpx.Limits(max_connections=100)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20, limits=limits) as http:
                clients = [HonestClient(http, owner, deals, stages) for owner, deals in owners]
                await measured(clients, 3)  # plans, caches and connections
                quiet, before = await measured(clients, QUIET_SECONDS), server.memory_info().rss
                attacking = asyncio.create_task(attack(port))
                await asyncio.sleep(1)
                hostile = await measured(clients, HOSTILE_SECONDS - 1)
                most = server.memory_info().rss
                counts = await attacking
                await asyncio.sleep(RECOVERY_SECONDS)
                after = server.memory_info().rss
                ready = await http.get("/readyz")
        finally:
            processes.stop()
    times = {what: hostile.p95()[what] / quiet.p95()[what] for what in quiet.seconds}
    with capsys.disabled():
        print("\nhostile load: p95 in ms, quiet and attacked")
        for what in times:
            print(f"  {what:8} {quiet.p95()[what]:6.1f} {hostile.p95()[what]:7.1f}   x {times[what]:.1f}")
        print(f"  memory {before >> 20} MB, then {most >> 20}, afterwards {after >> 20}; the attackers: {counts}")
    assert hostile.errors == quiet.errors == []
    assert max(times.values()) < TIMES_MAX
    assert after < before * GROWTH_MAX
    assert ready.status_code == 200
