"""What can be done with contacts."""

from __future__ import annotations

import uuid
from typing import Any

import strawberry
from strawberry.scalars import JSON

from crm_graph import contacts
from crm_graph.graphql import enums
from crm_graph.graphql.bind import bound, payload_row
from crm_graph.graphql.types import Contact
from crm_graph.graphql.writing import (
    Info,
    Write,
    doing,
    expected_version,
    idempotency_key,
    optional,
    perform,
    replayed,
)


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
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A contact to create, or to change when its address is known.")
class UpsertContactInput(_ContactFields):
    email: str = strawberry.field(description="In any spelling; the contact is found by any of its addresses.")
    company_name: str | None = optional("Finds or creates the company when companyId is not given.")
    restore_deleted: bool | None = optional("Bring the contact back when it was deleted. Default: CONFLICT.")


@strawberry.input(description="Changes to a contact.")
class UpdateContactInput(_ContactFields):
    contact_id: uuid.UUID


@bound()
class UpsertContactPayload:
    """The contact that has the address now."""

    contact: Contact = payload_row()
    created: bool = strawberry.field(description="Whether it is new.")
    replayed: bool = replayed()


@bound()
class UpdateContactPayload:
    """The changed contact."""

    contact: Contact = payload_row()
    replayed: bool = replayed()


@bound()
class ContactMutations:
    """The part of Mutation that is about contacts."""

    @strawberry.mutation(
        description="Create a contact, or change the one that has this address. CONFLICT when it is a colleague's."
    )
    async def upsert_contact(self, info: Info, input: UpsertContactInput) -> UpsertContactPayload:
        """See contacts.upsert."""

        async def act(write: Write) -> dict[str, Any]:
            contact, created = await contacts.upsert(write.session, write.principal, now=write.now, **write.given)
            return {"contact": contact, "created": created}

        return await perform(info, input, act)

    @strawberry.mutation(
        description="Change fields of a contact; an entry on its timeline keeps the old and new values."
    )
    async def update_contact(self, info: Info, input: UpdateContactInput) -> UpdateContactPayload:
        """See contacts.edit."""
        return await perform(info, input, doing(contacts.edit, "contact", of="contact_id"))
