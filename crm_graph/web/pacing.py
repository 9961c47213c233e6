"""Pacing: a client that sends many requests without valid credentials gets each further answer a second later.

Nobody is locked out, and a client that shares its address with an attacker is served as before, once it is known.
"""

import asyncio
from time import monotonic

from cachetools import LRUCache
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_graph.web.client_address import client_network

BURST = 200  # answers to a client that are not delayed
PER_SECOND = 20  # of them, how many come back each second
DELAY_SECONDS = 1.0
CLIENTS_MAX = 10_000  # that are remembered


def mark_known(connection: HTTPConnection) -> None:
    """Note that a request's credentials are valid."""
    connection.state.is_known = True


class StrangerPacing:
    """Delays answers to requests that nobody marked as known, above BURST and PER_SECOND for each client.

    The open connections of a client are limited, so that a delay limits its requests per second. A WebSocket counts as
    unknown, as its credentials come later; each is delayed before it opens.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._spent: LRUCache[str, tuple[float, float]] = LRUCache(CLIENTS_MAX)  # answers, and when that was counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, and delay the answer when it is due to be."""
        if scope["type"] == "websocket":
            await self._pace(scope)
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def paced(message: Message) -> None:
            if message["type"] == "http.response.start" and not scope.get("state", {}).get("is_known"):
                await self._pace(scope)
            await send(message)

        await self._app(scope, receive, paced)

    async def _pace(self, scope: Scope) -> None:
        client, now = client_network(scope), monotonic()
        spent, at = self._spent.get(client, (0.0, now))
        spent = max(0.0, spent - (now - at) * PER_SECOND)
        is_above = spent + 1 > BURST
        self._spent[client] = (spent if is_above else spent + 1, now)
        if is_above:
            await asyncio.sleep(DELAY_SECONDS)
