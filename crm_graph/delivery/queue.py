"""The queue of deliveries: which are due, taking them under a lease, and writing down what came of them.

Of the deliveries of one endpoint that are about one deal (or contact), only the oldest that is pending may go. The
clock is the database's: workers run on machines whose clocks differ.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Double, Integer, Uuid

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import in_sql, rows_param_type
from crm_graph.models import DeliveryStatus

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
    return await _TAKE.rows(transaction, endpoint_id=endpoint_id, limit=limit, outage=OUTAGE, lease=LEASE_SECONDS)


async def settle(transaction: Transaction, outcomes: Sequence[Outcome]) -> None:
    """Write down what came of attempts."""
    fields = ("status", "wait", "attempted_at", "duration_ms", "status_code", "answer", "error")
    rows = [{"id": one.delivery_id, **{name: getattr(one, name) for name in fields}} for one in outcomes]
    await _SETTLE.run(transaction, outcomes=rows)


async def judge(transaction: Transaction, endpoint_id: uuid.UUID, outcomes: Sequence[Outcome], back_off: float) -> None:
    """Write down what attempts, in the order in which they ended, say of an endpoint that fails, or has failed.

    `back_off` are the seconds without a request if it is down. When it is back, what waited is due at once.
    """
    failed = list(reversed([not one.is_success for one in outcomes]))
    since_success = failed.index(False) if False in failed else len(failed)
    row = await _JUDGE.one(
        transaction,
        endpoint_id=endpoint_id,
        failed=since_success,
        succeeded=int(False in failed),
        gone=int(any(one.is_gone for one in outcomes)),
        outage=OUTAGE,
        back_off=back_off,
        asked=max(one.endpoint_wait for one in outcomes),
        disable_after=DISABLE_AFTER.total_seconds(),
    )
    if row and row.was_down and False in failed:
        await _FLUSH.run(transaction, endpoint_id=endpoint_id)


async def release(transaction: Transaction, delivery_ids: Sequence[uuid.UUID]) -> None:
    """Give back what was taken and not sent."""
    await _RELEASE.run(transaction, ids=[{"id": id_} for id_ in delivery_ids])


async def backlog(transaction: Transaction, at_most: int, recent: timedelta) -> Any:
    """How the queue stands: deliveries `pending` by state, `settled` recently by status, each of at most so many rows;
    `oldest_due_age` in seconds, of those that could go now; `endpoints` by state; `is_paused`.
    """
    asked = {"at_most": at_most, "looked_at": LOOKED_AT, "recent": recent.total_seconds(), "outage": OUTAGE}
    return await _BACKLOG.one(transaction, **asked)


# Whether an endpoint `w` may be sent anything, as an `o` who is active wants.
_OPEN = """w.disabled_at IS NULL AND o.active AND (w.retry_at IS NULL OR w.retry_at <= now())
    AND NOT EXISTS (SELECT FROM deployment WHERE paused_at IS NOT NULL)"""
# Whether a delivery `d` may go.
_ITS_TIME = "d.status = 'pending' AND d.due_at <= now() AND (d.leased_until IS NULL OR d.leased_until < now())"
_ITS_TURN = """NOT EXISTS (SELECT FROM webhook_deliveries AS e WHERE e.endpoint_id = d.endpoint_id
        AND e.order_key = d.order_key AND e.status = 'pending' AND e.position < d.position)"""
_READY = f"{_ITS_TIME} AND {_ITS_TURN}"


def _counts(rows: str, column: str, *values: str) -> str:
    """SQL: how many of the rows have each of these values, as a JSON object."""
    counts = ", ".join(f"'{value}', count(*) FILTER (WHERE {column} = '{value}')" for value in values)
    return f"(SELECT jsonb_build_object({counts}) FROM {rows})"  # noqa: S608


_DUE = in_sql(
    f"""SELECT w.id FROM webhook_endpoints AS w JOIN owners AS o ON o.id = w.owner_id
    WHERE {_OPEN} AND EXISTS (SELECT FROM webhook_deliveries AS d WHERE d.endpoint_id = w.id AND {_READY})"""  # noqa: S608
)
_PAUSED = "EXISTS (SELECT FROM deployment WHERE paused_at IS NOT NULL)"
_BACKLOG = in_sql(
    f"""WITH pending AS (
        SELECT endpoint_id, due_at, leased_until FROM webhook_deliveries WHERE status = 'pending' LIMIT :_at_most
    ), states AS (
        SELECT CASE WHEN d.leased_until > now() THEN 'sending'
            WHEN w.disabled_at IS NOT NULL OR NOT o.active OR {_PAUSED} THEN 'held'
            WHEN d.due_at > now() OR w.retry_at > now() THEN 'waiting' ELSE 'due' END AS state
        FROM pending AS d JOIN webhook_endpoints AS w ON w.id = d.endpoint_id JOIN owners AS o ON o.id = w.owner_id
    ), settled AS (
        SELECT status FROM webhook_deliveries WHERE settled_at > now() - :_recent * interval '1 second'
        ORDER BY settled_at DESC LIMIT :_at_most
    ), endpoints AS (
        SELECT CASE WHEN w.disabled_at IS NOT NULL THEN 'disabled' WHEN NOT o.active THEN 'inactive'
            WHEN w.failures >= :_outage THEN 'down' WHEN w.failures > 0 THEN 'failing' ELSE 'ok' END AS state
        FROM webhook_endpoints AS w JOIN owners AS o ON o.id = w.owner_id
    )
    SELECT {_counts("states", "state", "due", "sending", "waiting", "held")} AS pending,
        {_counts("settled", "status", "delivered", "failed", "cancelled")} AS settled,
        {_counts("endpoints", "state", "ok", "failing", "down", "disabled", "inactive")} AS endpoints,
        {_PAUSED} AS is_paused,
        coalesce((SELECT CAST(EXTRACT(EPOCH FROM now() - min(oldest.due_at)) AS float)
            FROM webhook_endpoints AS w JOIN owners AS o ON o.id = w.owner_id CROSS JOIN LATERAL (
                SELECT d.due_at FROM (
                    SELECT d.* FROM webhook_deliveries AS d WHERE d.endpoint_id = w.id AND {_ITS_TIME}
                    ORDER BY d.due_at LIMIT :_looked_at) AS d
                WHERE {_ITS_TURN} ORDER BY d.due_at LIMIT 1) AS oldest
            WHERE {_OPEN}), 0) AS oldest_due_age""",  # noqa: S608
    at_most=Integer(),
    looked_at=Integer(),
    recent=Double(),
    outage=Integer(),
)
_TAKE = in_sql(
    f"""WITH endpoint AS (
        SELECT w.*, o.role FROM webhook_endpoints AS w JOIN owners AS o ON o.id = w.owner_id
        WHERE w.id = :_endpoint_id AND {_OPEN}
    ), ready AS (
        SELECT d.id FROM webhook_deliveries AS d WHERE d.endpoint_id = (SELECT id FROM endpoint) AND {_READY}
        ORDER BY d.position
        LIMIT (SELECT CASE WHEN failures >= :_outage THEN 1 ELSE :_limit END FROM endpoint)
        FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE webhook_deliveries AS d SET leased_until = now() + :_lease * interval '1 second'
        FROM ready WHERE d.id = ready.id RETURNING d.*
    )
    SELECT taken.id, taken.attempts, taken.position, event.id AS event_id, event.payload, event.traceparent,
        endpoint.url, endpoint.headers, endpoint.secret, endpoint.owner_id, endpoint.role, endpoint.failures,
        CASE WHEN endpoint.previous_secret_until > now() THEN endpoint.previous_secret END AS previous_secret
    FROM taken JOIN events AS event ON event.id = taken.event_id CROSS JOIN endpoint
    ORDER BY taken.position""",  # noqa: S608
    endpoint_id=Uuid(),
    outage=Integer(),
    limit=Integer(),
    lease=Integer(),
)
_SETTLE = in_sql(
    """WITH told AS (
        SELECT * FROM jsonb_to_recordset(CAST(:_outcomes AS jsonb)) AS t (id uuid, status text, wait float,
            attempted_at timestamptz, duration_ms int, status_code int, answer text, error text)
    ), settled AS (
        UPDATE webhook_deliveries AS d SET attempts = d.attempts + 1, leased_until = NULL, status = told.status,
            due_at = now() + told.wait * interval '1 second',
            settled_at = CASE WHEN told.status <> 'pending' THEN now() END
        FROM told WHERE d.id = told.id AND d.status = 'pending' RETURNING d.id
    )
    INSERT INTO webhook_attempts (delivery_id, attempted_at, duration_ms, status_code, answer, error)
    SELECT told.id, told.attempted_at, told.duration_ms, told.status_code, told.answer, told.error
    FROM told JOIN settled ON settled.id = told.id""",
    outcomes=rows_param_type(),
)
# `failed` of them failed since the last success, or all. The row is read before it is changed. What was under way when
# the endpoint went down fails as well, maybe a moment later: that is the same outage, and makes it no longer.
_JUDGE = in_sql(
    """WITH before AS (
        SELECT id, failures >= :_outage AS was_down,
            :_succeeded = 0 AND failures >= :_outage AND retry_at > now() AS is_late,
            CASE WHEN :_succeeded > 0 THEN least(:_failed, :_outage)
                WHEN failures < :_outage THEN least(failures + :_failed, :_outage)
                WHEN retry_at > now() THEN failures ELSE failures + 1 END AS failures,
            CASE WHEN :_failed = 0 THEN NULL WHEN :_succeeded > 0 THEN now()
                ELSE coalesce(failing_since, now()) END AS failing_since
        FROM webhook_endpoints WHERE id = :_endpoint_id AND (:_failed > 0 OR failures > 0 OR :_asked > 0)
        FOR UPDATE
    ), judged AS (
        UPDATE webhook_endpoints AS w SET failures = before.failures, failing_since = before.failing_since,
            retry_at = CASE WHEN before.is_late THEN greatest(w.retry_at, now() + :_asked * interval '1 second')
                WHEN before.failures >= :_outage OR :_asked > 0
                THEN now() + greatest(:_asked, CASE WHEN before.failures >= :_outage THEN :_back_off ELSE 0 END)
                    * interval '1 second' END,
            disabled_at = CASE WHEN :_gone > 0 OR before.failing_since < now() - :_disable_after * interval '1 second'
                THEN now() ELSE w.disabled_at END,
            disabled_reason = CASE WHEN :_gone > 0 THEN 'it answered 410 Gone'
                WHEN before.failing_since < now() - :_disable_after * interval '1 second'
                THEN 'it has failed for 5 days' ELSE w.disabled_reason END
        FROM before WHERE w.id = before.id AND w.disabled_at IS NULL
    )
    SELECT was_down FROM before""",
    endpoint_id=Uuid(),
    failed=Integer(),
    succeeded=Integer(),
    gone=Integer(),
    outage=Integer(),
    back_off=Double(),
    asked=Double(),
    disable_after=Double(),
)
_FLUSH = in_sql(
    """UPDATE webhook_deliveries SET due_at = now()
    WHERE endpoint_id = :_endpoint_id AND status = 'pending' AND due_at > now()""",
    endpoint_id=Uuid(),
)
_RELEASE = in_sql(
    """UPDATE webhook_deliveries SET leased_until = NULL
    WHERE id IN (SELECT id FROM jsonb_to_recordset(CAST(:_ids AS jsonb)) AS t (id uuid)) AND status = 'pending'""",
    ids=rows_param_type(),
)
