"""A small server with the real protocols and limits, in a thread of its own, and clients that speak raw bytes."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import uvicorn
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import PlainTextResponse, Response
from starlette.types import Message

from crm_graph.server.connections import ConnectionLimits, Connections
from crm_graph.server.serve import server_config

BIG = 8_000_000
GET = b"GET /hello HTTP/1.1\r\nHost: x\r\n"
UPGRADE = (
    b"GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
QUICK = ConnectionLimits(
    head_seconds=0.2, body_seconds=0.3, stalled_seconds=0.2, sweep_seconds=0.05, refused_seconds=0.05
)


def _app() -> FastAPI:
    app = FastAPI()
    handled: list[Message] = []

    async def hello(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def trailers(request: Request) -> Response:
        await request.body()
        return PlainTextResponse(str(request.headers.keys()))

    async def big(request: Request) -> Response:
        return Response(b"x" * BIG)

    async def slow(request: Request) -> Response:
        await asyncio.sleep(0.4)
        return PlainTextResponse("slow")

    async def listen(websocket: WebSocket) -> None:
        await websocket.accept()
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            handled.append(message)
            _work(message)

    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        for _ in range(100):
            message = {"type": "websocket.send", "text": "work"}
            handled.append(message)
            _work(message)
            await websocket.send(message)

    async def messages(request: Request) -> Response:
        return PlainTextResponse(str(len(handled)))

    async def undecided(websocket: WebSocket) -> None:
        await asyncio.sleep(1)
        await websocket.accept()

    for handler in (hello, trailers, big, slow, messages):
        app.add_route(f"/{handler.__name__}", handler, methods=["GET", "POST"])
    app.router.add_websocket_route("/socket", listen)
    app.router.add_websocket_route("/talk", talk)
    app.router.add_websocket_route("/undecided", undecided)
    return app


def _work(message: Message) -> None:
    """Blocks the event loop for a moment, as work on a long message does."""
    if message.get("text") == "work":
        time.sleep(0.002)


class Served:
    """A server on the event loop that it has in production, in a thread of its own."""

    def __init__(self, limits: ConnectionLimits, trusted: tuple[str, ...]) -> None:
        self.connections = Connections(limits, trusted)
        self._config = server_config(_app(), lifespan="off", connections=self.connections)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(self._config)
        self._thread = threading.Thread(target=self._run)
        self._clients = ExitStack()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=self._config.get_loop_factory()) as runner:
            runner.run(self._server.serve(sockets=[self._listening]))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._clients.close()
        self._server.should_exit = True
        self._thread.join()
        self._listening.close()

    def connect(self, sent: bytes = b"", *, receives: int | None = None) -> socket.socket:
        """A client that has sent something; `receives` is the size of its receive buffer."""
        client = self._clients.enter_context(socket.socket())
        if receives is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        client.settimeout(5)
        client.connect(self._listening.getsockname())
        client.sendall(sent)
        return client

    def count(self, expected: int) -> None:
        """Wait until that many connections are open."""
        deadline = time.monotonic() + 5
        while len(self.connections) != expected:
            assert time.monotonic() < deadline, len(self.connections)
            threading.Event().wait(0.01)


@contextmanager
def serving(limits: ConnectionLimits = QUICK, *trusted: str) -> Iterator[Served]:
    served = Served(limits, trusted)
    served.start()
    try:
        yield served
    finally:
        served.stop()


def received(client: socket.socket) -> bytes:
    """Everything until the server closes."""
    parts = []
    try:
        while part := client.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)
