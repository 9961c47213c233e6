"""Lifecycle of contacts: deleted or restored, closed to outreach or open to it."""

import uuid
from collections.abc import Mapping

from sqlalchemy import ColumnElement, and_, not_, null, or_

from crm_graph.database.statements import Statement, param
from crm_graph.domain.contacts import records as contacts
from crm_graph.domain.contacts.rows import ContactRow
from crm_graph.domain.locking import RowLock
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, ValidationFailed
from crm_graph.identity.access import restorable
from crm_graph.models import Contact, Relation, ReplyStatus
from crm_graph.values import TELEPHONE_DOMAIN, check_text


async def delete(work: UnitOfWork, *, contact_id: uuid.UUID, expected_version: int | None = None) -> uuid.UUID:
    """Hide a contact from every list and count; its deals stay. `restore` undoes it."""
    await contacts.LOCK.one(work, contact_id, expected_version)
    entry = activities.entry_params(work, content="Contact deleted", contact_id=contact_id)
    await _DELETE.run(work.transaction, id=contact_id, now=work.now, **entry)
    return contact_id


async def restore(work: UnitOfWork, *, contact_id: uuid.UUID) -> uuid.UUID:
    """Restore a deleted contact; one that is not deleted stays as it is.

    Raises NotFound, or Conflict for a contact that was merged or erased.
    """
    contact = await _LOCK_DELETED.one_or_none(work, contact_id)
    if contact is None:
        await contacts.LOCK.one(work, contact_id)
        return contact_id
    if contact.merged_into_id is not None:
        raise Conflict("the contact was merged into another one, which has all of its data now", field="contact_id")
    if contact.erased_at is not None:
        raise Conflict("the person was erased; there is nothing left to restore", field="contact_id")
    entry = activities.entry_params(work, content="Contact restored", contact_id=contact_id)
    await _RESTORE.run(work.transaction, id=contact_id, now=work.now, **entry)
    return contact_id


async def set_do_not_contact(
    work: UnitOfWork, *, contact_id: uuid.UUID, reason: str, expected_version: int | None = None
) -> uuid.UUID:
    """Close a contact to outreach; one that is already closed gets the new reason. Raises ValidationFailed."""
    _check_reason(reason)
    contact = await contacts.LOCK.one(work, contact_id, expected_version)
    outreach = {"do_not_contact_at": contact.do_not_contact_at or work.now, "do_not_contact_reason": reason}
    await _set_outreach(work, contact, outreach, f"Do not contact: {reason}")
    return contact_id


async def lift_do_not_contact(
    work: UnitOfWork, *, contact_id: uuid.UUID, reason: str, expected_version: int | None = None
) -> uuid.UUID:
    """Open a contact to outreach again, which no event does; one that is already open stays as it is."""
    _check_reason(reason)
    contact = await contacts.LOCK.one(work, contact_id, expected_version)
    await _set_outreach(work, contact, dict.fromkeys(Contact.OUTREACH), f"May be contacted again: {reason}")
    return contact_id


def is_mailable(rows: Relation) -> ColumnElement[bool]:
    """Whether e-mails may be sent to a contact of `rows`.

    Not after an opt-out, also one that a person still has to check; not after a bounce; and not to the addresses of
    people who booked by telephone.
    """
    c = rows.c
    has_opted_out = and_(c.reply_status.is_not_distinct_from(ReplyStatus.UNSUBSCRIBED), c.needs_review)
    leads_nowhere = or_(
        c.reply_status.is_not_distinct_from(ReplyStatus.BOUNCED), c.email.endswith(f"@{TELEPHONE_DOMAIN}")
    )
    return and_(c.do_not_contact_at.is_(None), not_(has_opted_out), not_(leads_nowhere))


async def _set_outreach(work: UnitOfWork, contact: ContactRow, outreach: Mapping[str, object], content: str) -> None:
    changed = activities.differences(contact, outreach)
    if not changed:
        return
    meta = {"changes": activities.old_and_new(contact, changed)}
    entry = activities.entry_params(work, content=content, contact_id=contact.id, meta=meta)
    await _SET_OUTREACH.run(work.transaction, id=contact.id, now=work.now, **outreach, **entry)


def _check_reason(reason: str) -> None:
    if not check_text(reason, field="reason").strip():
        raise ValidationFailed("reason is empty; say why, for those who read the timeline later", field="reason")


_LOCK_DELETED = RowLock(ContactRow, Contact, "contact", rule=restorable)
_DELETE = Statement(lambda: activities.update_with_entry(Contact, deleted_at=param(Contact, "deleted_at", "now")))
_RESTORE = Statement(lambda: activities.update_with_entry(Contact, deleted_at=null()))
_SET_OUTREACH = Statement(lambda: activities.update_with_entry(Contact, *Contact.OUTREACH))
