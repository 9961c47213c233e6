"""Edits: what a person changes in one contact."""

import uuid
from collections.abc import Mapping

from crm_graph.domain import references
from crm_graph.domain.contacts import addresses, custom
from crm_graph.domain.contacts import records as contacts
from crm_graph.domain.unit_of_work import UnitOfWork


async def edit(
    work: UnitOfWork, *, contact_id: uuid.UUID, changes: Mapping[str, object], expected_version: int | None = None
) -> uuid.UUID:
    """Change columns of a contact, with a timeline entry of old and new values; `custom` is merged (RFC 7396).

    A new `email` becomes the primary address; the old one still leads to the contact. Raises NotFound, Conflict,
    ValidationFailed, VersionConflict or Forbidden naming the field; then nothing was changed.
    """
    checked = contacts.check_values(work.principal, changes)
    if "email" in checked:
        checked["email"] = addresses.check_email(checked["email"])
    contact = await contacts.LOCK.one(work, contact_id, expected_version)
    await references.check(work, checked)
    address = checked.get("email", contact.email)
    if address != contact.email:
        await addresses.make_primary(work, contact, str(address))
    params = contacts.edit_params(work, contact, custom.merge(contact.custom, checked))
    if params is not None:
        await contacts.write_edit(work.transaction, params)
    return contact_id
