"""The job queue: Procrastinate's own tables and functions, as its pinned version makes them."""

from typing import Any

from alembic import op
from procrastinate.schema import SchemaManager

revision = "008"
down_revision = "007"

LEFT = """
DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'procrastinate%' LOOP
        EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', found.name);
    END LOOP;
    FOR found IN SELECT relname AS name FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relname LIKE 'procrastinate%' AND relkind = 'r' LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I CASCADE', found.name);
    END LOOP;
    FOR found IN SELECT typname AS name FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND typname LIKE 'procrastinate%' AND typtype IN ('e', 'c') LOOP
        EXECUTE format('DROP TYPE IF EXISTS %I CASCADE', found.name);
    END LOOP;
END $$
"""


def upgrade() -> None:
    _run(SchemaManager.get_schema())


def downgrade() -> None:
    _run(LEFT)


def _run(script: str) -> None:
    """Statements that are sent as they stand: a percent sign in them is no parameter."""
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute(script)
