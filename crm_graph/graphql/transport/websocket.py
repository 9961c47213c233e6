"""Subscriptions over WebSockets: the protocol graphql-transport-ws, as much of it as subscriptions need.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack, aclosing, suppress
from time import monotonic
from typing import TypeAlias
from urllib.parse import urlsplit

import orjson
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from crm_graph.errors import BadRequest, CrmError, Forbidden, LimitReached, Unauthenticated, Unavailable
from crm_graph.graphql.engine.documents import InvalidDocument
from crm_graph.graphql.engine.messages import crm_error, error_entry, internal_error
from crm_graph.graphql.transport.subscriptions import Subscriptions
from crm_graph.web.client_address import client_network
from crm_graph.web.json import parse_json
from crm_graph.web.requests import authorization

log = logging.getLogger(__name__)

Message: TypeAlias = dict[str, object]

PROTOCOL = "graphql-transport-ws"
ID_MAX = 200
REASON_MAX = 120  # bytes of a close frame's text (RFC 6455, 5.5: 125 with the code)
MALFORMED, UNAUTHORIZED, FORBIDDEN, INIT_TIMEOUT, EXISTS, TOO_MANY_INITS = 4400, 4401, 4403, 4408, 4409, 4429
NORMAL, INTERNAL_ERROR, TRY_AGAIN_LATER = 1000, 1011, 1013


class _CloseError(Exception):
    """Closes the WebSocket with a code of the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(reason)


class WebSocketEndpoint:
    """Serves WebSockets to pages of this host and of `origins`, and to clients that are not browsers."""

    def __init__(self, subscriptions: Subscriptions, origins: Sequence[str]) -> None:
        self._subscriptions, self._origins = subscriptions, origins

    async def serve(self, websocket: WebSocket) -> None:
        """Serve a WebSocket until it closes."""
        async with AsyncExitStack() as stack:
            unknown = stack.enter_context(ExitStack())
            try:
                header = authorization(websocket)
                _check_origin(websocket, self._origins)
                if PROTOCOL not in websocket.scope["subprotocols"]:
                    raise BadRequest(f"open this WebSocket with Sec-WebSocket-Protocol: {PROTOCOL}")
                unknown.enter_context(self._subscriptions.count_unknown_connection(client_network(websocket.scope)))
                stack.enter_context(self._subscriptions.count_connection())
            except CrmError as error:
                websocket.scope["query_string"] = b""  # uvicorn logs it, and it may hold a secret
                await websocket.send_denial_response(JSONResponse({"errors": [error_entry(error)]}, error.status))
                return
            websocket.scope["query_string"] = b""
            await websocket.accept(subprotocol=PROTOCOL)
            await _Connection(self._subscriptions, websocket, header, stack, unknown).run()


def _check_origin(websocket: WebSocket, origins: Sequence[str]) -> None:
    """Browsers let any page open a WebSocket to any host; they only send its origin. Raises Forbidden."""
    for origin in websocket.headers.getlist("origin"):
        is_same = _host(origin.lower()) == websocket.headers.get("host", "").lower() != ""
        if not is_same and origin.lower() not in origins:
            raise Forbidden(f"pages of {origin[:200]} may not connect; add the origin to ALLOWED_ORIGINS")


def _host(origin: str) -> str | None:
    """Host and port of an origin; None when it is not a URL, like `http://[`."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


class _Connection:
    """One accepted WebSocket. `stack` is left when it closes, `unknown` as soon as its owner is known."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        websocket: WebSocket,
        authorization: list[str],
        stack: AsyncExitStack,
        unknown: ExitStack,
    ) -> None:
        self._subscriptions, self._websocket, self._limits = subscriptions, websocket, subscriptions.limits
        self._authorization, self._stack, self._unknown = authorization, stack, unknown
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
        except _CloseError as closed:
            code = closed.code
            await self._close(closed)
        except WebSocketDisconnect as disconnect:
            code = disconnect.code
        except Exception as error:
            log.error("socket failed", exc_info=error, extra={"details": {"request_id": self._id}})
            await self._close(_CloseError(INTERNAL_ERROR, internal_error(self._id).message))
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
                        raise _CloseError(UNAUTHORIZED, "Unauthorized: send connection_init first")
                    await self._answer_ping(message)
        except TimeoutError:
            raise _CloseError(INIT_TIMEOUT, "Connection initialisation timeout") from None
        in_payload = _authorization_of(message.get("payload"))
        self._authorization = self._authorization if in_payload is None else [in_payload]
        try:
            principal = await self._subscriptions.principal(self._authorization)
            self._stack.enter_context(self._subscriptions.count_owner_connection(principal))
            self._unknown.close()
        except (LimitReached, Unavailable) as error:
            raise _CloseError(TRY_AGAIN_LATER, error.message) from None
        except Unauthenticated as error:
            raise _CloseError(FORBIDDEN, f"Forbidden: {error.message}") from None
        await self._send({"type": "connection_ack"})

    async def _next(self) -> Message:
        """The next message; checks the caller's access while it waits."""
        while True:
            try:
                left = self._subscriptions.seconds_left(self._authorization)
            except Unauthenticated:
                raise _CloseError(FORBIDDEN, "Forbidden: the token has expired") from None
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
            raise _CloseError(NORMAL, f"no subscription for {self._limits.idle:.0f} seconds")
        try:
            await self._subscriptions.check_access(self._authorization)
        except Unauthenticated as error:
            raise _CloseError(FORBIDDEN, f"Forbidden: {error.message}") from None

    async def _read(self) -> Message:
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", NORMAL))
        try:
            message = parse_json((received.get("text") or "").encode())
        except BadRequest:
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise _CloseError(MALFORMED, 'a message must be a JSON object with a string "type"')
        return message

    async def _handle(self, message: Message) -> None:
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
                raise _CloseError(TOO_MANY_INITS, "Too many initialisation requests")
            case _:
                raise _CloseError(MALFORMED, "unknown message type")

    def _id_of(self, message: Message) -> str:
        id_ = message.get("id")
        if not isinstance(id_, str) or not id_.isascii() or not 0 < len(id_) <= ID_MAX:
            raise _CloseError(MALFORMED, f'"id" must be a string of 1 to {ID_MAX} ASCII characters')
        return id_

    async def _answer_ping(self, message: Message) -> None:
        if message["type"] == "ping":
            await self._send({"type": "pong"})

    async def _subscribe(self, id_: str, body: object) -> None:
        if id_ in self._tasks:
            raise _CloseError(EXISTS, f"Subscriber for {id_[:50]} already exists")
        if len(self._tasks) >= self._limits.subscriptions:
            error = LimitReached(f"this WebSocket already has {self._limits.subscriptions} subscriptions; complete one")
            await self._send({"id": id_, "type": "error", "payload": [error_entry(error)]})
            return
        self._tasks[id_] = asyncio.create_task(self._run(id_, body))

    async def _run(self, id_: str, body: object) -> None:
        """Send the results of a subscription, or the errors that end it."""
        try:
            async with aclosing(self._subscriptions.results(body, self._authorization, self._id)) as results:
                async for result in results:
                    await self._send({"id": id_, "type": "next", "payload": result})
        except WebSocketDisconnect:
            return  # the reader gets it, too
        except Unauthenticated as error:
            await self._close(_CloseError(FORBIDDEN, f"Forbidden: {error.message}"))
            return
        except InvalidDocument as error:
            errors = [error_entry(crm_error(one, self._id), one) for one in error.errors]
        except CrmError as error:
            errors = [error_entry(error)]
        except Exception as error:
            log.error("subscription failed", exc_info=error, extra={"details": {"request_id": self._id}})
            errors = [error_entry(internal_error(self._id))]
        finally:
            if self._tasks.get(id_) is asyncio.current_task():
                del self._tasks[id_]
                self._active_at = monotonic()
        with suppress(WebSocketDisconnect):
            await self._send({"id": id_, "type": "error", "payload": errors})

    async def _send(self, message: Message) -> None:
        """Raises WebSocketDisconnect."""
        try:
            await self._websocket.send_text(orjson.dumps(message).decode())
        except RuntimeError:  # Starlette's, after we closed
            raise WebSocketDisconnect(NORMAL) from None

    async def _close(self, closed: _CloseError) -> None:
        with suppress(RuntimeError, WebSocketDisconnect):  # when it is closed already
            reason = closed.reason.encode()[:REASON_MAX].decode(errors="ignore")
            await self._websocket.close(closed.code, reason)


def _authorization_of(payload: object) -> str | None:
    """Authorization from the payload of connection_init, as browsers have to send it; None without one."""
    if not isinstance(payload, dict | None):
        raise _CloseError(MALFORMED, "the payload of connection_init must be an object")
    for name, value in (payload or {}).items():
        if name.lower() == "authorization":
            return value if isinstance(value, str) else ""
    return None
