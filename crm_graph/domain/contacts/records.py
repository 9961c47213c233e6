"""Contacts: the people the team writes to, identified by e-mail address."""

import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Boolean, ColumnElement, FromClause, and_, exists, func, null, or_, select, update
from sqlalchemy.sql.dml import Insert, Update
from sqlmodel import col

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, combined, param, param_row, types_of
from crm_graph.domain import references
from crm_graph.domain.locking import check_version
from crm_graph.domain.timeline import activities, tasks
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import NotFound, ValidationFailed
from crm_graph.identity.access import visible
from crm_graph.identity.principal import Principal
from crm_graph.models import (
    Contact,
    ContactEmail,
    OwnerSource,
    Relation,
    Role,
    Suppression,
    table,
)
from crm_graph.values import check_json, check_text, merge_patch

CUSTOM_MAX_KEYS = 200


async def edit(
    work: UnitOfWork,
    *,
    contact_id: uuid.UUID,
    expected_version: int | None = None,
    **changes: Any,
) -> uuid.UUID:
    """Change columns of a contact and leave an entry with the old and new values.

    Raises NotFound, ValidationFailed or Forbidden naming the field; then nothing was changed.
    """
    asked = checked(work.principal, changes)
    contact = await lock_visible(work, contact_id, expected_version)
    await references.check(work, asked)
    row = changed(work, contact, merged(contact.custom, asked))
    if row is not None:
        await write(work.transaction, row)
    return contact_id


async def lock_visible(work: UnitOfWork, contact_id: uuid.UUID, expected_version: int | None = None) -> Any:
    """A contact that the caller may change, locked. Raises Forbidden, NotFound or VersionConflict."""
    work.principal.must_write()
    contact = await _locking(work.principal.role).one(work.transaction, caller=work.principal.owner_id, id=contact_id)
    if contact is None:
        raise NotFound("contact not found", field="contact_id")
    check_version(contact, expected_version)
    return contact


def has_address(address: str | ColumnElement[str], rows: Relation | None = None) -> ColumnElement[bool]:
    """Whether a contact (of `rows`, the table or an alias of it) has this normal address, be it as a further one.

    A merged contact's address is the survivor's.
    """
    c = (table(Contact) if rows is None else rows).c
    alias = select(col(ContactEmail.contact_id)).where(col(ContactEmail.email) == address).scalar_subquery()
    return and_(c.merged_into_id.is_(None), or_(c.email == address, c.id == alias))


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


def merged(custom: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes with all of `custom` as it becomes: the keys given are set, null removes one (RFC 7396)."""
    if "custom" not in changes:
        return dict(changes)
    patched = {} if changes["custom"] is None else merge_patch(custom, changes["custom"])
    _check_size(patched)
    return {**changes, "custom": patched}


async def write(transaction: Transaction, row: Mapping[str, Any]) -> None:
    """Write a row as `changed` returns it."""
    await (_HAND_OVER if row["has_new_owner"] else _EDIT).run(transaction, **row)


def changed(work: UnitOfWork, contact: Any, changes: Mapping[str, Any]) -> dict[str, Any] | None:
    """The row of a locked contact that changes, with its entry; None when nothing does. A deleted one is restored."""
    new, restored = activities.differences(contact, changes), contact.deleted_at is not None
    if not new and not restored:
        return None
    # Whatever an edit leaves alone is set to what it is: one statement, compiled once, for every edit.
    values = {name: new.get(name, getattr(contact, name)) for name in Contact.EDITABLE}
    what = ["Contact restored"] * restored + (["Contact changed: " + ", ".join(new)] if new else [])
    told = activities.entry_params(
        work,
        content="; ".join(what),
        contact_id=contact.id,
        meta={"changes": activities.old_and_new(contact, new)},
    )
    return {"id": contact.id, "now": work.now, "has_new_owner": bool(new.get("owner_id")), **values, **told}


@cache
def _locking(role: Role) -> Statement:
    c = table(Contact).c
    is_it = and_(c.id == param(Contact, "id"), visible(Contact, Principal(None, role)))
    return Statement(lambda: select(table(Contact)).where(is_it).with_for_update(key_share=True))


def edits(new: FromClause) -> list[Insert | Update]:
    """The writes that change contacts as rows of `changed` say."""
    contacts = table(Contact)
    values: dict[str, Any] = {name: new.c[name] for name in Contact.EDITABLE}
    values |= {"version": contacts.c.version + 1, "updated_at": new.c.now, "deleted_at": null()}
    return [update(contacts).where(contacts.c.id == new.c.id).values(values), activities.insert_entries(new)]


def hand_over(new: FromClause) -> Update:
    """The write by which the contacts' tasks go to their new owners, where rows of `changed` have one."""
    return tasks.reassign_open_tasks(and_(tasks.is_contact_task(new.c.id), new.c.has_new_owner), new.c.owner_id)


CHANGED = (
    types_of(Contact, "id", *Contact.EDITABLE, now="updated_at") | {"has_new_owner": Boolean()} | activities.ENTRY_TYPES
)
_ROW = param_row(CHANGED)
_EDIT = Statement(lambda: combined(*edits(_ROW)))
_HAND_OVER = Statement(lambda: combined(*edits(_ROW), hand_over(_ROW)))
