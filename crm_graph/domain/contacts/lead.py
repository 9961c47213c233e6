"""Lead and Colleague: what a provider's event says about a person, and about who of the team it is for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crm_graph.models import (
    OwnerSource,
)


@dataclass(frozen=True, slots=True)
class Lead:
    """What an event says about a person; None and empty mean that it says nothing."""

    email: str
    full_name: str | None = None
    title: str | None = None
    phone: str | None = None
    website: str | None = None
    linkedin_url: str | None = None
    company_name: str | None = None
    custom: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Colleague:
    """The team member that an event names, by an address or mailbox, and in which role."""

    address: str | None
    source: OwnerSource
