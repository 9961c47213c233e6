"""What every endpoint needs of HTTP: a bounded body, strict JSON, a request id and one log line for each request."""

import asyncio
import json
import logging
import uuid
from time import perf_counter
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request
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

BODY_MAX = 1_000_000
BODY_SECONDS = 15
DEPTH_MAX = 200  # far below what Python's stack allows, so that a body that was read once can be read again
RETRY_AFTER_SECONDS = "5"

log = logging.getLogger("crm_graph.request")


def authorization(request: Request) -> list[str]:
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
    """ASGI middleware: an id for each request, returned as X-Request-Id, and one log line without query or body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", []).append((b"x-request-id", request_id.encode()))
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            details = {
                "method": scope["method"],
                "path": scope["path"],  # never the query string: somebody may have put a token there
                "status": status,
                "ms": round((perf_counter() - started) * 1000, 1),
                "request_id": request_id,
            }
            log.info("request", extra={"details": details})
