"""Owners, companies and contacts."""

import uuid
from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import (
    CheckConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    column,
    text,
)
from sqlmodel import Field, SQLModel

from crm_graph.models.columns import (
    Columns,
    EmailText,
    KeyText,
    Time,
    closed_set,
    document,
    email_check,
    flag,
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
    LifecycleStage,
    OwnerSource,
    ReplyStatus,
    ReplyStatusSource,
    Role,
)
from crm_graph.models.searched import phone_key, search_index


class Owner(SQLModel, table=True):
    """A member of the team; every contact and deal belongs to one, or to the unassigned pool."""

    __tablename__ = "owners"
    __table_args__ = (
        email_check(),
        Index("owners_one_default_idx", "is_default", unique=True, postgresql_where=text("is_default")),
    )
    id: uuid.UUID = primary_key()
    name: str = Field(sa_type=Text)
    email: str = Field(sa_type=EmailText, unique=True)
    role: Role = Field(sa_type=closed_set(Role))
    is_default: bool = flag()
    active: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    booking_url: str | None = Field(default=None, sa_type=Text)
    timezone: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = set_at_insert()


class OwnerMailbox(SQLModel, table=True):
    """A mailbox that an owner sends from: replies to it belong to the owner."""

    __tablename__ = "owner_mailboxes"
    __table_args__ = (email_check(),)
    email: str = Field(sa_type=EmailText, primary_key=True)
    owner_id: uuid.UUID = reference("owners.id", index=True, ondelete="CASCADE")


class AccessToken(SQLModel, table=True):
    """A bearer token that was issued here: its id (`jti`), never the token itself. Refused once `revoked_at` is set."""

    __tablename__ = "access_tokens"
    id: uuid.UUID = primary_key()
    owner_id: uuid.UUID = reference("owners.id", index=True, ondelete="CASCADE")
    description: str | None = Field(default=None, sa_type=Text)
    issued_at: datetime = Field(sa_type=Time)
    expires_at: datetime = Field(sa_type=Time)
    revoked_at: datetime | None = Field(default=None, sa_type=Time)


class Company(SQLModel, table=True):
    """A company, identified by its domain or, while that is unknown, by the normal form of its name."""

    # Groups of columns: each column is in exactly one.
    EDITABLE: ClassVar[Columns] = (
        *("name", "name_key", "domain"),  # the key follows from the name
        *("location", "size", "industry", "website", "linkedin_url", "enrichment_json"),
    )
    BOOKKEEPING: ClassVar[Columns] = ("id", "created_at", "updated_at")

    __tablename__ = "companies"
    __table_args__ = (
        CheckConstraint("domain !~ '[A-Z[:space:]]'", name="domain_lower_case"),
        Index("companies_name_key_idx", "name_key"),
        Index("companies_nameless_domain_idx", "name_key", unique=True, postgresql_where=text("domain IS NULL")),
        Index("companies_created_at_id_idx", "created_at", "id"),
        search_index("companies"),
    )
    id: uuid.UUID = primary_key()
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=KeyText)
    domain: str | None = Field(default=None, sa_type=String(253, collation="C"), unique=True)
    location: str | None = Field(default=None, sa_type=Text)
    size: str | None = Field(default=None, sa_type=Text)
    industry: str | None = Field(default=None, sa_type=Text)
    website: str | None = Field(default=None, sa_type=Text)
    linkedin_url: str | None = Field(default=None, sa_type=Text)
    enrichment_json: dict[str, object] = document()
    created_at: datetime = set_at_insert()
    updated_at: datetime = set_at_insert()


class Contact(SQLModel, table=True):
    """A person, identified by e-mail address."""

    # Groups of columns. Each column is in exactly one of IDENTITY, EDITABLE, REPLY_STATUS, OUTREACH, LATEST, DELETION
    # and BOOKKEEPING; the other groups cut across them.
    IDENTITY: ClassVar[Columns] = ("id", "email")
    DETAILS: ClassVar[Columns] = ("full_name", "title", "linkedin_url", "website", "phone")
    PROFILE: ClassVar[Columns] = (*DETAILS, "company_id")
    OWNERSHIP: ClassVar[Columns] = ("owner_id", "owner_source")
    EDITABLE: ClassVar[Columns] = (*PROFILE, *OWNERSHIP, "lifecycle_stage", "custom")  # by upserts and edits
    REPLY_STATUS: ClassVar[Columns] = (
        *("reply_status", "reply_status_source", "reply_status_at"),
        *("reply_summary", "needs_review"),
    )
    OUTREACH: ClassVar[Columns] = ("do_not_contact_at", "do_not_contact_reason")
    LATEST: ClassVar[Columns] = ("ooo_until", "latest_email_sent_at")  # of two values, the later one counts
    DELETION: ClassVar[Columns] = ("deleted_at", "merged_into_id", "erased_at")
    BOOKKEEPING: ClassVar[Columns] = ("version", "created_at", "updated_at")

    FROM_VERDICTS: ClassVar[Columns] = (*REPLY_STATUS, *OUTREACH)  # what a verdict on a reply can change
    FROM_EVENTS: ClassVar[Columns] = (*PROFILE, "custom", *OWNERSHIP, *FROM_VERDICTS, *LATEST)
    PERSONAL: ClassVar[Columns] = (  # what an erasure removes
        *("email", *PROFILE, "custom"),
        *("reply_summary", "do_not_contact_reason", *LATEST),
    )
    ANNOUNCED: ClassVar[Columns] = (  # what the `changes` of contact_updated can name
        *("email", *PROFILE, "owner_id", "lifecycle_stage", "custom"),
        *("reply_summary", "needs_review", "ooo_until", *OUTREACH, "deleted_at", "merged_into_id"),
    )
    SNAPSHOT: ClassVar[Columns] = (  # what an event shows of a contact; of two times only whether they are set
        *(*IDENTITY, *DETAILS, "lifecycle_stage", "reply_status", "reply_summary", "custom", "owner_id", "version"),
        *("do_not_contact_at", "deleted_at"),
    )

    __tablename__ = "contacts"
    __table_args__ = (
        email_check(),
        Index("contacts_owner_id_idx", "owner_id", "created_at", "id"),
        Index("contacts_created_at_id_idx", "created_at", "id"),
        pool_index("contacts_pool_created_at_idx", "created_at", "id"),
        live_index("contacts_owner_id_updated_at_idx", "owner_id", "updated_at", "id"),
        pool_index("contacts_pool_updated_at_idx", "updated_at", "id"),
        live_index("contacts_updated_at_id_idx", "updated_at", "id"),
        not_null_index("contacts_merged_into_id_idx", "merged_into_id"),
        not_null_index("contacts_reply_status_at_idx", "reply_status_at"),
        CheckConstraint("merged_into_id IS NULL OR deleted_at IS NOT NULL", name="merged_is_deleted"),
        CheckConstraint("erased_at IS NULL OR deleted_at IS NOT NULL", name="erased_is_deleted"),
        search_index("contacts"),
        Index("contacts_phone_key_idx", phone_key(column("phone")), postgresql_where=text("phone IS NOT NULL")),
    )
    id: uuid.UUID = primary_key()
    email: str = Field(sa_type=EmailText, unique=True)
    full_name: str | None = Field(default=None, sa_type=Text)
    title: str | None = Field(default=None, sa_type=Text)
    linkedin_url: str | None = Field(default=None, sa_type=Text)
    website: str | None = Field(default=None, sa_type=Text)
    phone: str | None = Field(default=None, sa_type=Text)
    company_id: uuid.UUID | None = optional_reference("companies.id", index=True)
    owner_id: uuid.UUID | None = optional_reference("owners.id")
    owner_source: OwnerSource | None = Field(default=None, sa_type=closed_set(OwnerSource))
    lifecycle_stage: LifecycleStage = Field(
        default=LifecycleStage.LEAD,
        sa_type=closed_set(LifecycleStage),
        sa_column_kwargs={"server_default": text("'lead'")},
    )
    reply_status: ReplyStatus | None = Field(default=None, sa_type=closed_set(ReplyStatus))
    reply_summary: str | None = Field(default=None, sa_type=Text)
    reply_status_source: ReplyStatusSource | None = Field(default=None, sa_type=closed_set(ReplyStatusSource))
    reply_status_at: datetime | None = Field(default=None, sa_type=Time)
    needs_review: bool = flag()
    ooo_until: date | None = None
    do_not_contact_at: datetime | None = Field(default=None, sa_type=Time)
    do_not_contact_reason: str | None = Field(default=None, sa_type=Text)
    latest_email_sent_at: datetime | None = Field(default=None, sa_type=Time)
    custom: dict[str, object] = document()
    version: int = version()
    created_at: datetime = set_at_insert()
    updated_at: datetime = set_at_insert()
    deleted_at: datetime | None = Field(default=None, sa_type=Time)
    # A merged contact keeps its address, so that it stays taken; contact_emails leads from it to the survivor.
    merged_into_id: uuid.UUID | None = optional_reference("contacts.id")
    erased_at: datetime | None = Field(default=None, sa_type=Time)


class ContactEmail(SQLModel, table=True):
    """A further address of a contact, so that a merged contact's old address finds the survivor."""

    __tablename__ = "contact_emails"
    __table_args__ = (email_check(), search_index("contact_emails"))
    email: str = Field(sa_type=EmailText, primary_key=True)
    contact_id: uuid.UUID = reference("contacts.id", index=True, ondelete="CASCADE")


class Suppression(SQLModel, table=True):
    """An erased person's address as an HMAC of crm_address_hmac(): it can be recognised, but not read."""

    __tablename__ = "suppressions"
    address_hmac: bytes = Field(sa_type=LargeBinary, primary_key=True)
    suppressed_at: datetime = Field(sa_type=Time)


class SuppressionKey(SQLModel, table=True):
    """The random key of crm_address_hmac(), created by the migration, as the two pads of HMAC (RFC 2104)."""

    __tablename__ = "suppression_key"
    __table_args__ = (CheckConstraint("id", name="one_row"),)
    id: bool = Field(default=True, primary_key=True, sa_column_kwargs={"server_default": text("true")})
    inner_pad: bytes = Field(sa_type=LargeBinary)
    outer_pad: bytes = Field(sa_type=LargeBinary)
