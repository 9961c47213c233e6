"""The worker: runs the jobs of the queue. `serve` has one inside; any number of others may run anywhere.

A commit with an event sends a notification; the worker then defers a drain job for each endpoint with due deliveries,
one job per endpoint at a time. The job is not deferred in the event's own transaction: under a queueing lock, all
writers with events for one endpoint would wait for each other's commits.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from time import monotonic

import psycopg
from procrastinate import App, jobs
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from sqlalchemy import func, literal, select
from sqlalchemy.engine import URL

from crm_graph.backoff import Backoff
from crm_graph.database import channels
from crm_graph.database.engine import Database
from crm_graph.database.jobs import job_app
from crm_graph.database.listener import listen
from crm_graph.database.statements import Statement, param
from crm_graph.delivery.sender import DeliverySender, dispatch
from crm_graph.egress.client import HttpClient
from crm_graph.errors import CrmError
from crm_graph.models import Event
from crm_graph.settings import Settings
from webhooks import inbox

log = logging.getLogger(__name__)

CONCURRENCY = 64  # jobs at once: an endpoint that hangs occupies one of them, and waiting costs little
CROWDED_POLL_SECONDS = 0.25  # while endpoints wait for a job of their owner's to end, which nothing announces
POLL_SECONDS = 1.0  # finds what no notification announces: the next attempt of a failed delivery
HEARTBEAT_SECONDS, STALLED_SECONDS = 2.0, 10.0  # a worker without a heartbeat for that long was killed
STOP_SECONDS = 6.0
STABLE_SECONDS = 60.0  # a worker that ran that long starts over with the first wait
RETRY_SECONDS, RETRY_MAX_SECONDS = 1.0, 15.0  # while the database is down
KEEP = timedelta(days=30)  # events and their deliveries, once all of them are settled
KEEP_JOBS_HOURS = 7 * 24  # failed jobs; a job that succeeds is deleted at once
PURGE_AT_ONCE = 10_000


@asynccontextmanager
async def working(settings: Settings, database: Database, url: URL) -> AsyncIterator[None]:
    """Run jobs until the block ends. When the database is lost, continues as soon as it is back."""
    stopping = asyncio.Event()
    task = asyncio.create_task(_keep_working(settings, database, url, stopping))
    try:
        yield
    finally:
        stopping.set()
        await task


async def _keep_working(settings: Settings, database: Database, url: URL, stopping: asyncio.Event) -> None:
    backoff = Backoff(RETRY_SECONDS, RETRY_MAX_SECONDS)
    while not stopping.is_set():
        started = monotonic()
        try:
            await _work(settings, database, url, stopping)
        except Exception as error:  # of any kind: without another attempt, nothing would be delivered any more
            if monotonic() - started > STABLE_SECONDS:
                backoff.reset()
            wait = backoff.next()
            is_expected = isinstance(error, CrmError | ConnectorException | psycopg.Error | ExceptionGroup)
            log.warning("the worker stopped; next attempt in %.1f s", wait, exc_info=None if is_expected else error)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await stopping.wait()


async def _work(settings: Settings, database: Database, url: URL, stopping: asyncio.Event) -> None:
    app, queue = job_app(url)
    async with HttpClient() as http, app.open_async():
        sender = DeliverySender(database, http, settings.networks())
        _add_jobs(app, settings, database, sender)
        await _rescue_jobs(app)
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
        dispatching = asyncio.create_task(_dispatch(database, url, sender, app))
        stop = asyncio.create_task(stopping.wait())
        behind = asyncio.create_task(queue.is_behind.wait())
        try:
            await asyncio.wait({running, dispatching, stop, behind}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sender.stop()
            stop.cancel()
            behind.cancel()
            for task in (dispatching, running):
                task.cancel()
            results = await asyncio.gather(dispatching, running, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        if queue.is_behind.is_set():  # under a new worker's name, the jobs of this one are run again
            raise ConnectorException("the end of a job could not be recorded")


def _add_jobs(app: App, settings: Settings, database: Database, sender: DeliverySender) -> None:
    """Register the jobs. Their names are stored in the queue: don't rename one while its jobs may be waiting."""

    @app.task(name="drain", queue="crm")
    async def drain(endpoint_id: str) -> None:
        await sender.drain(uuid.UUID(endpoint_id))

    @app.periodic(cron="* * * * * */5")
    @app.task(name="rescue", queue="crm", queueing_lock="rescue")
    async def rescue(timestamp: int) -> None:
        await _rescue_jobs(app)

    @app.periodic(cron="* * * * *")
    @app.task(name="retry_ingest", queue="crm", queueing_lock="retry_ingest", lock="retry_ingest")
    async def retry_ingest(timestamp: int) -> None:
        """Apply stored webhooks that could not be applied before."""
        await inbox.retry_failed(database, settings, datetime.now(UTC))

    @app.periodic(cron="17 * * * *")
    @app.task(name="tidy", queue="crm", queueing_lock="tidy", lock="tidy")
    async def tidy(timestamp: int) -> None:
        """Delete old events with their deliveries, and old failed jobs."""
        await app.job_manager.delete_old_jobs(KEEP_JOBS_HOURS, include_failed=True, include_aborted=True)
        async with database.transaction(seconds=60) as transaction:
            await _PURGE.run(transaction, before=datetime.now(UTC) - KEEP)


async def _rescue_jobs(app: App) -> None:
    """Run the jobs of killed workers again."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        await _rescue(app, job)


async def _rescue(app: App, job: jobs.Job) -> None:
    with suppress(ConnectorException):  # another worker was faster; other causes are retried soon
        try:
            await app.job_manager.retry_job(job)
        except UniqueViolation:  # its successor is queued already, and waits for the lock that this job holds
            await app.job_manager.finish_job(job, jobs.Status.FAILED, delete_job=True)


async def _dispatch(database: Database, url: URL, sender: DeliverySender, app: App) -> None:
    """Defer a drain job for each endpoint that has due deliveries, whenever there may be some."""
    wake_up = asyncio.Event()

    def notify() -> None:
        wake_up.set()
        sender.wake()

    async def defer(endpoint_id: uuid.UUID) -> None:
        lock = f"drain:{endpoint_id}"
        with suppress(AlreadyEnqueued):
            await app.configure_task("drain", queue="crm", lock=lock, queueing_lock=lock).defer_async(
                endpoint_id=str(endpoint_id)
            )

    listening = asyncio.create_task(listen(url, channels.DELIVERIES, lambda _: notify(), notify))
    try:
        while True:
            wake_up.clear()
            await dispatch(database, sender, defer)
            with suppress(TimeoutError):
                async with asyncio.timeout(CROWDED_POLL_SECONDS if sender.is_crowded else POLL_SECONDS):
                    await wake_up.wait()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


_PURGE = Statement(lambda: select(func.crm_purge_events(param(Event, "created_at", "before"), literal(PURGE_AT_ONCE))))
