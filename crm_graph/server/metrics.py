"""GET /metrics: the counters of this process, and the state of inbox and deliveries, read from the database."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from multiprocessing import parent_process
from typing import NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from sqlalchemy import ARRAY, Integer, Text

from crm_graph.database.engine import Database, PoolState
from crm_graph.database.statements import Query, from_file
from crm_graph.delivery import queue
from crm_graph.errors import NotFound, Unauthenticated, Unavailable
from crm_graph.server.databases import for_checks
from crm_graph.settings import Settings
from crm_graph.telemetry.metrics import Metrics
from crm_graph.web import signatures
from crm_graph.web.requests import authorization
from webhooks.registry import PROVIDERS
from webhooks.signatures import is_local

READ_SECONDS = 2.0  # for reading the database
COUNTED_MAX = 10_000  # counting stops there
RECENT = timedelta(minutes=5)


def create_router(settings: Settings, database: Database, metrics: Metrics) -> APIRouter:
    """The endpoint. It needs METRICS_TOKEN; without that setting, only programs on this machine can read it."""
    token = settings.metrics_token.get_secret_value().encode() if settings.metrics_token else None
    one_at_a_time = asyncio.Lock()  # concurrent requests use one connection
    router = APIRouter()

    async def scrape(request: Request) -> Response:
        _authorize(request, token)
        async with one_at_a_time:
            reading = await read(for_checks(database))
        registry = CollectorRegistry()
        registry.register(ProcessMetrics(metrics.registry, database.pools()))
        registry.register(DatabaseMetrics(reading))
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=media_type)

    router.add_route("/metrics", scrape, methods=["GET"])
    return router


def _authorize(request: Request, token: bytes | None) -> None:
    """Raises Unauthenticated for a wrong token. If no token is set, raises NotFound for other machines."""
    if token is None:
        if not is_local(request):
            raise NotFound("only this machine can read the metrics; set METRICS_TOKEN to read them from elsewhere")
        return
    values = authorization(request)
    scheme, _, token_sent = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not signatures.verify_token(
        [token], token_sent.strip().encode("latin-1", "replace")
    ):
        raise Unauthenticated("send METRICS_TOKEN as Authorization: Bearer ...")


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


class ProcessMetrics:
    """The counters of this process and the state of its pools.

    With `--workers`, each scrape reaches one of several processes. A label keeps their counters apart, which would
    otherwise look as if they were reset.
    """

    def __init__(self, own: CollectorRegistry, pools: list[PoolState]) -> None:
        self._own, self._pools = own, pools
        self._labels = {"process": str(os.getpid())} if parent_process() else {}

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        for metric in (*self._own.collect(), *self._gauges()):
            metric.samples = [sample._replace(labels=sample.labels | self._labels) for sample in metric.samples]
            yield metric

    def _gauges(self) -> Iterator[Metric]:
        yield _gauge("info", "The version of crm-graph.", {version("crm-graph"): 1}, "version")
        for name in ("size", "in_use", "idle"):
            values = {pool.name: getattr(pool, name) for pool in self._pools}
            yield _gauge(f"database_connections_{name}", f"Connections of this process: {name}.", values, "pool")


class DatabaseMetrics:
    """The metrics that are read from the database."""

    def __init__(self, reading: Reading | None) -> None:
        self._reading = reading

    def collect(self) -> Iterator[Metric]:
        """Every metric; only `database_up` if the database did not answer."""
        up = "Whether the database answered within 2 s; if not, its metrics are missing."
        yield _gauge("database_up", up, self._reading is not None)
        if self._reading is not None:
            yield from self._inbox(self._reading)
            yield from self._deliveries(self._reading.backlog)

    def _inbox(self, reading: Reading) -> Iterator[Metric]:
        age = "Time since the last webhook of each source that has sent one."
        yield _gauge("last_event_age_seconds", age, reading.last_webhooks, "source")
        unapplied = f"Stored webhooks that are not applied, up to {COUNTED_MAX}."
        yield _gauge("webhooks_unapplied", unapplied, reading.unapplied, "status")

    def _deliveries(self, backlog: queue.Backlog) -> Iterator[Metric]:
        pending = f"Deliveries that are not settled; counted up to {COUNTED_MAX}."
        yield _gauge("deliveries_pending", pending, backlog.pending, "state")
        settled = f"Deliveries settled in the last 5 minutes, up to {COUNTED_MAX}."
        yield _gauge("deliveries_settled_5m", settled, backlog.settled, "status")
        oldest = "How long the oldest sendable delivery has been due; 0 without one."
        yield _gauge("deliveries_oldest_due_age_seconds", oldest, backlog.oldest_due_age)
        yield _gauge("webhook_endpoints", "Endpoints, by state.", backlog.endpoints, "state")
        yield _gauge("deliveries_paused", "Whether deliveries are paused.", backlog.is_paused)


def _gauge(name: str, help_: str, values: float | Mapping[str, float], label: str | None = None) -> Metric:
    """One value, or one for each value of a label."""
    gauge = GaugeMetricFamily(f"crm_graph_{name}", help_, labels=[label] if label else [])
    if isinstance(values, Mapping):
        for key, value in values.items():
            gauge.add_metric([key], float(value))
    else:
        gauge.add_metric([], float(values))
    return gauge


_LAST_WEBHOOKS = Query(_LastWebhook, from_file("last_webhook_ages.sql", sources=ARRAY(Text)))
_UNAPPLIED = Query(_Unapplied, from_file("unapplied_webhooks.sql", max_rows=Integer()))
