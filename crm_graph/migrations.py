"""The schema's version: which migrations there are, which have run, and running the rest."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from crm_graph.errors import SetupError

MIGRATION_LOCK = 0x63726D67  # "crmg": one migration at a time on a database


def _folder() -> Path:
    """The wheel carries the migrations inside the package; a checkout has them beside it."""
    packaged = Path(__file__).parent / "_migrations"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "alembic"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The version that this code needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise SetupError(f"no migrations found in {_folder()}: install crm-graph again")
    return revision


def current(connection: Connection) -> str | None:
    """The version that a database has; None when it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(url: URL) -> tuple[str | None, str]:
    """Bring the database to `head()`, one process at a time; returns the versions before and after.

    Raises SetupError when the server can't be reached or refuses the user.
    """
    engine = create_engine(url, connect_args={"connect_timeout": 8})
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
            connection.commit()
            before = current(connection)
            connection.commit()
            command.upgrade(_config(connection), "head")
            connection.commit()
            return before, head()
    except OperationalError as error:
        raise SetupError(f"can't reach the database at {url.render_as_string()}: {first_line(error)}") from None
    finally:
        engine.dispose()


def first_line(error: OperationalError) -> str:
    """What the server or driver said, without SQL and parameters."""
    return str(error.orig).strip().splitlines()[0]
