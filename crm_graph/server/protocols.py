"""uvicorn's protocols with limits for clients that are not known yet.

httptools, unlike h11, limits neither the number nor the size of headers: it collects what has no end.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import uvicorn
from fastapi import FastAPI
from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from crm_graph.errors import BadRequest, CrmError, HeadersTooLarge
from crm_graph.server.connections import Connection, Connections
from crm_graph.web.middleware import logged_path

WINDOW_SECONDS = 10.0  # in which the frames of a WebSocket are counted
PARSED_AT_ONCE = 4_096  # bytes of frames, the smallest of which has 6
POLICY_VIOLATION = 1008


class ServerConfig(uvicorn.Config):
    """uvicorn's configuration with the connections that its protocols watch."""

    def __init__(self, app: FastAPI | Callable[..., FastAPI], connections: Connections, **options: Any) -> None:
        super().__init__(app, http=HttpProtocol, ws=WebSocketProtocol, **options)
        self.connections = connections


class HttpProtocol(HttpToolsProtocol):
    """HTTP/1.1 with limits on headers, time and pipelining."""

    config: ServerConfig
    _watched: Connection
    _received = _head = 0  # bytes of this request; of them, those of its URL and headers
    _in_head = True
    _is_refused = False
    _is_last = False  # whether nothing after this request is read
    _refusal: CrmError | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        super().connection_made(transport)
        self._watched = self.config.connections.add(transport, self.client)

    def connection_lost(self, exc: Exception | None) -> None:
        self.config.connections.remove(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_last:
            return
        if self._watched.refusal is not None:
            self._refuse(self._watched.refusal)
            return
        limits = self.config.connections.limits
        if self._watched.due is None:
            self._watched.due = self.loop.time() + limits.head_seconds
        self._received += len(data)
        super().data_received(data)
        if self._in_head and self._received > limits.head_bytes:
            self._refuse(HeadersTooLarge(f"the request's headers are larger than {limits.head_bytes:,} bytes"))
        elif self._received > limits.request_bytes:
            self.transport.abort()

    def handle_websocket_upgrade(self) -> None:
        self._watched.due = self.loop.time() + self.config.connections.limits.head_seconds
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        self._in_head, self._head = True, 0
        self._watched.due = self.loop.time() + self.config.connections.limits.head_seconds
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._head += len(url)
        self._check_head(len(self.url))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # uvicorn would add trailers to the headers that the application has read
            super().on_header(name, value)
            self._head += len(name) + len(value)
            self._check_head(len(name) + len(value))

    def _check_head(self, size: int) -> None:
        limits = self.config.connections.limits
        if size > limits.header_bytes:
            self._refusal = HeadersTooLarge(f"the URL and each header may have {limits.header_bytes:,} bytes")
        elif self._head > limits.head_bytes:
            self._refusal = HeadersTooLarge(f"the request's headers are larger than {limits.head_bytes:,} bytes")
        elif len(self.headers) > limits.headers:
            self._refusal = HeadersTooLarge(f"the request has more than {limits.headers} headers")
        if self._refusal is not None:
            raise self._refusal  # the parser stops, and uvicorn calls send_400_response

    def on_headers_complete(self) -> None:
        self._in_head = False
        limits = self.config.connections.limits
        self._watched.due = self.loop.time() + limits.body_seconds
        if len(self.pipeline) >= limits.pipelined:
            self._refusal = BadRequest("send a request when the one before was answered")
            raise self._refusal
        if self.parser.should_upgrade():
            self._refusal = self._upgrade_refusal()
            if self._refusal is not None:
                raise self._refusal
        super().on_headers_complete()
        if self.parser.should_upgrade() and not self._should_upgrade():
            # The request is answered as if it had no Upgrade. What follows it is not HTTP/1.1 for sure.
            self._is_last, self.cycle.keep_alive = True, False

    def _upgrade_refusal(self) -> BadRequest | None:
        """Why this Upgrade or CONNECT can not be answered.

        httptools takes what follows the headers for the other protocol: a body would be read as the next request.
        """
        if self.parser.get_method() == b"CONNECT":
            return BadRequest("this server is not a proxy: CONNECT is not supported")
        if any(name == b"transfer-encoding" or _is_length(name, value) for name, value in self.headers):
            return BadRequest("a request with the header Upgrade can not have a body: leave out one of them")
        if not self._should_upgrade():
            return None
        if not getattr(self.cycle, "response_complete", True):  # None before the first request
            return BadRequest("open a WebSocket when the request before was answered")
        return None

    def on_message_complete(self) -> None:
        self._received, self._watched.due = 0, None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(self._refusal or BadRequest("this is not HTTP/1.1"))

    def pause_writing(self) -> None:
        super().pause_writing()
        self.config.connections.check_unsent()

    def _refuse(self, error: CrmError) -> None:
        """Answer without the application, and close a little later: so a client's next try takes it longer than us."""
        if not self._is_refused:
            self._is_refused = True
            self.transport.write(_response(error))
            self.transport.pause_reading()
            self.loop.call_later(self.config.connections.limits.refused_seconds, self.transport.close)


def _is_length(name: bytes, value: bytes) -> bool:
    """Whether this header announces a body of some bytes; httptools has checked that the value is a number."""
    return name == b"content-length" and value.strip(b" \t0") != b""


def _response(error: CrmError) -> bytes:
    """An error that clients of GraphQL and of REST can read."""
    entry = {"message": f"[{error.code}] {error.message}", "extensions": {"code": error.code}}
    body = orjson.dumps({"error": error.code.lower(), "message": error.message, "errors": [entry]})
    head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n" % len(body)
    if error.retry_after is not None:
        head += b"retry-after: %d\r\n" % error.retry_after
    return STATUS_LINE[error.status] + head + b"\r\n" + body


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSockets with limits on frames, and on pings, which are answered whether the client reads the answers or not.

    An upgrade that the application denies is an answer like any other; uvicorn would log an error for each.
    """

    config: ServerConfig
    _frames = _pings = 0  # since then
    _since = 0.0

    def connection_lost(self, exc: Exception | None) -> None:
        self.config.connections.remove(self.transport)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.config.connections.check_unsent()

    def data_received(self, data: bytes) -> None:
        """Parse a little at a time: a client can send a million frames before the first is looked at."""
        for start in range(0, len(data), PARSED_AT_ONCE):
            super().data_received(data[start : start + PARSED_AT_ONCE])

    async def receive(self) -> ASGIReceiveEvent:
        await asyncio.sleep(0)  # a queue that is not empty would give other requests no turn
        return await super().receive()

    async def send(self, message: ASGISendEvent) -> None:
        await asyncio.sleep(0)
        if not self.handshake_complete and self.initial_response is None:
            # The application has its own scope; uvicorn logs this one.
            self.scope = {**self.scope, "path": logged_path(self.scope["path"]), "query_string": b""}
        await super().send(message)
        if self.initial_response is not None and self.close_sent:  # the denial's HTTP response is complete
            self.handshake_complete = True
        if self.handshake_complete:
            self.config.connections.established(self.transport)

    def handle_events(self) -> None:
        now = self.loop.time()
        if now - self._since > WINDOW_SECONDS:
            self._frames, self._pings, self._since = 0, 0, now
        self._frames += len(self.conn.events)
        if self._frames > self.config.connections.limits.frames:
            self.conn.events.clear()
            self._fail("too many frames")
        else:
            super().handle_events()

    def handle_ping(self) -> None:
        self._pings += 1
        if self._pings > self.config.connections.limits.pings:
            self._fail("too many pings")
        else:
            super().handle_ping()

    def _fail(self, reason: str) -> None:
        """Close, and read nothing more."""
        self.conn.fail(POLICY_VIOLATION, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
