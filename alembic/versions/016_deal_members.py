"""Members of deals: a column that the version before leaves empty, and events that reach members too."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "016"
down_revision = "015"

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    column = sa.Column("member_ids", ARRAY(sa.Uuid()))
    op.add_column("deals", column)
    op.create_check_constraint("members", "deals", "cardinality(member_ids) BETWEEN 1 AND 20")
    op.create_index(
        "deals_member_ids_idx",
        "deals",
        ["member_ids"],
        postgresql_using="gin",
        postgresql_where=sa.text("member_ids IS NOT NULL"),
    )
    _run("016_deal_members.sql")


def _run(name: str) -> None:
    # Sent as it stands: a percent sign in it is no parameter.
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute((SQL / name).read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("DROP FUNCTION crm_member_deals, crm_member_contacts")
    _run("009_event_functions.sql")
    _run("014_sizes.sql")
    op.drop_column("deals", "member_ids")
