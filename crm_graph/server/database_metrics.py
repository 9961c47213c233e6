"""The state of inbox and deliveries, read from the database: the same from every process."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from prometheus_client import Metric
from sqlalchemy import ARRAY, Integer, Text

from crm_graph.database.engine import Database
from crm_graph.database.statements import Query, from_file
from crm_graph.delivery import queue
from crm_graph.errors import Unavailable
from crm_graph.telemetry.metrics import gauge
from webhooks.registry import PROVIDERS

READ_SECONDS = 2.0  # for reading the database
COUNTED_MAX = 10_000  # counting stops there
RECENT = timedelta(minutes=5)


class _LastWebhook(NamedTuple):
    source: str
    age: float | None  # seconds


class _Unapplied(NamedTuple):
    status: str
    webhooks: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The values that were read from the database."""

    last_webhooks: dict[str, float]  # seconds since the last webhook of each source
    unapplied: dict[str, int]  # stored webhooks that are not applied, by status
    backlog: queue.Backlog


async def read(database: Database) -> Reading | None:
    """Read the database; None when it does not answer within READ_SECONDS."""
    try:
        async with database.transaction(seconds=READ_SECONDS) as transaction:
            last = await _LAST_WEBHOOKS.rows(transaction, sources=list(PROVIDERS))
            unapplied = await _UNAPPLIED.rows(transaction, max_rows=COUNTED_MAX)
            backlog = await queue.backlog(transaction, COUNTED_MAX, RECENT)
    except Unavailable:
        return None
    return Reading(
        {row.source: row.age for row in last if row.age is not None},
        {row.status: row.webhooks for row in unapplied},
        backlog,
    )


class DatabaseMetrics:
    """The metrics that are read from the database."""

    def __init__(self, reading: Reading | None) -> None:
        self._reading = reading

    def collect(self) -> Iterator[Metric]:
        """Every metric; only `database_up` if the database did not answer."""
        up = "Whether the database answered within 2 s; if not, its metrics are missing."
        yield gauge("database_up", up, self._reading is not None)
        if self._reading is not None:
            yield from self._inbox(self._reading)
            yield from self._deliveries(self._reading.backlog)

    def _inbox(self, reading: Reading) -> Iterator[Metric]:
        age = "Time since the last webhook of each source that has sent one."
        yield gauge("last_event_age_seconds", age, reading.last_webhooks, "source")
        unapplied = f"Stored webhooks that are not applied, up to {COUNTED_MAX}."
        yield gauge("webhooks_unapplied", unapplied, reading.unapplied, "status")

    def _deliveries(self, backlog: queue.Backlog) -> Iterator[Metric]:
        pending = f"Deliveries that are not settled; counted up to {COUNTED_MAX}."
        yield gauge("deliveries_pending", pending, backlog.pending, "state")
        settled = f"Deliveries settled in the last 5 minutes, up to {COUNTED_MAX}."
        yield gauge("deliveries_settled_5m", settled, backlog.settled, "status")
        oldest = "How long the oldest sendable delivery has been due; 0 without one."
        yield gauge("deliveries_oldest_due_age_seconds", oldest, backlog.oldest_due_age)
        yield gauge("webhook_endpoints", "Endpoints, by state.", backlog.endpoints, "state")
        yield gauge("deliveries_paused", "Whether deliveries are paused.", backlog.is_paused)


_LAST_WEBHOOKS = Query(_LastWebhook, from_file("last_webhook_ages.sql", sources=ARRAY(Text)))
_UNAPPLIED = Query(_Unapplied, from_file("unapplied_webhooks.sql", max_rows=Integer()))
