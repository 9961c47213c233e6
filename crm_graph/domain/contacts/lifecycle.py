"""A contact's standing: whether it is there, and whether it may be written to."""

import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import and_, null, select

from crm_graph.database.statements import Statement, param
from crm_graph.domain.contacts import records as contacts
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, ValidationFailed
from crm_graph.identity.access import restorable
from crm_graph.identity.principal import Principal
from crm_graph.models import Contact, Role, table
from crm_graph.values import check_text


async def delete(work: UnitOfWork, *, contact_id: uuid.UUID, expected_version: int | None = None) -> uuid.UUID:
    """Hide a contact from every list and count; its deals stay. `restore` brings it back as it was."""
    await contacts.lock_visible(work, contact_id, expected_version)
    told = activities.entry_params(work, content="Contact deleted", contact_id=contact_id)
    await _DELETE.run(work.transaction, id=contact_id, now=work.now, **told)
    return contact_id


async def restore(work: UnitOfWork, *, contact_id: uuid.UUID) -> uuid.UUID:
    """Bring a deleted contact back; one that is not deleted stays as it is.

    Raises NotFound, and Conflict for one that was merged or erased.
    """
    work.principal.must_write()
    contact = await _restorable(work.principal.role).one(
        work.transaction, caller=work.principal.owner_id, id=contact_id
    )
    if contact is None:
        await contacts.lock_visible(work, contact_id)
        return contact_id
    if contact.merged_into_id is not None:
        raise Conflict("it was merged into another contact, which has everything of it now", field="contact_id")
    if contact.erased_at is not None:
        raise Conflict("the person was erased; nothing of it is left to restore", field="contact_id")
    await _RESTORE.run(
        work.transaction,
        id=contact_id,
        now=work.now,
        **activities.entry_params(work, content="Contact restored", contact_id=contact_id),
    )
    return contact_id


async def set_do_not_contact(
    work: UnitOfWork, *, contact_id: uuid.UUID, reason: str, expected_version: int | None = None
) -> uuid.UUID:
    """Close a contact to outreach; one that is closed already takes the new reason. Raises ValidationFailed."""
    _check_reason(reason)
    contact = await contacts.lock_visible(work, contact_id, expected_version)
    closed = {"do_not_contact_at": contact.do_not_contact_at or work.now, "do_not_contact_reason": reason}
    await _set_outreach(work, contact, closed, f"Do not contact: {reason}")
    return contact_id


async def lift_do_not_contact(
    work: UnitOfWork, *, contact_id: uuid.UUID, reason: str, expected_version: int | None = None
) -> uuid.UUID:
    """Open a contact to outreach again, as only a person may; to be open already is success."""
    _check_reason(reason)
    contact = await contacts.lock_visible(work, contact_id, expected_version)
    await _set_outreach(work, contact, dict.fromkeys(Contact.OUTREACH), f"May be contacted again: {reason}")
    return contact_id


async def _set_outreach(work: UnitOfWork, contact: Any, wanted: Mapping[str, Any], content: str) -> None:
    changed = activities.differences(contact, wanted)
    if not changed:
        return
    told = activities.entry_params(
        work, content=content, contact_id=contact.id, meta={"changes": activities.old_and_new(contact, changed)}
    )
    await _SET_OUTREACH.run(work.transaction, id=contact.id, now=work.now, **wanted, **told)


def _check_reason(reason: str) -> None:
    if not check_text(reason, field="reason").strip():
        raise ValidationFailed("reason is empty: say why, for whoever reads the timeline later", field="reason")


@cache
def _restorable(role: Role) -> Statement:
    people = table(Contact)
    is_it = and_(people.c.id == param(Contact, "id"), restorable(Contact, Principal(None, role)))
    return Statement(lambda: select(people).where(is_it).with_for_update(key_share=True))


_DELETE = Statement(lambda: activities.update_with_entry(Contact, deleted_at=param(Contact, "deleted_at", "now")))
_RESTORE = Statement(lambda: activities.update_with_entry(Contact, deleted_at=null()))
_SET_OUTREACH = Statement(lambda: activities.update_with_entry(Contact, *Contact.OUTREACH))
