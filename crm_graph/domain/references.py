"""References: whether the rows that an input names exist and the caller may use them, looked up in one statement."""

import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Executable, FromClause, Label, and_, literal, select, true
from sqlmodel import SQLModel

from crm_graph.database.statements import Query, param
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Forbidden, NotFound
from crm_graph.identity.access import owned, visible
from crm_graph.identity.principal import Principal
from crm_graph.models import Company, Contact, Deal, Owner, Role, table

# For each kind of reference: the model, and the columns of the row that callers read, by their names in `join`.
_REFERRED: dict[str, tuple[type[SQLModel], dict[str, str]]] = {
    "contact_id": (
        Contact,
        {"id": "ref_contact_id", "owner_id": "ref_contact_owner_id", "company_id": "ref_contact_company_id"},
    ),
    "deal_id": (Deal, {"id": "ref_deal_id", "contact_id": "ref_deal_contact_id"}),
    "company_id": (Company, {"id": "ref_company_id"}),
    "owner_id": (Owner, {"id": "ref_owner_id"}),
}
_NAMES = tuple(_REFERRED)


class _Found(NamedTuple):
    """The ids of the rows that were found."""

    ref_contact_id: uuid.UUID | None
    ref_deal_id: uuid.UUID | None
    ref_company_id: uuid.UUID | None
    ref_owner_id: uuid.UUID | None


async def check(work: UnitOfWork, values: Mapping[str, object]) -> None:
    """Refuse ids among `values` (contact_id, deal_id, company_id, owner_id) that the caller may not use.

    Raises NotFound or Forbidden naming the field.
    """
    check_new_owner(work.principal, values)
    if _to_look_up(work.principal, values):
        found = await _look_up(work.principal.role).one(
            work.transaction, caller=work.principal.owner_id, **params(values)
        )
        check_found(work.principal, values, found)


def _to_look_up(principal: Principal, values: Mapping[str, object]) -> list[str]:
    """Which of `values` refer to a row that may not exist: the caller does."""
    is_caller = values.get("owner_id") == principal.owner_id
    return [name for name in _NAMES if values.get(name) is not None and not (name == "owner_id" and is_caller)]


def check_new_owner(principal: Principal, values: Mapping[str, object]) -> None:
    """Raises Forbidden when `values` have an owner that the caller may not set: only admins may set others, or none."""
    if "owner_id" not in values or principal.role is Role.ADMIN:
        return
    if values["owner_id"] is None or values["owner_id"] != principal.owner_id:
        raise Forbidden("only an admin may assign it to another owner, or unassign it", field="owner_id")


def params(values: Mapping[str, object]) -> dict[str, object]:
    """The parameters of `join`."""
    return {f"ref_{name}": values.get(name) for name in _NAMES}


def join(
    principal: Principal, rows: FromClause, ids: Mapping[str, ColumnElement[Any]] | None = None
) -> tuple[FromClause, list[Label[Any]]]:
    """`rows` joined with the rows that ids refer to, and the columns of those (null if not found) for `check_found`.

    The ids are the `params`, or the expressions `ids` by reference. The columns are `ref_` and the reference, and
    a contact's `ref_contact_owner_id` and `ref_contact_company_id`, a deal's `ref_deal_contact_id`.
    """
    ids = {name: param(Owner, "id", f"ref_{name}") for name in _NAMES} if ids is None else ids
    columns = list[Label[Any]]()
    for name, id_ in ids.items():
        model, labels = _REFERRED[name]
        referred: FromClause = table(model).alias()
        # Of the contacts, those that the caller may change: a member of a deal only reads its contact.
        rule = owned if model is Contact else visible
        is_it = and_(referred.c.id == id_, rule(model, principal, referred))
        if model is Owner:
            is_it = and_(is_it, referred.c.active, referred.c.role != Role.READONLY)
        if model is Contact:
            # A contact that is being merged or erased is waited for, and then not found any more.
            referred = select(referred).where(is_it).with_for_update(read=True, key_share=True).lateral()
            is_it = true()
        rows = rows.outerjoin(referred, is_it)
        columns += (referred.c[column].label(label) for column, label in labels.items())
    return rows, columns


def check_found(principal: Principal, values: Mapping[str, object], found: object) -> None:
    """Raises NotFound for the first of `values` whose row is not in `found`, which has columns of `join`."""
    for name in _to_look_up(principal, values):
        if getattr(found, f"ref_{name}") is None:
            what = "owner not found, not active, or readonly" if name == "owner_id" else f"{name[:-3]} not found"
            raise NotFound(what, field=name)


@cache
def _look_up(role: Role) -> Query[_Found]:
    def make() -> Executable:
        nothing = select(literal(1).label("one")).subquery("nothing")
        rows, columns = join(Principal(None, role), nothing)
        return select(*(column for column in columns if column.name in _Found._fields)).select_from(rows)

    return Query(_Found, make)
