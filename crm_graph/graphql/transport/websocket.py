"""Subscriptions over WebSockets: the protocol graphql-transport-ws, as far as subscriptions need it.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from crm_graph.errors import BadRequest, CrmError, Forbidden, LimitReached, Unauthenticated, Unavailable
from crm_graph.graphql.engine.documents import InvalidDocument
from crm_graph.graphql.engine.messages import failure_of, internal, rendered
from crm_graph.graphql.transport.subscriptions import Live
from crm_graph.web.json import parse_json
from crm_graph.web.requests import authorization

log = logging.getLogger(__name__)

PROTOCOL = "graphql-transport-ws"
ID_MAX = 200
REASON_MAX = 120  # bytes of a close frame's text (RFC 6455, 5.5: 125 with the code)
MALFORMED, UNAUTHORIZED, FORBIDDEN, INIT_TIMEOUT, EXISTS, TOO_MANY_INITS = 4400, 4401, 4403, 4408, 4409, 4429
NORMAL, INTERNAL_ERROR, TRY_AGAIN_LATER = 1000, 1011, 1013


class _Closed(Exception):
    """The socket is to be closed, with a code of the protocol's."""

    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(reason)


class Sockets:
    """The WebSockets of this process; pages of other sites than `origins` may open none."""

    def __init__(self, live: Live, origins: Sequence[str]) -> None:
        self._live, self._origins = live, origins

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one, until it is closed."""
        async with AsyncExitStack() as stack:
            try:
                given = authorization(websocket)
                _check_origin(websocket, self._origins)
                if PROTOCOL not in websocket.scope["subprotocols"]:
                    raise BadRequest(f"this WebSocket speaks {PROTOCOL}: ask for it as Sec-WebSocket-Protocol")
                stack.enter_context(self._live.connection())
            except CrmError as error:
                websocket.scope["query_string"] = b""  # uvicorn logs it
                await websocket.send_denial_response(JSONResponse({"errors": [rendered(error)]}, error.status))
                return
            websocket.scope["query_string"] = b""
            await websocket.accept(subprotocol=PROTOCOL)
            await _Socket(self._live, websocket, given, stack).run()


def _check_origin(websocket: WebSocket, origins: Sequence[str]) -> None:
    """Browsers let any page open a WebSocket anywhere, and only say which page it is."""
    for origin in websocket.headers.getlist("origin"):
        is_same = urlsplit(origin.lower()).netloc == websocket.headers.get("host", "").lower() != ""
        if not is_same and origin.lower() not in origins:
            raise Forbidden(f"pages of {origin[:200]} may not connect here; ALLOWED_ORIGINS names those that may")


class _Socket:
    """One WebSocket that was accepted."""

    def __init__(self, live: Live, websocket: WebSocket, given: list[str], stack: AsyncExitStack) -> None:
        self._live, self._websocket, self._limits = live, websocket, live.limits
        self._authorization, self._stack = given, stack
        self._id = uuid.uuid4().hex
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._active_at = monotonic()
        self._check_at = self._active_at + self._limits.check

    async def run(self) -> None:
        """Serve it until it is closed."""
        code, started = NORMAL, monotonic()
        try:
            await self._initialise()
            while True:
                await self._handle(await self._next())
        except _Closed as closed:
            code = closed.code
            await self._close(closed)
        except WebSocketDisconnect as gone:
            code = gone.code
        except Exception as error:
            log.error("socket failed", exc_info=error, extra={"details": {"request_id": self._id}})
            await self._close(_Closed(INTERNAL_ERROR, internal(self._id).message))
        finally:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            ms = round((monotonic() - started) * 1000, 1)
            log.info("socket", extra={"details": {"code": code, "ms": ms, "request_id": self._id}})

    async def _initialise(self) -> None:
        try:
            async with asyncio.timeout(self._limits.init):
                while (message := await self._read())["type"] != "connection_init":
                    if message["type"] not in ("ping", "pong"):
                        raise _Closed(UNAUTHORIZED, "Unauthorized: connection_init comes first")
                    await self._answer_ping(message)
        except TimeoutError:
            raise _Closed(INIT_TIMEOUT, "Connection initialisation timeout") from None
        given = _authorization_of(message.get("payload"))
        self._authorization = self._authorization if given is None else [given]
        try:
            principal = await self._live.principal(self._authorization)
            self._stack.enter_context(self._live.connection_of(principal))
        except (LimitReached, Unavailable) as error:
            raise _Closed(TRY_AGAIN_LATER, error.message) from None
        except Unauthenticated as error:
            raise _Closed(FORBIDDEN, f"Forbidden: {error.message}") from None
        await self._send({"type": "connection_ack"})

    async def _next(self) -> dict[str, Any]:
        """The next message; meanwhile, see that the caller may still be here."""
        while True:
            try:
                left = self._live.seconds_left(self._authorization)
            except Unauthenticated:
                raise _Closed(FORBIDDEN, "Forbidden: the token has expired") from None
            wait = self._check_at - monotonic()
            if wait <= 0:
                await self._check()
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, wait)):
                    return await self._read()

    async def _check(self) -> None:
        self._check_at = monotonic() + self._limits.check
        if self._tasks:
            self._active_at = monotonic()
        if monotonic() - self._active_at > self._limits.idle:
            raise _Closed(NORMAL, f"no subscription for {self._limits.idle:.0f} s")
        try:
            await self._live.still_may(self._authorization)
        except Unauthenticated as error:
            raise _Closed(FORBIDDEN, f"Forbidden: {error.message}") from None

    async def _read(self) -> dict[str, Any]:
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", NORMAL))
        try:
            message = parse_json((received.get("text") or "").encode())
        except BadRequest:
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise _Closed(MALFORMED, 'a message must be a JSON object with a "type", as text')
        return message

    async def _handle(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "subscribe":
                await self._subscribe(self._id_of(message), message.get("payload"))
            case "complete":
                if task := self._tasks.pop(self._id_of(message), None):
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
            case "ping" | "pong":
                await self._answer_ping(message)
            case "connection_init":
                raise _Closed(TOO_MANY_INITS, "Too many initialisation requests")
            case _:
                raise _Closed(MALFORMED, "no message has this type")

    def _id_of(self, message: dict[str, Any]) -> str:
        id_ = message.get("id")
        if not isinstance(id_, str) or not id_.isascii() or not 0 < len(id_) <= ID_MAX:
            raise _Closed(MALFORMED, f'"id" must be a text of 1 to {ID_MAX} ASCII characters')
        return id_

    async def _answer_ping(self, message: dict[str, Any]) -> None:
        if message["type"] == "ping":
            await self._send({"type": "pong"})

    async def _subscribe(self, id_: str, asked: Any) -> None:
        if id_ in self._tasks:
            raise _Closed(EXISTS, f"Subscriber for {id_[:50]} already exists")
        if len(self._tasks) >= self._limits.subscriptions:
            error = LimitReached(f"this socket has {self._limits.subscriptions} subscriptions already; complete one")
            await self._send({"id": id_, "type": "error", "payload": [rendered(error)]})
            return
        self._tasks[id_] = asyncio.create_task(self._run(id_, asked))

    async def _run(self, id_: str, asked: Any) -> None:
        """Send what a subscription tells, or why it can't."""
        try:
            async with aclosing(self._live.results(asked, self._authorization, self._id)) as results:
                async for result in results:
                    await self._send({"id": id_, "type": "next", "payload": result})
        except WebSocketDisconnect:
            return  # the reader knows it, too
        except Unauthenticated as error:
            await self._close(_Closed(FORBIDDEN, f"Forbidden: {error.message}"))
            return
        except InvalidDocument as error:
            errors = [rendered(failure_of(one, self._id), one) for one in error.errors]
        except CrmError as error:
            errors = [rendered(error)]
        except Exception as error:
            log.error("subscription failed", exc_info=error, extra={"details": {"request_id": self._id}})
            errors = [rendered(internal(self._id))]
        finally:
            if self._tasks.get(id_) is asyncio.current_task():
                del self._tasks[id_]
                self._active_at = monotonic()
        with suppress(WebSocketDisconnect):
            await self._send({"id": id_, "type": "error", "payload": errors})

    async def _send(self, message: dict[str, Any]) -> None:
        """Raises WebSocketDisconnect."""
        try:
            await self._websocket.send_text(orjson.dumps(message).decode())
        except RuntimeError:  # Starlette's, after a close of ours
            raise WebSocketDisconnect(NORMAL) from None

    async def _close(self, closed: _Closed) -> None:
        with suppress(RuntimeError, WebSocketDisconnect):  # of a socket that is closed already
            reason = closed.reason.encode()[:REASON_MAX].decode(errors="ignore")
            await self._websocket.close(closed.code, reason)


def _authorization_of(payload: Any) -> str | None:
    """The Authorization in the payload of connection_init, where browsers have to put it; None without one."""
    if not isinstance(payload, dict | None):
        raise _Closed(MALFORMED, "the payload of connection_init must be an object")
    for name, value in (payload or {}).items():
        if name.lower() == "authorization":
            return value if isinstance(value, str) else ""
    return None
