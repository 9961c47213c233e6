"""What inputs refer to: whether the rows are there and the caller may use them, and whether they are as the caller read
them. All ids of an input are looked up in one statement.
"""

import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import FromClause, and_, literal, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from crm_graph.auth import Principal, visible
from crm_graph.errors import Forbidden, NotFound, VersionConflict
from crm_graph.models import Company, Contact, Deal, Owner, Role, table
from crm_graph.prepared import Prepared, given

_NAMES = ("contact_id", "deal_id", "company_id", "owner_id")


async def check(session: AsyncSession, principal: Principal, values: Mapping[str, Any]) -> Any | None:
    """Refuse ids among `values` (contact_id, deal_id, company_id, owner_id) that the caller may not use.

    Returns what `joined` adds, or None when no row had to be looked at. Raises NotFound or Forbidden naming the field.
    """
    check_new_owner(principal, values)
    if all(values.get(name) is None or (name == "owner_id" and values[name] == principal.owner_id) for name in _NAMES):
        return None
    found = await _look(principal.role).one(session, caller=principal.owner_id, **parameters(values))
    check_found(principal, values, found)
    return found


def check_new_owner(principal: Principal, values: Mapping[str, Any]) -> None:
    """Anyone may give a row that it sees to itself, an admin to whom it likes, or to nobody. Raises Forbidden."""
    if "owner_id" not in values or principal.role is Role.ADMIN:
        return
    if values["owner_id"] is None or values["owner_id"] != principal.owner_id:
        raise Forbidden("only an admin may give it to somebody else, or to nobody", field="owner_id")


def parameters(values: Mapping[str, Any]) -> dict[str, uuid.UUID | None]:
    """The parameters of `joined`."""
    return {f"ref_{name}": values.get(name) for name in _NAMES}


def joined(principal: Principal, rows: FromClause) -> tuple[FromClause, list[Any]]:
    """`rows` with the rows that ids refer to beside them, and the columns that tell of those, for `check_found`."""
    contacts: FromClause
    contacts, deals, companies, owners = (table(model).alias() for model in (Contact, Deal, Company, Owner))
    beside = rows
    looked_up: list[tuple[str, type[SQLModel], Any]] = [
        ("contact_id", Contact, contacts),
        ("deal_id", Deal, deals),
        ("company_id", Company, companies),
    ]
    for name, model, referred in looked_up:
        is_it = and_(referred.c.id == given(model, "id", f"ref_{name}"), visible(model, principal, referred))
        if model is Contact:
            # One that is being merged or erased is waited for, and then not there any more.
            locked = select(referred).where(is_it).with_for_update(read=True, key_share=True)
            contacts = locked.subquery()
            beside = beside.outerjoin(contacts, true())
        else:
            beside = beside.outerjoin(referred, is_it)
    is_owner = and_(owners.c.id == given(Owner, "id", "ref_owner_id"), owners.c.active)
    columns = [
        contacts.c.id.label("ref_contact_id"),
        contacts.c.owner_id.label("ref_contact_owner_id"),
        contacts.c.company_id.label("ref_contact_company_id"),
        deals.c.id.label("ref_deal_id"),
        deals.c.contact_id.label("ref_deal_contact_id"),
        deals.c.owner_id.label("ref_deal_owner_id"),
        companies.c.id.label("ref_company_id"),
        owners.c.id.label("ref_owner_id"),
    ]
    return beside.outerjoin(owners, is_owner), columns


def check_found(principal: Principal, values: Mapping[str, Any], found: Any) -> None:
    """Raises NotFound for the first of `values` that was not found."""
    for name in _NAMES:
        if values.get(name) is not None and getattr(found, f"ref_{name}") is None:
            if name == "owner_id" and values[name] == principal.owner_id:
                continue
            what = "owner not found, or not active" if name == "owner_id" else f"{name[:-3]} not found"
            raise NotFound(what, field=name)


def check_version(row: Any, expected: int | None) -> None:
    """Raises VersionConflict with the present version when the caller has read another one."""
    if expected is not None and row.version != expected:
        message = f"it has version {row.version} by now, not {expected}; read it again, then decide"
        raise VersionConflict(message, field="expected_version", details={"version": row.version})


@cache
def _look(role: Role) -> Prepared:
    principal = Principal(None, role)

    def make() -> Any:
        rows, columns = joined(principal, select(literal(1).label("one")).subquery("nothing"))
        return select(*columns).select_from(rows)

    return Prepared(make)
