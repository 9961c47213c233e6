"""Owners: the members of the team, their roles and the mailboxes that they send from."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Executable, any_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, columns_of, id_list, param, text_list
from crm_graph.domain import config_lock
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.models import Owner, OwnerMailbox, Role, table
from crm_graph.values import check_name, check_timezone, check_url, normal_email

OWNERS_MAX = 500  # as many as a plain list of the API shows
MAILBOXES_MAX = 200
_OWNERS, _MAILBOXES = table(Owner), table(OwnerMailbox)
_REQUIRED = ("name", "role", "is_default")


class OwnerRow(NamedTuple):
    """An owner."""

    id: uuid.UUID
    name: str
    email: str
    role: str
    is_default: bool
    active: bool
    booking_url: str | None
    timezone: str | None


class _Mailbox(NamedTuple):
    email: str
    owner_id: uuid.UUID


class _Holder(NamedTuple):
    """An owner's address, and those of their mailboxes other than one."""

    email: str
    others: list[str] | None


async def create(
    work: UnitOfWork,
    *,
    name: str,
    email: str,
    role: Role | None = None,
    mailboxes: Sequence[str] | None = None,
    timezone: str | None = None,
    booking_url: str | None = None,
    is_default: bool | None = None,
) -> uuid.UUID:
    """Add an owner, by default a salesperson; returns the id.

    Raises ValidationFailed, and Conflict for an address or a
    mailbox that another owner has, naming the field.
    """
    await config_lock.begin(work)
    if await work.transaction.scalar(select(func.count()).select_from(_OWNERS)) >= OWNERS_MAX:
        raise Conflict(f"there already are {OWNERS_MAX} owners")
    address, id_ = normal_email(email), uuid.uuid4()
    given: dict[str, object] = {"name": name, "role": role, "mailboxes": mailboxes}
    given |= {"timezone": timezone, "booking_url": booking_url, "is_default": is_default}
    asked = _check({column: value for column, value in given.items() if value is not None})
    row = {"id": id_, "email": address, "role": Role.SALES, "created_at": work.now, **_columns(asked)}
    new = insert(_OWNERS).values(row).on_conflict_do_nothing(index_elements=[_OWNERS.c.email])
    if await work.transaction.scalar(new.returning(_OWNERS.c.id)) is None:
        raise Conflict(f"an owner {address} already exists, active or not", field="email")
    if asked.get("is_default"):
        _check_can_be_default(row["role"], is_active=True)
        await config_lock.make_default(work.transaction, Owner, id_)
    if asked.get("mailboxes"):
        await _set_mailboxes(work.transaction, id_, asked["mailboxes"])
    return id_


async def edit(work: UnitOfWork, *, owner_id: uuid.UUID, changes: Mapping[str, Any]) -> uuid.UUID:
    """Change `name`, `role`, `mailboxes` (all of them), `timezone`, `booking_url` or `is_default` of an owner.

    Returns the id. A new default owner replaces the present one. Raises NotFound, ValidationFailed, and Conflict for a
    colleague's mailbox, an inactive default owner, or another role for the last active admin, naming the field.
    """
    await config_lock.begin(work)
    asked = _check(changes)
    await _update(work.transaction, await _get(work.transaction, owner_id), asked)
    return owner_id


async def activate(work: UnitOfWork, *, owner_id: uuid.UUID) -> uuid.UUID:
    """Accept an owner's tokens again; returns the id. Already active: succeeds. Raises NotFound."""
    await config_lock.begin(work)
    owner = await _get(work.transaction, owner_id)
    await work.transaction.execute(update(_OWNERS).where(_OWNERS.c.id == owner.id).values(active=True))
    return owner_id


async def deactivate(work: UnitOfWork, *, owner_id: uuid.UUID) -> uuid.UUID:
    """Refuse an owner's tokens from now on; they keep what they own (see `offboarding`). Returns the id.

    Already inactive: succeeds. Raises NotFound, and Conflict for the last active admin.
    """
    await config_lock.begin(work)
    owner = await _get(work.transaction, owner_id)
    await work.transaction.execute(update(_OWNERS).where(_OWNERS.c.id == owner.id).values(active=False))
    await _check_admin_is_left(work.transaction, owner, field="owner_id")
    return owner_id


async def set_default(transaction: Transaction, owner_id: uuid.UUID, *, is_default: bool) -> None:
    """Make an owner the default one, instead of the present one, or no longer the default."""
    if is_default:
        await config_lock.make_default(transaction, Owner, owner_id)
    else:
        await transaction.execute(update(_OWNERS).where(_OWNERS.c.id == owner_id).values(is_default=False))


async def get_by_email(transaction: Transaction, email: str) -> OwnerRow:
    """The owner with this address; raises NotFound with a hint for the command line."""
    address = normal_email(email)
    owner = await _BY_EMAIL.one(transaction, email=address)
    if owner is None:
        raise NotFound(f"there is no owner {address}: see `crm-graph owner list`", field="email")
    return owner


async def get_acting(transaction: Transaction, email: str | None) -> OwnerRow:
    """The owner on whose behalf a command runs: the one with this address, else the default owner, else the only admin.

    Raises NotFound, and Conflict for an inactive owner.
    """
    if email is None:
        active = await _ACTIVE.rows(transaction)
        default = [owner for owner in active if owner.is_default]
        chosen = default or [owner for owner in active if owner.role == Role.ADMIN]
        if len(chosen) != 1:
            raise NotFound("there is no default owner, and not exactly one admin: name one with --owner", field="owner")
        return chosen[0]
    owner = await get_by_email(transaction, email)
    if not owner.active:
        raise Conflict(f"{owner.email} is inactive: crm-graph owner update --email {owner.email} --active")
    return owner


async def get_by_ids(transaction: Transaction, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, OwnerRow]:
    """Owners by their ids; those that do not exist are left out."""
    return {owner.id: owner for owner in await _BY_IDS.rows(transaction, ids=ids)}


async def list_with_mailboxes(transaction: Transaction) -> list[tuple[OwnerRow, list[str]]]:
    """All owners by name, each with the addresses of their mailboxes."""
    mailboxes = await _ALL_MAILBOXES.rows(transaction)
    return [
        (owner, [mailbox.email for mailbox in mailboxes if mailbox.owner_id == owner.id])
        for owner in await _ALL.rows(transaction)
    ]


def _check(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, if they may be stored. Raises ValidationFailed naming the field."""
    found = dict(values)
    for name in _REQUIRED:
        if name in found and found[name] is None:
            raise ValidationFailed(f"{name} can't be cleared", field=name)
    if "name" in found:
        found["name"] = check_name(found["name"])
    if found.get("timezone") is not None:
        check_timezone(found["timezone"])
    if found.get("booking_url") is not None:
        check_url(found["booking_url"], field="booking_url")
    if "mailboxes" in found:
        found["mailboxes"] = _addresses(found["mailboxes"] or ())
    return found


def _addresses(raw: Sequence[str]) -> list[str]:
    if len(raw) > MAILBOXES_MAX:
        raise ValidationFailed(f"an owner may have at most {MAILBOXES_MAX} mailboxes", field="mailboxes")
    try:
        return sorted({normal_email(box, field="mailbox") for box in raw})
    except ValidationFailed as error:
        raise ValidationFailed(f"a {error.message}", field="mailboxes") from error


async def _get(transaction: Transaction, owner_id: uuid.UUID) -> OwnerRow:
    owners = await get_by_ids(transaction, [owner_id])
    if owner_id not in owners:
        raise NotFound("owner not found", field="owner_id")
    return owners[owner_id]


def _columns(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the owner's own row; being the default owner involves other rows."""
    return {name: value for name, value in asked.items() if name not in ("mailboxes", "is_default")}


def _check_can_be_default(role: str, *, is_active: bool) -> None:
    if role == Role.READONLY:
        raise Conflict("a readonly owner can't be the default one, who gets contacts", field="is_default")
    if not is_active:
        raise Conflict("an inactive owner gets no contacts: activate them first", field="is_default")


async def _update(transaction: Transaction, owner: OwnerRow, asked: Mapping[str, Any]) -> None:
    if columns := _columns(asked):
        await transaction.execute(update(_OWNERS).where(_OWNERS.c.id == owner.id).values(columns))
    if asked.get("is_default", owner.is_default):
        _check_can_be_default(asked.get("role", owner.role), is_active=owner.active or "is_default" not in asked)
    if "is_default" in asked:
        await set_default(transaction, owner.id, is_default=asked["is_default"])
    if "mailboxes" in asked:
        await _set_mailboxes(transaction, owner.id, asked["mailboxes"])
    if "role" in asked:
        await _check_admin_is_left(transaction, owner, field="role")


async def _set_mailboxes(transaction: Transaction, owner_id: uuid.UUID, mailboxes: list[str]) -> None:
    taken = await _FIND_TAKEN.one(transaction, owner_id=owner_id, mailboxes=mailboxes)
    if taken is not None:
        raise await _taken(transaction, taken)
    is_removed = ~_MAILBOXES.c.email.in_(mailboxes)
    await transaction.execute(delete(_MAILBOXES).where(_MAILBOXES.c.owner_id == owner_id, is_removed))
    if mailboxes:
        rows = [{"email": mailbox, "owner_id": owner_id} for mailbox in mailboxes]
        await transaction.execute(insert(_MAILBOXES).values(rows).on_conflict_do_nothing())


async def _taken(transaction: Transaction, mailbox: _Mailbox) -> Conflict:
    """A refusal that says who has a mailbox, and which others they would be left with."""
    holder = await _FIND_HOLDER.one(transaction, email=mailbox.email, owner_id=mailbox.owner_id)
    assert holder is not None, "a mailbox has an owner"
    details = {"mailbox": mailbox.email, "owner": holder.email, "otherMailboxes": sorted(holder.others or ())}
    message = f"the mailbox {mailbox.email} belongs to {holder.email}; to free it, take it out of their mailboxes"
    return Conflict(message, field="mailboxes", details=details)


async def _check_admin_is_left(transaction: Transaction, before: OwnerRow, *, field: str) -> None:
    """Raises Conflict when a change removed the last active admin; `before` is the owner as they were."""
    admins = select(_OWNERS.c.id).where(_OWNERS.c.role == Role.ADMIN, _OWNERS.c.active).limit(1)
    if before.role == Role.ADMIN and before.active and await transaction.scalar(admins) is None:
        message = f"{before.email} is the last active admin: make another owner an admin first"
        raise Conflict(message, field=field)


def _select(*conditions: ColumnElement[bool]) -> Executable:
    by_name = _OWNERS.c.name, _OWNERS.c.email
    return select(*columns_of(OwnerRow, _OWNERS)).where(*conditions).order_by(*by_name)


def _find_taken() -> Executable:
    """A mailbox of the list `mailboxes` that another owner has."""
    is_others = _MAILBOXES.c.owner_id != param(OwnerMailbox, "owner_id")
    is_listed = _MAILBOXES.c.email == any_(text_list("mailboxes"))
    return select(*columns_of(_Mailbox, _MAILBOXES)).where(is_listed, is_others).limit(1)


def _find_holder() -> Executable:
    others = func.array_agg(_MAILBOXES.c.email).filter(_MAILBOXES.c.email != param(OwnerMailbox, "email"))
    holder = select(_OWNERS.c.email, others.label("others")).join(_MAILBOXES)
    return holder.where(_OWNERS.c.id == param(Owner, "id", "owner_id")).group_by(_OWNERS.c.email)


_BY_IDS = Query(OwnerRow, lambda: _select(_OWNERS.c.id == any_(id_list("ids"))))
_BY_EMAIL = Query(OwnerRow, lambda: _select(_OWNERS.c.email == param(Owner, "email")))
_ACTIVE = Query(OwnerRow, lambda: _select(_OWNERS.c.active))
_ALL = Query(OwnerRow, _select)
_ALL_MAILBOXES = Query(_Mailbox, lambda: select(*columns_of(_Mailbox, _MAILBOXES)).order_by(_MAILBOXES.c.email))
_FIND_TAKEN = Query(_Mailbox, _find_taken)
_FIND_HOLDER = Query(_Holder, _find_holder)
