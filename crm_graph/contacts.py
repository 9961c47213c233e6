"""Contacts: the people the team writes to, identified by e-mail address."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal, null, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import Update
from sqlmodel import col

from crm_graph import activities, companies, references, tasks
from crm_graph.auth import Principal, restorable, visible
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.models import (
    ActivityType,
    Contact,
    ContactEmail,
    LifecycleStage,
    OwnerSource,
    Relation,
    Role,
    Suppression,
    table,
)
from crm_graph.prepared import Prepared, given, together
from crm_graph.values import check_json, check_text, company_domain, merge_patch, normal_email

CUSTOM_MAX_KEYS = 200
ATTEMPTS = 3  # of an upsert whose address somebody else takes at the same moment
_EDITED = (
    "full_name",
    "title",
    "linkedin_url",
    "website",
    "phone",
    "company_id",
    "owner_id",
    "owner_source",
    "lifecycle_stage",
    "custom",
)


async def upsert(
    session: AsyncSession,
    principal: Principal,
    *,
    email: str,
    now: datetime,
    expected_version: int | None = None,
    restore_deleted: bool | None = False,
    **values: Any,
) -> tuple[uuid.UUID, bool]:
    """Create the contact with this address, or change the given columns of the one that has it.

    Returns the contact's id and whether it is new. A new one belongs to its creator, unless an admin names an owner,
    and to the company named by `company_name` or by the address. A deleted one comes back with `restore_deleted`.
    Raises Conflict when the address is a colleague's, a deleted contact's or an erased person's; ValidationFailed,
    VersionConflict, NotFound or Forbidden naming a field; then nothing was changed.
    """
    principal.must_write()
    address = normal_email(email)
    asked = checked(principal, values)
    for _ in range(ATTEMPTS):
        found = await _look(session, principal, address, asked)
        if found.id is not None:
            _check_may_change(found, restore_deleted=bool(restore_deleted))
            references.check_version(found, expected_version)
            changes = await _with_company(session, asked, None)
            await change(session, principal, found, changes, now, restored=found.deleted_at is not None)
            return found.id, False
        created = await _create(session, principal, address, asked, now)
        if created is not None:
            return created, True
    raise Conflict("this e-mail is being created by somebody else at this moment; retry", field="email")


async def edit(
    session: AsyncSession,
    principal: Principal,
    *,
    contact_id: uuid.UUID,
    now: datetime,
    expected_version: int | None = None,
    **changes: Any,
) -> uuid.UUID:
    """Change columns of a contact and leave an entry with the old and new values.

    Raises NotFound, ValidationFailed or Forbidden naming the field; then nothing was changed.
    """
    asked = checked(principal, changes)
    contact = await lock_visible(session, principal, contact_id, expected_version)
    await references.check(session, principal, asked)
    await change(session, principal, contact, asked, now)
    return contact_id


async def lock_visible(
    session: AsyncSession, principal: Principal, contact_id: uuid.UUID, expected_version: int | None = None
) -> Any:
    """A contact that the caller may change, locked. Raises Forbidden, NotFound or VersionConflict."""
    principal.must_write()
    contact = await _locking(principal.role).one(session, caller=principal.owner_id, id=contact_id)
    if contact is None:
        raise NotFound("contact not found", field="contact_id")
    references.check_version(contact, expected_version)
    return contact


def has_address(address: str | ColumnElement[str], rows: Relation | None = None) -> ColumnElement[bool]:
    """Whether a contact (of `rows`, the table or an alias of it) has this normal address, be it as a further one.

    A merged contact's address is the survivor's.
    """
    c = (table(Contact) if rows is None else rows).c
    alias = select(col(ContactEmail.contact_id)).where(col(ContactEmail.email) == address).scalar_subquery()
    return and_(c.merged_into_id.is_(None), or_(c.email == address, c.id == alias))


async def lock(session: AsyncSession, *conditions: ColumnElement[bool]) -> Contact | None:
    """The contact that meets the conditions, locked until the transaction ends."""
    # key_share: a deal's move refers to its contact, and must not wait for whoever waits for that deal.
    query = select(Contact).where(*conditions).limit(1).with_for_update(key_share=True)
    return (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def insert_new(session: AsyncSession, address: str, values: Mapping[str, Any], now: datetime) -> Contact | None:
    """Insert unless the address is known as somebody's; of two at once, the second waits here and inserts nothing."""
    row = {"id": uuid.uuid4(), "email": address, **values, "created_at": now, "updated_at": now}
    columns = table(Contact).c
    typed = [literal(value, columns[name].type).label(name) for name, value in row.items()]
    is_alias = select(1).where(col(ContactEmail.email) == address).exists()
    statement = (
        insert(Contact)
        .from_select(list(row), select(*typed).where(~is_alias), include_defaults=False)
        .on_conflict_do_nothing(index_elements=[col(Contact.email)])
        .returning(Contact)
    )
    return (await session.scalars(statement)).one_or_none()


def is_suppressed(address: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the person with this normal address was erased, and asked not to be known again."""
    hmac = func.crm_address_hmac(address)
    return exists(select(1).where(table(Suppression).c.address_hmac == hmac))


def checked(principal: Principal, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, if they may be stored; a new owner counts as a person's choice."""
    references.check_new_owner(principal, values)
    for name, value in values.items():
        if isinstance(value, str):
            check_text(value, field=name)
    if "lifecycle_stage" in values and values["lifecycle_stage"] is None:
        raise ValidationFailed("lifecycleStage can't be cleared", field="lifecycle_stage")
    custom = values.get("custom")
    if custom is not None:
        if not isinstance(custom, dict):
            raise ValidationFailed("custom must be an object", field="custom")
        _check_size(custom)
        check_json(custom, field="custom")
    return {**values, "owner_source": OwnerSource.PERSON} if "owner_id" in values else dict(values)


def _check_size(custom: Mapping[str, Any]) -> None:
    if len(custom) > CUSTOM_MAX_KEYS:
        raise ValidationFailed(f"custom may have at most {CUSTOM_MAX_KEYS} keys", field="custom")


def _check_may_change(found: Any, *, restore_deleted: bool) -> None:
    if found.is_suppressed or (found.id is not None and found.erased_at is not None):
        raise Conflict("the person with this e-mail was erased, and asked not to be known again", field="email")
    if found.is_visible or (found.is_restorable and restore_deleted):
        return
    if found.is_restorable:
        raise Conflict("this e-mail belongs to a deleted contact; restoreDeleted: true brings it back", field="email")
    raise Conflict("this e-mail belongs to a contact of a colleague", field="email")


async def _look(session: AsyncSession, principal: Principal, address: str, asked: Mapping[str, Any]) -> Any:
    """The contact with this address, locked, whosever it is; its columns are None when there is none."""
    parameters = references.parameters(asked)
    found = await _looking(principal.role).one(session, caller=principal.owner_id, address=address, **parameters)
    assert found is not None
    if found.id is None and found.is_suppressed:
        _check_may_change(found, restore_deleted=False)
    references.check_found(principal, asked, found)
    return found


async def _with_company(session: AsyncSession, asked: Mapping[str, Any], domain: str | None) -> dict[str, Any]:
    """The values with the id of the company that they name, or that has the domain."""
    values = dict(asked)
    name = values.pop("company_name", None)
    if values.get("company_id") is None and (name is not None or domain is not None):
        values["company_id"] = await companies.find_or_create(session, name=name, domain=domain)
    return values


async def _create(
    session: AsyncSession, principal: Principal, address: str, asked: Mapping[str, Any], now: datetime
) -> uuid.UUID | None:
    """A new contact with its first entry; None when somebody else takes the address at this moment."""
    values = await _with_company(session, asked, company_domain(address))
    owned = {"owner_id": principal.owner_id, "owner_source": OwnerSource.PERSON}
    stage = {"lifecycle_stage": LifecycleStage.LEAD}
    meant = {name: value for name, value in values.items() if value is not None or name == "owner_id"}
    contact: dict[str, Any] = {**dict.fromkeys(_EDITED), **owned, **stage, **meant}
    contact["custom"] = merge_patch({}, contact["custom"] or {})
    id_ = uuid.uuid4()
    told = entry(principal, id_, "Contact created", now, {})
    made = await _CREATE.one(session, id=id_, email=address, now=now, **contact, **told)
    return id_ if made else None


async def change(
    session: AsyncSession,
    principal: Principal,
    contact: Any,
    changes: Mapping[str, Any],
    now: datetime,
    *,
    restored: bool = False,
) -> None:
    """Change columns of a locked contact, with an entry that tells what changed."""
    if changes.get("custom") is not None:
        changes = {**changes, "custom": merge_patch(contact.custom, changes["custom"])}
        _check_size(changes["custom"])
    elif "custom" in changes:
        changes = {**changes, "custom": {}}
    changed = activities.differences(contact, changes)
    if not changed and not restored:
        return
    # Whatever an edit leaves alone is set to what it is: one statement, compiled once, for every edit.
    values = {name: changed.get(name, getattr(contact, name)) for name in _EDITED}
    what = ["Contact restored"] * restored + (["Contact changed: " + ", ".join(changed)] if changed else [])
    told = entry(principal, contact.id, "; ".join(what), now, {"changes": activities.told(contact, changed)})
    edit = _HAND_OVER if changed.get("owner_id") else _EDIT
    await edit.run(session, id=contact.id, now=now, **values, **told)


def entry(
    principal: Principal, contact_id: uuid.UUID, content: str, now: datetime, meta: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The parameters of an entry on a contact's timeline."""
    return activities.entry_values(
        principal, type=ActivityType.SYSTEM, content=content, occurred_at=now, contact_id=contact_id, meta=meta
    )


@cache
def _locking(role: Role) -> Prepared:
    c = table(Contact).c
    is_it = and_(c.id == given(Contact, "id"), visible(Contact, Principal(None, role)))
    return Prepared(lambda: select(table(Contact)).where(is_it).with_for_update(key_share=True))


@cache
def _looking(role: Role) -> Prepared:
    def make() -> Any:
        principal, address = Principal(None, role), given(Contact, "email", "address")
        has_it = has_address(address)
        seen = [visible(Contact, principal).label("is_visible"), restorable(Contact, principal).label("is_restorable")]
        contact = select(table(Contact), *seen).where(has_it).limit(1).with_for_update(key_share=True).cte("contact")
        asked = select(is_suppressed(address).label("is_suppressed")).subquery("asked")
        rows, columns = references.joined(principal, asked.outerjoin(contact, true()))
        return select(contact, asked, *columns).select_from(rows)

    return Prepared(make)


def _created() -> Any:
    contacts, c = table(Contact), table(Contact).c
    row = {name: given(Contact, name) for name in ("id", "email", *_EDITED)}
    row |= {name: given(Contact, name, "now") for name in ("created_at", "updated_at")}
    is_alias = exists(select(1).where(table(ContactEmail).c.email == given(Contact, "email")))
    # Looked for once more: of a contact that is erased at this moment, the address is free by now.
    may_be = ~is_alias & ~is_suppressed(given(Contact, "email"))
    new = insert(contacts).from_select(list(row), select(*row.values()).where(may_be), include_defaults=False)
    made = new.on_conflict_do_nothing(index_elements=[c.email]).returning(c.id).cte("made")
    return select(made.c.id).add_cte(activities.entry(only_with=made).cte("told"))


def _edited(*also: Update) -> Any:
    contacts, c = table(Contact), table(Contact).c
    changed: dict[str, Any] = {name: given(Contact, name) for name in _EDITED} | {"deleted_at": null()}
    changed |= {"version": c.version + 1, "updated_at": given(Contact, "updated_at", "now")}
    return together(update(contacts).where(c.id == given(Contact, "id")).values(changed), activities.entry(), *also)


_CREATE = Prepared(_created)
_EDIT = Prepared(_edited)
_HAND_OVER = Prepared(
    lambda: _edited(tasks.following(tasks.of_contact(given(Contact, "id")), given(Contact, "owner_id")))
)
