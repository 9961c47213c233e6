"""Results as server-sent events, of subscriptions and, if a client asks for it, of queries.

The protocol is graphql-sse's "distinct connections mode":
https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from time import monotonic
from typing import Self

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from crm_graph.errors import CrmError
from crm_graph.graphql.engine.library_internals import is_server_stopping
from crm_graph.graphql.engine.messages import ResponseBody, error_entry, internal_error
from crm_graph.graphql.transport.subscriptions import Results, Subscriptions

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-store"),
    (b"x-accel-buffering", b"no"),  # else nginx buffers events until there are more
]


class EventStream(Response):
    """A response that lasts until the client disconnects, the caller loses access or the server stops."""

    def __init__(
        self,
        results: Results,
        first: ResponseBody | None,
        resources: AsyncExitStack,
        subscriptions: Subscriptions,
        request_id: str,
    ) -> None:
        self.status_code, self.background = 200, None
        self._results, self._first, self._resources = results, first, resources
        self._limits, self._request_id = subscriptions.limits, request_id

    @classmethod
    async def open(cls, subscriptions: Subscriptions, body: object, authorization: list[str], request_id: str) -> Self:
        """Start a subscription; raises LimitReached, and what `Subscriptions.results` raises."""
        principal = await subscriptions.principal(authorization)
        async with AsyncExitStack() as resources:
            resources.enter_context(subscriptions.count_connection())
            resources.enter_context(subscriptions.count_owner_connection(principal))
            results = subscriptions.results(body, authorization, request_id, tick=TICK_SECONDS)
            resources.push_async_callback(results.aclose)
            return cls(results, await anext(results), resources.pop_all(), subscriptions, request_id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        async with self._resources:
            sending = asyncio.create_task(self._send(send))
            disconnect = asyncio.create_task(_wait_for_disconnect(receive))
            try:
                await asyncio.wait({sending, disconnect}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (sending, disconnect):
                    task.cancel()
                await asyncio.gather(sending, disconnect, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        async def push(text: bytes, *, more: bool = True) -> None:
            async with asyncio.timeout(self._limits.send):
                await send({"type": "http.response.body", "body": text, "more_body": more})

        await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
        with suppress(TimeoutError):  # the client takes nothing: end the connection
            await push(b":\n\n" if self._first is None else _event(self._first))
            error = await self._push_results(push)
            if error is not None:
                await push(_event({"errors": [error_entry(error)]}))
            await push(b"event: complete\ndata:\n\n", more=False)

    async def _push_results(self, push: Callable[[bytes], Awaitable[None]]) -> CrmError | None:
        """Send results until the stream ends; returns the reason, None when the server stops."""
        pushed_at = monotonic()
        try:
            async for result in self._results:
                if is_server_stopping():
                    return None
                if result is not None:
                    await push(_event(result))
                elif monotonic() - pushed_at < self._limits.keep_alive:
                    continue
                else:
                    await push(b":\n\n")
                pushed_at = monotonic()
        except CrmError as error:
            return error
        except TimeoutError:
            raise
        except Exception as error:
            log.error("stream failed", exc_info=error, extra={"details": {"request_id": self._request_id}})
            return internal_error(self._request_id)
        return None


def as_events(response: Response) -> Response:
    """A response to a query or mutation as a stream of one result."""
    data = bytes(response.body).replace(b"\n", b"\ndata: ")
    streamed = Response(b"event: next\ndata: " + data + b"\n\nevent: complete\ndata:\n\n", response.status_code)
    streamed.headers.update({name.decode(): value.decode() for name, value in HEADERS})
    return streamed


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(body: ResponseBody) -> bytes:
    return b"event: next\ndata: " + orjson.dumps(body) + b"\n\n"
