"""Pipelines, deals and their moves, timelines, and verdicts on replies."""

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Index,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, ExcludeConstraint
from sqlmodel import Field, SQLModel

from crm_graph.models.columns import (
    Columns,
    KeyText,
    Time,
    closed_set,
    document,
    extracted,
    flag,
    has_key,
    live_index,
    not_null_index,
    optional_reference,
    pool_index,
    primary_key,
    reference,
    set_at_insert,
    version,
)
from crm_graph.models.enums import (
    ActivityType,
    DealStatus,
    ReplyStatus,
    ReplyStatusSource,
    StageKind,
)
from crm_graph.models.searched import search_index

LIVE = text("deleted_at IS NULL")
OPEN_TASK = text("type = 'task' AND completed_at IS NULL")
NOTHING = "NULL::character varying"  # in PostgreSQL's notation, by which Alembic recognises the expression
HAS_MEMBERS = text("member_ids IS NOT NULL")
TOTALLED = ("amount", "currency")


class Pipeline(SQLModel, table=True):
    """A sales process: an ordered list of stages."""

    __tablename__ = "pipelines"
    __table_args__ = (
        Index("pipelines_one_default_idx", "is_default", unique=True, postgresql_where=text("is_default")),
    )
    id: uuid.UUID = primary_key()
    name: str = Field(sa_type=Text, unique=True)
    is_default: bool = flag()
    created_at: datetime = set_at_insert()


class PipelineStage(SQLModel, table=True):
    """A column of the board; `key` is its immutable name for programs. History still refers to deleted stages."""

    __tablename__ = "pipeline_stages"
    __table_args__ = (
        Index(
            "pipeline_stages_key_idx", "pipeline_id", "key", unique=True, postgresql_where=text("deleted_at IS NULL")
        ),
        # Like UNIQUE, but for stages that are not deleted, and deferrable, so that a whole pipeline can be reordered.
        ExcludeConstraint(
            ("pipeline_id", "="),
            ("order_index", "="),
            name="pipeline_stages_order_index_excl",
            using="btree",
            where=LIVE,
            deferrable=True,
        ),
        UniqueConstraint("pipeline_id", "id", "deal_status"),  # the target of the deals' foreign key
        CheckConstraint("key ~ '^[a-z][a-z0-9_]*$'", name="key_form"),
        CheckConstraint("probability BETWEEN 0 AND 1", name="probability"),
    )
    id: uuid.UUID = primary_key()
    pipeline_id: uuid.UUID = reference("pipelines.id")
    key: str = Field(sa_type=KeyText)
    name: str = Field(sa_type=Text)
    order_index: int
    probability: Decimal = Field(sa_type=Numeric(4, 3))
    kind: StageKind = Field(default=StageKind.OPEN, sa_type=closed_set(StageKind))
    deleted_at: datetime | None = Field(default=None, sa_type=Time)
    # The status of its deals; null once it is deleted, so that no deal can be in it.
    deal_status: str | None = Field(
        default=None,
        sa_column=Column(String(32), Computed(f"CASE WHEN {LIVE} THEN kind ELSE {NOTHING} END", persisted=True)),
    )


class Deal(SQLModel, table=True):
    """An opportunity to sell something to a contact, in one stage of one pipeline."""

    # Groups of columns. Each column is in exactly one of EDITABLE, MEMBERSHIP, PROGRESS, DELETION and BOOKKEEPING; the
    # other groups cut across them.
    EDITABLE: ClassVar[Columns] = (
        *("title", "contact_id", "company_id", "owner_id", "amount", "currency", "close_date"),
        *("source", "notes", "campaign_id"),
    )
    MEMBERSHIP: ClassVar[Columns] = ("member_ids",)
    PROGRESS: ClassVar[Columns] = ("pipeline_id", "stage_id", "status", "lost_reason", "rank")  # what a move changes
    DELETION: ClassVar[Columns] = ("deleted_at",)
    BOOKKEEPING: ClassVar[Columns] = ("id", "version", "created_at", "updated_at")

    PERSONAL: ClassVar[Columns] = ("title", "notes")  # what an erasure of the deal's contact replaces
    # What the `changes` of deal_updated can name.
    ANNOUNCED: ClassVar[Columns] = (*EDITABLE, *MEMBERSHIP, "lost_reason", "deleted_at")
    SNAPSHOT: ClassVar[Columns] = (  # what an event shows of a deal; of deleted_at only whether it is set
        *("id", "title", "amount", "currency", "status", "close_date", "source", "campaign_id", "lost_reason"),
        *("owner_id", "member_ids", "version", "deleted_at"),
    )

    __tablename__ = "deals"
    __table_args__ = (
        # The stage belongs to the deal's pipeline, is not deleted, and its kind is the deal's status.
        ForeignKeyConstraint(
            ["pipeline_id", "stage_id", "status"],
            ["pipeline_stages.pipeline_id", "pipeline_stages.id", "pipeline_stages.deal_status"],
        ),
        # `numeric` has NaN, and NaN >= 0 is true.
        CheckConstraint("amount >= 0 AND amount <> 'NaN'", name="amount"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("status = 'lost' OR lost_reason IS NULL", name="lost_reason"),
        Index("deals_pipeline_id_stage_id_status_idx", "pipeline_id", "stage_id", "status"),
        # A column's order and totals: of one owner, of the pool, of everybody.
        live_index("deals_board_idx", "owner_id", "stage_id", "rank", "id", include=TOTALLED),
        pool_index("deals_pool_board_idx", "stage_id", "rank", "id", include=TOTALLED),
        live_index("deals_stage_id_rank_idx", "stage_id", "rank", "id", include=TOTALLED),
        Index("deals_contact_id_created_at_idx", "contact_id", "created_at", "id"),
        # Not partial: when an owner is deleted, the check of the foreign key reads deleted deals too.
        Index("deals_owner_id_idx", "owner_id", "created_at", "id"),
        Index("deals_created_at_id_idx", "created_at", "id"),
        pool_index("deals_pool_created_at_idx", "created_at", "id"),
        live_index("deals_owner_id_updated_at_idx", "owner_id", "updated_at", "id"),
        pool_index("deals_pool_updated_at_idx", "updated_at", "id"),
        live_index("deals_updated_at_id_idx", "updated_at", "id"),
        Index("deals_campaign_id_idx", "campaign_id", postgresql_where=text("campaign_id IS NOT NULL")),
        Index("deals_deleted_idx", "id", postgresql_where=text("deleted_at IS NOT NULL")),
        # Few deals have members: the others are not in the index, so that their changes cost nothing more.
        Index("deals_member_ids_idx", "member_ids", postgresql_using="gin", postgresql_where=HAS_MEMBERS),
        CheckConstraint("cardinality(member_ids) BETWEEN 1 AND 20", name="members"),
        search_index("deals"),
    )
    id: uuid.UUID = primary_key()
    title: str = Field(sa_type=Text)
    contact_id: uuid.UUID | None = optional_reference("contacts.id")
    company_id: uuid.UUID | None = optional_reference("companies.id", index=True)
    pipeline_id: uuid.UUID = reference("pipelines.id")
    stage_id: uuid.UUID = Field(sa_type=Uuid)
    owner_id: uuid.UUID | None = optional_reference("owners.id")
    # Owners who work on it beside its own; null when there are none, which is the fastest to test. Owners are never
    # removed, so there is no foreign key.
    member_ids: list[uuid.UUID] | None = Field(default=None, sa_type=ARRAY(Uuid))
    amount: Decimal | None = Field(default=None, sa_type=Numeric(14, 2))
    currency: str = Field(sa_type=String(3))
    close_date: date | None = None
    status: DealStatus = Field(default=DealStatus.OPEN, sa_type=closed_set(DealStatus))
    lost_reason: str | None = Field(default=None, sa_type=Text)
    source: str | None = Field(default=None, sa_type=Text)
    notes: str | None = Field(default=None, sa_type=Text)
    rank: str = Field(sa_type=KeyText)
    campaign_id: str | None = Field(default=None, sa_type=Text)
    version: int = version()
    created_at: datetime = set_at_insert()
    updated_at: datetime = set_at_insert()
    deleted_at: datetime | None = Field(default=None, sa_type=Time)


class DealStageHistory(SQLModel, table=True):
    """One move of a deal. `from_stage_id` is null for its creation; each move starts where the last one ended."""

    __tablename__ = "deal_stage_history"
    __table_args__ = (
        Index("deal_stage_history_deal_id_idx", "deal_id", "moved_at", "id"),
        # For the foreign key, and for reports on the moves of a period.
        Index(
            "deal_stage_history_to_stage_id_idx",
            "to_stage_id",
            "moved_at",
            postgresql_include=["deal_id", "from_stage_id"],
        ),
    )
    id: uuid.UUID = primary_key()
    deal_id: uuid.UUID = reference("deals.id", ondelete="CASCADE")
    from_stage_id: uuid.UUID | None = optional_reference("pipeline_stages.id", index=True)
    to_stage_id: uuid.UUID = reference("pipeline_stages.id")
    moved_at: datetime = Field(sa_type=Time)
    moved_by: uuid.UUID | None = optional_reference("owners.id", index=True)
    source: str = Field(sa_type=Text)


class Activity(SQLModel, table=True):
    """An entry on the timeline of a contact, a deal or a company: something that happened, or a task."""

    __tablename__ = "activities"
    __table_args__ = (
        CheckConstraint("num_nonnulls(contact_id, deal_id, company_id) > 0", name="subject"),
        CheckConstraint("type = 'task' OR num_nonnulls(due_at, assignee_id, completed_at) = 0", name="task"),
        Index("activities_contact_id_idx", "contact_id", "occurred_at", "id"),
        Index("activities_deal_id_idx", "deal_id", "occurred_at", "id"),
        not_null_index("activities_company_id_idx", "company_id", "occurred_at", "id"),
        Index("activities_occurred_at_id_idx", "occurred_at", "id"),
        not_null_index("activities_assignee_id_idx", "assignee_id", "due_at", "id"),
        # Open tasks are few, and read often.
        Index("activities_open_tasks_idx", "assignee_id", "due_at", "id", postgresql_where=OPEN_TASK),
        # For reports: a contact's last e-mail of a campaign; contacts who replied or arranged a meeting in a period.
        Index(
            "activities_campaign_idx",
            "contact_id",
            "occurred_at",
            "id",
            postgresql_where=text("campaign_id IS NOT NULL"),
        ),
        Index(
            "activities_outcome_idx",
            "type",
            "occurred_at",
            "contact_id",
            postgresql_include=["arranges"],
            postgresql_where=text("type = 'email_in' OR type = 'meeting' AND arranges"),
        ),
    )
    id: uuid.UUID = primary_key()
    type: ActivityType = Field(sa_type=closed_set(ActivityType))
    contact_id: uuid.UUID | None = optional_reference("contacts.id", ondelete="CASCADE")
    deal_id: uuid.UUID | None = optional_reference("deals.id", ondelete="CASCADE")
    content: str = Field(sa_type=Text)
    meta_json: dict[str, object] = document()
    created_by: uuid.UUID | None = optional_reference("owners.id", index=True)
    occurred_at: datetime = Field(sa_type=Time)
    created_at: datetime = set_at_insert()
    company_id: uuid.UUID | None = optional_reference("companies.id", ondelete="CASCADE")
    due_at: datetime | None = Field(default=None, sa_type=Time)
    assignee_id: uuid.UUID | None = optional_reference("owners.id")
    completed_at: datetime | None = Field(default=None, sa_type=Time)
    # The campaign e-mail that this is about, as its provider names it.
    campaign_id: str | None = extracted("meta_json", "campaign_id")
    campaign_name: str | None = extracted("meta_json", "campaign_name")
    campaign_step: str | None = extracted("meta_json", "step")
    campaign_variant: str | None = extracted("meta_json", "variant")
    mailbox: str | None = extracted("meta_json", "email_account")
    arranges: bool | None = has_key("meta_json", "arranges")  # whether this entry arranges a meeting
    # The source's name for the effect, so that two events that announce the same effect apply it once.
    effect_key: str | None = Field(default=None, sa_type=String(collation="C"), unique=True)


class ReplyVerdict(SQLModel, table=True):
    """How one source classified a contact's reply. Corrections are stored beside the verdicts that they correct."""

    __tablename__ = "reply_verdicts"
    __table_args__ = (
        # One per source and reply; without a reply, one per source and contact.
        UniqueConstraint("activity_id", "contact_id", "source", postgresql_nulls_not_distinct=True),
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
        Index("reply_verdicts_contact_id_idx", "contact_id", "judged_at", "id"),
        not_null_index("reply_verdicts_judged_by_idx", "judged_by"),
    )
    id: uuid.UUID = primary_key()
    contact_id: uuid.UUID = reference("contacts.id", ondelete="CASCADE")
    activity_id: uuid.UUID | None = optional_reference("activities.id", ondelete="CASCADE")
    source: ReplyStatusSource = Field(sa_type=closed_set(ReplyStatusSource))
    status: ReplyStatus = Field(sa_type=closed_set(ReplyStatus))
    summary: str | None = Field(default=None, sa_type=Text)
    confidence: Decimal | None = Field(default=None, sa_type=Numeric(4, 3))
    judged_by: uuid.UUID | None = optional_reference("owners.id")
    judged_at: datetime = Field(sa_type=Time)
