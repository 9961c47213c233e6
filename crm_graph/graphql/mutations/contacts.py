"""What can be done with contacts."""

from __future__ import annotations

import uuid
from typing import Any

import strawberry
from strawberry.scalars import JSON

from crm_graph.domain.contacts import lifecycle, ownership, upsert
from crm_graph.domain.contacts import records as contacts
from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import (
    Info,
    Write,
    doing,
    expected_version,
    idempotency_key,
    optional,
    perform,
    replayed,
)
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import Contact


@strawberry.input(description="Fields of a contact that a person or a workflow sets.")
class _ContactFields:
    full_name: str | None = optional()
    title: str | None = optional("The job title.")
    phone: str | None = optional()
    website: str | None = optional()
    linkedin_url: str | None = optional()
    company_id: uuid.UUID | None = optional()
    owner_id: uuid.UUID | None = optional("You; only an admin may name another, or nobody (null: the unassigned pool).")
    lifecycle_stage: enums.LifecycleStage | None = optional("Can't be cleared.")
    custom: JSON | None = optional("An object; its keys are set, null removes one, the other keys stay (RFC 7396).")


@strawberry.input(description="A contact to create, or to change when its address is known.")
class UpsertContactItem(_ContactFields):
    email: str = strawberry.field(description="In any spelling; the contact is found by any of its addresses.")
    company_name: str | None = optional("Finds or creates the company when companyId is not given.")
    expected_version: int | None = expected_version()


@strawberry.input(description="A contact to create, or to change when its address is known.")
class UpsertContactInput(UpsertContactItem):
    restore_deleted: bool | None = optional("Bring the contact back when it was deleted. Default: CONFLICT.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a contact.")
class UpdateContactInput(_ContactFields):
    contact_id: uuid.UUID
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A contact to delete.")
class DeleteContactInput:
    contact_id: uuid.UUID
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A contact to bring back.")
class RestoreContactInput:
    contact_id: uuid.UUID
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A contact that must not be written to, and why.")
class SetDoNotContactInput:
    contact_id: uuid.UUID
    reason: str = strawberry.field(description="1 to 500 characters.")
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A contact that may be written to again, and why.")
class LiftDoNotContactInput:
    contact_id: uuid.UUID
    reason: str = strawberry.field(description="1 to 500 characters.")
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A contact and whose it becomes.")
class AssignContactInput:
    contact_id: uuid.UUID
    owner_id: uuid.UUID | None = strawberry.field(
        description="Null: nobody, the unassigned pool. Only an admin may name anyone but themselves."
    )
    include_deals: bool = strawberry.field(
        default=True, description="Whether its open deals that had the same owner go with it."
    )
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A contact of the unassigned pool to take.")
class ClaimContactInput:
    contact_id: uuid.UUID
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class UpsertContactPayload:
    """The contact that has the address now."""

    contact: Contact = payload_row()
    created: bool = strawberry.field(description="Whether it is new.")
    replayed: bool = replayed()


@graphql_type()
class UpdateContactPayload:
    """The changed contact."""

    contact: Contact = payload_row()
    replayed: bool = replayed()


@graphql_type()
class DeleteContactPayload:
    """The id of the contact that is no longer to be seen."""

    deleted_contact_id: uuid.UUID = strawberry.field()
    replayed: bool = replayed()


@graphql_type()
class RestoreContactPayload:
    """The contact, as it was."""

    contact: Contact = payload_row()
    replayed: bool = replayed()


@graphql_type()
class SetDoNotContactPayload:
    """The contact, closed to outreach."""

    contact: Contact = payload_row()
    replayed: bool = replayed()


@graphql_type()
class LiftDoNotContactPayload:
    """The contact, open to outreach."""

    contact: Contact = payload_row()
    replayed: bool = replayed()


@graphql_type()
class AssignContactPayload:
    """The contact with its owner."""

    contact: Contact = payload_row()
    replayed: bool = replayed()


@graphql_type()
class ClaimContactPayload:
    """The contact, yours."""

    contact: Contact = payload_row()
    replayed: bool = replayed()


@graphql_type()
class ContactMutations:
    """The part of Mutation that is about contacts."""

    @strawberry.mutation(
        description="Create a contact, or change the one that has this address. CONFLICT when it is a colleague's."
    )
    async def upsert_contact(self, info: Info, input: UpsertContactInput) -> UpsertContactPayload:
        """See upserts.upsert."""

        async def act(write: Write) -> dict[str, Any]:
            contact, created = await upsert.upsert(write.work, **write.given)
            return {"contact": contact, "created": created}

        return await perform(info, input, act)

    @strawberry.mutation(
        description="Change fields of a contact; an entry on its timeline keeps the old and new values."
    )
    async def update_contact(self, info: Info, input: UpdateContactInput) -> UpdateContactPayload:
        """See contacts.edit."""
        return await perform(info, input, doing(contacts.edit, "contact", of="contact_id"))

    @strawberry.mutation(
        description="Hide a contact from every list and count; its deals stay. restoreContact brings it back."
    )
    async def delete_contact(self, info: Info, input: DeleteContactInput) -> DeleteContactPayload:
        """See standing.delete."""
        return await perform(info, input, doing(lifecycle.delete, "deleted_contact_id", of="contact_id"))

    @strawberry.mutation(description="Bring a deleted contact back. CONFLICT for one that was merged or erased.")
    async def restore_contact(self, info: Info, input: RestoreContactInput) -> RestoreContactPayload:
        """See standing.restore."""
        return await perform(info, input, doing(lifecycle.restore, "contact", of="contact_id"))

    @strawberry.mutation(
        description="Close a contact to outreach. Events never lift it. One that is closed takes the new reason."
    )
    async def set_do_not_contact(self, info: Info, input: SetDoNotContactInput) -> SetDoNotContactPayload:
        """See standing.set_do_not_contact."""
        return await perform(info, input, doing(lifecycle.set_do_not_contact, "contact", of="contact_id"))

    @strawberry.mutation(
        description="Open a contact to outreach again; an entry on its timeline keeps both reasons. To be open already "
        "is success, and changes nothing."
    )
    async def lift_do_not_contact(self, info: Info, input: LiftDoNotContactInput) -> LiftDoNotContactPayload:
        """See standing.lift_do_not_contact."""
        return await perform(info, input, doing(lifecycle.lift_do_not_contact, "contact", of="contact_id"))

    @strawberry.mutation(description="For admins: give a contact to an owner, or to nobody; its open deals follow.")
    async def assign_contact(self, info: Info, input: AssignContactInput) -> AssignContactPayload:
        """See ownership.assign."""
        return await perform(info, input, doing(ownership.assign, "contact", of="contact_id"))

    @strawberry.mutation(
        description="Take a contact out of the unassigned pool, with its open deals there; of two who try, one gets "
        "it, and to the other it is NOT_FOUND. CONFLICT for an admin who claims another owner's."
    )
    async def claim_contact(self, info: Info, input: ClaimContactInput) -> ClaimContactPayload:
        """See ownership.claim."""
        return await perform(info, input, doing(ownership.claim, "contact", of="contact_id"))
