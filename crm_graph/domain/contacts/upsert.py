"""Upserts: find contacts by e-mail address and change them, or create them; one at a time, or many in one call."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import CTE, Executable, FromClause, Integer, Select, and_, exists, select, union_all
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.statements import (
    IdRow,
    PairQuery,
    Query,
    columns_of,
    combined,
    param_row,
    param_rows,
    types_of,
)
from crm_graph.domain import references
from crm_graph.domain.batches import ItemErrors, ItemResult, check_size
from crm_graph.domain.companies import match
from crm_graph.domain.companies.match import ATTEMPTS, CompanyHint
from crm_graph.domain.contacts import custom
from crm_graph.domain.contacts import records as contacts
from crm_graph.domain.contacts.records import has_address, is_suppressed
from crm_graph.domain.contacts.rows import ContactRow
from crm_graph.domain.locking import check_version
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound
from crm_graph.identity.access import owned, restorable
from crm_graph.identity.principal import Principal
from crm_graph.models import Contact, ContactEmail, LifecycleStage, OwnerSource, Role, table
from crm_graph.values import company_domain, normal_email

BEING_CREATED = "another request is creating a contact with this e-mail at the moment; retry"
_INSERT_TYPES = types_of(Contact, "id", "email", *Contact.EDITABLE, now="created_at") | activities.ENTRY_TYPES


@dataclass(frozen=True, slots=True)
class _Item:
    """A valid item: an address in normal form, and values that may be stored."""

    address: str
    values: Mapping[str, Any]
    expected_version: int | None


class _Lookup(NamedTuple):
    """What is known of an item besides the contact that has its address; `ref_` are the rows that its ids refer to."""

    place: int
    is_owned: bool | None
    is_restorable: bool | None
    is_suppressed: bool
    ref_company_id: uuid.UUID | None
    ref_owner_id: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """A permitted upsert: an edit of the contact that was found, or a new contact if that is None."""

    contact_id: uuid.UUID
    address: str
    contact: ContactRow | None
    values: Mapping[str, object]
    company: CompanyHint  # of the company to find or create for the contact

    def params(self, work: UnitOfWork, company_id: uuid.UUID | None) -> dict[str, object] | None:
        """The parameters of the write, with its entry; None when nothing changes."""
        values = {name: value for name, value in self.values.items() if name != "company_name"}
        if self.company.is_given:
            values["company_id"] = company_id
        if self.contact is None:
            return _insert_params(work, self.contact_id, self.address, values)
        return contacts.edit_params(work, self.contact, values)


async def upsert(work: UnitOfWork, *, item: Mapping[str, Any], restore_deleted: bool = False) -> tuple[uuid.UUID, bool]:
    """Create the contact with the address `email` of the item, or change the item's columns in the one that has it.

    Returns the contact's id and whether it is new. A new contact belongs to its creator, unless an admin names an
    owner, and to the company that `company_name` or the address names. `restore_deleted` restores a deleted contact.
    Raises Conflict when the address is a colleague's, a deleted contact's or an erased person's; ValidationFailed,
    VersionConflict (see `expected_version`), NotFound or Forbidden naming a field; then nothing was changed.
    """
    work.principal.must_write()
    checked = _check_item(work.principal, item)
    for _ in range(ATTEMPTS):
        contact, lookup = await _LOOK_UP[work.principal.role].one(
            work.transaction, caller=work.principal.owner_id, place=0, **_lookup_params(checked)
        )
        plan = _plan(work.principal, checked, contact, lookup, restore_deleted)
        company_id = await match.find_or_create(work.transaction, plan.company)
        params = plan.params(work, company_id)
        if params is None:
            return plan.contact_id, False
        if contact is not None:
            await contacts.write_edit(work.transaction, params)
            return plan.contact_id, False
        if await _CREATE.one(work.transaction, **params) is not None:
            return plan.contact_id, True
    raise Conflict(BEING_CREATED, field="email")


async def upsert_all(
    work: UnitOfWork, *, items: Sequence[Mapping[str, Any]], restore_deleted: bool = False
) -> list[ItemResult]:
    """Do what `upsert` does for each item in turn, in as many statements for 500 items as for one.

    Returns each item's result, in order; an item that fails changes nothing, and the others are done. Of two items for
    one contact, the second fails. Raises ValidationFailed for too many items, or Forbidden.
    """
    work.principal.must_write()
    check_size(items)
    errors, results = ItemErrors(), dict[int, ItemResult]()
    open_items = errors.try_each(dict(enumerate(items)), lambda _, item: _check_item(work.principal, item))
    errors.refuse_duplicates({index: item.address for index, item in open_items.items()}, "e-mail", "email")
    for _ in range(ATTEMPTS):
        open_items = errors.remaining(open_items)
        if open_items:
            results |= await _attempt_all(work, open_items, errors, restore_deleted)
            open_items = {index: item for index, item in open_items.items() if index not in results}
    errors |= {index: Conflict(BEING_CREATED, field="email") for index in errors.remaining(open_items)}
    return [results[index] if index in results else ItemResult(error=errors[index]) for index in range(len(items))]


async def _attempt_all(
    work: UnitOfWork, items: Mapping[int, _Item], errors: ItemErrors, restore_deleted: bool
) -> dict[int, ItemResult]:
    """The results of these items, except of those that failed, and of those whose address another transaction took."""
    found = await _look_up_all(work, items)
    ids = {index: contact.id for index, (contact, _) in found.items() if contact is not None}
    errors.refuse_duplicates(ids, "contact", "email")
    plans = errors.try_each(
        errors.remaining(items), lambda index, item: _plan(work.principal, item, *found[index], restore_deleted)
    )
    company_ids = await match.find_or_create_all(work.transaction, [plan.company for plan in plans.values()])
    params = {
        index: params
        for (index, plan), company_id in zip(plans.items(), company_ids, strict=True)
        if (params := plan.params(work, company_id)) is not None
    }
    new = [params[index] for index, plan in plans.items() if plan.contact is None]
    edits = [params[index] for index, plan in plans.items() if plan.contact is not None and index in params]
    rows = await _CREATE_AND_EDIT.rows(work.transaction, new=new, edits=edits) if params else []
    created = {row.id for row in rows}
    return {
        index: ItemResult(plan.contact_id, created=plan.contact is None, changed=index in params)
        for index, plan in plans.items()
        if plan.contact is not None or plan.contact_id in created
    }


def _check_item(principal: Principal, item: Mapping[str, Any]) -> _Item:
    """Raises ValidationFailed or Forbidden naming a field."""
    values = dict(item)
    address, expected_version = normal_email(values.pop("email")), values.pop("expected_version", None)
    return _Item(address, contacts.check_values(principal, values), expected_version)


def _plan(
    principal: Principal, item: _Item, contact: ContactRow | None, lookup: _Lookup, restore_deleted: bool
) -> _Plan:
    """What to write, if the caller may; raises what `upsert` raises."""
    if lookup.is_suppressed or (contact is not None and contact.erased_at is not None):
        raise Conflict("the person with this e-mail was erased and must not be stored again", field="email")
    references.check_found(principal, item.values, lookup)
    if contact is None:
        if item.expected_version is not None:
            raise NotFound("no contact has this e-mail any more; omit expectedVersion to create one", field="email")
        values = custom.merge({}, item.values)
        return _Plan(uuid.uuid4(), item.address, None, values, _company_hint(item.values, company_domain(item.address)))
    if not lookup.is_owned and not lookup.is_restorable:
        raise Conflict("this e-mail belongs to a colleague's contact", field="email")
    if not lookup.is_owned and not restore_deleted:
        message = "this e-mail belongs to a deleted contact; set restoreDeleted to true to restore it"
        raise Conflict(message, field="email")
    check_version(contact, item.expected_version)
    values = custom.merge(contact.custom, item.values)
    return _Plan(contact.id, item.address, contact, values, _company_hint(item.values, None))


def _company_hint(values: Mapping[str, Any], domain: str | None) -> CompanyHint:
    """The company that an item names, or that has the domain; an empty hint when the item has the company's id."""
    is_known = values.get("company_id") is not None
    return CompanyHint() if is_known else CompanyHint(values.get("company_name"), domain)


def _insert_params(
    work: UnitOfWork, contact_id: uuid.UUID, address: str, values: Mapping[str, object]
) -> dict[str, object]:
    defaults: dict[str, object] = {
        **dict.fromkeys(Contact.EDITABLE),
        "custom": {},
        "owner_id": work.principal.owner_id,
        "owner_source": OwnerSource.PERSON,
        "lifecycle_stage": LifecycleStage.LEAD,
    }
    # Null as the owner means the unassigned pool; any other null means the default.
    given = {name: value for name, value in values.items() if value is not None or name == "owner_id"}
    entry = activities.entry_params(work, content="Contact created", contact_id=contact_id)
    return {"id": contact_id, "email": address, "now": work.now, **defaults, **given, **entry}


async def _look_up_all(work: UnitOfWork, items: Mapping[int, _Item]) -> dict[int, tuple[ContactRow | None, _Lookup]]:
    rows = [{"place": place, **_lookup_params(item)} for place, item in items.items()]
    pairs = await _LOOK_UP_ALL[work.principal.role].rows(work.transaction, caller=work.principal.owner_id, items=rows)
    return {lookup.place: (contact, lookup) for contact, lookup in pairs}


def _lookup_params(item: _Item) -> dict[str, object]:
    return {"address": item.address, **{name: item.values.get(name) for name in ("company_id", "owner_id")}}


def _look_up(role: Role, *, many: bool) -> Executable:
    """For each item, the contact that has its address, locked, and what else is known of the item."""
    types = {"place": Integer(), **types_of(Contact, "company_id", "owner_id", address="email")}
    items = param_rows("items", types) if many else param_row(types)
    principal, all_contacts, aliases = Principal(None, role), table(Contact), table(ContactEmail)
    is_email, is_alias = all_contacts.c.email == items.c.address, aliases.c.email == items.c.address
    by_email = select(items.c.place, all_contacts.c.id).join_from(items, all_contacts, is_email)
    by_alias = select(items.c.place, aliases.c.contact_id).join_from(items, aliases, is_alias)
    matches = union_all(by_email, by_alias).cte("match")
    contact = _lock_contacts(principal, matches)
    # The address is compared again with the locked contact: one that was merged meanwhile has lost it.
    still_has_it = and_(matches.c.place == items.c.place, has_address(items.c.address, contact))
    rows = items.outerjoin(matches.join(contact, contact.c.id == matches.c.id), still_has_it)
    ids = {"company_id": items.c.company_id, "owner_id": items.c.owner_id}
    rows_with_references, references_columns = references.join(principal, rows, ids)
    return select(
        *columns_of(ContactRow, contact),
        items.c.place,
        contact.c.is_owned,
        contact.c.is_restorable,
        is_suppressed(items.c.address).label("is_suppressed"),
        *references_columns,
    ).select_from(rows_with_references)


def _lock_contacts(principal: Principal, matches: CTE) -> CTE:
    """The matching contacts, locked in one order: of two calls for the same contacts, one waits for the other."""
    all_contacts = table(Contact)
    locked = select(
        *columns_of(ContactRow, all_contacts),
        owned(Contact, principal).label("is_owned"),
        restorable(Contact, principal).label("is_restorable"),
    )
    locked = locked.where(all_contacts.c.id.in_(select(matches.c.id))).order_by(all_contacts.c.id)
    return locked.with_for_update(key_share=True).cte("contact")


def _create(new: FromClause) -> Select[Any]:
    """Create contacts from rows of `_insert_params`, except those whose address is taken; selects the created ids."""
    row = {name: new.c[name] for name in ("id", "email", *Contact.EDITABLE)}
    row |= {"created_at": new.c.now, "updated_at": new.c.now}
    is_alias = exists(select(1).where(table(ContactEmail).c.email == new.c.email))
    # Checked again: an erasure that ended since the look-up has freed the address and suppressed it.
    is_free = and_(~is_alias, ~is_suppressed(new.c.email))
    free = select(*row.values()).where(is_free).order_by(new.c.email)
    insertion = insert(table(Contact)).from_select(list(row), free, include_defaults=False)
    c = table(Contact).c
    created = insertion.on_conflict_do_nothing(index_elements=[c.email]).returning(c.id).cte("created")
    return select(created.c.id).add_cte(activities.insert_entries(new, only_with=created).cte("entries"))


def _create_and_edit() -> Executable:
    edits, new = param_rows("edits", contacts.EDIT_TYPES), param_rows("new", _INSERT_TYPES)
    return combined(*contacts.update_contacts(edits), contacts.reassign_tasks(edits), beside=_create(new))


_LOOK_UP = {role: PairQuery(ContactRow, _Lookup, partial(_look_up, role, many=False)) for role in Role}
_LOOK_UP_ALL = {role: PairQuery(ContactRow, _Lookup, partial(_look_up, role, many=True)) for role in Role}
_CREATE = Query(IdRow, lambda: _create(param_row(_INSERT_TYPES)))
_CREATE_AND_EDIT = Query(IdRow, _create_and_edit)
