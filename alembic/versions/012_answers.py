"""A function that counts the bytes of an answer while it is built. A server of the version before does not call it."""

from pathlib import Path
from typing import Any

from alembic import op

revision = "012"
down_revision = "011"

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    # Sent as it stands: a percent sign in it is no parameter.
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute((SQL / "012_answers.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("DROP FUNCTION crm_counted(anyelement, integer)")
