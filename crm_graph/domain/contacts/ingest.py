"""Ingest: turns what provider events say about a person into a contact. Every write here is a machine's.

An event's changes are collected first, from the locked contact, and then written with its timeline entry in one
statement.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Executable,
    exists,
    func,
    literal,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import Update

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import IdRow, PairQuery, Query, columns_of, param
from crm_graph.domain.companies import match
from crm_graph.domain.companies.match import ATTEMPTS, CompanyHint
from crm_graph.domain.contacts import custom, ownership, takeover, verdicts
from crm_graph.domain.contacts import records as contacts
from crm_graph.domain.contacts.lead import Colleague, Lead
from crm_graph.domain.contacts.rows import ContactRow
from crm_graph.domain.contacts.verdicts import Verdict
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict
from crm_graph.models import (
    Activity,
    Company,
    Contact,
    ContactEmail,
    LifecycleStage,
    Owner,
    OwnerSource,
    ReplyStatus,
    ReplyVerdict,
    table,
)
from crm_graph.values import company_domain


@dataclass(frozen=True, slots=True)
class LockedContact:
    """A locked contact, what the event changes in it, the custom fields for which there was no room, and the colleague
    whom the event names, if that is one.
    """

    contact: ContactRow
    changes: Mapping[str, Any]
    left_out: tuple[str, ...] = ()
    colleague_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The contact after the event, and its new entry: None when another event has announced the same before."""

    contact: ContactRow
    entry_id: uuid.UUID | None


class Erased(Exception):
    """The person was erased and must not be stored again."""


class _Lookup(NamedTuple):
    """What is known besides the contact: the colleague who would own a new one, and its present owner and company.

    The colleague is the one that the event names (`is_named`), or else the default owner.
    """

    is_suppressed: bool
    colleague_id: uuid.UUID | None
    is_named: bool | None
    owner_is_active: bool | None
    company_is_unnamed: bool | None


class _Email(NamedTuple):
    email: str


class _Notice(NamedTuple):
    occurred_at: datetime | None


async def lock_or_create(
    work: UnitOfWork, lead: Lead, colleague: Colleague, *, creates: bool, arranged_at: datetime | None = None
) -> LockedContact | None:
    """Lock the contact that an event is about. If it is missing, create it, or return None if the event may not.

    An event only fills empty columns, because it may be older than what a person typed since. Further addresses lead to
    the contact that has them; a deleted contact stays deleted. `arranged_at` is when the event arranged a meeting, if
    it did. Raises Erased, or Conflict.
    """
    transaction = work.transaction
    for _ in range(ATTEMPTS):
        contact, lookup = await _LOOK_UP.one(transaction, address=lead.email, colleague=colleague.address)
        if lookup.is_suppressed:
            raise Erased
        if contact is not None:
            fitted = custom.fit(contact.custom, lead.custom)
            filled = await _empty_columns(transaction, lead, contact, lookup) | {"custom": fitted.custom}
            filled |= await _new_owner(transaction, contact, lookup, colleague, arranged_at)
            return LockedContact(contact, filled, fitted.left_out, _named(lookup))
        # Either no contact has the address, or the one that had it was merged while we waited for its lock. Then the
        # address is taken, so nothing is created, and the next attempt finds the survivor.
        fitted = custom.fit({}, lead.custom)
        created = await _create(work, lead, fitted.custom, colleague, lookup) if creates else None
        if created is not None:
            return LockedContact(created, {}, fitted.left_out, _named(lookup))
    if not creates:
        return None
    raise Conflict("another request is creating or merging this contact at the moment; retry")


async def find_address(transaction: Transaction, contact_id: uuid.UUID, *, unless_known: str) -> str | None:
    """The address of a contact that is not deleted, by its id or the id of one that was merged into it.

    None when the address `unless_known` leads to another contact: the person who books can change the id in the link,
    and must not act as another known person. For events, which see every owner's contacts.
    """
    found = await _ADDRESS.one(transaction, id=contact_id, known=unless_known)
    return found.email if found else None


async def record(
    work: UnitOfWork,
    locked: LockedContact,
    entry: Mapping[str, Any],
    *,
    verdict: Verdict | None,
    latest_email_sent_at: datetime | None,
) -> Recorded:
    """Write what an event changes in a contact, with its entry (of activities.entry_params) and the verdict on it."""
    contact, changes = locked.contact, dict(locked.changes)
    entry = activities.with_note(entry, custom.note(locked.left_out))
    if latest_email_sent_at is not None:
        changes["latest_email_sent_at"] = max(
            contact.latest_email_sent_at or latest_email_sent_at, latest_email_sent_at
        )
    verdict_params: dict[str, object] = {}
    if verdict is not None:
        corrects = await _corrects(work.transaction, contact, verdict)
        changes |= verdicts.contact_changes(contact, verdict, corrects=corrects)
        verdict_params = verdicts.verdict_params(contact.id, entry["entry_id"], verdict, None, work.now)
    changed = activities.differences(contact, changes)
    new = contact._replace(**changed)
    values = {name: getattr(new, name) for name in Contact.FROM_EVENTS} if changed else {}
    query = _record(has_changes=bool(changed), has_verdict=verdict is not None)
    added = await query.one(work.transaction, id=contact.id, now=work.now, **values, **entry, **verdict_params)
    if "owner_id" in changed:
        await ownership.reassign_deals_and_tasks(work, contact, changed["owner_id"])
    return Recorded(new, added.id if added else None)


async def _corrects(transaction: Transaction, contact: ContactRow, verdict: Verdict) -> bool:
    """Whether an absence notice is newer than every other one, and says that the absence ends sooner."""
    if verdict.absent_until is None or contact.ooo_until is None or verdict.absent_until >= contact.ooo_until:
        return False
    newest = await _LATEST_NOTICE.one(transaction, id=contact.id)
    return newest is None or newest.occurred_at is None or newest.occurred_at <= verdict.occurred_at


async def _empty_columns(
    transaction: Transaction, lead: Lead, contact: ContactRow, lookup: _Lookup
) -> dict[str, object]:
    """The contact's empty columns that the lead fills."""
    values: dict[str, object] = {name: getattr(lead, name) for name in Contact.DETAILS}
    if contact.company_id is None or (lead.company_name and lookup.company_is_unnamed):
        values["company_id"] = await match.find_or_create(transaction, _company_hint(lead))
    return {name: new for name, new in values.items() if new is not None and getattr(contact, name) is None}


async def _new_owner(
    transaction: Transaction, contact: ContactRow, lookup: _Lookup, colleague: Colleague, arranged_at: datetime | None
) -> dict[str, object]:
    named, is_active = _named(lookup), bool(lookup.owner_is_active)
    if named is None or named == contact.owner_id:
        return {}
    source = colleague.source
    if not await takeover.takes_over(transaction, contact, source, is_active=is_active, arranged_at=arranged_at):
        return {}
    return {"owner_id": named, "owner_source": source}


def _named(lookup: _Lookup) -> uuid.UUID | None:
    return lookup.colleague_id if lookup.is_named else None


async def _create(
    work: UnitOfWork, lead: Lead, custom: Mapping[str, object], colleague: Colleague, lookup: _Lookup
) -> ContactRow | None:
    """A new contact; None when its address is taken. It belongs to the colleague, or to nobody if there is none."""
    source = colleague.source if lookup.is_named else OwnerSource.DEFAULT
    values: dict[str, object] = {name: getattr(lead, name) for name in Contact.DETAILS}
    values |= {
        "email": lead.email,
        "company_id": await match.find_or_create(work.transaction, _company_hint(lead)),
        "custom": custom,
        "owner_id": lookup.colleague_id,
        "owner_source": source if lookup.colleague_id else None,
    }
    return await _CREATE.one(work.transaction, id=uuid.uuid4(), now=work.now, **values)


def _company_hint(lead: Lead) -> CompanyHint:
    return CompanyHint(lead.company_name, company_domain(lead.email))


def _latest_notice() -> Executable:
    """When the contact wrote its newest absence notice."""
    judged, entries = table(ReplyVerdict), table(Activity)
    newest = func.max(entries.c.occurred_at).label("occurred_at")
    notices = judged.join(entries, entries.c.id == judged.c.activity_id)
    is_notice = judged.c.status == ReplyStatus.OUT_OF_OFFICE
    return select(newest).select_from(notices).where(judged.c.contact_id == param(Contact, "id"), is_notice)


def _look_up() -> Executable:
    """The contact with an address, locked, and beside it what `_Lookup` says."""
    address = param(Contact, "email", "address")
    contact = select(*columns_of(ContactRow, table(Contact))).where(contacts.has_address(address)).limit(1)
    locked = contact.with_for_update(key_share=True).cte("contact")
    colleague, owner, company = takeover.colleague().subquery("colleague"), table(Owner).alias(), table(Company).alias()
    asked = select(contacts.is_suppressed(address).label("is_suppressed")).subquery("asked")
    rows = asked.outerjoin(locked, true()).outerjoin(colleague, true())
    rows = rows.outerjoin(owner, owner.c.id == locked.c.owner_id)
    rows = rows.outerjoin(company, company.c.id == locked.c.company_id)
    return select(
        *columns_of(ContactRow, locked),
        asked.c.is_suppressed,
        colleague.c.id.label("colleague_id"),
        colleague.c.is_named,
        owner.c.active.label("owner_is_active"),
        (company.c.name == company.c.domain).label("company_is_unnamed"),
    ).select_from(rows)


def _address() -> Executable:
    c, named, other = table(Contact).c, table(Contact).alias("named").c, table(Contact).alias("other")
    id_ = select(func.coalesce(named.merged_into_id, named.id)).where(named.id == param(Contact, "id"))
    has_known = contacts.has_address(param(Contact, "email", "known"), other)
    is_other = exists(select(1).select_from(other).where(has_known, other.c.id != c.id, other.c.deleted_at.is_(None)))
    return select(c.email).where(c.id == id_.scalar_subquery(), c.deleted_at.is_(None), ~is_other)


def _insert_contact() -> Executable:
    names = ("id", "email", *Contact.PROFILE, "custom", *Contact.OWNERSHIP)
    row: dict[str, ColumnElement[Any]] = {name: param(Contact, name) for name in names}
    row |= {name: param(Contact, name, "now") for name in ("created_at", "updated_at")}
    row |= {"lifecycle_stage": literal(LifecycleStage.LEAD.value), "version": literal_column("1")}
    is_alias = exists(select(1).where(table(ContactEmail).c.email == param(Contact, "email")))
    new = insert(table(Contact)).from_select(list(row), select(*row.values()).where(~is_alias), include_defaults=False)
    insertion = new.on_conflict_do_nothing(index_elements=[table(Contact).c.email])
    return insertion.returning(*columns_of(ContactRow, table(Contact)))


@cache
def _record(*, has_changes: bool, has_verdict: bool) -> Query[IdRow]:
    def make() -> Executable:
        entries = table(Activity)
        new = activities.insert_entry().on_conflict_do_nothing(index_elements=[entries.c.effect_key])
        entry = new.returning(entries.c.id).cte("entry")
        statement = select(entry.c.id)
        if has_changes:
            statement = statement.add_cte(_update_contact().cte("changed"))
        if has_verdict:
            statement = statement.add_cte(verdicts.upsert_verdict(only_with=entry).cte("verdict"))
        return statement

    return Query(IdRow, make)


def _update_contact() -> Update:
    c = table(Contact).c
    values: dict[str, object] = {name: param(Contact, name) for name in Contact.FROM_EVENTS}
    values |= {"version": c.version + 1, "updated_at": param(Contact, "updated_at", "now")}
    return update(table(Contact)).where(c.id == param(Contact, "id")).values(values)


_LOOK_UP = PairQuery(ContactRow, _Lookup, _look_up)
_CREATE = Query(ContactRow, _insert_contact)
_ADDRESS = Query(_Email, _address)
_LATEST_NOTICE = Query(_Notice, _latest_notice)
