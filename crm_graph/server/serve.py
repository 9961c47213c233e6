"""From settings to running processes: `crm-graph serve`, its worker processes, and `crm-graph worker`."""

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Literal, NoReturn

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.engine import URL
from uvicorn.supervisors import Multiprocess

from crm_graph.database.engine import Database
from crm_graph.errors import SettingsError, SetupError
from crm_graph.server.app import create_app
from crm_graph.server.connections import LIMITS, SPARE, Connections
from crm_graph.server.databases import Urls, database, for_worker, pause_if_moved, postgres
from crm_graph.server.metrics import CLOSED, is_closed
from crm_graph.server.process_metrics import ProcessGroup
from crm_graph.server.protocols import ServerConfig
from crm_graph.server.worker import working
from crm_graph.settings import Settings
from crm_graph.telemetry import logs, trace_export

log = logging.getLogger(__name__)
SHUTDOWN_SECONDS = 8
SWITCH_SECONDS = 0.0005
MESSAGE_MAX = 500_000  # bytes of a WebSocket message: a document and its variables
FILES = 256  # open files that are not clients' connections
WORKER_START_SECONDS = 30  # a worker process does not answer while it imports; that is not a hang


def serve(settings: Settings, workers: int) -> None:
    """Serve and deliver until SIGTERM or SIGINT. Raises SetupError when the port is taken or a setting is wrong."""
    if problems := settings.serving_problems():
        raise SettingsError(problems)
    allow_open_files(LIMITS.connections + SPARE + FILES)
    with postgres(settings, may_create=True) as urls, bound_sockets(settings) as listening:
        if workers == 1:
            with trace_export.exporting(settings.traces()):
                run(_serve_one(settings, urls, listening))
            return

        async def check() -> None:
            async with database(urls) as opened:
                await pause_if_moved(opened, settings)

        asyncio.run(check())
        _log_addresses(settings, listening)
        os.environ.pop("PGHOSTADDR", None)  # libpq would prefer it to the URL's host
        # Handed over, not read again: a process that starts later must not differ from the others.
        handed_over = settings.model_copy(update={"database_url": SecretStr(_as_text(urls.server))})
        with TemporaryDirectory(prefix="crm-graph-metrics-") as folder:  # which only its user can enter
            connections = Connections(trusted_proxies=settings.trusted_proxies)
            worker = partial(worker_app, handed_over, Path(folder))
            config = server_config(worker, factory=True, workers=workers, connections=connections)
            Multiprocess(config, sockets=listening).run()


def run(main: Coroutine[object, object, None]) -> None:
    """Like asyncio.run, with the event loop that uvicorn chooses: uvloop where it is installed."""
    with asyncio.Runner(loop_factory=server_config(worker_app).get_loop_factory()) as runner:
        runner.run(main)


def _as_text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def worker_app(settings: Settings, metrics_folder: Path) -> FastAPI:
    """The application of one of several worker processes, which find each other's metrics in `metrics_folder`."""
    logs.configure(settings.log_level, settings.log_form())
    url = settings.server_url()
    assert url is not None, "set by serve()"
    opened = Database(url)
    processes = ProcessGroup(metrics_folder, os.getpid())
    app = create_app(settings, opened, processes=processes)
    _keep_pauses_short()
    app.router.lifespan_context = lambda _app: _life(settings, opened, url, processes)
    return app


@asynccontextmanager
async def _life(settings: Settings, opened: Database, url: URL, processes: ProcessGroup) -> AsyncIterator[None]:
    """What runs beside the requests of a worker process. It ends here, because after SIGTERM nothing runs later."""
    with trace_export.exporting(settings.traces()):
        async with processes.member(), AsyncExitStack() as stack:
            if settings.worker_inside:
                await stack.enter_async_context(working(settings, for_worker(opened), url))
            yield


async def _serve_one(settings: Settings, urls: Urls, listening: list[socket.socket]) -> None:
    async with database(urls) as opened, AsyncExitStack() as stack:
        await pause_if_moved(opened, settings)
        if settings.worker_inside:
            await stack.enter_async_context(working(settings, for_worker(opened), urls.server))
        _log_addresses(settings, listening)
        connections = Connections(trusted_proxies=settings.trusted_proxies)
        config = server_config(create_app(settings, opened), lifespan="off", connections=connections)
        _keep_pauses_short()
        await uvicorn.Server(config).serve(sockets=listening)


def _keep_pauses_short() -> None:
    """Keep the event loop's pauses short while threads compile queries and translate webhooks.

    A thread gives way sooner than after Python's 5 ms, and the garbage collector, which stops every thread, no longer
    walks through what is made at start and stays: the schema and the vocabularies.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()


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

    if problem := settings.public_url_problem():
        raise SetupError(problem)
    with postgres(settings) as urls, trace_export.exporting(settings.traces()):
        run(until_stopped(urls))


def _log_addresses(settings: Settings, listening: list[socket.socket]) -> None:
    for purpose, opened in zip(("listening", "listening for /metrics"), listening, strict=False):
        host, port = opened.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        log.info(purpose, extra={"details": {"url": url}})
    if is_closed(settings):
        log.warning(CLOSED)


def server_config(
    app: FastAPI | Callable[..., FastAPI],
    *,
    factory: bool = False,
    workers: int | None = None,
    lifespan: Literal["auto", "off"] = "auto",
    connections: Connections | None = None,
) -> ServerConfig:
    """uvicorn's settings: no access log, which prints query strings; forwarded addresses are the app's task."""
    return ServerConfig(
        app,
        Connections() if connections is None else connections,
        factory=factory,
        workers=workers,
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=WORKER_START_SECONDS,
        ws_max_size=MESSAGE_MAX,
        ws_per_message_deflate=False,  # it costs 60 kB of memory per socket
    )


@contextmanager
def bound_sockets(settings: Settings) -> Iterator[list[socket.socket]]:
    """The listening socket, and with METRICS_PORT a second one for /metrics. Raises SetupError."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(bound_socket(settings.host, settings.port))]
        if settings.metrics_port is not None:
            metrics = bound_socket(settings.metrics_host, settings.metrics_port, "METRICS_PORT or METRICS_HOST")
            sockets.append(stack.enter_context(metrics))
        yield sockets


@contextmanager
def bound_socket(host: str, port: int, names: str = "PORT or HOST") -> Iterator[socket.socket]:
    """A listening socket. Raises SetupError if the address can't be bound; the message says what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted sockets inherit it. Without it, a small response's body waits 40 ms for the client's delayed ACK.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listening.bind((host, port))
        except OSError as error:
            raise SetupError(f"can't listen on {host}:{port}: {error.strerror}; set {names}") from None
        listening.listen(2048)
        listening.set_inheritable(True)
        yield listening


def allow_open_files(count: int) -> None:
    """Raise the soft limit on open files, often 1,024, to `count` or to the hard limit: connections are files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        most = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def stop_on_sigterm() -> None:
    """Make SIGTERM unwind the process, so that an embedded PostgreSQL that it started is stopped too."""

    def leave(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
