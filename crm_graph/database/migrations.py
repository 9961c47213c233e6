"""Migrations: which revisions exist, which one a database has, and upgrading it to the newest."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, create_engine, func, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from crm_graph.database import locks, rights
from crm_graph.database.engine import place, reason, sqlstate
from crm_graph.database.server_version import check_server_version
from crm_graph.errors import SetupError

CONNECT_SECONDS, LOCK_SECONDS = 8, 60


def _folder() -> Path:
    """In a wheel the migrations are inside the package, in a checkout beside it."""
    packaged = Path(__file__).parents[1] / "_migrations"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "alembic"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The revision that this code needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise SetupError(f"no migrations found in {_folder()}: install crm-graph again")
    return revision


def current(connection: Connection) -> str | None:
    """The revision of a database; None when it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def is_known(revision: str) -> bool:
    """Whether this code has that revision; a database of a newer crm-graph has an unknown one."""
    return any(script.revision == revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def migrate(url: URL) -> tuple[str | None, str]:
    """Upgrade a database to `head()`, one process at a time; returns the revisions before and after.

    Raises SetupError when the server can't be reached, is too old, refuses the user, or has a newer schema.
    """
    with _locked(url) as connection:
        before = current(connection)
        connection.commit()
        if before is not None and not is_known(before):
            raise SetupError(f"the database {place(url)} has schema {before} of a newer crm-graph: install that")
        command.upgrade(_config(connection), "head")
        connection.commit()
        return before, head()


def repair_rights(url: URL) -> list[str]:
    """Repair the roles and rights of a migrated database, see rights.repair. Raises SetupError as `migrate` does."""
    with _locked(url) as connection:
        return rights.repair(connection)


@contextmanager
def _locked(url: URL) -> Iterator[Connection]:
    """A connection whose process is the only one that migrates. Raises SetupError for what PostgreSQL refuses."""
    engine = create_engine(url, hide_parameters=True, connect_args={"connect_timeout": CONNECT_SECONDS})
    try:
        with engine.connect() as connection:
            check_server_version(connection.dialect, url)
            encoding = connection.scalar(select(func.current_setting("server_encoding")))
            if encoding != "UTF8":
                raise SetupError(f"the database {place(url)} has encoding {encoding}: create it with ENCODING 'UTF8'")
            connection.execute(select(func.set_config("lock_timeout", f"{LOCK_SECONDS}s", False)))
            connection.execute(select(func.pg_advisory_lock(locks.MIGRATION)))
            connection.commit()
            yield connection
    except (DBAPIError, psycopg.Error) as error:
        raise SetupError(_problem(url, error)) from None
    finally:
        engine.dispose()


def _problem(url: URL, error: DBAPIError | psycopg.Error) -> str:
    if isinstance(error, DBAPIError) and error.statement is None:
        return f"can't reach the database {place(url)}: {reason(error)}"
    is_refused = sqlstate(error) == InsufficientPrivilege.sqlstate
    hint = ": set MIGRATION_DATABASE_URL to a user that owns the schema, such as app_admin" if is_refused else ""
    return f"can't migrate the database {place(url)}: {reason(error)}{hint}"
