"""What every endpoint reads of a request, within limits: the Authorization headers and the body."""

import asyncio
import logging

from starlette.requests import ClientDisconnect, HTTPConnection, Request

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
RETRY_AFTER_SECONDS = "5"


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


def log_refusal(request: Request, error: CrmError) -> None:
    """Log a failure of ours: its traceback, or for what an operator knows (no database, no secret) one line."""
    details = {"request_id": request.state.request_id, "code": error.code}
    if isinstance(error, Unavailable | SecretNotConfigured):
        cause = error.__cause__
        log.warning("request refused", extra={"details": details | {"cause": type(cause).__name__ if cause else None}})
    elif error.status >= 500:
        log.error("request failed", exc_info=error, extra={"details": details})
