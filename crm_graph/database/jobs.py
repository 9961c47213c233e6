"""The job queue: Procrastinate on the same database, in a schema of its own."""

import asyncio

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from psycopg.conninfo import make_conninfo
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import URL

SCHEMA = "crm_jobs"
CONNECTIONS = 3
CONNECT_SECONDS = 8


def conninfo(url: URL, *settings: str, **parameters: int) -> str:
    """libpq's connection string of a URL, with server settings, such as `timezone=UTC`, and libpq's own parameters."""
    _, of_url = PGDialect_psycopg().create_connect_args(url)  # type: ignore[no-untyped-call]
    options = " ".join([of_url.pop("options", ""), *(f"-c {setting}" for setting in settings)]).strip()
    defaults = {"connect_timeout": CONNECT_SECONDS, "application_name": "crm-graph"}
    return make_conninfo(**{**defaults, **of_url, **parameters, "options": options})


class JobQueue(JobManager):
    """The queue, which reports when it could not record the end of a job.

    Then that job counts as running for as long as its worker lives, and blocks the next one under its lock.
    """

    def __init__(self, connector: PsycopgConnector) -> None:
        super().__init__(connector)
        self.is_behind = asyncio.Event()

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Record that a job has ended; without the database, set `is_behind`."""
        try:
            await super().finish_job(job, status, delete_job)
        except ConnectorException:
            self.is_behind.set()


def job_app(url: URL) -> tuple[App, JobQueue]:
    """The app of the job queue, without tasks yet, and its queue. The app connects when it is opened."""
    where = conninfo(url, f"search_path={SCHEMA}", "timezone=UTC", "statement_timeout=8s", "lock_timeout=8s")
    connector = PsycopgConnector(conninfo=where, min_size=1, max_size=CONNECTIONS, timeout=CONNECT_SECONDS)
    app = App(connector=connector)
    app.job_manager = queue = JobQueue(connector)
    return app, queue
