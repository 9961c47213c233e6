"""Events out: the outbox, who subscribed to it, and the deliveries. What fills it are the triggers of 007."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "006"
down_revision = "005"

TYPES = (
    "deal_created",
    "deal_stage_changed",
    "deal_updated",
    "contact_created",
    "contact_status_changed",
    "contact_updated",
    "contact_erased",
    "activity_logged",
    "reply_received",
    "meeting_booked",
    "meeting_rescheduled",
    "meeting_cancelled",
    "meeting_no_show",
    "endpoint_disabled",
    "test",
)
STATUSES = ("pending", "delivered", "failed", "cancelled")
PENDING = sa.text("status = 'pending'")
TABLES = ("deployment", "webhook_attempts", "webhook_deliveries", "webhook_endpoints", "events")


def _id() -> "sa.Column[object]":
    return sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)


def _time(name: str, *, is_now: bool = False, nullable: bool = True) -> "sa.Column[object]":
    now = sa.text("now()") if is_now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=now, nullable=nullable and not is_now)


def _count(name: str, start: int = 0) -> "sa.Column[object]":
    return sa.Column(name, sa.Integer(), server_default=sa.text(str(start)), nullable=False)


def _check(*values: str, name: str, column: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({', '.join(map(repr, values))})", name=op.f(name))


def upgrade() -> None:
    _create_events()
    _create_endpoints()
    _create_deliveries()
    _create_attempts()
    op.create_index("webhooks_log_source_idx", "webhooks_log", ["source", "received_at"])
    op.create_table(
        "deployment",
        sa.Column("id", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("public_url", sa.Text()),
        _time("paused_at"),
        sa.Column("paused_reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("deployment_pkey")),
        sa.CheckConstraint("id", name=op.f("deployment_one_row_check")),
    )
    # Secrets are for nobody to read who doesn't sign with them; what was told is written by triggers alone.
    op.execute("REVOKE ALL ON webhook_endpoints FROM readonly")
    op.execute("REVOKE INSERT, UPDATE, DELETE ON events FROM app_user")
    op.execute("GRANT UPDATE (payload) ON events TO app_user")  # an erasure


def _create_events() -> None:
    op.create_table(
        "events",
        _id(),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        _time("occurred_at", nullable=False),
        _time("created_at", is_now=True),
        sa.Column("owner_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("deal_id", sa.Uuid()),
        sa.Column("contact_id", sa.Uuid()),
        sa.Column("activity_id", sa.Uuid()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSON(), nullable=False),
        sa.Column("traceparent", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("events_pkey")),
        sa.UniqueConstraint("position", name=op.f("events_position_key")),
        _check(*TYPES, name="events_eventtype_check", column="type"),
    )
    op.create_index("events_contact_id_idx", "events", ["contact_id"])
    op.create_index("events_deal_id_idx", "events", ["deal_id"])
    op.create_index("events_created_at_idx", "events", ["created_at", "position"])


def _create_endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        _id(),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(2048, collation="C"), nullable=False),
        sa.Column("event_types", sa.ARRAY(sa.String(200, collation="C")), server_default="{}", nullable=False),
        sa.Column("headers", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("previous_secret", sa.Text()),
        _time("previous_secret_until"),
        _count("failures"),
        _time("failing_since"),
        _time("retry_at"),
        _time("disabled_at"),
        sa.Column("disabled_reason", sa.Text()),
        _count("version", 1),
        _time("created_at", is_now=True),
        _time("updated_at", is_now=True),
        sa.PrimaryKeyConstraint("id", name=op.f("webhook_endpoints_pkey")),
        sa.UniqueConstraint("owner_id", "url", name=op.f("webhook_endpoints_owner_id_url_key")),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("webhook_endpoints_owner_id_fkey")),
        sa.CheckConstraint(
            "(disabled_at IS NULL) = (disabled_reason IS NULL)", name=op.f("webhook_endpoints_disabled_reason_check")
        ),
    )


def _create_deliveries() -> None:
    name = "webhook_deliveries"
    op.create_table(
        name,
        _id(),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("order_key", sa.Uuid()),
        sa.Column("status", sa.String(32), server_default=sa.text("'pending'"), nullable=False),
        _count("attempts"),
        _time("due_at", is_now=True),
        _time("leased_until"),
        _time("created_at", is_now=True),
        _time("settled_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("webhook_deliveries_pkey")),
        sa.UniqueConstraint("endpoint_id", "event_id", name=op.f("webhook_deliveries_endpoint_id_event_id_key")),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
            name=op.f("webhook_deliveries_endpoint_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("webhook_deliveries_event_id_fkey"), ondelete="CASCADE"
        ),
        _check(*STATUSES, name="webhook_deliveries_deliverystatus_check", column="status"),
    )
    op.create_index("webhook_deliveries_due_idx", name, ["endpoint_id", "due_at"], postgresql_where=PENDING)
    order = ["endpoint_id", "order_key", "position"]
    op.create_index("webhook_deliveries_order_idx", name, order, postgresql_where=PENDING)
    op.create_index("webhook_deliveries_queue_idx", name, ["endpoint_id", "position"], postgresql_where=PENDING)
    op.create_index("webhook_deliveries_event_id_idx", name, ["event_id"])
    op.create_index("webhook_deliveries_created_at_idx", name, ["created_at", "id"])
    is_settled = sa.text("settled_at IS NOT NULL")
    op.create_index("webhook_deliveries_settled_at_idx", name, ["settled_at"], postgresql_where=is_settled)


def _create_attempts() -> None:
    op.create_table(
        "webhook_attempts",
        _id(),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        _time("attempted_at", nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status_code", sa.Integer()),
        sa.Column("answer", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("webhook_attempts_pkey")),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["webhook_deliveries.id"],
            name=op.f("webhook_attempts_delivery_id_fkey"),
            ondelete="CASCADE",
        ),
    )
    op.create_index("webhook_attempts_delivery_id_idx", "webhook_attempts", ["delivery_id", "attempted_at"])


def downgrade() -> None:
    op.drop_index("webhooks_log_source_idx", table_name="webhooks_log")
    for table in TABLES:
        op.drop_table(table)
