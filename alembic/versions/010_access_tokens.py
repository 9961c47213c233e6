"""The tokens that `crm-graph token` issues, so that one of them can be revoked.

A server of the version before neither reads nor writes the table, and accepts a revoked token until it is replaced.
"""

import sqlalchemy as sa
from alembic import op

revision = "010"
down_revision = "009"


def upgrade() -> None:
    op.create_table(
        "access_tokens",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("access_tokens_pkey")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("access_tokens_owner_id_fkey"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("access_tokens_owner_id_idx"), "access_tokens", ["owner_id"])


def downgrade() -> None:
    op.drop_table("access_tokens")
