"""References: whether the rows that an input names exist and the caller may use them, looked up in one statement."""

import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, literal, select, true
from sqlmodel import SQLModel

from crm_graph.database.statements import Statement, param
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Forbidden, NotFound
from crm_graph.identity.access import visible
from crm_graph.identity.principal import Principal
from crm_graph.models import Company, Contact, Deal, Owner, Role, table

_REFERRED: dict[str, tuple[type[SQLModel], dict[str, str]]] = {
    "contact_id": (
        Contact,
        {"id": "contact_id", "owner_id": "contact_owner_id", "company_id": "contact_company_id"},
    ),
    "deal_id": (Deal, {"id": "deal_id", "contact_id": "deal_contact_id", "owner_id": "deal_owner_id"}),
    "company_id": (Company, {"id": "company_id"}),
    "owner_id": (Owner, {"id": "owner_id"}),
}
_NAMES = tuple(_REFERRED)


async def check(work: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Refuse ids among `values` (contact_id, deal_id, company_id, owner_id) that the caller may not use.

    Raises NotFound or Forbidden naming the field.
    """
    check_new_owner(work.principal, values)
    if _referring(work.principal, values):
        found = await _look(work.principal.role).one(
            work.transaction, caller=work.principal.owner_id, **parameters(values)
        )
        check_found(work.principal, values, found)


def _referring(principal: Principal, values: Mapping[str, Any]) -> list[str]:
    """Which of `values` refer to a row; the caller is known to be there."""
    is_caller = values.get("owner_id") == principal.owner_id
    return [name for name in _NAMES if values.get(name) is not None and not (name == "owner_id" and is_caller)]


def check_new_owner(principal: Principal, values: Mapping[str, Any]) -> None:
    """Anyone may give a row that it sees to itself, an admin to whom it likes, or to nobody. Raises Forbidden."""
    if "owner_id" not in values or principal.role is Role.ADMIN:
        return
    if values["owner_id"] is None or values["owner_id"] != principal.owner_id:
        raise Forbidden("only an admin may give it to somebody else, or to nobody", field="owner_id")


def parameters(values: Mapping[str, Any]) -> dict[str, uuid.UUID | None]:
    """The parameters of `joined`."""
    return {f"ref_{name}": values.get(name) for name in _NAMES}


def joined(
    principal: Principal, rows: FromClause, ids: Mapping[str, ColumnElement[Any]] | None = None
) -> tuple[FromClause, list[Any]]:
    """`rows` with the rows that ids refer to beside them, and the columns that tell of those, for `check_found`.

    The ids are the `parameters`, or the expressions `ids` by the names that may be given.
    """
    given_ids = {name: param(Owner, "id", f"ref_{name}") for name in _NAMES} if ids is None else ids
    beside, columns = rows, list[Any]()
    for name, id_ in given_ids.items():
        model, told = _REFERRED[name]
        referred: FromClause = table(model).alias()
        is_it = and_(referred.c.id == id_, visible(model, principal, referred))
        if model is Owner:
            is_it = and_(is_it, referred.c.active, referred.c.role != Role.READONLY)
        if model is Contact:
            # One that is being merged or erased is waited for, and then not there any more.
            referred = select(referred).where(is_it).with_for_update(read=True, key_share=True).lateral()
            is_it = true()
        beside = beside.outerjoin(referred, is_it)
        columns += (referred.c[column].label(f"ref_{label}") for column, label in told.items())
    return beside, columns


def check_found(principal: Principal, values: Mapping[str, Any], found: Any) -> None:
    """Raises NotFound for the first of `values` that was not found."""
    for name in _referring(principal, values):
        if getattr(found, f"ref_{name}") is None:
            what = "owner not found, not active, or readonly" if name == "owner_id" else f"{name[:-3]} not found"
            raise NotFound(what, field=name)


@cache
def _look(role: Role) -> Statement:
    principal = Principal(None, role)

    def make() -> Any:
        rows, columns = joined(principal, select(literal(1).label("one")).subquery("nothing"))
        return select(*columns).select_from(rows)

    return Statement(make)
