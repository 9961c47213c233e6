"""Owners: the members of the team, their roles and the mailboxes they send from."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.engine import Transaction
from crm_graph.domain import config_lock
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.models import Owner, OwnerMailbox, Role, table
from crm_graph.values import check_name, check_timezone, check_url, normal_email

OWNERS_MAX = 500  # as many as a plain list of the API shows
MAILBOXES_MAX = 200
_OWNERS, _MAILBOXES = table(Owner), table(OwnerMailbox)
_NEVER_CLEARED = ("name", "role", "is_default")


async def create(work: UnitOfWork, *, name: str, email: str, **values: Any) -> uuid.UUID:
    """Add an owner, a salesperson unless `role` says otherwise; returns the id.

    Of `values`, see `edit`, None means not given. Raises ValidationFailed, and Conflict when somebody has the address
    or one of the mailboxes, naming the field.
    """
    await config_lock.begin(work)
    if (await work.transaction.execute(select(func.count()).select_from(_OWNERS))).scalar_one() >= OWNERS_MAX:
        raise Conflict(f"there are {OWNERS_MAX} owners already")
    address, id_ = normal_email(email), uuid.uuid4()
    asked = _checked({"name": name} | {key: value for key, value in values.items() if value is not None})
    row = {"id": id_, "email": address, "role": Role.SALES, "created_at": work.now, **_columns(asked)}
    new = insert(_OWNERS).values(row).on_conflict_do_nothing(index_elements=[_OWNERS.c.email])
    if (await work.transaction.execute(new.returning(_OWNERS.c.id))).scalar_one_or_none() is None:
        raise Conflict(f"there is an owner {address} already, active or not", field="email")
    if asked.get("is_default"):
        _check_can_be_default(row["role"], is_active=True)
        await config_lock.make_default(work.transaction, Owner, id_)
    if asked.get("mailboxes"):
        await _set_mailboxes(work.transaction, id_, asked["mailboxes"])
    return id_


async def edit(work: UnitOfWork, *, owner_id: uuid.UUID, **changes: Any) -> uuid.UUID:
    """Change `name`, `role`, `mailboxes` (all of them), `timezone`, `booking_url` or `is_default` of an owner.

    Returns the id. To be the default takes that from whoever is. Raises NotFound, ValidationFailed, and Conflict for a
    colleague's mailbox, a default owner who is inactive, or another role for the last active admin, naming the field.
    """
    await config_lock.begin(work)
    asked = _checked(changes)
    await _change(work.transaction, await _find(work.transaction, owner_id), asked)
    return owner_id


async def activate(work: UnitOfWork, *, owner_id: uuid.UUID) -> uuid.UUID:
    """Let an owner's tokens be accepted again; returns the id. To be active already is success. Raises NotFound."""
    await config_lock.begin(work)
    owner = await _find(work.transaction, owner_id)
    await work.transaction.execute(update(_OWNERS).where(_OWNERS.c.id == owner.id).values(active=True))
    return owner_id


async def deactivate(work: UnitOfWork, *, owner_id: uuid.UUID) -> uuid.UUID:
    """Refuse an owner's tokens from now on; what is theirs stays theirs, unless `handover` takes it from them.

    Returns the id. To be inactive already is success. Raises NotFound, and Conflict for the last active admin.
    """
    await config_lock.begin(work)
    owner = await _find(work.transaction, owner_id)
    await work.transaction.execute(update(_OWNERS).where(_OWNERS.c.id == owner.id).values(active=False))
    await _check_admin_is_left(work.transaction, owner, field="owner_id")
    return owner_id


async def set_default(transaction: Transaction, owner_id: uuid.UUID, *, is_default: bool) -> None:
    """Make an owner the default in place of whoever is; or no default any more."""
    if is_default:
        await config_lock.make_default(transaction, Owner, owner_id)
    else:
        await transaction.execute(update(_OWNERS).where(_OWNERS.c.id == owner_id).values(is_default=False))


async def find(transaction: Transaction, email: str) -> Any:
    """The owner with this address, for commands; raises NotFound."""
    address = normal_email(email)
    owner = (await transaction.execute(select(_OWNERS).where(_OWNERS.c.email == address))).one_or_none()
    if owner is None:
        raise NotFound(f"there is no owner {address}: see `crm-graph owner list`", field="email")
    return owner


async def acting(transaction: Transaction, email: str | None) -> Any:
    """On whose behalf a command runs: the owner with this address, by default the default owner, else the only admin.

    Raises NotFound, or Conflict for an inactive one.
    """
    if email is None:
        active = (await transaction.execute(select(_OWNERS).where(_OWNERS.c.active))).all()
        default = [owner for owner in active if owner.is_default]
        chosen = default or [owner for owner in active if owner.role is Role.ADMIN]
        if len(chosen) != 1:
            raise NotFound("there is no default owner and no only admin: name one with --owner", field="owner")
        return chosen[0]
    owner = await find(transaction, email)
    if not owner.active:
        raise Conflict(f"{owner.email} is inactive: crm-graph owner update --email {owner.email} --active")
    return owner


async def everyone(transaction: Transaction) -> list[tuple[Any, list[str]]]:
    """All owners with their mailboxes, by name."""
    owners = (await transaction.execute(select(_OWNERS).order_by(_OWNERS.c.name, _OWNERS.c.email))).all()
    mailboxes = (await transaction.execute(select(_MAILBOXES).order_by(_MAILBOXES.c.email))).all()
    return [(owner, [box.email for box in mailboxes if box.owner_id == owner.id]) for owner in owners]


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, if they may be stored. Raises ValidationFailed naming the field."""
    found = dict(values)
    for name in _NEVER_CLEARED:
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
        raise ValidationFailed(f"mailboxes may be at most {MAILBOXES_MAX}", field="mailboxes")
    try:
        return sorted({normal_email(box, field="mailbox") for box in raw})
    except ValidationFailed as error:
        raise ValidationFailed(f"a {error.message}", field="mailboxes") from error


async def _find(transaction: Transaction, owner_id: uuid.UUID) -> Any:
    owner = (await transaction.execute(select(_OWNERS).where(_OWNERS.c.id == owner_id))).one_or_none()
    if owner is None:
        raise NotFound("owner not found", field="owner_id")
    return owner


def _columns(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is set in the owner's own row; who is the default is a matter of all rows."""
    return {name: value for name, value in asked.items() if name not in ("mailboxes", "is_default")}


def _check_can_be_default(role: str, *, is_active: bool) -> None:
    if role == Role.READONLY:
        raise Conflict("a readonly owner can't be the default one, whose contacts are", field="is_default")
    if not is_active:
        raise Conflict("an inactive owner gets no contacts: activate them before", field="is_default")


async def _change(transaction: Transaction, owner: Any, asked: Mapping[str, Any]) -> None:
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
    is_theirs, is_meant = _MAILBOXES.c.owner_id == owner_id, _MAILBOXES.c.email.in_(mailboxes)
    taken = select(_MAILBOXES.c.email, _MAILBOXES.c.owner_id).where(is_meant, ~is_theirs).limit(1)
    if (found := (await transaction.execute(taken)).one_or_none()) is not None:
        raise await _taken(transaction, found.email, found.owner_id)
    await transaction.execute(delete(_MAILBOXES).where(is_theirs, ~is_meant))
    if mailboxes:
        rows = [{"email": mailbox, "owner_id": owner_id} for mailbox in mailboxes]
        await transaction.execute(insert(_MAILBOXES).values(rows).on_conflict_do_nothing())


async def _taken(transaction: Transaction, mailbox: str, holder_id: uuid.UUID) -> Conflict:
    """A refusal that says whose a mailbox is, and what they would be left with."""
    others = func.array_agg(_MAILBOXES.c.email).filter(_MAILBOXES.c.email != mailbox)
    query = select(_OWNERS.c.email, others.label("others")).join(_MAILBOXES).where(_OWNERS.c.id == holder_id)
    holder = (await transaction.execute(query.group_by(_OWNERS.c.email))).one()
    details = {"mailbox": mailbox, "owner": holder.email, "otherMailboxes": sorted(holder.others or ())}
    message = f"the mailbox {mailbox} is {holder.email}'s; to free it, set their mailboxes to the others"
    return Conflict(message, field="mailboxes", details=details)


async def _check_admin_is_left(transaction: Transaction, before: Any, *, field: str) -> None:
    """Raises Conflict when a change took the last active admin; `before` is the owner as it was."""
    admins = select(_OWNERS.c.id).where(_OWNERS.c.role == Role.ADMIN, _OWNERS.c.active).limit(1)
    if before.role is Role.ADMIN and before.active and (await transaction.execute(admins)).one_or_none() is None:
        message = f"{before.email} is the last active admin: make another owner one before"
        raise Conflict(message, field=field)
