"""Runs the migrations on the connection that `crm_graph.database.migrations` opened, or on the configured database."""

from alembic import context
from sqlalchemy import Connection, create_engine

from crm_graph.errors import SettingsError
from crm_graph.models import Owner
from crm_graph.settings import Settings

METADATA = Owner.metadata


def run(connection: Connection) -> None:
    """Migrate in one transaction, so that a failed migration leaves nothing behind."""
    context.configure(
        connection=connection, target_metadata=METADATA, compare_type=True, transaction_per_migration=False
    )
    with context.begin_transaction():
        context.run_migrations()


if (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    try:
        url = Settings.load().migration_url()
    except SettingsError as error:
        raise SystemExit("\n".join(error.problems)) from None
    if url is None:
        raise SystemExit("run migrations with: crm-graph migrate (it starts the embedded PostgreSQL)")
    with create_engine(url).connect() as opened:
        run(opened)
