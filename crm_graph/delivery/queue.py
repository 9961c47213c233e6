"""The queue of deliveries: which are due, taking them under a lease, and writing down what came of them.

Of the deliveries of one endpoint that are about one deal (or contact), only the oldest that is pending may go. The
clock is the database's: workers run on machines whose clocks differ.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, Double, Integer, Text, Update, Uuid, func, update

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, from_file, param, rows_param_type
from crm_graph.models import DeliveryStatus, WebhookDelivery, table

LEASE_SECONDS = 20  # longer than the deadline of a request: nobody else sends what is being sent
OUTAGE = 5  # failures in a row, after which one delivery at a time tries whether the endpoint is back
DISABLE_AFTER = timedelta(days=5)
LOOKED_AT = 1_000  # of each endpoint's deliveries, for the oldest that could go: many may wait for one


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt: the delivery's status now and, while it is pending, the seconds until the next try."""

    delivery_id: uuid.UUID
    status: DeliveryStatus
    wait: float
    attempted_at: datetime
    duration_ms: int
    status_code: int | None
    answer: str | None
    error: str | None
    is_gone: bool = False
    endpoint_wait: float = 0.0  # that the endpoint itself asks for

    @property
    def is_success(self) -> bool:
        """Whether the endpoint took it."""
        return self.status is DeliveryStatus.DELIVERED


async def due_endpoints(transaction: Transaction) -> list[uuid.UUID]:
    """The endpoints to which something can be sent at this moment."""
    return [row.id for row in await _DUE.rows(transaction)]


async def take(transaction: Transaction, endpoint_id: uuid.UUID, limit: int) -> list[Any]:
    """Lease at most `limit` deliveries, oldest first, with all that is needed to send them; one during an outage."""
    return await _LEASE.rows(
        transaction, endpoint_id=endpoint_id, max_rows=limit, lease_seconds=LEASE_SECONDS, outage_failures=OUTAGE
    )


async def settle(transaction: Transaction, outcomes: Sequence[Outcome]) -> None:
    """Write down what came of attempts."""
    fields = ("status", "wait", "attempted_at", "duration_ms", "status_code", "answer", "error")
    rows = [{"id": one.delivery_id, **{name: getattr(one, name) for name in fields}} for one in outcomes]
    await _RECORD.run(transaction, attempts=rows)


async def judge(transaction: Transaction, endpoint_id: uuid.UUID, outcomes: Sequence[Outcome], back_off: float) -> None:
    """Write down what attempts, in the order in which they ended, say of an endpoint that fails, or has failed.

    `back_off` are the seconds without a request if it is down. When it is back, what waited is due at once.
    """
    failed = list(reversed([not one.is_success for one in outcomes]))
    since_success = failed.index(False) if False in failed else len(failed)
    row = await _UPDATE_HEALTH.one(
        transaction,
        endpoint_id=endpoint_id,
        failures=since_success,
        has_success=False in failed,
        is_gone=any(one.is_gone for one in outcomes),
        outage_failures=OUTAGE,
        back_off=back_off,
        retry_after=max(one.endpoint_wait for one in outcomes),
        disable_after=DISABLE_AFTER.total_seconds(),
        failing_reason=f"it has failed for {DISABLE_AFTER.days} days",
    )
    if row and row.was_down and False in failed:
        await _DUE_NOW.run(transaction, endpoint_id=endpoint_id)


async def backlog(transaction: Transaction, at_most: int, recent: timedelta) -> Any:
    """How the queue stands: deliveries `pending` by state, `settled` recently by status, each of at most so many rows;
    `oldest_due_age` in seconds, of those that could go now; `endpoints` by state; `is_paused`.
    """
    return await _BACKLOG.one(
        transaction,
        max_rows=at_most,
        max_candidates=LOOKED_AT,
        recent_seconds=recent.total_seconds(),
        outage_failures=OUTAGE,
    )


_DUE = Statement(from_file("due_endpoints.sql"))
_BACKLOG = Statement(
    from_file(
        "delivery_backlog.sql",
        max_rows=Integer(),
        max_candidates=Integer(),
        recent_seconds=Double(),
        outage_failures=Integer(),
    )
)
_LEASE = Statement(
    from_file(
        "lease_deliveries.sql",
        endpoint_id=Uuid(),
        max_rows=Integer(),
        lease_seconds=Integer(),
        outage_failures=Integer(),
    )
)
_RECORD = Statement(from_file("record_attempts.sql", attempts=rows_param_type()))
_UPDATE_HEALTH = Statement(
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
        failing_reason=Text(),
    )
)


def _due_now() -> Update:
    deliveries = table(WebhookDelivery)
    return (
        update(deliveries)
        .values(due_at=func.now())
        .where(
            deliveries.c.endpoint_id == param(WebhookDelivery, "endpoint_id"),
            deliveries.c.status == DeliveryStatus.PENDING,
            deliveries.c.due_at > func.now(),
        )
    )


_DUE_NOW = Statement(_due_now)
