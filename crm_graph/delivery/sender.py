"""Sends the deliveries that the queue holds for an endpoint, signed, and schedules the next attempt of failed ones.

At least once, and in order for each deal. A failed delivery is retried for two days. During an outage, one delivery
at a time tests the endpoint; when it is back, it gets the others at once.
"""

import asyncio
import logging
import random
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from importlib.metadata import version
from time import monotonic

import orjson

from crm_graph.database.engine import Database
from crm_graph.delivery import internal_targets, queue, redaction
from crm_graph.delivery.queue import OUTAGE_FAILURES, AttemptResult, LeasedDelivery
from crm_graph.egress.client import HttpClient, PostResult
from crm_graph.egress.networks import Networks
from crm_graph.models import DeliveryStatus, Role
from crm_graph.telemetry import tracing
from crm_graph.web import signatures

log = logging.getLogger(__name__)

USER_AGENT = f"crm-graph/{version('crm-graph')}"
CONCURRENT_MAX = 16  # requests at once to one endpoint
SLICE_SECONDS = 30.0  # after which a job makes room for the jobs of other endpoints
LINGER_SECONDS = 0.5  # waits for more deliveries before a job ends: starting a job takes longer than sending
MINUTE, HOUR = 60.0, 3600.0
BACKOFF = (5.0, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 24 * HOUR)
JITTER = 0.2  # the random part of a wait, so that deliveries that failed together are not retried together
ABOUT_ENDPOINT = frozenset({429, 503})  # the statuses whose Retry-After is about the endpoint, not about the request


class DeliverySender:
    """Sends the deliveries of endpoints; each worker process has one."""

    def __init__(self, database: Database, http: HttpClient, networks: Networks) -> None:
        self._database, self._http, self._networks = database, http, networks
        self._wake_ups: dict[uuid.UUID, asyncio.Event] = {}  # of the endpoints that are being drained
        self._stopping = False
        self.is_crowded = False  # while endpoints wait for their turn

    def is_draining(self, endpoint_id: uuid.UUID) -> bool:
        """Whether this process is sending the endpoint's deliveries now."""
        return endpoint_id in self._wake_ups

    def wake(self) -> None:
        """Look for due deliveries of every endpoint that is being drained."""
        for wake_up in self._wake_ups.values():
            wake_up.set()

    def stop(self) -> None:
        """Lease no more deliveries; the ones being sent are finished."""
        self._stopping = True
        self.wake()

    async def drain(self, endpoint_id: uuid.UUID) -> None:
        """Send all due deliveries of an endpoint, and those that become due meanwhile."""
        wake_up = self._wake_ups[endpoint_id] = asyncio.Event()
        requests = _Requests(self._database, self._http, self._networks, endpoint_id)
        ends_at = monotonic() + SLICE_SECONDS
        try:
            while True:
                wake_up.clear()
                is_over = self._stopping or monotonic() > ends_at
                linger = 0.0 if self.is_crowded else LINGER_SECONDS
                await requests.record_and_lease(0 if is_over else CONCURRENT_MAX)
                if requests.is_empty and (is_over or not await _is_woken(wake_up, linger)):
                    return
                await requests.wait(wake_up)
        finally:
            del self._wake_ups[endpoint_id]
            await requests.cancel()


async def _is_woken(wake_up: asyncio.Event, seconds: float) -> bool:
    """Wait for so many seconds at most; whether there may be more to send."""
    try:
        async with asyncio.timeout(seconds):
            return await wake_up.wait()
    except TimeoutError:
        return False


class _Requests:
    """The requests to one endpoint: those in progress, and the results that are not recorded yet."""

    def __init__(self, database: Database, http: HttpClient, networks: Networks, endpoint_id: uuid.UUID) -> None:
        self._database, self._http, self._networks, self._endpoint_id = database, http, networks, endpoint_id
        self._in_progress: set[asyncio.Task[AttemptResult | None]] = set()
        self._results: list[AttemptResult] = []
        self._failures = 0

    @property
    def is_empty(self) -> bool:
        """Whether no request is in progress and no result waits to be recorded."""
        return not self._in_progress and not self._results

    async def record_and_lease(self, max_requests: int) -> None:
        """Record the results and start more requests, up to `max_requests`, with one transaction in between."""
        results, self._results = self._results, []
        free = max_requests - len(self._in_progress)
        if not results and free <= 0:
            return
        async with self._database.transaction(source="crm-graph") as transaction:
            if results:
                await queue.record_attempts(transaction, results)
            if results and (self._failures or not all(one.is_success for one in results)):
                back_off = backoff_seconds(max(0, self._failures + 1 - OUTAGE_FAILURES))
                await queue.update_endpoint_health(transaction, self._endpoint_id, results, back_off)
                self._failures = max(1, self._failures)  # until it is read again
            leased = await queue.lease(transaction, self._endpoint_id, free) if free > 0 else []
        for delivery in leased:
            self._failures = delivery.failures
            self._in_progress.add(asyncio.create_task(_attempt(self._http, self._networks, delivery)))

    async def wait(self, wake_up: asyncio.Event) -> None:
        """Wait until a request has ended or `wake_up` is set."""
        if not self._in_progress or wake_up.is_set():
            return
        waiter = asyncio.create_task(wake_up.wait())
        await asyncio.wait({*self._in_progress, waiter}, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        for task in [task for task in self._in_progress if task.done()]:
            self._in_progress.remove(task)
            result = task.result()
            self._results += [result] if result is not None else []

    async def cancel(self) -> None:
        """Cancel the requests in progress; their deliveries are due again when their leases end."""
        for task in self._in_progress:
            task.cancel()
        await asyncio.gather(*self._in_progress, return_exceptions=True)


async def _attempt(http: HttpClient, networks: Networks, delivery: LeasedDelivery) -> AttemptResult | None:
    """Send a delivery. None if that was postponed: it is no attempt, and the delivery is due when its lease ends."""
    number = delivery.attempts + 1
    details: dict[str, str | int] = {"delivery": str(delivery.id), "event": str(delivery.event_id), "attempt": number}
    with tracing.span("deliver", delivery.traceparent, kind="client", attributes=details) as span:
        now = datetime.now(UTC)
        reachable = internal_targets.reachable(networks, Role(delivery.role))
        attempt = await http.post(delivery.url, *_request(delivery, now), reachable, owner_id=delivery.owner_id)
        if attempt.is_postponed:
            log.info("delivery postponed: %s", attempt.error, extra={"details": details})
            return None
        answer = {"status": attempt.status, "ms": attempt.duration_ms} | (
            {"error": attempt.error} if attempt.error else {}
        )
        log.info("delivered" if attempt.is_success else "delivery failed", extra={"details": {**details, **answer}})
        if attempt.status is not None:
            span.set_attribute("http.response.status_code", attempt.status)
        if not attempt.is_success:
            tracing.mark_failed(str(attempt.status or "no answer"))
    status, wait = _next_status(attempt, number)
    retry_after = attempt.retry_after.total_seconds() if attempt.retry_after and not attempt.is_success else 0.0
    return AttemptResult(
        delivery_id=delivery.id,
        status=status,
        wait=max(wait, retry_after),
        attempted_at=now,
        duration_ms=attempt.duration_ms,
        status_code=attempt.status,
        answer=attempt.response,
        error=attempt.error,
        is_internal=attempt.is_internal,
        is_gone=attempt.is_gone,
        endpoint_wait=retry_after if attempt.status in ABOUT_ENDPOINT else 0.0,
    )


def _request(delivery: LeasedDelivery, now: datetime) -> tuple[dict[str, str], bytes]:
    """The headers and the body. An endpoint's own headers never replace ours."""
    body = orjson.dumps(redaction.redact(delivery.payload, delivery.owner_id, Role(delivery.role)))
    secrets = [delivery.secret, *([delivery.previous_secret] if delivery.previous_secret else [])]
    signed = signatures.delivery_headers(secrets, str(delivery.event_id), body, now)
    headers = {**delivery.headers, "content-type": "application/json", "user-agent": USER_AGENT, **signed}
    traceparent = tracing.current_traceparent()
    if traceparent is not None:
        headers["traceparent"] = traceparent
    return headers, body


def _next_status(attempt: PostResult, number: int) -> tuple[DeliveryStatus, float]:
    """A delivery's status after its attempt of this number, from 1, and the seconds until the next attempt."""
    if attempt.is_success:
        return DeliveryStatus.DELIVERED, 0.0
    if number > len(BACKOFF):
        return DeliveryStatus.FAILED, 0.0
    return DeliveryStatus.PENDING, backoff_seconds(number - 1)


def backoff_seconds(failures: int) -> float:
    """The seconds to wait after so many earlier failures, with jitter."""
    wait = BACKOFF[min(failures, len(BACKOFF) - 1)]
    return wait * (1 + JITTER * random.random())  # noqa: S311 - spreads load, not a secret


Defer = Callable[[uuid.UUID], Coroutine[object, object, None]]


async def dispatch(database: Database, sender: DeliverySender, defer: Defer) -> None:
    """Defer a drain job for every endpoint that has due deliveries and is not being drained by this process.

    Endpoints above their owner's share wait for their turn; the sender is then crowded.
    """
    async with database.transaction() as transaction:
        endpoints = await queue.due_endpoints(transaction)
    sender.is_crowded = any(not (one.is_its_turn or one.is_busy) for one in endpoints)
    for one in endpoints:
        if one.is_its_turn and not sender.is_draining(one.id):
            await defer(one.id)
