"""Contacts: the people the team writes to, identified by e-mail address."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from crm_graph import activities, companies
from crm_graph.auth import Principal, visible
from crm_graph.errors import Conflict, Forbidden, NotFound, ValidationFailed
from crm_graph.models import ActivityType, Contact, ContactEmail, Owner, OwnerSource, Relation, Role, table
from crm_graph.values import check_json, check_text, company_domain, normal_email

CUSTOM_MAX_KEYS = 200


async def upsert(
    session: AsyncSession, principal: Principal, *, email: str, now: datetime, values: Mapping[str, Any]
) -> tuple[Contact, bool]:
    """Create the contact with this address, or change the given columns of the one that has it.

    Returns the contact and whether it is new. A new one belongs to its creator, unless an admin names an owner, and
    to the company named by `company_name` or by the address. Raises Conflict when the address is a colleague's or a
    deleted contact's, ValidationFailed, NotFound or Forbidden naming a field; then nothing was changed.
    """
    principal.must_write()
    address = normal_email(email)
    changes = await _checked(session, principal, values)
    company_name = changes.pop("company_name", None)
    company_id = changes.get("company_id")
    if company_id is None:
        company_id = await companies.find_or_create(session, name=company_name, domain=company_domain(address))
    if company_name is not None:
        changes["company_id"] = company_id
    owned: dict[str, Any] = {"owner_id": principal.owner_id, "owner_source": OwnerSource.PERSON}
    given = {name: value for name, value in changes.items() if value is not None or name == "owner_id"}
    if "custom" in given:
        given["custom"] = _without_nulls(given["custom"])
    created = await insert_new(session, address, owned | given | {"company_id": company_id}, now)
    if created is not None:
        return created, True
    contact = await lock(session, has_address(address), visible(Contact, principal))
    if contact is None:
        raise Conflict("this e-mail belongs to a contact of a colleague, or to a deleted one", field="email")
    await _edit(session, principal, contact, changes, now)
    return contact, False


async def update(
    session: AsyncSession, principal: Principal, *, contact_id: uuid.UUID, now: datetime, changes: Mapping[str, Any]
) -> Contact:
    """Change columns of a contact and leave an entry with the old and new values.

    Raises NotFound, ValidationFailed or Forbidden naming the field; then nothing was changed.
    """
    principal.must_write()
    contact = await lock(session, col(Contact.id) == contact_id, visible(Contact, principal))
    if contact is None:
        raise NotFound("contact not found", field="contact_id")
    await _edit(session, principal, contact, await _checked(session, principal, changes), now)
    return contact


async def check_new_owner(session: AsyncSession, principal: Principal, owner_id: uuid.UUID | None) -> None:
    """Whether the principal may give a row that it sees to this owner: anyone to itself, an admin to whom it likes.

    Raises Forbidden, or NotFound for an owner that is missing or not active.
    """
    if owner_id == principal.owner_id and owner_id is not None:
        return
    if principal.role is not Role.ADMIN:
        raise Forbidden("only an admin may give it to somebody else", field="owner_id")
    owner = await session.get(Owner, owner_id) if owner_id is not None else None
    if owner_id is not None and (owner is None or not owner.active):
        raise NotFound("owner not found, or not active", field="owner_id")


def has_address(address: str | ColumnElement[str], rows: Relation | None = None) -> ColumnElement[bool]:
    """Whether a contact (of `rows`, the table or an alias of it) has this normal address, be it as a further one."""
    c = (table(Contact) if rows is None else rows).c
    alias = select(col(ContactEmail.contact_id)).where(col(ContactEmail.email) == address).scalar_subquery()
    return or_(and_(c.email == address, c.merged_into_id.is_(None)), c.id == alias)


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


async def _checked(session: AsyncSession, principal: Principal, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, if they may be stored; a new owner counts as a person's choice."""
    for name, value in values.items():
        if isinstance(value, str):
            check_text(value, field=name)
    if values.get("company_id") is not None:
        await companies.check_exists(session, values["company_id"], field="company_id")
    if "lifecycle_stage" in values and values["lifecycle_stage"] is None:
        raise ValidationFailed("lifecycleStage can't be cleared", field="lifecycle_stage")
    custom = values.get("custom")
    if custom is not None:
        if not isinstance(custom, dict):
            raise ValidationFailed("custom must be an object", field="custom")
        _check_size(custom)
        check_json(custom, field="custom")
    if "owner_id" not in values:
        return dict(values)
    await check_new_owner(session, principal, values["owner_id"])
    return dict(values) | {"owner_source": OwnerSource.PERSON}


def _check_size(custom: Mapping[str, Any]) -> None:
    if len(custom) > CUSTOM_MAX_KEYS:
        raise ValidationFailed(f"custom may have at most {CUSTOM_MAX_KEYS} keys", field="custom")


async def _edit(
    session: AsyncSession, principal: Principal, contact: Contact, changes: Mapping[str, Any], now: datetime
) -> None:
    if changes.get("custom") is not None:  # RFC 7396: the keys given are set, null removes one
        changes = {**changes, "custom": _without_nulls(contact.custom | changes["custom"])}
        _check_size(changes["custom"])
    elif "custom" in changes:
        changes = {**changes, "custom": {}}
    changed = activities.apply_changes(contact, changes)
    if not changed:
        return
    contact.version += 1
    contact.updated_at = now
    await session.flush()
    await activities.log(
        session,
        principal,
        type=ActivityType.SYSTEM,
        content="Contact changed: " + ", ".join(changed),
        occurred_at=now,
        contact_id=contact.id,
        meta={"changes": changed},
    )


def _without_nulls(custom: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in custom.items() if value is not None}
