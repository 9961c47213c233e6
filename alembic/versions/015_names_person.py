"""A function that finds an address in texts, for erasures. A server of the version before does not call it."""

from pathlib import Path
from typing import Any

from alembic import op

revision = "015"
down_revision = "014"

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    # Sent as it stands: a percent sign in it is no parameter.
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute((SQL / "015_names_person.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("DROP FUNCTION crm_names_person")
