"""What every endpoint needs of HTTP: a bounded body, strict JSON, a request id and one log line for each request."""

import asyncio
import json
import logging
import uuid
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_graph.errors import (
    BadRequest,
    CrmError,
    PayloadTooLarge,
    SecretNotConfigured,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)
from crm_graph.telemetry import tracing

BODY_MAX = 1_000_000
BODY_SECONDS = 15
DEPTH_MAX = 200  # far below what Python's stack allows, so that a body that was read once can be read again
RETRY_AFTER_SECONDS = "5"
PROBES = ("/healthz", "/readyz", "/metrics")
UNMATCHED = "unmatched"

Answered = Callable[[str, str, int, float], None]

log = logging.getLogger("crm_graph.request")


def authorization(request: HTTPConnection) -> list[str]:
    """The Authorization headers; raises Unauthenticated for a token in the address."""
    if "access_token" in request.query_params:  # RFC 6750, 5.3: addresses end up in logs
        raise Unauthenticated("a token belongs into the Authorization header, not into the address")
    return request.headers.getlist("authorization")


async def read_body(request: Request, limit: int = BODY_MAX) -> bytes:
    """The exact bytes of the body.

    Raises PayloadTooLarge while reading (a chunked body has no length to believe), UnsupportedMedia for a compressed
    one, BadRequest for one that never ends or breaks off.
    """
    if any(value.lower() != "identity" for value in request.headers.getlist("content-encoding")):
        raise UnsupportedMedia("send the body without Content-Encoding")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise PayloadTooLarge(f"the request body is larger than {limit:,} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise PayloadTooLarge(f"the request body is larger than {limit:,} bytes")
    except (TimeoutError, ClientDisconnect):
        raise BadRequest(f"the request body did not arrive within {BODY_SECONDS} s") from None
    return bytes(body)


def parse_json(body: bytes, *, unique_keys: bool = False) -> Any:
    """The JSON value in `body`; lone surrogates are kept, as RFC 8259 leaves them to us.

    Raises BadRequest for anything else, NaN and Infinity included (RFC 8259 has no such numbers), for more than
    DEPTH_MAX levels, and with `unique_keys` for a key that an object has twice.
    """
    hook = _refuse_duplicates if unique_keys else None
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_no_such_number, object_pairs_hook=hook)
    except UnicodeDecodeError as error:
        raise BadRequest(f"the request body is not UTF-8: byte {error.start} is wrong") from None
    except json.JSONDecodeError as error:
        message = f"the request body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise BadRequest(message) from None
    except (ValueError, RecursionError):
        raise BadRequest(
            "the request body is not JSON that is read here: nested too deeply, or a huge number"
        ) from None
    if body.count(b"[") + body.count(b"{") > DEPTH_MAX:
        _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        level = [
            part
            for item in level
            if isinstance(item, dict | list)
            for part in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise BadRequest(f"the request body is nested more than {DEPTH_MAX} levels deep")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise BadRequest(f"the request body has the key {key[:100]!r} twice in one object")
        found[key] = value
    return found


def _no_such_number(constant: str) -> NoReturn:
    raise BadRequest(f"the request body is not JSON: it has no number {constant}")


def log_refusal(request: Request, error: CrmError) -> None:
    """Log a failure of ours: its traceback, or for what an operator knows (no database, no secret) one line."""
    details = {"request_id": request.state.request_id, "code": error.code}
    if isinstance(error, Unavailable | SecretNotConfigured):
        cause = error.__cause__
        log.warning("request refused", extra={"details": details | {"cause": type(cause).__name__ if cause else None}})
    elif error.status >= 500:
        log.error("request failed", exc_info=error, extra={"details": details})


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
