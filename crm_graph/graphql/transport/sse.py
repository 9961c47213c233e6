"""Subscriptions as server-sent events: the protocol graphql-sse, in its "distinct connections mode"."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, suppress
from time import monotonic
from typing import Any, Self

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from crm_graph.errors import CrmError
from crm_graph.graphql.engine.library_internals import is_server_stopping
from crm_graph.graphql.engine.messages import internal, rendered
from crm_graph.graphql.transport.subscriptions import Live

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would keep what we send until it is more
]


class EventStream(Response):
    """An answer that goes on until the caller leaves, or may not listen any more."""

    def __init__(
        self,
        results: AsyncGenerator[dict[str, Any] | None, None],
        first: dict[str, Any] | None,
        opened: AsyncExitStack,
        live: Live,
        request_id: str,
    ) -> None:
        self.status_code, self.background = 200, None
        self._results, self._first, self._opened, self._limits = results, first, opened, live.limits
        self._request_id = request_id

    @classmethod
    async def open(cls, live: Live, asked: Any, authorization: list[str], request_id: str) -> Self:
        """Begin it; raises LimitReached, and what `Live.results` raises."""
        principal = await live.principal(authorization)
        async with AsyncExitStack() as opened:
            opened.enter_context(live.connection())
            opened.enter_context(live.connection_of(principal))
            results = live.results(asked, authorization, request_id, tick=TICK_SECONDS)
            opened.push_async_callback(results.aclose)
            return cls(results, await anext(results), opened.pop_all(), live, request_id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        async with self._opened:
            sending = asyncio.create_task(self._send(send))
            leaving = asyncio.create_task(_leave(receive))
            try:
                await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (sending, leaving):
                    task.cancel()
                await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        async def push(text: bytes, *, more: bool = True) -> None:
            async with asyncio.timeout(self._limits.send):
                await send({"type": "http.response.body", "body": text, "more_body": more})

        await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
        with suppress(TimeoutError):  # nobody takes it: the connection is broken off
            await push(b":\n\n" if self._first is None else _event(self._first))
            error = await self._go_on(push)
            if error is not None:
                await push(_event({"errors": [rendered(error)]}))
            await push(b"event: complete\ndata:\n\n", more=False)

    async def _go_on(self, push: Callable[[bytes], Any]) -> CrmError | None:
        """Send what happens; returns why it ends, None when the server stops."""
        sent = monotonic()
        try:
            async for result in self._results:
                if is_server_stopping():
                    return None
                if result is not None:
                    await push(_event(result))
                elif monotonic() - sent < self._limits.keep_alive:
                    continue
                else:
                    await push(b":\n\n")
                sent = monotonic()
        except CrmError as error:
            return error
        except TimeoutError:
            raise
        except Exception as error:
            log.error("stream failed", exc_info=error, extra={"details": {"request_id": self._request_id}})
            return internal(self._request_id)
        return None


async def _leave(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(body: dict[str, Any]) -> bytes:
    return b"event: next\ndata: " + orjson.dumps(body) + b"\n\n"
