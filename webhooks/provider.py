"""What a provider is: how its requests are verified, how its events are identified, and what each of them means.

Translators are pure functions from a payload to contact events. They read neither the database nor the clock;
webhooks/apply.py does both.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from starlette.datastructures import Headers

from crm_graph.domain.contacts.lead import Lead
from crm_graph.domain.contacts.verdicts import Verdict
from crm_graph.models import ActivityType, OwnerSource
from crm_graph.settings import Settings

Payload = Mapping[str, object]


class DealEffect(Enum):
    """What an event does to the deals of its contact."""

    NONE = auto()
    QUALIFY = auto()  # without an open deal, opens one at Qualified
    MEET = auto()  # moves the newest open deal forward to Meeting Scheduled; without an open deal, opens one there
    ADVANCE = auto()  # the same, but opens no deal
    WIN = auto()  # wins the newest open deal


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A task that an event opens. With a key, it is opened once for all events that have this key."""

    content: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class ContactEvent:
    """What a provider reports about one person: an entry for the timeline, and its effects."""

    lead: Lead
    type: ActivityType
    content: str
    occurred_at: datetime
    meta: Mapping[str, object] = field(default_factory=dict)
    verdict: Verdict | None = None
    deal: DealEffect = DealEffect.NONE
    subject: str | None = None  # becomes part of a new deal's title: the campaign, or the title of the booking
    campaign_id: str | None = None
    pipeline: str | None = None  # the name of the pipeline for a new deal
    colleague: str | None = None  # the sending mailbox or the organiser: who gets the contact
    colleague_source: OwnerSource = OwnerSource.MAILBOX
    contact_id: uuid.UUID | None = None  # identifies the contact when no other one has the lead's address
    creates_contact: bool = True
    effect_key: str | None = None  # two events with the same key have one effect
    follow_up: FollowUp | None = None
    arranges_meeting: bool = False  # completes the contact's open follow-ups


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that changes nothing, and why."""

    reason: str
    needs_attention: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What a translator knows besides the payload."""

    received_at: datetime
    internal_domains: frozenset[str] = frozenset()
    event_types: frozenset[str] = frozenset()
    sent: tuple[str, ...] = ()  # the newest e-mails to the lead, which a reply may quote


Translation = tuple[ContactEvent, ...] | Ignored
Translator = Callable[[Payload, Context], Translation]


@dataclass(frozen=True, slots=True)
class EventIdentity:
    """An event's type and its two keys. `key` is the caller's own idempotency key, read from our normalised shape."""

    type: str
    dedupe_key: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a provider's requests are verified with; several of a kind during rotation."""

    hmac: tuple[bytes, ...] = ()
    tokens: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """The parts of a request that its signature is checked with."""

    body: bytes
    headers: Headers
    now: datetime
    may_be_unsigned: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    """A sender of webhooks. The keys of `translators` are the events that it is known to send.

    `verify` raises SignatureMissing, SignatureInvalid or SecretNotConfigured; `sign` raises SecretNotConfigured.
    `identify` never raises. A translator raises only ValidationFailed, for a payload that names no person.
    """

    name: str
    endpoint: str  # the last segment of the endpoint's path
    secrets: Callable[[Settings], Secrets]
    verify: Callable[[SignedRequest, Secrets], None]
    sign: Callable[[bytes, Secrets], dict[str, str]]  # the headers that the provider sends; for sample webhooks
    identify: Callable[[Payload, bytes], EventIdentity]
    translators: Mapping[str, Translator]
    default_translator: Translator  # for every other event
    lead_of_reply: Callable[[Payload, str], str | None] = lambda _payload, _type: None  # its address; None: no reply

    def translate(self, payload: Payload, event_type: str, context: Context) -> Translation:
        """Translate an event. Raises ValidationFailed that names the missing or wrong field."""
        return self.translators.get(event_type, self.default_translator)(payload, context)


@dataclass(frozen=True, slots=True)
class Applied:
    """The contact and the deal of an event. `own_addresses` of its payload belong to the contact or to the team."""

    contact_id: uuid.UUID
    deal_id: uuid.UUID | None
    own_addresses: frozenset[str | None]
