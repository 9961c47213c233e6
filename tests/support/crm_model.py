"""A CRM in memory, small enough to be seen to be right: what every call of the API is compared with."""

import uuid
from dataclasses import dataclass, field

from tests.support.api import Json
from tests.support.factories import ADA, BOB, ROOT

KINDS = {"new": "OPEN", "contacted": "OPEN", "qualified": "OPEN", "won": "WON", "lost": "LOST"}
PEOPLE = (ADA, BOB, ROOT)


@dataclass
class Deal:
    """A deal as the model knows it."""

    title: str
    owner: str | None
    stage: str
    contact: str | None = None
    lost_reason: str | None = None
    version: int = 1
    deleted: bool = False
    has_bob: bool = False  # as a member
    way: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The kind of its stage."""
        return KINDS[self.stage]


@dataclass
class Contact:
    """A contact as the model knows it."""

    owner: str | None
    name: str | None = None
    version: int = 1
    deleted: bool = False


class Model:
    """Deals by their ids, the columns of the board from the top, contacts by their addresses."""

    def __init__(self) -> None:
        self.deals: dict[str, Deal] = {}
        self.columns: dict[str, list[str]] = {key: [] for key in KINDS}
        self.contacts: dict[str, Contact] = {}

    def sees(self, who: str, row: Deal | Contact | None) -> bool:
        """The owner rule."""
        return row is not None and not row.deleted and (self.owns(who, row) or self._is_shared(who, row))

    def _is_shared(self, who: str, row: Deal | Contact) -> bool:
        """Whether somebody is a member of a deal, or of a deal of the contact."""
        if isinstance(row, Deal):
            return who == BOB and row.has_bob
        deals = (deal for deal in self.deals.values() if deal.has_bob and not deal.deleted)
        return who == BOB and any(self.contacts.get(deal.contact or "") is row for deal in deals)

    def changes(self, who: str, row: Contact) -> bool:
        """Whether somebody may change a contact: of a member's deals, it is only read."""
        return self.owns(who, row) and not row.deleted

    def unowned(self, who: str, row: Deal | Contact | None) -> str | None:
        """The code with which a call is refused to who may not delete the row or give it away."""
        if isinstance(row, Contact):
            return None if self.changes(who, row) else "NOT_FOUND"
        return self.missing(who, row) or (None if self.owns(who, row) else "FORBIDDEN")

    def owns(self, who: str, row: Deal | Contact | None) -> bool:
        """The owner rule for what may be deleted."""
        return row is not None and (who == ROOT or row.owner in (who, None))

    def missing(self, who: str, row: Deal | Contact | None) -> str | None:
        """The code with which a call about a row is refused to who doesn't see it."""
        return None if self.sees(who, row) else "NOT_FOUND"

    def pick(self, place: int) -> str:
        """The id of a deal of any owner, deleted or not, or of none."""
        known = list(self.deals)
        return known[place] if place < len(known) else str(uuid.uuid4())

    def add(self, id_: str, deal: Deal) -> None:
        """A new deal, on top of its column."""
        self.deals[id_] = deal
        deal.way.append(deal.stage)
        self.columns[deal.stage].insert(0, id_)

    def take(self, id_: str) -> None:
        """Out of its column."""
        column = self.columns[self.deals[id_].stage]
        if id_ in column:
            column.remove(id_)

    def put(self, id_: str, stage: str) -> None:
        """Into another stage, on top."""
        deal = self.deals[id_]
        self.take(id_)
        deal.stage, deal.version = stage, deal.version + 1
        deal.way.append(stage)
        self.columns[stage].insert(0, id_)

    def claim(self, who: str, email: str) -> None:
        """A contact out of the pool, and its open deals in the pool with it."""
        contact = self.contacts[email]
        contact.owner, contact.version = who, contact.version + 1
        for deal in self.deals.values():
            if deal.contact == email and deal.owner is None and deal.kind == "OPEN" and not deal.deleted:
                deal.owner, deal.version = who, deal.version + 1

    def column(self, who: str, key: str) -> list[Json]:
        """What somebody sees of a column, as the API shows it."""
        return [self._shown(who, id_) for id_ in self.columns[key] if self.sees(who, self.deals[id_])]

    def people(self, who: str) -> dict[str, Json]:
        """The contacts that somebody sees, by their addresses, as the API shows them."""
        return {
            email: {"email": email, "fullName": contact.name, "version": contact.version, **_owned(contact.owner)}
            for email, contact in self.contacts.items()
            if self.sees(who, contact)
        }

    def _shown(self, who: str, id_: str) -> Json:
        deal = self.deals[id_]
        contact = self.contacts.get(deal.contact or "")
        return {
            "id": id_,
            "title": deal.title,
            "status": deal.kind,
            "lostReason": deal.lost_reason,
            "version": deal.version,
            "contact": {"email": deal.contact} if self.sees(who, contact) else None,
            **_owned(deal.owner),
        }


def _owned(owner: str | None) -> Json:
    return {"owner": {"email": owner} if owner else None}
