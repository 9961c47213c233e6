"""From settings to running processes: `crm-graph serve`, its worker processes, and `crm-graph worker`."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from types import FrameType
from typing import Literal, NoReturn

import uvicorn
from fastapi import FastAPI
from sqlalchemy.engine import URL
from uvicorn.supervisors import Multiprocess

from crm_graph.database.engine import Database
from crm_graph.errors import SetupError
from crm_graph.server.app import create_app
from crm_graph.server.databases import Urls, database, for_worker, pause_if_moved, postgres
from crm_graph.server.worker import working
from crm_graph.settings import Settings
from crm_graph.telemetry import logs, trace_export

log = logging.getLogger(__name__)
SHUTDOWN_SECONDS = 8
WORKER_APP = "crm_graph.server.serve:worker_app"
MESSAGE_MAX = 500_000  # bytes of a WebSocket message: a document and its variables
WORKER_START_SECONDS = 30  # a worker process does not answer while it imports; that is not a hang


def serve(settings: Settings, workers: int) -> None:
    """Serve and deliver until SIGTERM or SIGINT. Raises SetupError when the port is taken or a setting is wrong."""
    settings.jwt_key()
    settings.check_public_url()
    with postgres(settings) as urls, bound_socket(settings) as listening:
        if workers == 1:
            with trace_export.exporting(settings.traces()):
                run(_serve_one(settings, urls, listening))
            return

        async def check() -> None:
            async with database(urls) as opened:
                await pause_if_moved(opened, settings)

        asyncio.run(check())
        _log_address(listening)
        # Worker processes read the same environment; only the embedded database's URL is missing in it.
        os.environ.pop("PGHOSTADDR", None)  # libpq would prefer it to the URL's host
        os.environ["DATABASE_URL"] = urls.server.render_as_string(hide_password=False)
        config = server_config(WORKER_APP, factory=True, workers=workers)
        Multiprocess(config, sockets=[listening]).run()


def run(main: Coroutine[object, object, None]) -> None:
    """Like asyncio.run, with the event loop that uvicorn chooses: uvloop where it is installed."""
    with asyncio.Runner(loop_factory=server_config(WORKER_APP).get_loop_factory()) as runner:
        runner.run(main)


def worker_app() -> FastAPI:
    """The application of one of several worker processes."""
    settings = Settings.load()
    logs.configure(settings.log_level, settings.log_form())
    url = settings.server_url()
    assert url is not None, "set by serve()"
    opened = Database(url)
    app = create_app(settings, opened)
    app.router.lifespan_context = lambda _app: _life(settings, opened, url)
    return app


@asynccontextmanager
async def _life(settings: Settings, opened: Database, url: URL) -> AsyncIterator[None]:
    """What runs beside the requests of a worker process. It ends here, because after SIGTERM nothing runs later."""
    with trace_export.exporting(settings.traces()):
        if not settings.worker_inside:
            yield
            return
        async with working(settings, for_worker(opened), url):
            yield


async def _serve_one(settings: Settings, urls: Urls, listening: socket.socket) -> None:
    async with database(urls) as opened, AsyncExitStack() as stack:
        await pause_if_moved(opened, settings)
        if settings.worker_inside:
            await stack.enter_async_context(working(settings, for_worker(opened), urls.server))
        _log_address(listening)
        config = server_config(create_app(settings, opened), lifespan="off")
        await uvicorn.Server(config).serve(sockets=[listening])


def work(settings: Settings) -> None:
    """Deliver events until SIGTERM or SIGINT. Raises SetupError when a setting is wrong."""

    async def until_stopped(urls: Urls) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with database(urls) as opened:
            await pause_if_moved(opened, settings)
            async with working(settings, opened, urls.server):
                log.info("working")
                await stop.wait()

    settings.check_public_url()
    with postgres(settings) as urls, trace_export.exporting(settings.traces()):
        run(until_stopped(urls))


def _log_address(listening: socket.socket) -> None:
    host, port = listening.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    log.info("listening", extra={"details": {"url": url}})


def server_config(
    app: FastAPI | str, *, factory: bool = False, workers: int | None = None, lifespan: Literal["auto", "off"] = "auto"
) -> uvicorn.Config:
    """uvicorn's settings: no access log, which prints query strings, and no trust in forwarded addresses."""
    return uvicorn.Config(
        app,
        factory=factory,
        workers=workers,
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=WORKER_START_SECONDS,
        ws="websockets-sansio",
        ws_max_size=MESSAGE_MAX,
        ws_per_message_deflate=False,  # it costs 60 kB of memory per socket
    )


@contextmanager
def bound_socket(settings: Settings) -> Iterator[socket.socket]:
    """The listening socket. Raises SetupError if the address can't be bound; the message says what to do."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted sockets inherit it. Without it, a small response's body waits 40 ms for the client's delayed ACK.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listening.bind((settings.host, settings.port))
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise SetupError(f"can't listen on {where}: {error.strerror}; set PORT or HOST") from None
        listening.listen(2048)
        listening.set_inheritable(True)
        yield listening


def stop_on_sigterm() -> None:
    """Make SIGTERM unwind the process, so that an embedded PostgreSQL that it started is stopped too."""

    def leave(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
