"""ASGI middleware: a request id, a span and one log line for each request."""

import logging
import uuid
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_graph.telemetry import tracing

log = logging.getLogger("crm_graph.request")

PROBES = ("/healthz", "/readyz", "/metrics")


UNMATCHED = "unmatched"


Answered = Callable[[str, str, int, float], None]


class RequestLog:
    """ASGI middleware: an id for each request, returned as X-Request-Id, a span, and a log line without query or body.

    `routes` has the template of each endpoint; `answered` is called with method, template, status and the
    seconds until the answer began.
    """

    def __init__(self, app: ASGIApp, routes: Mapping[Any, str], answered: Answered) -> None:
        self._app, self._routes, self._answered = app, routes, answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or give a socket its id."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        known = tracing.request_id.set(request_id)
        try:
            if scope["type"] != "http":
                await self._app(scope, receive, send)
            elif tracing.is_on() and scope["path"] not in PROBES:
                await self._traced(scope, receive, send)
            else:
                await self._serve(scope, receive, send)
        finally:
            tracing.request_id.reset(known)

    async def _traced(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve in a span that continues the caller's trace (W3C Trace Context)."""
        found = [value for name, value in scope["headers"] if name == b"traceparent"]
        traceparent = found[0].decode("latin-1") if len(found) == 1 else None
        facts = {"http.request.method": scope["method"], "crm_graph.request_id": scope["state"]["request_id"]}
        with tracing.span(scope["method"], traceparent, kind="server", attributes=facts) as span:
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
                seconds = perf_counter() - started  # a stream of events ends when its reader leaves
                message.setdefault("headers", []).append((b"x-request-id", request_id.encode()))
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            took = perf_counter() - started
            self._answered(scope["method"], self._route(scope), status, took if seconds is None else seconds)
            details = {
                "method": scope["method"],
                "path": scope["path"],  # never the query string: somebody may have put a token there
                "status": status,
                "ms": round(took * 1000, 1),
                "request_id": request_id,
            }
            log.info("request", extra={"details": details})
        return status

    def _route(self, scope: Scope) -> str:
        return self._routes.get(scope.get("endpoint"), UNMATCHED)
