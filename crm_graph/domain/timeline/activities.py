"""The timeline: what happened with a contact, a deal or a company."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, literal, or_, select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.dml import Update

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, combined, param, types_of
from crm_graph.domain import references
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import ValidationFailed
from crm_graph.identity.access import visible
from crm_graph.identity.principal import Principal
from crm_graph.models import Activity, ActivityType, Contact, Deal, LoggedType, Role, table
from crm_graph.values import CLOCK_SKEW, TEXT_MAX, check_document, check_prose

_COLUMNS = (
    "id",
    "type",
    "contact_id",
    "deal_id",
    "company_id",
    "content",
    "meta_json",
    "created_by",
    "occurred_at",
    "due_at",
    "assignee_id",
    "effect_key",
)
ENTRY_TYPES = types_of(Activity, **{f"entry_{name}": name for name in _COLUMNS})  # the types of `entry_params`


async def log_activity(
    work: UnitOfWork,
    *,
    type: LoggedType,
    content: str,
    contact_id: uuid.UUID | None = None,
    deal_id: uuid.UUID | None = None,
    company_id: uuid.UUID | None = None,
    occurred_at: datetime | None = None,
    meta: Any = None,
) -> uuid.UUID:
    """Put a note, a call or a sent e-mail on the timeline of what it is about; returns the entry's id.

    A call or an e-mail about a deal is also its contact's, where the caller may see that one; a note stands where it
    was put. An e-mail is the contact's latest one unless a later one is known. Raises ValidationFailed, NotFound or
    Forbidden naming the field; then nothing was changed.
    """
    work.principal.must_write()
    about: dict[str, Any] = {"contact_id": contact_id, "deal_id": deal_id, "company_id": company_id}
    if not any(about.values()):
        message = "say what this is about: contactId, dealId or companyId"
        raise ValidationFailed(message, field="contact_id")
    said = _checked(content, occurred_at, meta, work.now)
    found = await _looking(work.principal.role).one(
        work.transaction, caller=work.principal.owner_id, **references.parameters(about)
    )
    assert found is not None, "the look-up always has one row"
    references.check_found(work.principal, about, found)
    if type is not LoggedType.NOTE and contact_id is None:
        about["contact_id"] = found.deal_contact_id
    values = entry_params(work.principal, type=ActivityType(type), **said, **about)
    if type is LoggedType.EMAIL_OUT and about["contact_id"] is not None:
        await _SENT.run(work.transaction, now=work.now, **values)
    else:
        await _LOG.run(work.transaction, **values)
    id_: uuid.UUID = values["entry_id"]
    return id_


def insert_entry(for_each: FromClause | None = None, **computed: ColumnElement[Any]) -> Insert:
    """The INSERT of one entry, to be run with `entry_params`, alone or together with what it tells of.

    `for_each` has a row for each thing to tell of, from which columns can be `computed`.
    """
    values = {name: param(Activity, name, f"entry_{name}") for name in _COLUMNS} | computed
    if for_each is None:
        return insert(table(Activity)).values(values)
    row = select(*values.values()).select_from(for_each)
    return insert(table(Activity)).from_select(list(values), row, include_defaults=False)


def update_with_entry(
    model: type[Contact] | type[Deal], *names: str, also: Sequence[Insert | Update] = (), **values: Any
) -> Select[Any]:
    """The edit of one row with its entry, and what is written `also`; to be run with `id`, `now` and `entry_params`.

    The columns `names` are parameters, too; `values` has what others become.
    """
    rows = table(model)
    changed: dict[str, Any] = {name: param(model, name) for name in names} | values
    changed |= {"version": rows.c.version + 1, "updated_at": param(model, "updated_at", "now")}
    return combined(update(rows).where(rows.c.id == param(model, "id")).values(changed), insert_entry(), *also)


def insert_entries(rows: FromClause, *, only_with: FromClause | None = None) -> Insert:
    """The INSERT of an entry for each of `rows`, which hold its `entry_params`; with `only_with`, for those whose `id`
    is among its own.
    """
    told = select(*(rows.c[f"entry_{name}"] for name in _COLUMNS))
    if only_with is not None:
        told = told.join_from(rows, only_with, only_with.c.id == rows.c.id)
    return insert(table(Activity)).from_select(_COLUMNS, told, include_defaults=False)


def entry_params(
    principal: Principal,
    *,
    type: ActivityType,
    content: str,
    occurred_at: datetime,
    contact_id: uuid.UUID | None = None,
    deal_id: uuid.UUID | None = None,
    company_id: uuid.UUID | None = None,
    meta: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
    assignee_id: uuid.UUID | None = None,
    effect_key: str | None = None,
) -> dict[str, Any]:
    """The parameters of an entry by `principal`; its `entry_id` is new."""
    values = {
        "id": uuid.uuid4(),
        "type": type,
        "contact_id": contact_id,
        "deal_id": deal_id,
        "company_id": company_id,
        "content": content[:TEXT_MAX],
        "meta_json": {"source": principal.source, **(meta or {})},
        "created_by": principal.owner_id,
        "occurred_at": occurred_at,
        "due_at": due_at,
        "assignee_id": assignee_id,
        "effect_key": effect_key,
    }
    return {f"entry_{name}": value for name, value in values.items()}


async def add_entry(work: UnitOfWork, **entry: Any) -> uuid.UUID | None:
    """Add an entry, see `entry_params`; returns its id, or None when `effect_key` says that it is there already."""
    row = await _LOG.one(work.transaction, **entry_params(work.principal, **entry))
    return row.id if row else None


async def attach_to_deal(transaction: Transaction, entry_id: uuid.UUID, deal_id: uuid.UUID) -> None:
    """Put an entry on the timeline of a deal, too: one that was made because of it."""
    await _PUT.run(transaction, id=entry_id, deal_id=deal_id)


def differences(row: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes that would change something in `row`."""
    return {name: new for name, new in changes.items() if getattr(row, name) != new}


def old_and_new(row: Any, changed: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What an edit's entry tells of changes: {column: {"old", "new"}} as JSON. To be called before they are made."""
    return {name: {"old": _plain(getattr(row, name)), "new": _plain(new)} for name, new in changed.items()}


def _checked(content: str, occurred_at: datetime | None, meta: Any, now: datetime) -> dict[str, Any]:
    """What an entry says, if it may be stored."""
    if occurred_at is not None and occurred_at > now + CLOCK_SKEW:
        raise ValidationFailed("occurred_at lies in the future", field="occurred_at")
    details = check_document(meta if meta is not None else {}, field="meta")
    if "source" in details:
        raise ValidationFailed("meta has the key source, which says who wrote an entry: choose another", field="meta")
    check_prose(content, field="content")
    return {"content": content, "occurred_at": min(occurred_at or now, now), "meta": details}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID | Decimal) else value


@cache
def _looking(role: Role) -> Statement:
    def make() -> Any:
        principal, contacts = Principal(None, role), table(Contact)
        rows, columns = references.joined(principal, select(literal(1).label("one")).subquery("nothing"))
        found = select(*columns).select_from(rows).subquery("found")
        is_the_deals = and_(contacts.c.id == found.c.ref_deal_contact_id, visible(Contact, principal))
        return select(found, contacts.c.id.label("deal_contact_id")).select_from(
            found.outerjoin(contacts, is_the_deals)
        )

    return Statement(make)


def _sent() -> Any:
    """An entry about an e-mail, which is the contact's latest one now, or not."""
    contacts, at = table(Contact), param(Activity, "occurred_at", "entry_occurred_at")
    is_it = contacts.c.id == param(Activity, "contact_id", "entry_contact_id")
    is_later = or_(contacts.c.latest_email_sent_at.is_(None), contacts.c.latest_email_sent_at < at)
    values = {"latest_email_sent_at": at, "updated_at": param(Contact, "updated_at", "now")}
    return combined(update(contacts).where(is_it, is_later).values(values), insert_entry())


_SENT = Statement(_sent)
_LOG = Statement(
    lambda: (
        insert_entry()
        .on_conflict_do_nothing(index_elements=[table(Activity).c.effect_key])
        .returning(table(Activity).c.id)
    )
)
_PUT = Statement(
    lambda: (
        update(table(Activity))
        .where(table(Activity).c.id == param(Activity, "id"))
        .values(deal_id=param(Activity, "deal_id"))
    )
)
