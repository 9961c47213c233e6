"""Reads a request's Authorization headers and its body within limits, and logs failed requests."""

import asyncio
import logging
from contextlib import AsyncExitStack

from starlette.datastructures import Headers
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
from crm_graph.web.client_address import client_network
from crm_graph.web.fair_queue import FairQueue

BODY_MAX = 1_000_000
BODY_SECONDS = 15
SMALL_BODY = 65_536  # bytes; a larger one takes one of the process's places, so that slow senders can't fill the memory
LARGE_BODIES, CLIENT_LARGE_BODIES = 64, 16  # that are being read at once: in all, and of one client

log = logging.getLogger("crm_graph.request")
_large_bodies = FairQueue(LARGE_BODIES, CLIENT_LARGE_BODIES)


def authorization(request: HTTPConnection) -> list[str]:
    """The Authorization headers. Raises Unauthenticated for a token in the URL."""
    if "access_token" in request.query_params:  # RFC 6750, 5.3: URLs end up in logs
        raise Unauthenticated("send the token in the Authorization header, not in the URL")
    return header_values(request.headers, "authorization")


def header_values(headers: Headers, name: str) -> list[str]:
    """The values of a header, without spaces and tabs around them (RFC 9110, 5.5): httptools leaves some of those."""
    return [value.strip(" \t") for value in headers.getlist(name)]


async def read_body(request: Request, limit: int = BODY_MAX) -> bytes:
    """The exact bytes of the body.

    Raises PayloadTooLarge as soon as it exceeds `limit` bytes (a chunked body announces no length), UnsupportedMedia
    when it is compressed, BadRequest when it is incomplete after BODY_SECONDS or the client disconnects, LimitReached
    when a client sends too many large ones at once.
    """
    if any(value.lower() != "identity" for value in request.headers.getlist("content-encoding")):
        raise UnsupportedMedia("send the body without Content-Encoding")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit:
        raise PayloadTooLarge(f"the request body is larger than {limit:,} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS), AsyncExitStack() as place:
            async for chunk in request.stream():
                if len(body) <= SMALL_BODY < len(body) + len(chunk):
                    await place.enter_async_context(_large_bodies.slot(client_network(request.scope)))
                body += chunk
                if len(body) > limit:
                    raise PayloadTooLarge(f"the request body is larger than {limit:,} bytes")
    except (TimeoutError, ClientDisconnect):
        raise BadRequest(f"the request body did not arrive within {BODY_SECONDS} s") from None
    return bytes(body)


def log_refusal(request: Request, error: CrmError) -> None:
    """Log a server error with its traceback; one that the operator must fix (no database, no secret) as one line."""
    details = {"request_id": request.state.request_id, "code": error.code}
    if isinstance(error, Unavailable | SecretNotConfigured):
        cause = error.__cause__
        log.warning("request refused", extra={"details": details | {"cause": type(cause).__name__ if cause else None}})
    elif error.status >= 500:
        log.error("request failed", exc_info=error, extra={"details": details})
