"""What a provider is: how its requests are verified, how its events are named, and what each of them means.

Translators are pure: payload in, what happened out. They touch neither the database nor the clock; `apply` does.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any

from starlette.datastructures import Headers

from crm_graph.domain.contacts.ingest import Lead
from crm_graph.domain.contacts.verdicts import Verdict
from crm_graph.models import ActivityType, OwnerSource
from crm_graph.settings import Settings

Payload = Mapping[str, Any]


class DealEffect(Enum):
    """What an event does to the deals of its contact."""

    NONE = auto()
    QUALIFY = auto()  # no open deal: one is opened at Qualified
    MEET = auto()  # the newest open deal moves forward to Meeting Scheduled; none open: one is created there
    ADVANCE = auto()  # the same, but nothing is created
    WIN = auto()  # the newest open deal is won


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What somebody has to do because of an event; once for a key, if there is one."""

    content: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened with one person, as a provider tells it."""

    lead: Lead
    type: ActivityType
    content: str
    occurred_at: datetime
    meta: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None
    deal: DealEffect = DealEffect.NONE
    about: str | None = None  # names a new deal: the campaign, or the title of the booking
    campaign_id: str | None = None
    pipeline: str | None = None  # the name of the pipeline that a new deal goes to
    colleague: str | None = None  # the sending mailbox or the organiser: whose contact this becomes
    colleague_source: OwnerSource = OwnerSource.MAILBOX
    contact_id: uuid.UUID | None = None  # identifies the contact before the lead's address does
    creates_contact: bool = True
    effect_key: str | None = None  # an effect that two events announce happens once
    follow_up: FollowUp | None = None
    arranges: bool = False  # a meeting, by which older follow-ups are settled


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


Translation = tuple[Happening, ...] | Ignored
Translator = Callable[[Payload, Context], Translation]


@dataclass(frozen=True, slots=True)
class Event:
    """How an event is named and told from others. `key` is the caller's own, in our normalised shape alone."""

    type: str
    dedupe_key: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a provider's requests are verified with; several of a kind during rotation."""

    hmac: tuple[bytes, ...] = ()
    tokens: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request, as far as its authenticity is concerned."""

    body: bytes
    headers: Headers
    now: datetime
    may_be_unsigned: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    """A sender of webhooks. The keys of `translators` are the events that it is known to send.

    `verify` raises SignatureMissing, SignatureInvalid or SecretNotConfigured. `read` never raises. A translator
    raises ValidationFailed, and nothing else, when it can't tell whom the event is about.
    """

    name: str
    event: str  # the last segment of the endpoint
    secrets: Callable[[Settings], Secrets]
    verify: Callable[[Delivery, Secrets], None]
    read: Callable[[Payload, bytes], Event]
    translators: Mapping[str, Translator]
    otherwise: Translator  # for every other event

    def translate(self, payload: Payload, event_type: str, context: Context) -> Translation:
        """What happened. Raises ValidationFailed naming the field whose value is missing or wrong."""
        return self.translators.get(event_type, self.otherwise)(payload, context)
