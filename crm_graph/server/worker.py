"""The worker: runs the jobs of the queue. `serve` has one inside; any number of others may run anywhere.

Whoever commits an event says so by NOTIFY, and the worker then has the endpoints drained to which something is due:
one job for an endpoint at a time, however much there is to send. It doesn't defer that job in the event's own
transaction: under a queueing lock, all writers that concern one endpoint would wait for each other's commits.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import psycopg
from procrastinate import App, jobs
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from sqlalchemy import func, literal, select
from sqlalchemy.engine import URL

from crm_graph.database import channels
from crm_graph.database.engine import Database
from crm_graph.database.jobs import job_app
from crm_graph.database.listener import listen
from crm_graph.database.statements import Statement, param
from crm_graph.delivery.sender import Courier, dispatch
from crm_graph.egress.client import Sender
from crm_graph.errors import CrmError
from crm_graph.models import Event
from crm_graph.settings import Settings
from webhooks import inbox

log = logging.getLogger(__name__)

CONCURRENCY = 64  # jobs at once: an endpoint that hangs takes one of them, and waiting costs little
POLL_SECONDS = 1.0  # for what no NOTIFY tells: the next attempt of what failed
HEARTBEAT_SECONDS, STALLED_SECONDS = 2.0, 10.0  # after which a worker that was killed is known to be gone
STOP_SECONDS = 6.0
RETRY_SECONDS, RETRY_MAX_SECONDS = 1.0, 15.0  # to reach a database that is down
KEEP = timedelta(days=30)  # of what was delivered, and of the events
KEEP_JOBS_HOURS = 7 * 24  # of those that failed; the others are deleted when they are done
PURGE_AT_ONCE = 10_000


@asynccontextmanager
async def working(settings: Settings, database: Database, url: URL) -> AsyncIterator[None]:
    """Work until the block ends; whatever happens to the database meanwhile, it goes on when that is back."""
    stopping = asyncio.Event()
    task = asyncio.create_task(_keep_working(settings, database, url, stopping))
    try:
        yield
    finally:
        stopping.set()
        await task


async def _keep_working(settings: Settings, database: Database, url: URL, stopping: asyncio.Event) -> None:
    wait = RETRY_SECONDS
    while not stopping.is_set():
        started = datetime.now(UTC)
        try:
            await _work(settings, database, url, stopping)
        except Exception as error:  # without another try, nothing would be delivered any more
            wait = RETRY_SECONDS if datetime.now(UTC) - started > timedelta(minutes=1) else wait
            foreseen = isinstance(error, CrmError | ConnectorException | psycopg.Error | ExceptionGroup)
            log.warning("the worker stopped; next try in %.0f s", wait, exc_info=None if foreseen else error)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await stopping.wait()
            wait = min(wait * 2, RETRY_MAX_SECONDS)


async def _work(settings: Settings, database: Database, url: URL, stopping: asyncio.Event) -> None:
    app = job_app(url)
    async with Sender(settings.networks()) as sender, app.open_async():
        courier = Courier(database, sender)
        _add_jobs(app, settings, database, courier)
        running = asyncio.create_task(
            app.run_worker_async(
                concurrency=CONCURRENCY,
                install_signal_handlers=False,
                delete_jobs=jobs.DeleteJobCondition.SUCCESSFUL,
                shutdown_graceful_timeout=STOP_SECONDS,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
                fetch_job_polling_interval=POLL_SECONDS,
            )
        )
        dispatching = asyncio.create_task(_dispatch(database, url, courier, app))
        stop = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({running, dispatching, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            courier.stop()
            stop.cancel()
            for task in (dispatching, running):
                task.cancel()
            results = await asyncio.gather(dispatching, running, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result


def _add_jobs(app: App, settings: Settings, database: Database, courier: Courier) -> None:
    """What this worker does. The names are kept in the queue: a renamed job is one that nobody knows."""

    @app.task(name="drain", queue="crm")
    async def drain(endpoint_id: str) -> None:
        await courier.drain(uuid.UUID(endpoint_id))

    @app.periodic(cron="* * * * * */5")
    @app.task(name="rescue", queue="crm", queueing_lock="rescue")
    async def rescue(timestamp: int) -> None:
        """Have the jobs run again whose workers are gone."""
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            await _rescue(app, job)

    @app.periodic(cron="* * * * *")
    @app.task(name="retry_ingest", queue="crm", queueing_lock="retry_ingest", lock="retry_ingest")
    async def retry_ingest(timestamp: int) -> None:
        """Apply again what was stored and could not be applied."""
        await inbox.retry_failed(database, settings, datetime.now(UTC))

    @app.periodic(cron="17 * * * *")
    @app.task(name="tidy", queue="crm", queueing_lock="tidy", lock="tidy")
    async def tidy(timestamp: int) -> None:
        """Delete events and deliveries that are old, and jobs that ended."""
        await app.job_manager.delete_old_jobs(KEEP_JOBS_HOURS, include_failed=True, include_aborted=True)
        async with database.transaction(seconds=60) as transaction:
            await _PURGE.run(transaction, before=datetime.now(UTC) - KEEP)


async def _rescue(app: App, job: jobs.Job) -> None:
    with suppress(ConnectorException):  # another worker was faster; what else it is, is tried again in a moment
        try:
            await app.job_manager.retry_job(job)
        except UniqueViolation:  # one of its kind waits in the queue already, and for the lock that this one holds
            await app.job_manager.finish_job(job, jobs.Status.FAILED, delete_job=True)


async def _dispatch(database: Database, url: URL, courier: Courier, app: App) -> None:
    """Have endpoints drained whenever something is due to them."""
    news = asyncio.Event()

    def hear() -> None:
        news.set()
        courier.announce()

    async def defer(endpoint_id: uuid.UUID) -> None:
        lock = f"drain:{endpoint_id}"
        with suppress(AlreadyEnqueued):
            await app.configure_task("drain", queue="crm", lock=lock, queueing_lock=lock).defer_async(
                endpoint_id=str(endpoint_id)
            )

    listening = asyncio.create_task(listen(url, channels.DELIVERIES, lambda _: hear(), hear))
    try:
        while True:
            news.clear()
            await dispatch(database, courier, defer)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await news.wait()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


_PURGE = Statement(lambda: select(func.crm_purge_events(param(Event, "created_at", "before"), literal(PURGE_AT_ONCE))))
