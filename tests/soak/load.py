"""Callers who give up on nothing: a call that is not acknowledged is made again, under the same key or body."""

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.api import bearer
from tests.support.webhooks import ENDPOINTS, fixture, signed

CREATE = "mutation ($in: CreateDealInput!) { createDeal(input: $in) { deal { id } } }"
MOVE = "mutation ($in: MoveDealStageInput!) { moveDealStage(input: $in) { deal { id } } }"
UPDATE = "mutation ($in: UpdateDealInput!) { updateDeal(input: $in) { deal { id } } }"
LOG = "mutation ($in: LogActivityInput!) { logActivity(input: $in) { activity { id } } }"
REPEAT = {"CONFLICT", "UNAVAILABLE", "INTERNAL"}  # codes with which a caller tries again
PATIENCE_SECONDS = 90.0  # for one call; nothing is down for so long
DEALS_EACH = 6  # after which a seller turns to a new deal


@dataclass
class Acknowledged:
    """What the servers said that they had done."""

    bodies: dict[str, bytes] = field(default_factory=dict)  # of webhooks, by the lead's address
    titles: list[str] = field(default_factory=list)
    moves: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    notes: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    calls = repeated = 0


class Callers:
    """Sellers and providers who call several servers until `stop` is called."""

    def __init__(self, client: httpx.AsyncClient, ports: Sequence[int], owner: str, stages: Sequence[str]) -> None:
        self.done = Acknowledged()
        self._client, self.ports, self._owner, self._stages = client, ports, owner, stages
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Begin nothing new; what was begun is brought to its end."""
        self._stop.set()

    async def provide(self, name: str, pause: float) -> None:
        """Post replies and bookings of ever new leads."""
        number = 0
        while not self._stop.is_set():
            number += 1
            email = f"{name}-{number}@lead{number % 7}.example"
            provider, body = (_reply, _booking)[number % 2](email, f"{name}-{number}")
            await self._until(lambda base, p=provider, b=body: self._post(base, p, b))  # type: ignore[misc]
            self.done.bodies[email] = body
            await asyncio.sleep(pause * random.random())

    async def sell(self, name: str, pause: float) -> None:
        """Make deals, and move, change and write about each of them."""
        number = 0
        while not self._stop.is_set():
            number += 1
            title = f"{name}-{number}"
            made = await self._mutate(CREATE, {"title": title, "stageId": self._stages[0]}, title)
            deal = str(made["createDeal"]["deal"]["id"])
            self.done.titles.append(title)
            self.done.moves[deal].append(self._stages[0])
            for step in range(1, DEALS_EACH):
                await asyncio.gather(self._move(deal, step, title), self._write(deal, f"{title}-{step}"))
                await asyncio.sleep(pause * random.random())

    async def _move(self, deal: str, step: int, title: str) -> None:
        stage = self._stages[step % len(self._stages)]
        await self._mutate(MOVE, {"dealId": deal, "stageId": stage}, f"{title}-{step}")
        self.done.moves[deal].append(stage)
        await self._mutate(UPDATE, {"dealId": deal, "notes": f"{title}-{step}"}, f"{title}-{step}")
        self.done.notes.append(f"{title}-{step}")

    async def _write(self, deal: str, content: str) -> None:
        await self._mutate(LOG, {"dealId": deal, "type": "NOTE", "content": content}, content)
        self.done.entries.append(content)

    async def _mutate(self, query: str, given: dict[str, Any], key: str) -> Any:
        body = {"query": query, "variables": {"in": given | {"idempotencyKey": key}}}

        async def call(base: str) -> Any:
            answer = await self._client.post(f"{base}/graphql", json=body, headers=bearer(self._owner))
            if answer.status_code >= 500:
                return None
            said = answer.json()
            codes = {error["extensions"]["code"] for error in said.get("errors", ())}
            assert codes <= REPEAT, said
            return None if codes else said["data"]

        return await self._until(call)

    async def _post(self, base: str, provider: str, body: bytes) -> Any:
        answer = await self._client.post(base + ENDPOINTS[provider], content=body, headers=signed(provider, body))
        if answer.status_code >= 500:
            return None
        assert answer.is_success, answer.text
        return answer.json()

    async def _until(self, call: Callable[[str], Any]) -> Any:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    answer = await call(f"http://127.0.0.1:{random.choice(self.ports)}")
                except httpx.TransportError:
                    answer = None
                if answer is not None:
                    self.done.calls += 1
                    return answer
                self.done.repeated += 1
                await asyncio.sleep(0.1 + 0.2 * random.random())


def _reply(email: str, name: str) -> tuple[str, bytes]:
    body = json.loads(fixture("instantly", "reply_received"))
    return "instantly", json.dumps(body | {"lead_email": email, "email": email, "email_id": name}).encode()


def _booking(email: str, name: str) -> tuple[str, bytes]:
    body = fixture("calcom", "booking_created").replace(b"john.doe@example.com", email.encode())
    return "calcom", body.replace(b"bFJeNb2uX8ANpT3JL5EfXw", name.encode())
