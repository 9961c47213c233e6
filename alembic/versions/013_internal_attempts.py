"""Attempts at deliveries say whether the endpoint is in a private network, so that only admins read its answer.

Null for the attempts of a version that does not record it, which may serve meanwhile.
"""

import sqlalchemy as sa
from alembic import op

revision = "013"
down_revision = "012"


def upgrade() -> None:
    op.add_column("webhook_attempts", sa.Column("is_internal", sa.Boolean))


def downgrade() -> None:
    op.drop_column("webhook_attempts", "is_internal")
