"""What every endpoint needs of HTTP: a bounded body, strict JSON, a request id and one log line for each request."""

import asyncio
import json
import logging
import uuid
from time import perf_counter
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_graph.errors import BadRequest, PayloadTooLarge, UnsupportedMedia

BODY_MAX = 1_000_000
BODY_SECONDS = 15
RETRY_AFTER_SECONDS = "5"

log = logging.getLogger("crm_graph.request")


async def read_body(request: Request, limit: int = BODY_MAX) -> bytes:
    """The exact bytes of the body.

    Raises PayloadTooLarge while reading (a chunked body has no length to believe), UnsupportedMedia for a compressed
    one, BadRequest for one that never ends or breaks off.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
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


def parse_json(body: bytes) -> Any:
    """The JSON value in `body`; lone surrogates are kept, as RFC 8259 leaves them to us.

    Raises BadRequest for anything else, NaN and Infinity included (RFC 8259 has no such numbers).
    """
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_no_such_number)
    except UnicodeDecodeError as error:
        raise BadRequest(f"the request body is not UTF-8: byte {error.start} is wrong") from None
    except json.JSONDecodeError as error:
        message = f"the request body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise BadRequest(message) from None
    except (ValueError, RecursionError):
        raise BadRequest(
            "the request body is not JSON that is read here: nested too deeply, or a huge number"
        ) from None


def _no_such_number(constant: str) -> NoReturn:
    raise BadRequest(f"the request body is not JSON: it has no number {constant}")


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
