"""The job queue: Procrastinate on the same database, in a schema of its own."""

from procrastinate import App, PsycopgConnector
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


def job_app(url: URL) -> App:
    """The job queue, without tasks yet; it connects when it is opened."""
    where = conninfo(url, f"search_path={SCHEMA}", "timezone=UTC", "statement_timeout=8s", "lock_timeout=8s")
    return App(connector=PsycopgConnector(conninfo=where, min_size=1, max_size=CONNECTIONS, timeout=CONNECT_SECONDS))
