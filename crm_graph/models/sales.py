"""Pipelines, the deals that move through them, and what happened on the way."""

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

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
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlmodel import Field, SQLModel

from crm_graph.models.columns import (
    Columns,
    KeyText,
    Time,
    closed_set,
    document,
    extracted,
    flag,
    given_index,
    has_key,
    live_index,
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
NOTHING = "NULL::character varying"  # as PostgreSQL shows it, by which Alembic knows an expression again
TOTALLED = ("amount", "currency")


class Pipeline(SQLModel, table=True):
    """A way of selling: an ordered list of stages."""

    __tablename__ = "pipelines"
    __table_args__ = (
        Index("pipelines_one_default_idx", "is_default", unique=True, postgresql_where=text("is_default")),
    )
    id: uuid.UUID = primary_key()
    name: str = Field(sa_type=Text, unique=True)
    is_default: bool = flag()
    created_at: datetime = set_at_insert()


class PipelineStage(SQLModel, table=True):
    """A column of the board; `key` is its immutable name for machines. History still names a deleted one."""

    __tablename__ = "pipeline_stages"
    __table_args__ = (
        Index(
            "pipeline_stages_key_idx", "pipeline_id", "key", unique=True, postgresql_where=text("deleted_at IS NULL")
        ),
        # Like UNIQUE, but of the stages that are not deleted, and judged when a whole pipeline was put in order.
        ExcludeConstraint(
            ("pipeline_id", "="),
            ("order_index", "="),
            name="pipeline_stages_order_index_excl",
            using="btree",
            where=LIVE,
            deferrable=True,
        ),
        UniqueConstraint("pipeline_id", "id", "deal_status"),  # what deals refer to
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
    # The status of the deals in it; none once it is deleted, so that no deal can be in it.
    deal_status: str | None = Field(
        default=None,
        sa_column=Column(String(32), Computed(f"CASE WHEN {LIVE} THEN kind ELSE {NOTHING} END", persisted=True)),
    )


class Deal(SQLModel, table=True):
    """A chance to sell something to a contact, in one stage of one pipeline."""

    # Groups of columns. Each column is in exactly one of EDITABLE, PROGRESS, DELETION and BOOKKEEPING; the other groups
    # cut across them.
    EDITABLE: ClassVar[Columns] = (
        *("title", "contact_id", "company_id", "owner_id", "amount", "currency", "close_date"),
        *("source", "notes", "campaign_id"),
    )
    PROGRESS: ClassVar[Columns] = ("pipeline_id", "stage_id", "status", "lost_reason", "rank")  # what a move changes
    DELETION: ClassVar[Columns] = ("deleted_at",)
    BOOKKEEPING: ClassVar[Columns] = ("id", "version", "created_at", "updated_at")

    PERSONAL: ClassVar[Columns] = ("title", "notes")  # what an erasure of the deal's contact replaces
    # What the `changes` of deal_updated can name.
    ANNOUNCED: ClassVar[Columns] = (*EDITABLE, "lost_reason", "deleted_at")
    SNAPSHOT: ClassVar[Columns] = (  # what an event shows of a deal; of deleted_at only whether it is set
        *("id", "title", "amount", "currency", "status", "close_date", "source", "campaign_id", "lost_reason"),
        *("owner_id", "version", "deleted_at"),
    )

    __tablename__ = "deals"
    __table_args__ = (
        # A stage of its own pipeline that is not deleted, and whose kind is the deal's status.
        ForeignKeyConstraint(
            ["pipeline_id", "stage_id", "status"],
            ["pipeline_stages.pipeline_id", "pipeline_stages.id", "pipeline_stages.deal_status"],
        ),
        # `numeric` has NaN, and NaN >= 0 is true.
        CheckConstraint("amount >= 0 AND amount <> 'NaN'", name="amount"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("status = 'lost' OR lost_reason IS NULL", name="lost_reason"),
        Index("deals_pipeline_id_stage_id_status_idx", "pipeline_id", "stage_id", "status"),
        # A column's order and its totals: a salesperson's, the pool's, everybody's.
        live_index("deals_board_idx", "owner_id", "stage_id", "rank", "id", include=TOTALLED),
        pool_index("deals_pool_board_idx", "stage_id", "rank", "id", include=TOTALLED),
        live_index("deals_stage_id_rank_idx", "stage_id", "rank", "id", include=TOTALLED),
        Index("deals_contact_id_created_at_idx", "contact_id", "created_at", "id"),
        # Not partial: the foreign key's check, when an owner is deleted, reads deleted deals as well.
        Index("deals_owner_id_idx", "owner_id", "created_at", "id"),
        Index("deals_created_at_id_idx", "created_at", "id"),
        pool_index("deals_pool_created_at_idx", "created_at", "id"),
        live_index("deals_owner_id_updated_at_idx", "owner_id", "updated_at", "id"),
        pool_index("deals_pool_updated_at_idx", "updated_at", "id"),
        live_index("deals_updated_at_id_idx", "updated_at", "id"),
        Index("deals_campaign_id_idx", "campaign_id", postgresql_where=text("campaign_id IS NOT NULL")),
        Index("deals_deleted_idx", "id", postgresql_where=text("deleted_at IS NOT NULL")),
        search_index("deals"),
    )
    id: uuid.UUID = primary_key()
    title: str = Field(sa_type=Text)
    contact_id: uuid.UUID | None = reference("contacts.id", default=None)
    company_id: uuid.UUID | None = reference("companies.id", default=None, index=True)
    pipeline_id: uuid.UUID = reference("pipelines.id")
    stage_id: uuid.UUID = Field(sa_type=Uuid)
    owner_id: uuid.UUID | None = reference("owners.id", default=None)
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
    """One move of a deal; `from_stage_id` is null for its creation, and each move starts where the last one ended."""

    __tablename__ = "deal_stage_history"
    __table_args__ = (
        Index("deal_stage_history_deal_id_idx", "deal_id", "moved_at", "id"),
        # Of a foreign key, and what reports read the moves of a period from.
        Index(
            "deal_stage_history_to_stage_id_idx",
            "to_stage_id",
            "moved_at",
            postgresql_include=["deal_id", "from_stage_id"],
        ),
    )
    id: uuid.UUID = primary_key()
    deal_id: uuid.UUID = reference("deals.id", ondelete="CASCADE")
    from_stage_id: uuid.UUID | None = reference("pipeline_stages.id", default=None, index=True)
    to_stage_id: uuid.UUID = reference("pipeline_stages.id")
    moved_at: datetime = Field(sa_type=Time)
    moved_by: uuid.UUID | None = reference("owners.id", default=None, index=True)
    source: str = Field(sa_type=Text)


class Activity(SQLModel, table=True):
    """Something that happened with a contact, a deal or a company, or a task: something that is to happen."""

    __tablename__ = "activities"
    __table_args__ = (
        CheckConstraint("num_nonnulls(contact_id, deal_id, company_id) > 0", name="subject"),
        CheckConstraint("type = 'task' OR num_nonnulls(due_at, assignee_id, completed_at) = 0", name="task"),
        Index("activities_contact_id_idx", "contact_id", "occurred_at", "id"),
        Index("activities_deal_id_idx", "deal_id", "occurred_at", "id"),
        given_index("activities_company_id_idx", "company_id", "occurred_at", "id"),
        Index("activities_occurred_at_id_idx", "occurred_at", "id"),
        given_index("activities_assignee_id_idx", "assignee_id", "due_at", "id"),
        # Few of all entries, and those that are looked for all day.
        Index("activities_open_tasks_idx", "assignee_id", "due_at", "id", postgresql_where=OPEN_TASK),
        # What reports look for: a contact's last e-mail of a campaign; whoever wrote or arranged a meeting in a period.
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
    contact_id: uuid.UUID | None = reference("contacts.id", default=None, ondelete="CASCADE")
    deal_id: uuid.UUID | None = reference("deals.id", default=None, ondelete="CASCADE")
    content: str = Field(sa_type=Text)
    meta_json: dict[str, Any] = document()
    created_by: uuid.UUID | None = reference("owners.id", default=None, index=True)
    occurred_at: datetime = Field(sa_type=Time)
    created_at: datetime = set_at_insert()
    company_id: uuid.UUID | None = reference("companies.id", default=None, ondelete="CASCADE")
    due_at: datetime | None = Field(default=None, sa_type=Time)
    assignee_id: uuid.UUID | None = reference("owners.id", default=None)
    completed_at: datetime | None = Field(default=None, sa_type=Time)
    # The e-mail of a campaign that this is about, as its provider names it.
    campaign_id: str | None = extracted("meta_json", "campaign_id")
    campaign_name: str | None = extracted("meta_json", "campaign_name")
    campaign_step: str | None = extracted("meta_json", "step")
    campaign_variant: str | None = extracted("meta_json", "variant")
    mailbox: str | None = extracted("meta_json", "email_account")
    arranges: bool | None = has_key("meta_json", "arranges")  # a meeting, if that is what it is about
    # What happened, as its source names it: an effect that two events announce happens once.
    effect_key: str | None = Field(default=None, sa_type=String(collation="C"), unique=True)


class ReplyVerdict(SQLModel, table=True):
    """What one source made of a contact's reply: a correction stands beside what it corrects, for evaluation."""

    __tablename__ = "reply_verdicts"
    __table_args__ = (
        # One of a source on a reply, and one on a contact that has written nothing.
        UniqueConstraint("activity_id", "contact_id", "source", postgresql_nulls_not_distinct=True),
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
        Index("reply_verdicts_contact_id_idx", "contact_id", "judged_at", "id"),
        given_index("reply_verdicts_judged_by_idx", "judged_by"),
    )
    id: uuid.UUID = primary_key()
    contact_id: uuid.UUID = reference("contacts.id", ondelete="CASCADE")
    activity_id: uuid.UUID | None = reference("activities.id", default=None, ondelete="CASCADE")
    source: ReplyStatusSource = Field(sa_type=closed_set(ReplyStatusSource))
    status: ReplyStatus = Field(sa_type=closed_set(ReplyStatus))
    summary: str | None = Field(default=None, sa_type=Text)
    confidence: Decimal | None = Field(default=None, sa_type=Numeric(4, 3))
    judged_by: uuid.UUID | None = reference("owners.id", default=None)
    judged_at: datetime = Field(sa_type=Time)
