"""The queue of deliveries: finds due ones, leases them, and records their attempts.

Of an endpoint's pending deliveries about one deal (or contact), only the oldest may be sent. The clock is the
database's, because workers run on machines whose clocks differ.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Boolean, ColumnElement, Double, Integer, Text, Update, Uuid, func, literal_column, update

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, Statement, from_file, param, rows_param_type
from crm_graph.delivery import disabled_reasons
from crm_graph.models import DeliveryStatus, WebhookDelivery, table

LEASE_SECONDS = 20  # longer than the deadline of a request, so that nobody else sends what is being sent
OUTAGE_FAILURES = 5  # in a row; from then on one delivery at a time tests whether the endpoint is back
OWNER_JOBS_MAX = 16  # endpoints of one owner that are sent to at once, by all workers together
TURN_SECONDS = 30.0  # then, of an owner with more endpoints than that, others come first
CANDIDATES_MAX = 1_000  # due deliveries of each endpoint among which the oldest sendable one is looked for
# A literal: with a parameter, PostgreSQL can't know that the index of pending deliveries has all that it needs.
PENDING: ColumnElement[str] = literal_column(f"'{DeliveryStatus.PENDING}'")


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """The result of one attempt: the delivery's new status and, while it is pending, the seconds until the next one."""

    delivery_id: uuid.UUID
    status: DeliveryStatus
    wait: float
    attempted_at: datetime
    duration_ms: int
    status_code: int | None
    answer: str | None
    error: str | None
    is_internal: bool
    is_gone: bool = False
    endpoint_wait: float = 0.0  # seconds that the endpoint asks to be left alone

    @property
    def is_success(self) -> bool:
        """Whether the endpoint accepted the delivery."""
        return self.status is DeliveryStatus.DELIVERED


class LeasedDelivery(NamedTuple):
    """A delivery under a lease, with all that is needed to send it. `failures` are the endpoint's, in a row."""

    id: uuid.UUID
    attempts: int
    position: int
    event_id: uuid.UUID
    payload: dict[str, Any]
    traceparent: str | None
    url: str
    headers: dict[str, str]
    secret: str
    owner_id: uuid.UUID
    role: str
    failures: int
    previous_secret: str | None


class Backlog(NamedTuple):
    """The state of the queue.

    `pending` deliveries by state, recently `settled` ones by status, `endpoints` by state. `oldest_due_age` is how
    many seconds the oldest sendable delivery has been due; 0 without one.
    """

    pending: dict[str, int]
    settled: dict[str, int]
    endpoints: dict[str, int]
    is_paused: bool
    oldest_due_age: float


class DueEndpoint(NamedTuple):
    """An endpoint that has a delivery to send now. `is_busy` if it has a job, waiting or running.

    It is not its turn while other endpoints of its owner have OWNER_JOBS_MAX jobs.
    """

    id: uuid.UUID
    is_busy: bool
    is_its_turn: bool


class _Health(NamedTuple):
    was_down: bool


async def due_endpoints(transaction: Transaction) -> list[DueEndpoint]:
    """The endpoints that have a delivery to send now."""
    return await _DUE_ENDPOINTS.rows(transaction, max_jobs=OWNER_JOBS_MAX, turn_seconds=TURN_SECONDS)


async def lease(transaction: Transaction, endpoint_id: uuid.UUID, limit: int) -> list[LeasedDelivery]:
    """Lease at most `limit` deliveries for LEASE_SECONDS, oldest first; only one during an outage."""
    return await _LEASE.rows(
        transaction,
        endpoint_id=endpoint_id,
        max_rows=limit,
        lease_seconds=LEASE_SECONDS,
        outage_failures=OUTAGE_FAILURES,
    )


async def record_attempts(transaction: Transaction, results: Sequence[AttemptResult]) -> None:
    """Record attempts, with the status of their deliveries."""
    fields = ("status", "wait", "attempted_at", "duration_ms", "status_code", "answer", "error", "is_internal")
    rows = [{"id": one.delivery_id, **{name: getattr(one, name) for name in fields}} for one in results]
    await _RECORD_ATTEMPTS.run(transaction, attempts=rows)


async def update_endpoint_health(
    transaction: Transaction, endpoint_id: uuid.UUID, results: Sequence[AttemptResult], back_off: float
) -> None:
    """Update the failures of an endpoint from attempts, in the order in which they ended; disable it if needed.

    During an outage nothing is sent for `back_off` seconds. When it ends, everything that waits is due at once.
    """
    failed = [not one.is_success for one in reversed(results)]
    has_success = False in failed
    row = await _UPDATE_ENDPOINT_HEALTH.one(
        transaction,
        endpoint_id=endpoint_id,
        failures=failed.index(False) if has_success else len(failed),
        has_success=has_success,
        is_gone=any(one.is_gone for one in results),
        outage_failures=OUTAGE_FAILURES,
        back_off=back_off,
        retry_after=max(one.endpoint_wait for one in results),
        disable_after=disabled_reasons.DISABLE_AFTER.total_seconds(),
        gone_reason=disabled_reasons.GONE,
        failing_reason=disabled_reasons.FAILING,
    )
    if row is not None and row.was_down and has_success:
        await make_due(transaction, endpoint_id)


async def make_due(transaction: Transaction, endpoint_id: uuid.UUID) -> None:
    """Make all pending deliveries of an endpoint due now."""
    await _MAKE_DUE.run(transaction, endpoint_id=endpoint_id)


async def backlog(transaction: Transaction, max_rows: int, recent: timedelta) -> Backlog:
    """The state of the queue. Counts at most `max_rows` pending and as many settled deliveries."""
    row = await _BACKLOG.one(
        transaction,
        max_rows=max_rows,
        max_candidates=CANDIDATES_MAX,
        recent_seconds=recent.total_seconds(),
        outage_failures=OUTAGE_FAILURES,
    )
    assert row is not None, "it selects one row"
    return row


def _make_due() -> Update:
    deliveries = table(WebhookDelivery)
    c = deliveries.c
    waiting = (c.endpoint_id == param(WebhookDelivery, "endpoint_id"), c.status == PENDING, c.due_at > func.now())
    return update(deliveries).values(due_at=func.now()).where(*waiting)


_DUE_ENDPOINTS = Query(DueEndpoint, from_file("due_endpoints.sql", max_jobs=Integer(), turn_seconds=Double()))
_MAKE_DUE = Statement(_make_due)
_RECORD_ATTEMPTS = Statement(from_file("record_attempts.sql", attempts=rows_param_type()))
_BACKLOG = Query(
    Backlog,
    from_file(
        "delivery_backlog.sql",
        max_rows=Integer(),
        max_candidates=Integer(),
        recent_seconds=Double(),
        outage_failures=Integer(),
    ),
)
_LEASE = Query(
    LeasedDelivery,
    from_file(
        "lease_deliveries.sql",
        endpoint_id=Uuid(),
        max_rows=Integer(),
        lease_seconds=Integer(),
        outage_failures=Integer(),
    ),
)
_UPDATE_ENDPOINT_HEALTH = Query(
    _Health,
    from_file(
        "update_endpoint_health.sql",
        endpoint_id=Uuid(),
        failures=Integer(),
        has_success=Boolean(),
        is_gone=Boolean(),
        outage_failures=Integer(),
        back_off=Double(),
        retry_after=Double(),
        disable_after=Double(),
        gone_reason=Text(),
        failing_reason=Text(),
    ),
)
