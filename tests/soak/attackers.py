"""A hostile owner and a hostile stranger, each from an address of this machine, for a limited time.

Run as a process of its own, so that what it spends isn't measured as the server's: python -m tests.soak.attackers PORT
TOKEN SECONDS. Prints what it counted as JSON.
"""

import asyncio
import itertools
import json
import os
import socket
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

from websockets.asyncio.client import connect

from bench.documents import REPORTS

OWNER, STRANGER = "127.0.0.2", "127.0.0.3"
RECEIVES = 4_096
BIG = "{ deals(first: 100) { nodes { id title notes contact { id fullName email } } } }"
SUBSCRIPTION = "subscription { dealChanged { refetch dealId deal { id title } } }"


class Attack:
    """Everything that is tried at once, and how it was answered."""

    def __init__(self, port: int, token: str) -> None:
        self.counts: Counter[str] = Counter()
        self._port, self._token = port, token
        self._numbers = itertools.count()

    async def run(self, seconds: float) -> None:
        """Try everything until the time is up."""
        loops = [
            *(self._query for _ in range(20)),
            *(self._new_document for _ in range(5)),
            *(self._subscribe for _ in range(25)),
            *(self._take_nothing for _ in range(20)),
            *(self._half_open for _ in range(100)),
            *(self._huge_head for _ in range(10)),
            *(self._slow_body for _ in range(50)),
            *(self._wrong_token for _ in range(40)),
        ]
        tasks = [asyncio.create_task(self._repeat(loop)) for loop in loops]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _repeat(self, attempt: Callable[[], Awaitable[None]]) -> None:
        while True:
            with suppress(OSError, EOFError, TimeoutError):
                async with asyncio.timeout(20):
                    await attempt()
            await asyncio.sleep(0.01)

    async def _query(self) -> None:
        await self._post(OWNER, REPORTS["pipelineReport"])

    async def _new_document(self) -> None:
        await self._post(OWNER, REPORTS["pipelineReport"].replace("pipeline", f"a{next(self._numbers)}: pipeline", 1))

    async def _wrong_token(self) -> None:
        await self._post(STRANGER, "{ me { id } }", "x.y.z")

    async def _post(self, address: str, query: str, token: str | None = None) -> None:
        body = json.dumps({"query": query}).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, local_addr=(address, 0))
        try:
            writer.write(self._head(len(body), token) + body)
            status = (await reader.readline()).split()[1].decode()
            await reader.read()
            self.counts[f"{'owner' if address == OWNER else 'stranger'} {status}"] += 1
        finally:
            writer.close()

    def _head(self, length: int, token: str | None = None) -> bytes:
        return (
            "POST /graphql HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {token or self._token}\r\nContent-Length: {length}\r\n\r\n"
        ).encode()

    async def _subscribe(self) -> None:
        address = ("127.0.0.1", self._port)
        options = {"subprotocols": ["graphql-transport-ws"], "local_addr": (OWNER, 0), "proxy": None}
        uri = f"ws://{address[0]}:{address[1]}/graphql"
        async with connect(uri, **options) as opened:  # type: ignore[arg-type]
            payload = {"Authorization": f"Bearer {self._token}"}
            await opened.send(json.dumps({"type": "connection_init", "payload": payload}))
            for number in range(20):
                message = {"type": "subscribe", "id": str(number), "payload": {"query": SUBSCRIPTION}}
                await opened.send(json.dumps(message))
            async for _ in opened:
                self.counts["messages"] += 1

    async def _take_nothing(self) -> None:
        body = json.dumps({"query": BIG}).encode()
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVES)
            client.bind((OWNER, 0))
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", self._port))
            await asyncio.get_running_loop().sock_sendall(client, self._head(len(body)) + body)
            self.counts["unread"] += 1
            await asyncio.sleep(20)

    async def _half_open(self) -> None:
        await self._raw(b"POST /graphql HTTP/1.1\r\nHost: x\r\n", "half-open")

    async def _huge_head(self) -> None:
        await self._raw(b"GET / HTTP/1.1\r\nx: " + b"y" * 1_000_000, "huge head")

    async def _slow_body(self) -> None:
        await self._raw(
            b"POST /crm/webhooks/instantly/reply HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n{", "slow body"
        )

    async def _raw(self, sent: bytes, name: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, local_addr=(STRANGER, 0))
        try:
            self.counts[name] += 1
            writer.write(sent)
            await reader.read()
        finally:
            writer.close()


async def _main(port: str, token: str, seconds: str) -> None:
    os.nice(19)  # attackers have machines of their own: they must not take the processor from the server's
    attack = Attack(int(port), token)
    await attack.run(float(seconds))
    print(json.dumps(attack.counts))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
