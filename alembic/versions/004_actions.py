"""What the CRM's actions need: tasks, merged and erased contacts, verdicts on replies, stages that can be deleted, and
keys under which a call is made once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "004"
down_revision = "003"

SOURCES = ("person", "provider", "model", "rules")
STATUSES = (
    "interested",
    "not_interested",
    "question",
    "unsubscribed",
    "out_of_office",
    "wrong_person",
    "neutral",
    "bounced",
)

# HMAC-SHA256 (RFC 2104) over the address in normal form. Without the key, a list of guessed addresses could be tried.
NEW_KEY = """
WITH key AS (
    SELECT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex') AS bytes
), octet AS (
    SELECT place, CASE WHEN place < 32 THEN get_byte(key.bytes, place) ELSE 0 END AS value
    FROM key, generate_series(0, 63) AS place
)
INSERT INTO suppression_key (inner_pad, outer_pad)
SELECT decode(string_agg(lpad(to_hex(value # 54), 2, '0'), '' ORDER BY place), 'hex'),
       decode(string_agg(lpad(to_hex(value # 92), 2, '0'), '' ORDER BY place), 'hex')
FROM octet
"""
CRM_ADDRESS_HMAC = """
CREATE FUNCTION crm_address_hmac(address text) RETURNS bytea LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
    SELECT sha256(outer_pad || sha256(inner_pad || convert_to(address, 'UTF8'))) FROM suppression_key
$$
"""
# Locks a column of the board until the transaction ends and returns its topmost rank but for one deal's: volatile, so
# that it looks after the lock is there, and sees what whoever held it has committed.
CRM_LOCK_COLUMN = """
CREATE FUNCTION crm_lock_column(stage uuid, but uuid) RETURNS text LANGUAGE plpgsql VOLATILE STRICT AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1668443501, hashtext(stage::text));
    RETURN (SELECT min(rank) FROM deals WHERE stage_id = stage AND deleted_at IS NULL AND id <> but);
END $$
"""


def _time(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True))


def _given_index(name: str, table: str, *columns: str) -> None:
    op.create_index(name, table, list(columns), postgresql_where=sa.text(f"{columns[0]} IS NOT NULL"))


def _check(*values: str, name: str, column: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({', '.join(map(repr, values))})", name=op.f(name))


def upgrade() -> None:
    op.add_column("contacts", sa.Column("merged_into_id", sa.Uuid()))
    op.create_foreign_key(op.f("contacts_merged_into_id_fkey"), "contacts", "contacts", ["merged_into_id"], ["id"])
    op.add_column("contacts", _time("erased_at"))
    op.create_check_constraint(
        op.f("contacts_merged_is_deleted_check"), "contacts", "merged_into_id IS NULL OR deleted_at IS NOT NULL"
    )
    op.create_check_constraint(
        op.f("contacts_erased_is_deleted_check"), "contacts", "erased_at IS NULL OR deleted_at IS NOT NULL"
    )
    _given_index("contacts_merged_into_id_idx", "contacts", "merged_into_id")
    op.add_column("webhooks_log", sa.Column("mentions", sa.ARRAY(sa.Text())))
    op.create_index(
        "webhooks_log_mentions_idx",
        "webhooks_log",
        ["mentions"],
        postgresql_using="gin",
        postgresql_where=sa.text("mentions IS NOT NULL"),
    )
    _upgrade_stages()
    _upgrade_activities()
    _create_reply_verdicts()
    _create_idempotency_keys()
    _create_suppressions()
    # Neither is anything for a BI tool, and nobody changes the key: with another one nobody would be known again.
    op.execute("REVOKE ALL ON suppression_key, idempotency_keys FROM readonly")
    op.execute("REVOKE INSERT, UPDATE, DELETE ON suppression_key FROM app_user")
    op.execute(CRM_LOCK_COLUMN)


def _upgrade_stages() -> None:
    op.add_column("pipeline_stages", _time("deleted_at"))
    op.drop_constraint("pipeline_stages_pipeline_id_key_key", "pipeline_stages")
    op.drop_constraint("pipeline_stages_pipeline_id_order_index_key", "pipeline_stages")
    alive = sa.text("deleted_at IS NULL")
    op.create_index(
        "pipeline_stages_key_idx", "pipeline_stages", ["pipeline_id", "key"], unique=True, postgresql_where=alive
    )
    op.create_exclude_constraint(
        "pipeline_stages_order_index_excl",
        "pipeline_stages",
        ("pipeline_id", "="),
        ("order_index", "="),
        using="btree",
        where=alive,
        deferrable=True,
    )
    op.drop_constraint("deals_pipeline_id_stage_id_fkey", "deals")
    op.drop_constraint("pipeline_stages_pipeline_id_id_key", "pipeline_stages")
    # The status of the deals in a stage, and none once it is deleted: no deal is in a deleted stage, or says otherwise.
    status = sa.Computed("CASE WHEN deleted_at IS NULL THEN kind END", persisted=True)
    op.add_column("pipeline_stages", sa.Column("deal_status", sa.String(32), status))
    told = ["pipeline_id", "id", "deal_status"]
    op.create_unique_constraint("pipeline_stages_pipeline_id_id_deal_status_key", "pipeline_stages", told)
    tells = ["pipeline_id", "stage_id", "status"]
    op.create_foreign_key("deals_pipeline_id_stage_id_status_fkey", "deals", "pipeline_stages", tells, told)
    op.drop_index("deals_pipeline_id_stage_id_idx", "deals")
    op.create_index("deals_pipeline_id_stage_id_status_idx", "deals", tells)


def _upgrade_activities() -> None:
    for column in (sa.Column("company_id", sa.Uuid()), _time("due_at"), sa.Column("assignee_id", sa.Uuid())):
        op.add_column("activities", column)
    op.add_column("activities", _time("completed_at"))
    op.create_foreign_key(
        op.f("activities_company_id_fkey"), "activities", "companies", ["company_id"], ["id"], ondelete="CASCADE"
    )
    op.create_foreign_key(op.f("activities_assignee_id_fkey"), "activities", "owners", ["assignee_id"], ["id"])
    op.drop_constraint("activities_subject_check", "activities")
    op.create_check_constraint(
        op.f("activities_subject_check"), "activities", "num_nonnulls(contact_id, deal_id, company_id) > 0"
    )
    op.create_check_constraint(
        op.f("activities_task_check"),
        "activities",
        "type = 'task' OR num_nonnulls(due_at, assignee_id, completed_at) = 0",
    )
    _given_index("activities_company_id_idx", "activities", "company_id", "occurred_at", "id")
    _given_index("activities_assignee_id_idx", "activities", "assignee_id", "due_at", "id")
    is_open = sa.text("type = 'task' AND completed_at IS NULL")
    op.create_index(
        "activities_open_tasks_idx", "activities", ["assignee_id", "due_at", "id"], postgresql_where=is_open
    )


def _create_reply_verdicts() -> None:
    op.create_table(
        "reply_verdicts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid()),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("summary", sa.Text()),
        sa.Column("confidence", sa.Numeric(4, 3)),
        sa.Column("judged_by", sa.Uuid()),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("reply_verdicts_pkey")),
        sa.UniqueConstraint(
            "activity_id",
            "contact_id",
            "source",
            name=op.f("reply_verdicts_activity_id_contact_id_source_key"),
            postgresql_nulls_not_distinct=True,
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("reply_verdicts_contact_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activities.id"], name=op.f("reply_verdicts_activity_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["judged_by"], ["owners.id"], name=op.f("reply_verdicts_judged_by_fkey")),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("reply_verdicts_confidence_check")),
        _check(*SOURCES, name="reply_verdicts_replystatussource_check", column="source"),
        _check(*STATUSES, name="reply_verdicts_replystatus_check", column="status"),
    )
    op.create_index("reply_verdicts_contact_id_idx", "reply_verdicts", ["contact_id", "judged_at", "id"])
    _given_index("reply_verdicts_judged_by_idx", "reply_verdicts", "judged_by")


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.String(200, collation="C"), nullable=False),
        sa.Column("key", sa.String(255, collation="C"), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("result", postgresql.JSONB()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "operation", "key", name=op.f("idempotency_keys_pkey")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("idempotency_keys_owner_id_fkey"), ondelete="CASCADE"
        ),
    )
    op.create_index("idempotency_keys_created_at_idx", "idempotency_keys", ["created_at"])


def _create_suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("address_hmac", sa.LargeBinary(), nullable=False),
        sa.Column("suppressed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address_hmac", name=op.f("suppressions_pkey")),
    )
    op.create_table(
        "suppression_key",
        sa.Column("id", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("inner_pad", sa.LargeBinary(), nullable=False),
        sa.Column("outer_pad", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("suppression_key_pkey")),
        sa.CheckConstraint("id", name=op.f("suppression_key_one_row_check")),
    )
    op.execute(NEW_KEY)
    op.execute(CRM_ADDRESS_HMAC)


def downgrade() -> None:
    op.execute("DROP FUNCTION crm_lock_column")
    op.execute("DROP FUNCTION crm_address_hmac")
    for table in ("suppression_key", "suppressions", "idempotency_keys", "reply_verdicts"):
        op.drop_table(table)
    _downgrade_activities()
    _downgrade_stages()
    op.drop_column("webhooks_log", "mentions")
    op.drop_column("contacts", "erased_at")
    op.drop_column("contacts", "merged_into_id")


def _downgrade_activities() -> None:
    op.execute("DELETE FROM activities WHERE contact_id IS NULL AND deal_id IS NULL")
    op.drop_constraint("activities_subject_check", "activities")
    for column in ("company_id", "due_at", "assignee_id", "completed_at"):
        op.drop_column("activities", column)
    op.create_check_constraint(
        op.f("activities_subject_check"), "activities", "contact_id IS NOT NULL OR deal_id IS NOT NULL"
    )


def _downgrade_stages() -> None:
    op.drop_constraint("deals_pipeline_id_stage_id_status_fkey", "deals")
    op.drop_constraint("pipeline_stages_pipeline_id_id_deal_status_key", "pipeline_stages")
    op.drop_column("pipeline_stages", "deal_status")
    # What is deleted can't be told by a schema that has no deleted stages, and history may still name it.
    op.execute("UPDATE pipeline_stages SET key = key || '_' || left(id::text, 8) WHERE deleted_at IS NOT NULL")
    op.execute(
        "UPDATE pipeline_stages SET order_index = place + (SELECT max(order_index) FROM pipeline_stages) "
        "FROM (SELECT id, row_number() OVER (ORDER BY deleted_at, id) AS place FROM pipeline_stages "
        "WHERE deleted_at IS NOT NULL) AS deleted WHERE deleted.id = pipeline_stages.id"
    )
    op.drop_constraint("pipeline_stages_order_index_excl", "pipeline_stages")
    op.drop_index("pipeline_stages_key_idx", "pipeline_stages")
    op.drop_column("pipeline_stages", "deleted_at")
    op.create_unique_constraint("pipeline_stages_pipeline_id_key_key", "pipeline_stages", ["pipeline_id", "key"])
    op.create_unique_constraint(
        "pipeline_stages_pipeline_id_order_index_key",
        "pipeline_stages",
        ["pipeline_id", "order_index"],
        deferrable=True,
    )
    op.create_unique_constraint("pipeline_stages_pipeline_id_id_key", "pipeline_stages", ["pipeline_id", "id"])
    stage = ["pipeline_id", "stage_id"], ["pipeline_id", "id"]
    op.create_foreign_key("deals_pipeline_id_stage_id_fkey", "deals", "pipeline_stages", *stage)
    op.drop_index("deals_pipeline_id_stage_id_status_idx", "deals")
    op.create_index("deals_pipeline_id_stage_id_idx", "deals", ["pipeline_id", "stage_id"])
