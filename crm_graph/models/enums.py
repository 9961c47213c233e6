"""The closed sets: an enum here, a CHECK in the database, an enum in the GraphQL schema."""

from enum import StrEnum


class Role(StrEnum):
    """What an owner may do: admin everything; sales own rows and the unassigned pool; readonly reads everything."""

    ADMIN = "admin"
    SALES = "sales"
    READONLY = "readonly"


class OwnerSource(StrEnum):
    """Who said that a contact belongs to its owner; a mailbox or organiser never replaces a person's choice."""

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
    """What a contact's reply means; `bounced` comes from the mail server, not from a reply."""

    INTERESTED = "interested"
    NOT_INTERESTED = "not_interested"
    QUESTION = "question"
    UNSUBSCRIBED = "unsubscribed"
    OUT_OF_OFFICE = "out_of_office"
    WRONG_PERSON = "wrong_person"
    NEUTRAL = "neutral"
    BOUNCED = "bounced"


class ReplyStatusSource(StrEnum):
    """Who judged the reply, strongest first: person, provider, model, rules."""

    PERSON = "person"
    PROVIDER = "provider"
    MODEL = "model"
    RULES = "rules"


class StageKind(StrEnum):
    """Whether a deal in this stage is still open, won or lost."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class DealStatus(StrEnum):
    """Follows the kind of the deal's stage."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class ActivityType(StrEnum):
    """What happened on a timeline."""

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
    """What people and workflows put on a timeline themselves."""

    NOTE = "note"
    CALL = "call"
    EMAIL_OUT = "email_out"


class WebhookStatus(StrEnum):
    """What became of a stored event."""

    RECEIVED = "received"
    PROCESSED = "processed"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    ERROR = "error"


class EventType(StrEnum):
    """What can be subscribed to; docs/events.md says when each is sent."""

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
    """What became of a delivery: failed ran out of attempts, cancelled is not wanted any more; both can be replayed."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
