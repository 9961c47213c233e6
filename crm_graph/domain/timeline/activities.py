"""The timeline: entries about what happened with a contact, a deal or a company."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Executable, FromClause, and_, literal, or_, select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.dml import Update

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import IdRow, Query, Statement, columns_of, combined, param, types_of
from crm_graph.domain import references
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import ValidationFailed
from crm_graph.identity.access import owned
from crm_graph.identity.principal import Principal
from crm_graph.json_documents import DOCUMENT_MAX, check_document, json_size
from crm_graph.models import Activity, ActivityType, Contact, Deal, LoggedType, Role, table
from crm_graph.values import CLOCK_SKEW, TEXT_MAX, check_prose

Value = TypeVar("Value")
_COLUMNS = (
    *("id", "type", "contact_id", "deal_id", "company_id", "content", "meta_json"),
    *("created_by", "occurred_at", "due_at", "assignee_id", "effect_key"),
)
ENTRY_TYPES = types_of(Activity, **{f"entry_{name}": name for name in _COLUMNS})  # the types of `entry_params`


class _Subjects(NamedTuple):
    """What an entry is about, as far as the caller may see it, and the deal's contact."""

    ref_contact_id: uuid.UUID | None
    ref_deal_id: uuid.UUID | None
    ref_company_id: uuid.UUID | None
    deal_contact_id: uuid.UUID | None


async def log_activity(
    work: UnitOfWork,
    *,
    type: LoggedType,
    content: str,
    contact_id: uuid.UUID | None = None,
    deal_id: uuid.UUID | None = None,
    company_id: uuid.UUID | None = None,
    occurred_at: datetime | None = None,
    meta: object = None,
) -> uuid.UUID:
    """Add a note, a call or a sent e-mail to the timeline of what it is about; returns the entry's id.

    A call or an e-mail about a deal is also added to the deal's contact, if the caller may see that contact; a note is
    not. An e-mail becomes the contact's latest one, unless a later one is known. Raises ValidationFailed, NotFound or
    Forbidden naming the field; then nothing was changed.
    """
    work.principal.must_write()
    about = {"contact_id": contact_id, "deal_id": deal_id, "company_id": company_id}
    if not any(about.values()):
        message = "say what this is about: contactId, dealId or companyId"
        raise ValidationFailed(message, field="contact_id")
    details = _check_entry(content, occurred_at, meta, work.now)
    deal_contact_id = await _check_subjects(work, about)
    if type is not LoggedType.NOTE and contact_id is None:
        contact_id = deal_contact_id
    id_, at = uuid.uuid4(), min(occurred_at or work.now, work.now)
    params = entry_params(
        work,
        id=id_,
        type=ActivityType(type),
        content=content,
        occurred_at=at,
        contact_id=contact_id,
        deal_id=deal_id,
        company_id=company_id,
        meta=details,
    )
    if type is LoggedType.EMAIL_OUT and contact_id is not None:
        await _INSERT_SENT_EMAIL.run(work.transaction, now=work.now, **params)
    else:
        await add_entry(work.transaction, params)
    return id_


async def _check_subjects(work: UnitOfWork, about: Mapping[str, uuid.UUID | None]) -> uuid.UUID | None:
    """Check that the caller may see what an entry is about; returns the deal's contact, if the caller sees it too."""
    found = await _find_subjects(work.principal.role).one(
        work.transaction, caller=work.principal.owner_id, **references.params(about)
    )
    assert found is not None, "the look-up always has one row"
    references.check_found(work.principal, about, found)
    return found.deal_contact_id


def insert_entry(for_each: FromClause | None = None, **computed: ColumnElement[Any]) -> Insert:
    """The INSERT of one entry, to run with `entry_params`, alone or in one statement with the change it describes.

    With `for_each`, one entry for each row of it; columns can be `computed` from those rows.
    """
    values = {name: param(Activity, name, f"entry_{name}") for name in _COLUMNS} | computed
    if for_each is None:
        return insert(table(Activity)).values(values)
    row = select(*values.values()).select_from(for_each)
    return insert(table(Activity)).from_select(list(values), row, include_defaults=False)


def insert_entries(rows: FromClause, *, only_with: FromClause | None = None) -> Insert:
    """The INSERT of an entry for each of `rows`, which have its `entry_params` as columns.

    With `only_with`, only for those rows whose `id` is also in it.
    """
    entries = select(*(rows.c[f"entry_{name}"] for name in _COLUMNS))
    if only_with is not None:
        entries = entries.join_from(rows, only_with, only_with.c.id == rows.c.id)
    return insert(table(Activity)).from_select(_COLUMNS, entries, include_defaults=False)


def update_with_entry(
    model: type[Contact] | type[Deal], *names: str, also: Sequence[Insert | Update] = (), **values: object
) -> Executable:
    """The UPDATE of one row with its entry, and other writes (`also`) in the same statement.

    Run it with `id`, `now`, `entry_params`, and a parameter for each of the columns `names`. `values` are the other
    columns' new values.
    """
    rows = table(model)
    new_values = {name: param(model, name) for name in names} | values
    new_values |= {"version": rows.c.version + 1, "updated_at": param(model, "updated_at", "now")}
    return combined(update(rows).where(rows.c.id == param(model, "id")).values(new_values), insert_entry(), *also)


def entry_params(
    work: UnitOfWork,
    *,
    content: str,
    id: uuid.UUID | None = None,
    type: ActivityType = ActivityType.SYSTEM,
    occurred_at: datetime | None = None,
    contact_id: uuid.UUID | None = None,
    deal_id: uuid.UUID | None = None,
    company_id: uuid.UUID | None = None,
    meta: Mapping[str, object] | None = None,
    due_at: datetime | None = None,
    assignee_id: uuid.UUID | None = None,
    effect_key: str | None = None,
) -> dict[str, object]:
    """The parameters of `insert_entry` for an entry by the caller: by default a new one, of the system's, now."""
    values: dict[str, object] = {
        "id": id or uuid.uuid4(),
        "type": type,
        "contact_id": contact_id,
        "deal_id": deal_id,
        "company_id": company_id,
        "content": content[:TEXT_MAX],
        "meta_json": {"source": work.principal.source, **(meta or {})},
        "created_by": work.principal.owner_id,
        "occurred_at": occurred_at or work.now,
        "due_at": due_at,
        "assignee_id": assignee_id,
        "effect_key": effect_key,
    }
    return {f"entry_{name}": value for name, value in values.items()}


def with_note(params: Mapping[str, Any], note: str) -> dict[str, Any]:
    """The `entry_params` with a note at the end of the content, which is cut if it gets too long."""
    return {**params, "entry_content": params["entry_content"][: TEXT_MAX - len(note)] + note}


async def add_entry(transaction: Transaction, params: Mapping[str, object]) -> uuid.UUID | None:
    """Insert an entry from its `entry_params`; returns its id, or None if its `effect_key` exists already."""
    row = await _INSERT_ENTRY.one(transaction, **params)
    return row.id if row else None


async def attach_to_deal(transaction: Transaction, entry_id: uuid.UUID, deal_id: uuid.UUID) -> None:
    """Show an entry on the timeline of a deal, too: the deal that was created because of it."""
    await _SET_DEAL.run(transaction, id=entry_id, deal_id=deal_id)


def differences(row: object, changes: Mapping[str, Value]) -> dict[str, Value]:
    """Those of the changes that differ from what `row` has."""
    return {name: new for name, new in changes.items() if getattr(row, name) != new}


def with_changes(row: object, columns: Iterable[str], changes: Mapping[str, object]) -> dict[str, object]:
    """The new values of `columns`, the row's where nothing changes: so one compiled statement serves every edit."""
    return {name: changes.get(name, getattr(row, name)) for name in columns}


def old_and_new(row: object, changes: Mapping[str, object]) -> dict[str, object]:
    """What an entry says about changes, as JSON: {column: {"old", "new"}}. `row` is as it was before."""
    return {name: {"old": _to_json(getattr(row, name)), "new": _to_json(new)} for name, new in changes.items()}


def _check_entry(content: str, occurred_at: datetime | None, meta: object, now: datetime) -> dict[str, object]:
    """Refuse an entry that may not be stored; returns its meta."""
    if occurred_at is not None and occurred_at > now + CLOCK_SKEW:
        raise ValidationFailed("occurred_at is in the future", field="occurred_at")
    details = check_document(meta if meta is not None else {}, field="meta")
    if "source" in details:
        message = "the key source of meta is reserved (it says who wrote the entry): choose another key"
        raise ValidationFailed(message, field="meta")
    check_prose(content, field="content")
    return details


def _to_json(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list):
        return [_to_json(item) for item in value]
    if isinstance(value, dict) and (size := json_size(value)) > DOCUMENT_MAX:
        return {"too_large": size}  # stored before there was a limit
    return str(value) if isinstance(value, uuid.UUID | Decimal) else value


@cache
def _find_subjects(role: Role) -> Query[_Subjects]:
    def make() -> Executable:
        principal, contacts = Principal(None, role), table(Contact)
        rows, columns = references.join(principal, select(literal(1).label("one")).subquery("nothing"))
        found = select(*columns).select_from(rows).subquery("found")
        is_deals_contact = and_(contacts.c.id == found.c.ref_deal_contact_id, owned(Contact, principal))
        with_contact = found.outerjoin(contacts, is_deals_contact)
        subjects = select(found, contacts.c.id.label("deal_contact_id")).select_from(with_contact).subquery("subjects")
        return select(*columns_of(_Subjects, subjects))

    return Query(_Subjects, make)


def _insert_sent_email() -> Executable:
    """An entry about an e-mail, with the time of the contact's latest one, if this is it."""
    contacts, at = table(Contact), param(Activity, "occurred_at", "entry_occurred_at")
    is_it = contacts.c.id == param(Activity, "contact_id", "entry_contact_id")
    is_later = or_(contacts.c.latest_email_sent_at.is_(None), contacts.c.latest_email_sent_at < at)
    values = {"latest_email_sent_at": at, "updated_at": param(Contact, "updated_at", "now")}
    return combined(update(contacts).where(is_it, is_later).values(values), insert_entry())


def _insert_entry_once() -> Executable:
    c = table(Activity).c
    return insert_entry().on_conflict_do_nothing(index_elements=[c.effect_key]).returning(c.id)


def _set_deal() -> Executable:
    entries = table(Activity)
    return update(entries).where(entries.c.id == param(Activity, "id")).values(deal_id=param(Activity, "deal_id"))


_INSERT_SENT_EMAIL = Statement(_insert_sent_email)
_INSERT_ENTRY = Query(IdRow, _insert_entry_once)
_SET_DEAL = Statement(_set_deal)
