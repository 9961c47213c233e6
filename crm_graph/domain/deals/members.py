"""Members of a deal: owners who work on it beside its own. identity/access.py says what they see."""

import uuid
from typing import NamedTuple

from sqlalchemy import Executable, and_, select

from crm_graph.database.statements import Query, Statement, param
from crm_graph.domain.deals.stage_history import deal_entry_params
from crm_graph.domain.locking import RowLock
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import NotFound, ValidationFailed
from crm_graph.identity.access import must_own
from crm_graph.models import Deal, Owner, Role, table

MEMBERS_MAX = 20


class _SharedDeal(NamedTuple):
    id: uuid.UUID
    version: int
    owner_id: uuid.UUID | None
    member_ids: list[uuid.UUID] | None


class _Owner(NamedTuple):
    name: str
    may_work: bool


async def add(
    work: UnitOfWork, *, deal_id: uuid.UUID, owner_id: uuid.UUID, expected_version: int | None = None
) -> uuid.UUID:
    """Make an owner a member of a deal, with an entry on its timeline. A member, or its owner, changes nothing.

    Raises NotFound (also for an owner who is inactive or readonly), Forbidden, VersionConflict, or ValidationFailed for
    more than 20 members, naming the field.
    """
    deal = await _LOCK.one(work, deal_id, expected_version)
    must_own(work.principal, deal.owner_id, field="deal_id")
    members = deal.member_ids or []
    if owner_id in (deal.owner_id, *members):
        return deal_id
    if len(members) >= MEMBERS_MAX:
        raise ValidationFailed(f"a deal has at most {MEMBERS_MAX} members", field="owner_id")
    found = await _OWNER.one(work.transaction, id=owner_id)
    if found is None or not found.may_work:
        raise NotFound("owner not found, not active, or readonly", field="owner_id")
    await _update(work, deal, [*members, owner_id], f"Member added: {found.name}")
    return deal_id


async def add_host(work: UnitOfWork, deal_id: uuid.UUID, owner_id: uuid.UUID) -> None:
    """Make the host of a meeting a member of its contact's deal when that is somebody else's, for events.

    An event never fails for it: a deal with 20 members, and a host who may not work on deals, change nothing.
    """
    deal = await _LOCK.one(work, deal_id)
    members = deal.member_ids or []
    if deal.owner_id in (None, owner_id) or owner_id in members or len(members) >= MEMBERS_MAX:
        return
    found = await _OWNER.one(work.transaction, id=owner_id)
    if found is not None and found.may_work:
        await _update(work, deal, [*members, owner_id], f"Member added: {found.name}")


async def remove(
    work: UnitOfWork, *, deal_id: uuid.UUID, owner_id: uuid.UUID, expected_version: int | None = None
) -> uuid.UUID:
    """Take a member off a deal, with an entry on its timeline. An owner who is no member changes nothing.

    A member may leave; others are removed by the deal's owner or an admin. Raises NotFound, Forbidden or
    VersionConflict naming the field.
    """
    deal = await _LOCK.one(work, deal_id, expected_version)
    if owner_id != work.principal.owner_id:
        must_own(work.principal, deal.owner_id, field="deal_id")
    members = deal.member_ids or []
    if owner_id in members:
        others = [member for member in members if member != owner_id]
        found = await _OWNER.one(work.transaction, id=owner_id)
        await _update(work, deal, others or None, f"Member removed: {found.name if found else owner_id}")
    return deal_id


async def _update(work: UnitOfWork, deal: _SharedDeal, member_ids: list[uuid.UUID] | None, content: str) -> None:
    meta = {"changes": activities.old_and_new(deal, {"member_ids": member_ids})}
    entry = deal_entry_params(work, deal.id, content, meta)
    await _UPDATE.run(work.transaction, id=deal.id, now=work.now, member_ids=member_ids, **entry)


def _owner() -> Executable:
    owners = table(Owner)
    may_work = and_(owners.c.active, owners.c.role != Role.READONLY).label("may_work")
    return select(owners.c.name, may_work).where(owners.c.id == param(Owner, "id"))


_LOCK = RowLock(_SharedDeal, Deal, "deal")
_OWNER = Query(_Owner, _owner)
_UPDATE = Statement(lambda: activities.update_with_entry(Deal, *Deal.MEMBERSHIP))
