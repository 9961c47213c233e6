"""ASGI middleware: a request id, a span and one log line for each request."""

import logging
import uuid
from collections.abc import Callable, Mapping
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_graph.telemetry import tracing
from crm_graph.web.client_address import client_address

log = logging.getLogger("crm_graph.request")

PROBES = ("/healthz", "/readyz", "/metrics")
UNMATCHED = "unmatched"
PATH_MAX = 200

CountRequest = Callable[[str, str, int, float], None]  # method, route, status, seconds until the response began


class RequestLog:
    """Gives each request an id (returned as X-Request-Id), a span, and a log line without query string and body.

    `routes` maps each endpoint to its path template; `count` is called for each request that was served.
    """

    def __init__(self, app: ASGIApp, routes: Mapping[object, str], count: CountRequest) -> None:
        self._app, self._routes, self._count = app, routes, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a WebSocket only gets its id."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        token = tracing.request_id.set(request_id)
        try:
            if scope["type"] != "http":
                await self._app(scope, receive, send)
            elif tracing.is_on() and scope["path"] not in PROBES:
                await self._traced(scope, receive, send)
            else:
                await self._serve(scope, receive, send)
        finally:
            tracing.request_id.reset(token)

    async def _traced(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve in a span that continues the caller's trace (W3C Trace Context)."""
        headers = [value for name, value in scope["headers"] if name == b"traceparent"]
        traceparent = headers[0].decode("latin-1") if len(headers) == 1 else None
        attributes = {"http.request.method": scope["method"], "crm_graph.request_id": scope["state"]["request_id"]}
        with tracing.span(scope["method"], traceparent, kind="server", attributes=attributes) as span:
            status = await self._serve(scope, receive, send)
            route = self._route(scope)
            span.update_name(f"{scope['method']} {route}")
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", status)
            if status >= 500:
                tracing.mark_failed(str(status))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> int:
        request_id = scope["state"]["request_id"]
        seconds: float | None = None
        started, status = perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status = message["status"]
                seconds = perf_counter() - started  # not its end: a stream ends when the client leaves
                message.setdefault("headers", []).append((b"x-request-id", request_id.encode()))
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            took = perf_counter() - started
            self._count(scope["method"], self._route(scope), status, took if seconds is None else seconds)
            details = {
                "method": scope["method"],
                "client": client_address(scope),
                "path": logged_path(scope["path"]),  # never the query string, which could contain a token
                "status": status,
                "ms": round(took * 1000, 1),
                "request_id": request_id,
            }
            log.info("request", extra={"details": details})
        return status

    def _route(self, scope: Scope) -> str:
        return self._routes.get(scope.get("endpoint"), UNMATCHED)


def logged_path(path: str) -> str:
    """A path as logs show it: its beginning, and how long it is when that is not all."""
    return path if len(path) <= PATH_MAX else f"{path[:PATH_MAX]}... ({len(path):,} characters)"
