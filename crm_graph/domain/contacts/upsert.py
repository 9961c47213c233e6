"""Upserts: contacts that are found by their address and changed, or made; one at a time, or many in one call."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import FromClause, Integer, Select, and_, exists, select, union_all
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.statements import Statement, combined, param_row, param_rows, types_of
from crm_graph.domain import references
from crm_graph.domain.batches import ItemErrors, ItemResult, check_size
from crm_graph.domain.companies import match as employers
from crm_graph.domain.companies.match import Named
from crm_graph.domain.contacts import records as contacts
from crm_graph.domain.contacts.records import CHANGED, edits, hand_over, has_address, is_suppressed
from crm_graph.domain.locking import check_version
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound
from crm_graph.identity.access import restorable, visible
from crm_graph.identity.principal import Principal
from crm_graph.models import Contact, ContactEmail, LifecycleStage, OwnerSource, Role, table
from crm_graph.values import company_domain, normal_email

ATTEMPTS = 3  # of an upsert whose address somebody else takes at the same moment
TAKEN = "this e-mail is being created by somebody else at this moment; retry"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an upsert asks for: an address in normal form, and values that may be stored."""

    address: str
    values: Mapping[str, Any]
    expected_version: int | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """An upsert that is permitted: of the contact that was found, or of a new one when `found.id` is None."""

    address: str
    found: Any
    values: Mapping[str, Any]
    company: Named  # that the contact is to be given, by what it is found or made

    @property
    def is_new(self) -> bool:
        return self.found.id is None

    def row(self, work: UnitOfWork, company_id: uuid.UUID | None) -> dict[str, Any] | None:
        """What is to be written, with the entry that tells of it; None when nothing changes."""
        values = dict(self.values)
        values.pop("company_name", None)
        if self.company.is_given:
            values["company_id"] = company_id
        if self.is_new:
            return _creation(work, self.address, values)
        return contacts.changed(work, self.found, values)


async def upsert(work: UnitOfWork, *, restore_deleted: bool | None = False, **item: Any) -> tuple[uuid.UUID, bool]:
    """Create the contact with the address `email`, or change the given columns of the one that has it.

    Returns the contact's id and whether it is new. A new one belongs to its creator, unless an admin names an owner,
    and to the company named by `company_name` or by the address. A deleted one comes back with `restore_deleted`.
    Raises Conflict when the address is a colleague's, a deleted contact's or an erased person's; ValidationFailed,
    VersionConflict (see `expected_version`), NotFound or Forbidden naming a field; then nothing was changed.
    """
    work.principal.must_write()
    asked = _read(work.principal, item)
    for _ in range(ATTEMPTS):
        found = await _look(work, asked)
        plan = _permitted(work.principal, asked, found, restore_deleted)
        company_id = await employers.find_or_create(
            work.transaction, name=plan.company.name, domain=plan.company.domain
        )
        row = plan.row(work, company_id)
        if row is not None and plan.is_new and await _CREATE.one(work.transaction, **row):
            return row["id"], True
        if not plan.is_new:
            if row is not None:
                await contacts.write(work.transaction, row)
            return found.id, False
    raise Conflict(TAKEN, field="email")


async def upsert_all(
    work: UnitOfWork, *, items: Sequence[Mapping[str, Any]], restore_deleted: bool | None = False
) -> list[ItemResult]:
    """Do what `upsert` does for each item in turn, in as many statements for 500 as for one.

    Tells of each item in order; one that can't be done changes nothing, and the others are done. Of two items for one
    contact, the later one can't be done. Raises ValidationFailed for too many items, or Forbidden.
    """
    work.principal.must_write()
    check_size(items)
    errors, done = ItemErrors(), dict[int, ItemResult]()
    asked = errors.try_each(dict(enumerate(items)), lambda _, item: _read(work.principal, item))
    errors.refuse_duplicates({index: item.address for index, item in asked.items()}, "e-mail", "email")
    for _ in range(ATTEMPTS):
        asked = errors.remaining(asked)
        if asked:
            done |= await _attempt(work, asked, errors, restore_deleted)
            asked = {index: item for index, item in asked.items() if index not in done}
    errors |= {index: Conflict(TAKEN, field="email") for index in errors.remaining(asked)}
    return [done[index] if index in done else ItemResult(error=errors[index]) for index in range(len(items))]


async def _attempt(
    work: UnitOfWork, asked: Mapping[int, _Asked], errors: ItemErrors, restore_deleted: bool | None
) -> dict[int, ItemResult]:
    """What became of these items, but for those whose address somebody else took meanwhile."""
    found = await _look_all(work, asked)
    errors.refuse_duplicates({index: row.id for index, row in found.items() if row.id is not None}, "contact", "email")
    plans = errors.try_each(
        errors.remaining(asked), lambda index, item: _permitted(work.principal, item, found[index], restore_deleted)
    )
    company_ids = await employers.find_or_create_all(work.transaction, [plan.company for plan in plans.values()])
    rows = {
        index: plan.row(work, company_id) for (index, plan), company_id in zip(plans.items(), company_ids, strict=True)
    }
    new = {index: row for index, row in rows.items() if row is not None and plans[index].is_new}
    changed = {index: row for index, row in rows.items() if row is not None and index not in new}
    made = (
        await _WRITE.rows(work.transaction, new=[*new.values()], changed=[*changed.values()]) if new or changed else []
    )
    created = {row.id for row in made}
    kept = {index: ItemResult(found[index].id, changed=index in changed) for index in plans if index not in new}
    return kept | {
        index: ItemResult(row["id"], created=True, changed=True) for index, row in new.items() if row["id"] in created
    }


def _read(principal: Principal, item: Mapping[str, Any]) -> _Asked:
    """What is asked for, if it may be; raises ValidationFailed or Forbidden naming a field."""
    given = dict(item)
    address, expected_version = normal_email(given.pop("email")), given.pop("expected_version", None)
    return _Asked(address, contacts.checked(principal, given), expected_version)


def _permitted(principal: Principal, asked: _Asked, found: Any, restore_deleted: bool | None) -> _Plan:
    """What is to be done, if the caller may do it to what was `found`; raises what `upsert` raises."""
    if found.is_suppressed or (found.id is not None and found.erased_at is not None):
        raise Conflict("the person with this e-mail was erased, and asked not to be known again", field="email")
    references.check_found(principal, asked.values, found)
    if found.id is None and asked.expected_version is not None:
        raise NotFound("no contact has this e-mail any more; leave expectedVersion out to create one", field="email")
    if found.id is None:
        company = _company(asked.values, company_domain(asked.address))
        return _Plan(asked.address, found, contacts.merged({}, asked.values), company)
    if not found.is_visible and not found.is_restorable:
        raise Conflict("this e-mail belongs to a contact of a colleague", field="email")
    if not found.is_visible and not restore_deleted:
        hint = "restoreDeleted: true brings it back"
        raise Conflict(f"this e-mail belongs to a deleted contact; {hint}", field="email")
    check_version(found, asked.expected_version)
    return _Plan(asked.address, found, contacts.merged(found.custom, asked.values), _company(asked.values, None))


def _company(values: Mapping[str, Any], domain: str | None) -> Named:
    """The company that an upsert names, or that has the domain, unless it gives the company's id."""
    is_known = values.get("company_id") is not None
    return Named() if is_known else Named(values.get("company_name"), domain)


def _creation(work: UnitOfWork, address: str, values: Mapping[str, Any]) -> dict[str, Any]:
    owned = {"owner_id": work.principal.owner_id, "owner_source": OwnerSource.PERSON}
    stage = {"lifecycle_stage": LifecycleStage.LEAD}
    meant = {name: value for name, value in values.items() if value is not None or name == "owner_id"}
    contact = {**dict.fromkeys(Contact.EDITABLE), "custom": {}, **owned, **stage, **meant}
    id_ = uuid.uuid4()
    return {"id": id_, "email": address, "now": work.now, **contact} | activities.entry_params(
        work, content="Contact created", contact_id=id_
    )


async def _look(work: UnitOfWork, asked: _Asked) -> Any:
    """The contact with this address, locked, whosever it is; its columns are None when there is none."""
    found = await _looking(work.principal.role, many=False).one(
        work.transaction, caller=work.principal.owner_id, place=0, **_referring(asked)
    )
    assert found is not None
    return found


async def _look_all(work: UnitOfWork, asked: Mapping[int, _Asked]) -> dict[int, Any]:
    rows = [{"place": place, **_referring(item)} for place, item in asked.items()]
    found = await _looking(work.principal.role, many=True).rows(
        work.transaction, caller=work.principal.owner_id, asked=rows
    )
    return {row.place: row for row in found}


def _referring(asked: _Asked) -> dict[str, Any]:
    return {"address": asked.address, **{name: asked.values.get(name) for name in ("company_id", "owner_id")}}


@cache
def _looking(role: Role, *, many: bool) -> Statement:
    types = {"place": Integer(), **types_of(Contact, "company_id", "owner_id", address="email")}
    principal = Principal(None, role)
    return Statement(lambda: _looked(principal, param_rows("asked", types) if many else param_row(types)))


def _looked(principal: Principal, asked: FromClause) -> Select[Any]:
    """For each row that is asked for, the contact that has its address, locked, with what the row refers to."""
    all_contacts, aliases = table(Contact), table(ContactEmail)
    by_email = select(asked.c.place, all_contacts.c.id).join_from(
        asked, all_contacts, all_contacts.c.email == asked.c.address
    )
    by_alias = select(asked.c.place, aliases.c.contact_id).join_from(asked, aliases, aliases.c.email == asked.c.address)
    match = union_all(by_email, by_alias).cte("match")
    seen = [visible(Contact, principal).label("is_visible"), restorable(Contact, principal).label("is_restorable")]
    # In the order of the ids: of two calls for the same contacts, one waits for the other.
    locked = select(all_contacts, *seen).where(all_contacts.c.id.in_(select(match.c.id))).order_by(all_contacts.c.id)
    contact = locked.with_for_update(key_share=True).cte("contact")
    # What was found is read again once it is locked: a contact that was merged meanwhile has its address no more.
    has_it = and_(match.c.place == asked.c.place, has_address(asked.c.address, contact))
    rows = asked.outerjoin(match.join(contact, contact.c.id == match.c.id), has_it)
    beside, columns = references.joined(
        principal, rows, {"company_id": asked.c.company_id, "owner_id": asked.c.owner_id}
    )
    suppressed = is_suppressed(asked.c.address).label("is_suppressed")
    return select(asked.c.place, contact, suppressed, *columns).select_from(beside)


def _created(new: FromClause) -> Select[Any]:
    """Make contacts of rows as `_creation` returns them, unless their address is taken; returns the ids."""
    row = {name: new.c[name] for name in ("id", "email", *Contact.EDITABLE)}
    row |= {"created_at": new.c.now, "updated_at": new.c.now}
    is_alias = exists(select(1).where(table(ContactEmail).c.email == new.c.email))
    # Looked for once more: of a contact that is erased at this moment, the address is free by now.
    is_free = and_(~is_alias, ~is_suppressed(new.c.email))
    free = select(*row.values()).where(is_free).order_by(new.c.email)
    insertion = insert(table(Contact)).from_select(list(row), free, include_defaults=False)
    c = table(Contact).c
    made = insertion.on_conflict_do_nothing(index_elements=[c.email]).returning(c.id).cte("made")
    return select(made.c.id).add_cte(activities.insert_entries(new, only_with=made).cte("told"))


def _written(changed: FromClause, new: FromClause) -> Select[Any]:
    return combined(*edits(changed), hand_over(changed), beside=_created(new))


_NEW_ROW = types_of(Contact, "id", "email", *Contact.EDITABLE, now="created_at") | activities.ENTRY_TYPES
_CREATE = Statement(lambda: _created(param_row(_NEW_ROW)))
_WRITE = Statement(lambda: _written(changed=param_rows("changed", CHANGED), new=param_rows("new", _NEW_ROW)))
