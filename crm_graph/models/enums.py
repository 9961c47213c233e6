"""The closed sets: an enum here, a CHECK in the database, an enum in the GraphQL schema."""

from enum import StrEnum


class Role(StrEnum):
    """What an owner may do. ADMIN: everything. SALES: read and change their own rows and the unassigned pool.
    READONLY: read everything."""

    ADMIN = "admin"
    SALES = "sales"
    READONLY = "readonly"


class OwnerSource(StrEnum):
    """What assigned a contact to its owner: the mailbox that it replied to, the organiser of its meeting, the default
    owner, or a person. A mailbox or organiser never replaces a person's choice."""

    MAILBOX = "mailbox"
    ORGANISER = "organiser"
    DEFAULT = "default"
    PERSON = "person"


class LifecycleStage(StrEnum):
    """How far a contact has come, over all of its deals."""

    LEAD = "lead"
    QUALIFIED = "qualified"
    OPPORTUNITY = "opportunity"
    CUSTOMER = "customer"
    DISQUALIFIED = "disqualified"


class ReplyStatus(StrEnum):
    """What a contact's reply means. A bounce comes from the mail server, not from a reply."""

    INTERESTED = "interested"
    NOT_INTERESTED = "not_interested"
    QUESTION = "question"
    UNSUBSCRIBED = "unsubscribed"
    OUT_OF_OFFICE = "out_of_office"
    WRONG_PERSON = "wrong_person"
    NEUTRAL = "neutral"
    BOUNCED = "bounced"


class ReplyStatusSource(StrEnum):
    """Who classified a reply, in descending rank: a person, the provider, a model, or crm-graph's own rules."""

    PERSON = "person"
    PROVIDER = "provider"
    MODEL = "model"
    RULES = "rules"


class StageKind(StrEnum):
    """Whether the deals in a stage are open, won or lost."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class DealStatus(StrEnum):
    """The status of a deal: always the kind of its stage."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class ActivityType(StrEnum):
    """The type of a timeline entry. A system entry is written by crm-graph or a provider, such as about an
    edit or a move. A task is something to do."""

    EMAIL_IN = "email_in"
    EMAIL_OUT = "email_out"
    MEETING = "meeting"
    NO_SHOW = "no_show"
    FORM = "form"
    SYSTEM = "system"
    NOTE = "note"
    CALL = "call"
    TASK = "task"


class LoggedType(StrEnum):
    """The types of timeline entry that people and workflows can log."""

    NOTE = "note"
    CALL = "call"
    EMAIL_OUT = "email_out"


class WebhookStatus(StrEnum):
    """The status of a stored webhook. IGNORED: it has no effect. QUARANTINED: it can't be applied until the cause is
    fixed. ERROR: applying it failed and is retried."""

    RECEIVED = "received"
    PROCESSED = "processed"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    ERROR = "error"


class EventType(StrEnum):
    """The types of outgoing events. docs/events.md says when each is sent."""

    DEAL_CREATED = "deal_created"
    DEAL_STAGE_CHANGED = "deal_stage_changed"
    DEAL_UPDATED = "deal_updated"
    CONTACT_CREATED = "contact_created"
    CONTACT_STATUS_CHANGED = "contact_status_changed"
    CONTACT_UPDATED = "contact_updated"
    CONTACT_ERASED = "contact_erased"
    ACTIVITY_LOGGED = "activity_logged"
    REPLY_RECEIVED = "reply_received"
    MEETING_BOOKED = "meeting_booked"
    MEETING_RESCHEDULED = "meeting_rescheduled"
    MEETING_CANCELLED = "meeting_cancelled"
    MEETING_NO_SHOW = "meeting_no_show"
    ENDPOINT_DISABLED = "endpoint_disabled"
    TEST = "test"


class DeliveryStatus(StrEnum):
    """The status of a delivery. FAILED: all attempts failed; it can be replayed. CANCELLED: the person whom the event
    is about was erased; it can't be replayed."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
