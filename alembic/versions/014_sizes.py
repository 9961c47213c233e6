"""Sizes of values are limited in the database, too, and events show no value above those limits.

A server of the version before can go on meanwhile: a larger value, which it would accept, is an error, and a webhook
that fails so is retried. Rows that have such a value stay editable.
"""

from pathlib import Path
from typing import Any

from alembic import op

revision = "014"
down_revision = "013"

SQL = Path(__file__).parents[1] / "sql"
TABLES = ("contacts", "companies", "deals", "activities", "webhook_endpoints", "idempotency_keys")


def upgrade() -> None:
    _run("014_lock_tables.sql")
    _run("014_sizes.sql")


def _run(name: str) -> None:
    # Sent as it stands: a percent sign in it is no parameter.
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute((SQL / name).read_text(encoding="utf-8"))


def downgrade() -> None:
    _run("014_lock_tables.sql")
    for table in TABLES:
        op.execute(f"DROP TRIGGER crm_{table}_size_of_new ON {table}")
        op.execute(f"DROP TRIGGER crm_{table}_size_of_changed ON {table}")
    op.execute("DROP FUNCTION crm_refuse_large")
    _run("009_event_functions.sql")
    op.execute("DROP FUNCTION crm_bounded")
