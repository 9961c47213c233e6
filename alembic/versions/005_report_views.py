"""What reports are read from: the campaign of an activity as columns, indexes, and views for BI tools."""

import sqlalchemy as sa
from alembic import op

revision = "005"
down_revision = "004"

FROM_META = {
    "campaign_id": "meta_json ->> 'campaign_id'",
    "campaign_name": "meta_json ->> 'campaign_name'",
    "campaign_step": "meta_json ->> 'step'",
    "campaign_variant": "meta_json ->> 'variant'",
    "mailbox": "meta_json ->> 'email_account'",
    "arranges": "meta_json ? 'arranges'",
}
# Each figure is defined as in the API (crm_graph/reports), over everybody's rows.
VIEWS = {
    "report_deals": (
        "The deals that are not deleted. closed_at: when an open deal became what it is now, won or lost.",
        """
        SELECT deals.id AS deal_id, deals.title, pipelines.name AS pipeline, stages.name AS stage,
               stages.key AS stage_key, deals.status, owners.name AS owner, contacts.email AS contact,
               companies.name AS company, deals.amount, deals.currency,
               round(deals.amount * stages.probability, 2) AS weighted_amount, deals.close_date, deals.source,
               deals.campaign_id, deals.lost_reason, deals.created_at, closing.closed_at
        FROM deals
        JOIN pipelines ON pipelines.id = deals.pipeline_id
        JOIN pipeline_stages AS stages ON stages.id = deals.stage_id
        LEFT JOIN owners ON owners.id = deals.owner_id
        LEFT JOIN contacts ON contacts.id = deals.contact_id AND contacts.deleted_at IS NULL
        LEFT JOIN companies ON companies.id = deals.company_id
        LEFT JOIN LATERAL (
            SELECT max(moves.moved_at) AS closed_at
            FROM deal_stage_history AS moves
            JOIN pipeline_stages AS entered ON entered.id = moves.to_stage_id
            LEFT JOIN pipeline_stages AS departed ON departed.id = moves.from_stage_id
            WHERE moves.deal_id = deals.id AND departed.kind IS DISTINCT FROM entered.kind
        ) AS closing ON deals.status <> 'open'
        WHERE deals.deleted_at IS NULL
        """,
    ),
    "report_stage_times": (
        "How long deals stayed in stages, and where they went from there; without an end while they are there.",
        """
        SELECT moves.deal_id, pipelines.name AS pipeline, stages.name AS stage, stages.key AS stage_key,
               moves.moved_at AS entered_at, lead(moves.moved_at) OVER way AS left_at,
               extract(epoch FROM lead(moves.moved_at) OVER way - moves.moved_at) / 86400 AS days,
               lead(stages.name) OVER way AS next_stage, lead(stages.key) OVER way AS next_stage_key
        FROM deal_stage_history AS moves
        JOIN deals ON deals.id = moves.deal_id AND deals.deleted_at IS NULL
        JOIN pipeline_stages AS stages ON stages.id = moves.to_stage_id
        JOIN pipelines ON pipelines.id = stages.pipeline_id
        WINDOW way AS (PARTITION BY moves.deal_id ORDER BY moves.moved_at)
        """,
    ),
    "report_replies": (
        "The e-mails that contacts wrote, the campaign that they answered, and what the contact''s last reply means.",
        """
        SELECT activities.id AS activity_id, activities.occurred_at AS replied_at, contacts.id AS contact_id,
               contacts.email AS contact, owners.name AS owner, contacts.reply_status, activities.campaign_id,
               activities.campaign_name, activities.campaign_step AS step, activities.campaign_variant AS variant,
               activities.mailbox
        FROM activities
        JOIN contacts ON contacts.id = activities.contact_id
             AND (contacts.deleted_at IS NULL OR contacts.erased_at IS NOT NULL AND contacts.merged_into_id IS NULL)
        LEFT JOIN owners ON owners.id = contacts.owner_id
        WHERE activities.type = 'email_in'
        """,
    ),
}


def upgrade() -> None:
    for name, value in FROM_META.items():
        kind = sa.Boolean() if name == "arranges" else sa.Text()
        op.add_column("activities", sa.Column(name, kind, sa.Computed(value, persisted=True)))
    op.create_index(
        "activities_campaign_idx",
        "activities",
        ["contact_id", "occurred_at", "id"],
        postgresql_where=sa.text("campaign_id IS NOT NULL"),
    )
    op.create_index(
        "activities_outcome_idx",
        "activities",
        ["type", "occurred_at", "contact_id"],
        postgresql_include=["arranges"],
        postgresql_where=sa.text("type = 'email_in' OR type = 'meeting' AND arranges"),
    )
    op.create_index(
        "contacts_reply_status_at_idx",
        "contacts",
        ["reply_status_at"],
        postgresql_where=sa.text("reply_status_at IS NOT NULL"),
    )
    op.create_index("deals_deleted_idx", "deals", ["id"], postgresql_where=sa.text("deleted_at IS NOT NULL"))
    _index_moves("to_stage_id", "moved_at", include=["deal_id", "from_stage_id"])
    for name, (comment, query) in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")
        op.execute(f"COMMENT ON VIEW {name} IS '{comment}'")
        op.execute(f"REVOKE ALL ON {name} FROM app_user")  # which the default privileges have let in
        op.execute(f"GRANT SELECT ON {name} TO readonly")


def _index_moves(*columns: str, include: list[str]) -> None:
    """The foreign key's index, which reports read moves from, too."""
    name = "deal_stage_history_to_stage_id_idx"
    op.drop_index(name, "deal_stage_history")
    op.create_index(name, "deal_stage_history", list(columns), postgresql_include=include)


def downgrade() -> None:
    for name in VIEWS:
        op.execute(f"DROP VIEW {name}")
    _index_moves("to_stage_id", include=[])
    op.drop_index("deals_deleted_idx", "deals")
    op.drop_index("contacts_reply_status_at_idx", "contacts")
    for name in ("activities_outcome_idx", "activities_campaign_idx"):
        op.drop_index(name, "activities")
    for column in FROM_META:
        op.drop_column("activities", column)
