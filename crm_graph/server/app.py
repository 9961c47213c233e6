"""The application: GraphQL, the webhook endpoints, the exports, the metrics and the health probes on one ASGI app."""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from crm_graph.database.engine import Database
from crm_graph.delivery import schemas
from crm_graph.errors import CrmError, NotFound, PayloadTooLarge, Unauthenticated
from crm_graph.graphql.engine.library_internals import graphql_schema
from crm_graph.graphql.transport.http import create_router as graphql_router
from crm_graph.graphql.transport.schema import build_schema
from crm_graph.graphql.transport.subscriptions import LIMITS, Limits
from crm_graph.identity.authenticator import Authenticator
from crm_graph.identity.tokens import Tokens
from crm_graph.intent import classify
from crm_graph.server.databases import for_checks, for_webhooks, owner_shares
from crm_graph.server.exports import create_router as download_router
from crm_graph.server.metrics import MetricsPort
from crm_graph.server.metrics import create_router as scraping_router
from crm_graph.server.probes import create_router as probe_router
from crm_graph.server.process_metrics import ProcessGroup
from crm_graph.settings import Settings
from crm_graph.telemetry.metrics import Metrics
from crm_graph.web.client_address import TrustedProxies
from crm_graph.web.middleware import RequestLog
from crm_graph.web.pacing import StrangerPacing
from crm_graph.web.requests import log_refusal
from webhooks.router import create_router as webhook_router


def create_app(
    settings: Settings, database: Database, *, limits: Limits = LIMITS, processes: ProcessGroup | None = None
) -> FastAPI:
    """The ASGI application; the caller closes `database`. Raises SetupError when a setting is missing.

    `processes` are those that share the port, if this is one of several.
    """
    classify("warm up")  # compiles the vocabularies, which takes up to a second, before the first reply needs them
    app = FastAPI(title="crm-graph", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    checks, shares = for_checks(database), owner_shares(database)
    authenticator, metrics = Authenticator(checks, Tokens.of(settings)), Metrics()
    routers = (
        webhook_router(settings, for_webhooks(database), metrics),
        graphql_router(graphql_schema(build_schema()), settings, database, authenticator, metrics, shares, limits),
        download_router(database, authenticator, shares),
        scraping_router(settings, database, metrics, processes),
        schemas.create_router(),
        probe_router(checks),
    )
    for router in routers:
        app.include_router(router)
    app.add_exception_handler(CrmError, _crm_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _internal_error)
    routes: dict[object, str] = {
        route.endpoint: route.path for part in routers for route in part.routes if isinstance(route, Route)
    }
    _add_middleware(app, settings, metrics, routes)
    return app


def _add_middleware(app: FastAPI, settings: Settings, metrics: Metrics, routes: Mapping[object, str]) -> None:
    """From the innermost to the outermost; `routes` are the templates of paths by their endpoints."""
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
    if settings.metrics_port is not None:
        app.add_middleware(MetricsPort, port=settings.metrics_port, elsewhere=_not_at_this_port)
    app.add_middleware(RequestLog, routes=routes, count=metrics.request)
    app.add_middleware(StrangerPacing)
    app.add_middleware(TrustedProxies, networks=settings.trusted_proxies)  # the outermost: all others see the client


async def _crm_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CrmError)
    log_refusal(request, error)
    return error_response(error)


def error_response(error: CrmError) -> JSONResponse:
    """A REST error: `{"error": code, "message": what and where}`."""
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, PayloadTooLarge):
        headers["Connection"] = "close"  # otherwise the server would read the rest of the body and discard it
    return JSONResponse({"error": error.code.lower(), "message": error.message}, error.status, headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "bad_request")
    message = f"{request.method} {request.url.path[:200]}: {str(error.detail).lower()}"
    return JSONResponse({"error": code, "message": message}, error.status_code, error.headers)


async def _not_at_this_port(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request for anything but the metrics at METRICS_PORT."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})
        return
    await error_response(NotFound("this port serves /metrics only; everything else is at PORT"))(scope, receive, send)


async def _internal_error(request: Request, error: Exception) -> Response:
    request_id = getattr(request.state, "request_id", None)
    message = f"internal error; the log has the cause under request id {request_id}"
    return JSONResponse({"error": "internal", "message": message}, 500)
