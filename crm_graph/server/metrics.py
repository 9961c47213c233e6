"""GET /metrics: who may read it, at which port, and what it shows."""

import asyncio
from collections.abc import Iterable

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from starlette.types import ASGIApp, Receive, Scope, Send

from crm_graph.database.engine import Database
from crm_graph.errors import NotFound, Unauthenticated
from crm_graph.server.database_metrics import DatabaseMetrics, read
from crm_graph.server.databases import for_checks
from crm_graph.server.process_metrics import ProcessGroup, ProcessMetrics, merged
from crm_graph.settings import Settings
from crm_graph.telemetry.metrics import Metrics
from crm_graph.web import signatures
from crm_graph.web.pacing import mark_known
from crm_graph.web.requests import authorization
from webhooks.signatures import is_local

PATH = "/metrics"
CLOSED = f"{PATH} answers 401: set METRICS_TOKEN, or METRICS_PORT for a listener of its own"


def is_closed(settings: Settings) -> bool:
    """Whether no setting says who may read the metrics. Behind a proxy every client seems to be on this machine."""
    is_development = settings.crm_env == "development"
    return settings.metrics_token is None and settings.metrics_port is None and not is_development


def create_router(
    settings: Settings, database: Database, metrics: Metrics, processes: ProcessGroup | None = None
) -> APIRouter:
    """The endpoint; `processes` are the others of the same server."""
    own = ProcessMetrics(metrics, database, None if processes is None else processes.number)
    if processes is not None:
        processes.offer(own.collect)
    one_at_a_time = asyncio.Lock()  # concurrent requests use one connection
    router = APIRouter()

    async def scrape(request: Request) -> Response:
        _authorize(request, settings)
        mark_known(request)
        async with one_at_a_time:
            reading = await read(for_checks(database))
            others = [] if processes is None else await processes.of_others()
        registry = CollectorRegistry()
        registry.register(_Collected(merged((*own.collect(), *others, *DatabaseMetrics(reading).collect()))))
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=media_type)

    router.add_route(PATH, scrape, methods=["GET"])
    return router


class _Collected:
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _authorize(request: Request, settings: Settings) -> None:
    """Raises NotFound where the metrics are not served, Unauthenticated without the right token."""
    if settings.metrics_port is not None and not _is_at(settings.metrics_port, request.scope):
        raise NotFound(f"{PATH} has a port of its own: METRICS_PORT")
    if settings.metrics_token is not None:
        _check_token(request, settings.metrics_token.get_secret_value().encode())
    elif is_closed(settings):
        raise Unauthenticated(CLOSED)
    elif settings.metrics_port is None and not is_local(request):
        raise NotFound("only this machine can read the metrics; set METRICS_TOKEN to read them from elsewhere")


def _check_token(request: Request, token: bytes) -> None:
    values = authorization(request)
    scheme, _, token_sent = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not signatures.verify_token(
        [token], token_sent.strip().encode("latin-1", "replace")
    ):
        raise Unauthenticated("send METRICS_TOKEN as Authorization: Bearer ...")


def _is_at(port: int, scope: Scope) -> bool:
    """Whether the connection was accepted at this port. No header has a say in it."""
    return (scope.get("server") or (None, None))[1] == port


class MetricsPort:
    """Serves nothing but the metrics at METRICS_PORT. Both ports lead to one application, and so to its counters."""

    def __init__(self, app: ASGIApp, port: int, elsewhere: ASGIApp) -> None:
        self._app, self._port, self._elsewhere = app, port, elsewhere

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; `elsewhere` answers those for other paths."""
        is_other = scope["type"] != "lifespan" and scope["path"] != PATH and _is_at(self._port, scope)
        await (self._elsewhere if is_other else self._app)(scope, receive, send)
