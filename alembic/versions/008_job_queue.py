"""The job queue: Procrastinate's tables and functions, as its pinned version makes them, in a schema of their own."""

from typing import Any

from alembic import op
from procrastinate.schema import SchemaManager

revision = "008"
down_revision = "007"

SCHEMA = "crm_jobs"


def upgrade() -> None:
    op.execute(f"CREATE SCHEMA {SCHEMA}")
    found = op.get_bind().exec_driver_sql("SELECT current_setting('search_path')").scalar()
    op.execute(f"SET LOCAL search_path = {SCHEMA}")
    # Sent as it stands: a percent sign in it is no parameter.
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute(SchemaManager.get_schema())
    op.execute(f"SET LOCAL search_path = {found}")
    op.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO app_user")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {SCHEMA} TO app_user")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO app_user")


def downgrade() -> None:
    op.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
