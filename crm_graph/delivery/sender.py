"""Delivery: sends what the queue holds for an endpoint, signed, and schedules what failed.

At least once, in order for each deal. What an endpoint misses is tried again for two days; an endpoint that is down is
asked by one delivery at a time, and gets the others at once when it is back.
"""

import asyncio
import logging
import random
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from importlib.metadata import version
from time import monotonic
from typing import Any

import orjson

from crm_graph.database.engine import Database
from crm_graph.delivery import queue, redaction
from crm_graph.delivery.queue import OUTAGE, Outcome
from crm_graph.egress.client import Attempt, Sender
from crm_graph.models import DeliveryStatus, Role
from crm_graph.telemetry import tracing
from crm_graph.web import signatures

log = logging.getLogger(__name__)

USER_AGENT = f"crm-graph/{version('crm-graph')}"
IN_FLIGHT = 16  # requests at once to one endpoint
SLICE_SECONDS = 30.0  # after which a job makes room for those of other endpoints
LINGER_SECONDS = 0.5  # for more to send, before a job ends: to start one takes longer than to send
MINUTE, HOUR = 60.0, 3600.0
WAITS = (5.0, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 24 * HOUR)
JITTER = 0.2  # the part of a wait that chance adds: what failed together is not tried together
ABOUT_ENDPOINT = frozenset({429, 503})  # where Retry-After is about the endpoint, not about the request


class Courier:
    """Sends the deliveries of endpoints; one of a worker process."""

    def __init__(self, database: Database, sender: Sender) -> None:
        self._database, self._sender = database, sender
        self._served: dict[uuid.UUID, asyncio.Event] = {}
        self._stopping = False

    def serves(self, endpoint_id: uuid.UUID) -> bool:
        """Whether the endpoint's deliveries are being sent here at this moment."""
        return endpoint_id in self._served

    def announce(self) -> None:
        """Say that there may be more to send."""
        for news in self._served.values():
            news.set()

    def stop(self) -> None:
        """Take nothing more; what is being sent is waited for."""
        self._stopping = True
        self.announce()

    async def drain(self, endpoint_id: uuid.UUID) -> None:
        """Send all that is due to an endpoint, and what comes meanwhile."""
        news = self._served[endpoint_id] = asyncio.Event()
        flight = _Flight(self._database, self._sender, endpoint_id)
        ends_at = monotonic() + SLICE_SECONDS
        try:
            while True:
                news.clear()
                is_over = self._stopping or monotonic() > ends_at
                await flight.settle_and_take(0 if is_over else IN_FLIGHT)
                if flight.is_empty and (is_over or not await _comes(news)):
                    return
                await flight.wait(news)
        finally:
            del self._served[endpoint_id]
            await flight.abandon()


async def _comes(news: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            return await news.wait()
    except TimeoutError:
        return False


class _Flight:
    """The requests to one endpoint that are under way."""

    def __init__(self, database: Database, sender: Sender, endpoint_id: uuid.UUID) -> None:
        self._database, self._sender, self._endpoint_id = database, sender, endpoint_id
        self._under_way: set[asyncio.Task[Outcome]] = set()
        self._landed: list[Outcome] = []
        self._failures = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is under way, or waits to be written down."""
        return not self._under_way and not self._landed

    async def settle_and_take(self, room: int) -> None:
        """Write down what ended, and start what may go now, in one transaction between them."""
        landed, self._landed = self._landed, []
        free = room - len(self._under_way)
        if not landed and free <= 0:
            return
        async with self._database.transaction(source="crm-graph") as transaction:
            if landed:
                await queue.settle(transaction, landed)
            if landed and (self._failures or not all(one.is_success for one in landed)):
                back_off = wait_of(max(0, self._failures + 1 - OUTAGE))
                await queue.judge(transaction, self._endpoint_id, landed, back_off)
                self._failures = max(1, self._failures)  # until it is read again
            taken = await queue.take(transaction, self._endpoint_id, free) if free > 0 else []
        for delivery in taken:
            self._failures = delivery.failures
            self._under_way.add(asyncio.create_task(_attempt(self._sender, delivery)))

    async def wait(self, news: asyncio.Event) -> None:
        """Until one has ended, or there is news."""
        if not self._under_way or news.is_set():
            return
        waiter = asyncio.create_task(news.wait())
        await asyncio.wait({*self._under_way, waiter}, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        for task in [task for task in self._under_way if task.done()]:
            self._under_way.remove(task)
            self._landed.append(task.result())

    async def abandon(self) -> None:
        """Hang up; what was under way is due again when its lease ends."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)


async def _attempt(sender: Sender, delivery: Any) -> Outcome:
    number = delivery.attempts + 1
    facts = {"delivery": str(delivery.id), "event": str(delivery.event_id), "attempt": number}
    with tracing.span("deliver", delivery.traceparent, kind="client", attributes=facts) as span:
        now = datetime.now(UTC)
        attempt = await sender.post(delivery.url, *_request(delivery, now))
        details = facts | {"status": attempt.status, "ms": attempt.duration_ms}
        log.info("delivered" if attempt.is_success else "delivery failed", extra={"details": details})
        if attempt.status is not None:
            span.set_attribute("http.response.status_code", attempt.status)
        if not attempt.is_success:
            tracing.mark_failed(str(attempt.status or "no answer"))
    status, wait = _verdict(attempt, number)
    asked = attempt.retry_after.total_seconds() if attempt.retry_after and not attempt.is_success else 0.0
    return Outcome(
        delivery_id=delivery.id,
        status=status,
        wait=max(wait, asked),
        attempted_at=now,
        duration_ms=attempt.duration_ms,
        status_code=attempt.status,
        answer=attempt.answer,
        error=attempt.error,
        is_gone=attempt.is_gone,
        endpoint_wait=asked if attempt.status in ABOUT_ENDPOINT else 0.0,
    )


def _request(delivery: Any, now: datetime) -> tuple[dict[str, str], bytes]:
    payload = redaction.payload_for(delivery.payload, delivery.owner_id, Role(delivery.role))
    body = orjson.dumps(payload)
    secrets = [delivery.secret, *([delivery.previous_secret] if delivery.previous_secret else [])]
    signed = signatures.delivery_headers(secrets, str(delivery.event_id), body, now)
    ours = {"content-type": "application/json", "user-agent": USER_AGENT, **signed}
    traceparent = tracing.current_traceparent()
    if traceparent is not None:
        ours["traceparent"] = traceparent
    return {**delivery.headers, **ours}, body


def _verdict(attempt: Attempt, number: int) -> tuple[DeliveryStatus, float]:
    """What becomes of a delivery after its attempt of this number, from 1; with the wait until the next one."""
    if attempt.is_success:
        return DeliveryStatus.DELIVERED, 0.0
    if number > len(WAITS):
        return DeliveryStatus.FAILED, 0.0
    return DeliveryStatus.PENDING, wait_of(number - 1)


def wait_of(failures: int) -> float:
    """The seconds to wait after so many failures before, with jitter."""
    wait = WAITS[min(failures, len(WAITS) - 1)]
    return wait * (1 + JITTER * random.random())  # noqa: S311  # spreads load, guards nothing


Defer = Callable[[uuid.UUID], Coroutine[Any, Any, None]]


async def dispatch(database: Database, courier: Courier, defer: Defer) -> None:
    """Have every endpoint drained to which something is due and that isn't being served here already."""
    async with database.transaction() as transaction:
        endpoints = await queue.due_endpoints(transaction)
    for endpoint_id in endpoints:
        if not courier.serves(endpoint_id):
            await defer(endpoint_id)
