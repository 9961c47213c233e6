"""Owners: the members of the team, their roles and the mailboxes they send from. Managed from the command line."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.models import Owner, OwnerMailbox, Role
from crm_graph.values import check_text, normal_email


@dataclass(frozen=True, slots=True)
class OwnerChanges:
    """What to set; None leaves it as it is. `mailboxes` replaces the whole list."""

    name: str | None = None
    role: Role | None = None
    mailboxes: Sequence[str] | None = None
    is_default: bool | None = None
    active: bool | None = None


async def add(session: AsyncSession, *, name: str, email: str, changes: OwnerChanges) -> Owner:
    """Add an owner (role sales unless said otherwise). Raises Conflict when the address is taken."""
    address = normal_email(email)
    new = insert(Owner).values(id=uuid.uuid4(), name=_name(name), email=address, role=changes.role or Role.SALES)
    owner = (await session.scalars(new.on_conflict_do_nothing().returning(Owner))).one_or_none()
    if owner is None:
        raise Conflict(f"there is an owner {address} already: use `crm-graph owner update`", field="email")
    await _apply(session, owner, changes)
    return owner


async def change(session: AsyncSession, *, email: str, changes: OwnerChanges) -> Owner:
    """Change the owner with this address. Raises NotFound, or Conflict for a colleague's mailbox."""
    owner = await find(session, email)
    await _apply(session, owner, changes)
    return owner


async def find(session: AsyncSession, email: str) -> Owner:
    """The owner with this address; raises NotFound."""
    address = normal_email(email)
    owner = (await session.scalars(select(Owner).where(col(Owner.email) == address).with_for_update())).one_or_none()
    if owner is None:
        raise NotFound(f"there is no owner {address}: see `crm-graph owner list`", field="email")
    return owner


async def everyone(session: AsyncSession) -> list[tuple[Owner, list[str]]]:
    """All owners with their mailboxes, by name."""
    owners = (await session.scalars(select(Owner).order_by(col(Owner.name), col(Owner.email)))).all()
    mailboxes = (await session.scalars(select(OwnerMailbox).order_by(col(OwnerMailbox.email)))).all()
    return [(owner, [box.email for box in mailboxes if box.owner_id == owner.id]) for owner in owners]


def _name(raw: str) -> str:
    name = check_text(raw, field="name").strip()
    if not name or not name.isprintable():
        raise ValidationFailed("name must be one line of text", field="name")
    return name


async def _apply(session: AsyncSession, owner: Owner, changes: OwnerChanges) -> None:
    if changes.name is not None:
        owner.name = _name(changes.name)
    if changes.role is not None:
        owner.role = changes.role
    if changes.active is not None:
        owner.active = changes.active
    if changes.is_default is not None:
        others = update(Owner).where(col(Owner.is_default), col(Owner.id) != owner.id).values(is_default=False)
        await session.execute(others)
        owner.is_default = changes.is_default
    await session.flush()
    if changes.mailboxes is not None:
        await _set_mailboxes(session, owner, sorted({normal_email(box, field="mailbox") for box in changes.mailboxes}))


async def _set_mailboxes(session: AsyncSession, owner: Owner, mailboxes: list[str]) -> None:
    dropped = delete(OwnerMailbox).where(
        col(OwnerMailbox.owner_id) == owner.id, col(OwnerMailbox.email).not_in(mailboxes)
    )
    await session.execute(dropped)
    for mailbox in mailboxes:
        new = insert(OwnerMailbox).values(email=mailbox, owner_id=owner.id).on_conflict_do_nothing()
        await session.execute(new)
        query = select(Owner).join(OwnerMailbox).where(col(OwnerMailbox.email) == mailbox)
        holder = (await session.scalars(query)).one()
        if holder.id != owner.id:
            raise Conflict(await _taken(session, mailbox, holder), field="mailbox")


async def _taken(session: AsyncSession, mailbox: str, holder: Owner) -> str:
    """Whose a mailbox is, and the command that leaves them only their others."""
    query = select(col(OwnerMailbox.email)).where(col(OwnerMailbox.owner_id) == holder.id)
    others = sorted(set(await session.scalars(query)) - {mailbox})
    left = " ".join(f"--mailbox {other}" for other in others) or "--no-mailboxes"
    return (
        f"the mailbox {mailbox} is {holder.email}'s; to free it: crm-graph owner update --email {holder.email} {left}"
    )
