"""The database remembers which one it is, beside the PUBLIC_URL it is served under: a restored copy sends nothing."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "011"
down_revision = "010"

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    op.add_column("deployment", sa.Column("database_identity", sa.Text()))
    op.execute((SQL / "011_database_identity.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("DROP FUNCTION crm_database_identity")
    op.drop_column("deployment", "database_identity")
