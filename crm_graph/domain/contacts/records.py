"""Contacts: the people the team writes to, identified by e-mail address."""

from collections.abc import Mapping

from sqlalchemy import Boolean, ColumnElement, FromClause, and_, exists, func, null, or_, select, update
from sqlalchemy.sql.dml import Insert, Update
from sqlmodel import col

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Statement, combined, param_row, types_of
from crm_graph.domain import references
from crm_graph.domain.contacts.rows import ContactRow
from crm_graph.domain.locking import RowLock
from crm_graph.domain.timeline import activities, tasks
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import ValidationFailed
from crm_graph.identity.access import owned
from crm_graph.identity.principal import Principal
from crm_graph.json_documents import check_document
from crm_graph.models import Contact, ContactEmail, OwnerSource, Relation, Suppression, table
from crm_graph.values import check_line


def has_address(address: str | ColumnElement[str], rows: Relation | None = None) -> ColumnElement[bool]:
    """Whether a contact (of `rows`, the table or an alias of it) has this normal-form address, as its own or a further
    one. A merged contact's addresses are the survivor's.
    """
    c = (table(Contact) if rows is None else rows).c
    alias = select(col(ContactEmail.contact_id)).where(col(ContactEmail.email) == address).scalar_subquery()
    return and_(c.merged_into_id.is_(None), or_(c.email == address, c.id == alias))


def is_suppressed(address: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the person with this normal-form address was erased and must not be stored again."""
    hmac = func.crm_address_hmac(address)
    return exists(select(1).where(table(Suppression).c.address_hmac == hmac))


def check_values(principal: Principal, values: Mapping[str, object]) -> dict[str, object]:
    """The values with what follows from them: an owner who is given counts as a person's choice.

    Raises ValidationFailed or Forbidden naming the field.
    """
    references.check_new_owner(principal, values)
    for name, value in values.items():
        if isinstance(value, str):
            check_line(value, field=name)
    if "lifecycle_stage" in values and values["lifecycle_stage"] is None:
        raise ValidationFailed("lifecycleStage can't be cleared", field="lifecycle_stage")
    if values.get("custom") is not None:
        check_document(values["custom"], field="custom")
    return {**values, "owner_source": OwnerSource.PERSON} if "owner_id" in values else dict(values)


def edit_params(work: UnitOfWork, contact: ContactRow, changes: Mapping[str, object]) -> dict[str, object] | None:
    """The parameters of `write_edit`; None when the edit changes nothing. It restores a deleted contact."""
    changed, is_deleted = activities.differences(contact, changes), contact.deleted_at is not None
    if not changed and not is_deleted:
        return None
    values = activities.with_changes(contact, Contact.EDITABLE, changed)
    content = ["Contact restored"] if is_deleted else []
    if changed:
        content.append("Contact changed: " + ", ".join(changed))
    meta = {"changes": activities.old_and_new(contact, changed)}
    entry = activities.entry_params(work, content="; ".join(content), contact_id=contact.id, meta=meta)
    return {"id": contact.id, "now": work.now, "has_new_owner": bool(changed.get("owner_id")), **values, **entry}


async def write_edit(transaction: Transaction, params: Mapping[str, object]) -> None:
    """Write an edit with its entry; a new owner also gets the contact's open tasks."""
    await (_UPDATE_AND_REASSIGN if params["has_new_owner"] else _UPDATE).run(transaction, **params)


def update_contacts(edits: FromClause) -> list[Insert | Update]:
    """The writes of the `edits`, rows of `edit_params`: each changes a contact and adds its entry."""
    contacts = table(Contact)
    values: dict[str, object] = {name: edits.c[name] for name in Contact.EDITABLE}
    values |= {"version": contacts.c.version + 1, "updated_at": edits.c.now, "deleted_at": null()}
    return [update(contacts).where(contacts.c.id == edits.c.id).values(values), activities.insert_entries(edits)]


def reassign_tasks(edits: FromClause) -> Update:
    """The write that gives the contacts' open tasks to their new owners, for the `edits` that have one."""
    is_meant = and_(tasks.is_contact_task(edits.c.id), edits.c.has_new_owner)
    return tasks.reassign_open_tasks(is_meant, edits.c.owner_id)


LOCK = RowLock(ContactRow, Contact, "contact", rule=owned)
EDIT_TYPES = (
    types_of(Contact, "id", *Contact.EDITABLE, now="updated_at") | {"has_new_owner": Boolean()} | activities.ENTRY_TYPES
)
_EDIT = param_row(EDIT_TYPES)
_UPDATE = Statement(lambda: combined(*update_contacts(_EDIT)))
_UPDATE_AND_REASSIGN = Statement(lambda: combined(*update_contacts(_EDIT), reassign_tasks(_EDIT)))
