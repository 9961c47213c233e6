"""Mutations of contacts."""

from __future__ import annotations

import uuid

import strawberry
from strawberry.scalars import JSON

from crm_graph.domain.contacts import edits, lifecycle, ownership, upsert
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import Info, Payload, Result, given_fields, perform, perform_on
from crm_graph.graphql.mutations.fields import (
    expected_version,
    idempotency_key,
    mutation,
    optional,
    or_none,
    payload_type,
    replayed,
)
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import Contact


@strawberry.input(description="Fields of a contact that people and workflows set.")
class _ContactFields:
    full_name: str | None = optional()
    title: str | None = optional("The job title.")
    phone: str | None = optional()
    website: str | None = optional()
    linkedin_url: str | None = optional()
    company_id: uuid.UUID | None = optional()
    owner_id: uuid.UUID | None = optional("Only an admin can name somebody else, or null for the unassigned pool.")
    lifecycle_stage: enums.LifecycleStage | None = optional("Can't be cleared.")
    custom: JSON | None = optional(
        "An object that is merged (RFC 7396): its keys are set, null removes a key, other keys stay. "
        "At most 500 keys, 50 levels and 65,536 bytes of JSON after that, a key at most 200 characters."
    )


@strawberry.input(description="A contact to create, or to change if one has its address.")
class UpsertContactItem(_ContactFields):
    email: str = strawberry.field(description="In any spelling. Matches any of a contact's addresses.")
    company_name: str | None = optional("Without companyId: the company of this name, created if there is none.")
    expected_version: int | None = expected_version()


@strawberry.input(description="A contact to create, or to change if one has its address.")
class UpsertContactInput(UpsertContactItem):
    restore_deleted: bool | None = optional("True: restore the contact if it was deleted. Default: CONFLICT if it was.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a contact.")
class UpdateContactInput(_ContactFields):
    contact_id: uuid.UUID
    email: str | None = optional(
        "The new primary address: one of the contact's others, or a new one. The old one still leads to the contact. "
        "Can't be cleared. CONFLICT if another contact has it."
    )
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A contact to delete.")
class DeleteContactInput:
    contact_id: uuid.UUID
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A deleted contact to restore.")
class RestoreContactInput:
    contact_id: uuid.UUID
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A contact that must not be contacted, and why.")
class SetDoNotContactInput:
    contact_id: uuid.UUID
    reason: str = strawberry.field(description="1 to 500 characters.")
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A contact that may be contacted again, and why.")
class LiftDoNotContactInput:
    contact_id: uuid.UUID
    reason: str = strawberry.field(description="1 to 500 characters.")
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A contact and its new owner.")
class AssignContactInput:
    contact_id: uuid.UUID
    owner_id: uuid.UUID | None = strawberry.field(
        description="Null: the unassigned pool. Only an admin can name somebody else, or null."
    )
    include_deals: bool = strawberry.field(
        default=True, description="Whether its open deals with the same owner go with it."
    )
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A contact of the unassigned pool to claim.")
class ClaimContactInput:
    contact_id: uuid.UUID
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class UpsertContactPayload:
    """The contact that has the address."""

    contact: Contact = payload_row()
    created: bool = strawberry.field(description="Whether the contact is new.")
    replayed: bool = replayed()


@graphql_type()
class ContactMutations:
    """Mutations of contacts."""

    @mutation(
        UpsertContactPayload,
        "Create a contact, or change the one that has this address. CONFLICT if a colleague owns that one.",
    )
    async def upsert_contact(self, info: Info, input: UpsertContactInput) -> Payload:
        """See upsert.upsert."""

        async def act(work: UnitOfWork) -> Result:
            contact_id, created = await upsert.upsert(
                work,
                item=given_fields(input, "restore_deleted"),
                restore_deleted=bool(or_none(input.restore_deleted)),
            )
            return {"contact": contact_id, "created": created}

        return await perform(info, input, act)

    @mutation(
        payload_type("UpdateContactPayload", "The changed contact.", contact=Contact),
        "Change fields of a contact. An entry on its timeline keeps the old and new values.",
    )
    async def update_contact(self, info: Info, input: UpdateContactInput) -> Payload:
        """See edits.edit."""
        return await perform_on(
            info,
            input,
            lambda work: edits.edit(
                work,
                contact_id=input.contact_id,
                changes=given_fields(input, "contact_id", "expected_version"),
                expected_version=or_none(input.expected_version),
            ),
            contact=input.contact_id,
        )

    @mutation(
        payload_type("DeleteContactPayload", "The id of the deleted contact.", deleted_contact_id=uuid.UUID),
        "Delete a contact: it leaves every list and count. Its deals stay. restoreContact brings it back.",
    )
    async def delete_contact(self, info: Info, input: DeleteContactInput) -> Payload:
        """See lifecycle.delete."""
        return await perform_on(
            info,
            input,
            lambda work: lifecycle.delete(
                work, contact_id=input.contact_id, expected_version=or_none(input.expected_version)
            ),
            deleted_contact_id=input.contact_id,
        )

    @mutation(
        payload_type("RestoreContactPayload", "The contact, as it was.", contact=Contact),
        "Restore a deleted contact. CONFLICT if it was merged or erased.",
    )
    async def restore_contact(self, info: Info, input: RestoreContactInput) -> Payload:
        """See lifecycle.restore."""
        return await perform_on(
            info,
            input,
            lambda work: lifecycle.restore(work, contact_id=input.contact_id),
            contact=input.contact_id,
        )

    @mutation(
        payload_type("SetDoNotContactPayload", "The contact, closed to outreach.", contact=Contact),
        "Close a contact to outreach; no event opens it again. A contact that is already closed gets the new reason.",
    )
    async def set_do_not_contact(self, info: Info, input: SetDoNotContactInput) -> Payload:
        """See lifecycle.set_do_not_contact."""
        return await perform_on(
            info,
            input,
            lambda work: lifecycle.set_do_not_contact(
                work,
                contact_id=input.contact_id,
                reason=input.reason,
                expected_version=or_none(input.expected_version),
            ),
            contact=input.contact_id,
        )

    @mutation(
        payload_type("LiftDoNotContactPayload", "The contact, open to outreach.", contact=Contact),
        "Open a contact to outreach again. An entry on its timeline keeps both reasons. Succeeds without a change when "
        "it is already open.",
    )
    async def lift_do_not_contact(self, info: Info, input: LiftDoNotContactInput) -> Payload:
        """See lifecycle.lift_do_not_contact."""
        return await perform_on(
            info,
            input,
            lambda work: lifecycle.lift_do_not_contact(
                work,
                contact_id=input.contact_id,
                reason=input.reason,
                expected_version=or_none(input.expected_version),
            ),
            contact=input.contact_id,
        )

    @mutation(
        payload_type("AssignContactPayload", "The contact with its owner.", contact=Contact),
        "For admins: assign a contact to an owner, or to the unassigned pool. Its open deals go with it.",
    )
    async def assign_contact(self, info: Info, input: AssignContactInput) -> Payload:
        """See ownership.assign."""
        return await perform_on(
            info,
            input,
            lambda work: ownership.assign(
                work,
                contact_id=input.contact_id,
                owner_id=input.owner_id,
                include_deals=input.include_deals,
                expected_version=or_none(input.expected_version),
            ),
            contact=input.contact_id,
        )

    @mutation(
        payload_type("ClaimContactPayload", "The contact, yours.", contact=Contact),
        "Claim a contact from the unassigned pool, with its open deals there. When two people claim it at once, one "
        "gets it and the other gets NOT_FOUND. CONFLICT if it has another owner, which only an admin can see.",
    )
    async def claim_contact(self, info: Info, input: ClaimContactInput) -> Payload:
        """See ownership.claim."""
        return await perform_on(
            info,
            input,
            lambda work: ownership.claim(
                work, contact_id=input.contact_id, expected_version=or_none(input.expected_version)
            ),
            contact=input.contact_id,
        )
