"""The configured PostgreSQL, an external server or the embedded one, with the schema that this code needs."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from psycopg.errors import InsufficientPrivilege
from sqlalchemy import column, func, select, table
from sqlalchemy.engine import URL

from crm_graph.database import migrations
from crm_graph.database.engine import Database, place, reason, sqlstate
from crm_graph.database.server_version import check_server_version
from crm_graph.delivery import pause
from crm_graph.embedded import EmbeddedPostgres
from crm_graph.embedded.supervisor import supervised
from crm_graph.errors import SetupError, Unavailable
from crm_graph.settings import Settings
from crm_graph.web.fair_queue import FairQueue

log = logging.getLogger(__name__)
_VERSIONS = table("alembic_version")  # Alembic's own


# Connections that owners' requests can't take.
WEBHOOK_CONNECTIONS = 4
CHECK_CONNECTIONS = 2
WORKER_CONNECTIONS = 4


def for_webhooks(database: Database) -> Database:
    """The connections for incoming webhooks."""
    return database.reserved("webhooks", WEBHOOK_CONNECTIONS)


def for_checks(database: Database) -> Database:
    """The connections that look up callers' tokens, and answer /readyz and /metrics."""
    return database.reserved("checks", CHECK_CONNECTIONS)


def for_worker(database: Database) -> Database:
    """The connections of the worker inside a server."""
    return database.reserved("worker", WORKER_CONNECTIONS)


def owner_shares(database: Database) -> FairQueue:
    """The slots for owners' requests: as many as there are connections, and half of them for one owner.

    A request uses one connection at a time, so that one with a slot never waits for a connection.
    """
    return FairQueue(database.pool_size, max(1, database.pool_size // 2))


async def schema_version(database: Database) -> str | None:
    """The version of the database's schema; None if it was never migrated. Raises Unavailable."""
    async with database.read() as connection:
        has_versions = await connection.scalar(select(func.to_regclass("alembic_version"))) is not None
        return await connection.scalar(select(column("version_num")).select_from(_VERSIONS)) if has_versions else None


@dataclass(frozen=True, slots=True)
class Urls:
    """The database's URLs: for the server's user, and for the user that may change the schema."""

    server: URL
    migration: URL
    is_embedded: bool


@contextmanager
def postgres(settings: Settings, *, may_create: bool = False) -> Iterator[Urls]:
    """The configured PostgreSQL, or the embedded one, kept running until the block ends.

    Raises SetupError, also when the embedded one does not exist yet: only with `may_create` is it created.
    """
    if problem := settings.database_problem():
        raise SetupError(problem)
    server, migration = settings.server_url(), settings.migration_url()
    if server is not None and migration is not None:
        yield Urls(server, migration, is_embedded=False)
        return
    with EmbeddedPostgres(settings.crm_data_dir, may_create=may_create) as embedded, supervised(embedded):
        urls = Urls(embedded.url("app_user"), embedded.url("app_admin"), is_embedded=True)
        migrations.migrate(urls.migration)  # crm-graph is its only user: no operator has to choose the moment
        yield urls


@asynccontextmanager
async def database(urls: Urls) -> AsyncIterator[Database]:
    """The opened database. Raises SetupError when its server is too old, or its schema not the one this code needs."""
    opened = Database(urls.server)
    try:
        await _check_schema(opened, urls)
        yield opened
    finally:
        await opened.close()


async def _check_schema(opened: Database, urls: Urls) -> None:
    where = place(urls.server)
    try:
        async with opened.read() as connection:
            check_server_version(connection.dialect, urls.server)
        present, needed = await schema_version(opened), migrations.head()
    except Unavailable as error:
        if sqlstate(error.__cause__) == InsufficientPrivilege.sqlstate:
            message = f"{urls.server.username} has no rights on the database {where}: run crm-graph migrate"
            raise SetupError(message) from None
        raise SetupError(f"can't reach the database {where}: {reason(error.__cause__)}") from None
    if present is not None and not migrations.is_known(present):
        raise SetupError(f"the database {where} has schema {present}, this crm-graph knows only up to {needed}: update")
    if present != needed:
        state = f"has schema {present}" if present else "has no schema yet"
        raise SetupError(f"the database {where} {state}, this crm-graph needs {needed}: run crm-graph migrate")


async def pause_if_moved(opened: Database, settings: Settings) -> None:
    """Pause deliveries when the database was served elsewhere before: it may be a copy. Servers and workers do this."""
    async with opened.transaction() as transaction:
        paused = await pause.pause_if_moved(transaction, settings.public_url)
    if paused is not None:
        log.warning("deliveries are paused: %s", paused)
