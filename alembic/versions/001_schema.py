"""The tables of the spine, and the default pipeline. Long, because a first schema is one migration."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from crm_graph.models.default_stages import DEFAULT_STAGES  # what a new installation starts with, here and in the API

revision = "001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "companies",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.String(length=200, collation="C"), nullable=False),
        sa.Column("domain", sa.String(length=253, collation="C"), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("size", sa.Text(), nullable=True),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("linkedin_url", sa.Text(), nullable=True),
        sa.Column(
            "enrichment_json", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("domain !~ '[A-Z[:space:]]'", name=op.f("companies_domain_lower_case_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("companies_pkey")),
        sa.UniqueConstraint("domain", name=op.f("companies_domain_key")),
    )
    op.create_index("companies_name_key_idx", "companies", ["name_key"], unique=False)
    op.create_index(
        "companies_nameless_domain_idx",
        "companies",
        ["name_key"],
        unique=True,
        postgresql_where=sa.text("domain IS NULL"),
    )
    op.create_table(
        "owners",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.String(length=320, collation="C"), nullable=False),
        sa.Column(
            "role",
            sa.Enum("admin", "sales", "readonly", name="role", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("booking_url", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "email ~ '^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$' AND email !~ '[A-Z]'",
            name=op.f("owners_email_normal_form_check"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("owners_pkey")),
        sa.UniqueConstraint("email", name=op.f("owners_email_key")),
    )
    op.create_index(
        "owners_one_default_idx", "owners", ["is_default"], unique=True, postgresql_where=sa.text("is_default")
    )
    op.create_table(
        "pipelines",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pipelines_pkey")),
        sa.UniqueConstraint("name", name=op.f("pipelines_name_key")),
    )
    op.create_index(
        "pipelines_one_default_idx", "pipelines", ["is_default"], unique=True, postgresql_where=sa.text("is_default")
    )
    op.create_table(
        "contacts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("email", sa.String(length=320, collation="C"), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("linkedin_url", sa.Text(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("company_id", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column(
            "owner_source",
            sa.Enum(
                "mailbox",
                "organiser",
                "default",
                "person",
                name="ownersource",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "lifecycle_stage",
            sa.Enum(
                "lead",
                "qualified",
                "opportunity",
                "customer",
                "disqualified",
                name="lifecyclestage",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default=sa.text("'lead'"),
            nullable=False,
        ),
        sa.Column(
            "reply_status",
            sa.Enum(
                "interested",
                "not_interested",
                "question",
                "unsubscribed",
                "out_of_office",
                "wrong_person",
                "neutral",
                "bounced",
                name="replystatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("reply_summary", sa.Text(), nullable=True),
        sa.Column(
            "reply_status_source",
            sa.Enum(
                "person",
                "provider",
                "model",
                "rules",
                name="replystatussource",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("reply_status_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("needs_review", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ooo_until", sa.Date(), nullable=True),
        sa.Column("do_not_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("do_not_contact_reason", sa.Text(), nullable=True),
        sa.Column("latest_email_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("custom", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "email ~ '^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$' AND email !~ '[A-Z]'",
            name=op.f("contacts_email_normal_form_check"),
        ),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("contacts_company_id_fkey")),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("contacts_owner_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("contacts_pkey")),
        sa.UniqueConstraint("email", name=op.f("contacts_email_key")),
    )
    op.create_index(op.f("contacts_company_id_idx"), "contacts", ["company_id"], unique=False)
    op.create_index("contacts_created_at_id_idx", "contacts", ["created_at", "id"], unique=False)
    op.create_index("contacts_owner_id_idx", "contacts", ["owner_id", "created_at", "id"], unique=False)
    op.create_table(
        "owner_mailboxes",
        sa.Column("email", sa.String(length=320, collation="C"), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "email ~ '^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$' AND email !~ '[A-Z]'",
            name=op.f("owner_mailboxes_email_normal_form_check"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("owner_mailboxes_owner_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("email", name=op.f("owner_mailboxes_pkey")),
    )
    op.create_index(op.f("owner_mailboxes_owner_id_idx"), "owner_mailboxes", ["owner_id"], unique=False)
    op.create_table(
        "pipeline_stages",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=200, collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("order_index", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Numeric(precision=4, scale=3), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("open", "won", "lost", name="stagekind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.CheckConstraint("key ~ '^[a-z][a-z0-9_]*$'", name=op.f("pipeline_stages_key_form_check")),
        sa.CheckConstraint("probability BETWEEN 0 AND 1", name=op.f("pipeline_stages_probability_check")),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipelines.id"], name=op.f("pipeline_stages_pipeline_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("pipeline_stages_pkey")),
        sa.UniqueConstraint("pipeline_id", "id", name=op.f("pipeline_stages_pipeline_id_id_key")),
        sa.UniqueConstraint("pipeline_id", "key", name=op.f("pipeline_stages_pipeline_id_key_key")),
        sa.UniqueConstraint(
            "pipeline_id", "order_index", deferrable=True, name=op.f("pipeline_stages_pipeline_id_order_index_key")
        ),
    )
    op.create_table(
        "contact_emails",
        sa.Column("email", sa.String(length=320, collation="C"), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "email ~ '^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$' AND email !~ '[A-Z]'",
            name=op.f("contact_emails_email_normal_form_check"),
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("contact_emails_contact_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("email", name=op.f("contact_emails_pkey")),
    )
    op.create_index(op.f("contact_emails_contact_id_idx"), "contact_emails", ["contact_id"], unique=False)
    op.create_table(
        "deals",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("company_id", sa.Uuid(), nullable=True),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("stage_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("close_date", sa.Date(), nullable=True),
        sa.Column(
            "status",
            sa.Enum("open", "won", "lost", name="dealstatus", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("lost_reason", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("rank", sa.String(length=200, collation="C"), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount >= 0 AND amount <> 'NaN'", name=op.f("deals_amount_check")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("deals_currency_check")),
        sa.CheckConstraint("status = 'lost' OR lost_reason IS NULL", name=op.f("deals_lost_reason_check")),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("deals_company_id_fkey")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("deals_contact_id_fkey")),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("deals_owner_id_fkey")),
        sa.ForeignKeyConstraint(
            ["pipeline_id", "stage_id"],
            ["pipeline_stages.pipeline_id", "pipeline_stages.id"],
            name=op.f("deals_pipeline_id_stage_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipelines.id"], name=op.f("deals_pipeline_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("deals_pkey")),
    )
    op.create_index(
        "deals_board_idx",
        "deals",
        ["owner_id", "stage_id", "rank", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("deals_company_id_idx"), "deals", ["company_id"], unique=False)
    op.create_index(op.f("deals_owner_id_idx"), "deals", ["owner_id"], unique=False)
    op.create_index("deals_contact_id_created_at_idx", "deals", ["contact_id", "created_at", "id"], unique=False)
    op.create_index("deals_created_at_id_idx", "deals", ["created_at", "id"], unique=False)
    op.create_index(
        "deals_owner_stage_amount_idx",
        "deals",
        ["owner_id", "stage_id"],
        unique=False,
        postgresql_include=["amount"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("deals_pipeline_id_stage_id_idx", "deals", ["pipeline_id", "stage_id"], unique=False)
    op.create_index(
        "deals_stage_id_rank_idx",
        "deals",
        ["stage_id", "rank", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "activities",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column(
            "type",
            sa.Enum(
                "email_in",
                "email_out",
                "meeting",
                "no_show",
                "form",
                "system",
                "note",
                "call",
                "task",
                name="activitytype",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("deal_id", sa.Uuid(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("meta_json", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("effect_key", sa.String(collation="C"), nullable=True),
        sa.CheckConstraint("contact_id IS NOT NULL OR deal_id IS NOT NULL", name=op.f("activities_subject_check")),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("activities_contact_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["created_by"], ["owners.id"], name=op.f("activities_created_by_fkey")),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name=op.f("activities_deal_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("activities_pkey")),
        sa.UniqueConstraint("effect_key", name=op.f("activities_effect_key_key")),
    )
    op.create_index("activities_contact_id_idx", "activities", ["contact_id", "occurred_at", "id"], unique=False)
    op.create_index(op.f("activities_created_by_idx"), "activities", ["created_by"], unique=False)
    op.create_index("activities_deal_id_idx", "activities", ["deal_id", "occurred_at", "id"], unique=False)
    op.create_table(
        "deal_stage_history",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("deal_id", sa.Uuid(), nullable=False),
        sa.Column("from_stage_id", sa.Uuid(), nullable=True),
        sa.Column("to_stage_id", sa.Uuid(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_by", sa.Uuid(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deal_id"], ["deals.id"], name=op.f("deal_stage_history_deal_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["from_stage_id"], ["pipeline_stages.id"], name=op.f("deal_stage_history_from_stage_id_fkey")
        ),
        sa.ForeignKeyConstraint(["moved_by"], ["owners.id"], name=op.f("deal_stage_history_moved_by_fkey")),
        sa.ForeignKeyConstraint(
            ["to_stage_id"], ["pipeline_stages.id"], name=op.f("deal_stage_history_to_stage_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("deal_stage_history_pkey")),
    )
    op.create_index("deal_stage_history_deal_id_idx", "deal_stage_history", ["deal_id", "moved_at", "id"], unique=False)
    op.create_index(op.f("deal_stage_history_from_stage_id_idx"), "deal_stage_history", ["from_stage_id"], unique=False)
    op.create_index(op.f("deal_stage_history_moved_by_idx"), "deal_stage_history", ["moved_by"], unique=False)
    op.create_index(op.f("deal_stage_history_to_stage_id_idx"), "deal_stage_history", ["to_stage_id"], unique=False)
    op.create_table(
        "webhooks_log",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("source", sa.String(length=200, collation="C"), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.String(length=200, collation="C"), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255, collation="C"), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "received",
                "processed",
                "ignored",
                "quarantined",
                "error",
                name="webhookstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("deal_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("webhooks_log_contact_id_fkey"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name=op.f("webhooks_log_deal_id_fkey"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("webhooks_log_pkey")),
        sa.UniqueConstraint("source", "dedupe_key", name=op.f("webhooks_log_source_dedupe_key_key")),
        sa.UniqueConstraint("source", "idempotency_key", name=op.f("webhooks_log_source_idempotency_key_key")),
    )
    op.create_index(op.f("webhooks_log_contact_id_idx"), "webhooks_log", ["contact_id"], unique=False)
    op.create_index(op.f("webhooks_log_deal_id_idx"), "webhooks_log", ["deal_id"], unique=False)
    op.create_index("webhooks_log_received_at_idx", "webhooks_log", ["received_at", "id"], unique=False)
    op.create_index("webhooks_log_status_idx", "webhooks_log", ["status", "received_at"], unique=False)
    op.execute("INSERT INTO pipelines (name, is_default) VALUES ('Default Sales', true)")
    stage = sa.text(
        "INSERT INTO pipeline_stages (pipeline_id, key, name, order_index, probability, kind) "
        "SELECT id, :key, :name, :place, :probability, :kind FROM pipelines WHERE is_default"
    )
    for place, values in enumerate(DEFAULT_STAGES, start=1):
        op.execute(stage.bindparams(place=place, **values))


def downgrade() -> None:
    op.drop_index("webhooks_log_status_idx", table_name="webhooks_log")
    op.drop_index("webhooks_log_received_at_idx", table_name="webhooks_log")
    op.drop_index(op.f("webhooks_log_deal_id_idx"), table_name="webhooks_log")
    op.drop_index(op.f("webhooks_log_contact_id_idx"), table_name="webhooks_log")
    op.drop_table("webhooks_log")
    op.drop_index(op.f("deal_stage_history_to_stage_id_idx"), table_name="deal_stage_history")
    op.drop_index(op.f("deal_stage_history_moved_by_idx"), table_name="deal_stage_history")
    op.drop_index(op.f("deal_stage_history_from_stage_id_idx"), table_name="deal_stage_history")
    op.drop_index("deal_stage_history_deal_id_idx", table_name="deal_stage_history")
    op.drop_table("deal_stage_history")
    op.drop_index("activities_deal_id_idx", table_name="activities")
    op.drop_index(op.f("activities_created_by_idx"), table_name="activities")
    op.drop_index("activities_contact_id_idx", table_name="activities")
    op.drop_table("activities")
    op.drop_index("deals_stage_id_rank_idx", table_name="deals", postgresql_where=sa.text("deleted_at IS NULL"))
    op.drop_index("deals_pipeline_id_stage_id_idx", table_name="deals")
    op.drop_index(
        "deals_owner_stage_amount_idx",
        table_name="deals",
        postgresql_include=["amount"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.drop_index("deals_created_at_id_idx", table_name="deals")
    op.drop_index("deals_contact_id_created_at_idx", table_name="deals")
    op.drop_index(op.f("deals_owner_id_idx"), table_name="deals")
    op.drop_index(op.f("deals_company_id_idx"), table_name="deals")
    op.drop_index("deals_board_idx", table_name="deals", postgresql_where=sa.text("deleted_at IS NULL"))
    op.drop_table("deals")
    op.drop_index(op.f("contact_emails_contact_id_idx"), table_name="contact_emails")
    op.drop_table("contact_emails")
    op.drop_table("pipeline_stages")
    op.drop_index(op.f("owner_mailboxes_owner_id_idx"), table_name="owner_mailboxes")
    op.drop_table("owner_mailboxes")
    op.drop_index("contacts_owner_id_idx", table_name="contacts")
    op.drop_index("contacts_created_at_id_idx", table_name="contacts")
    op.drop_index(op.f("contacts_company_id_idx"), table_name="contacts")
    op.drop_table("contacts")
    op.drop_index("pipelines_one_default_idx", table_name="pipelines", postgresql_where=sa.text("is_default"))
    op.drop_table("pipelines")
    op.drop_index("owners_one_default_idx", table_name="owners", postgresql_where=sa.text("is_default"))
    op.drop_table("owners")
    op.drop_index("companies_nameless_domain_idx", table_name="companies", postgresql_where=sa.text("domain IS NULL"))
    op.drop_index("companies_name_key_idx", table_name="companies")
    op.drop_table("companies")
