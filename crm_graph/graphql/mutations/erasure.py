"""What an admin can do for a person who wishes not to be known."""

from __future__ import annotations

import uuid

import strawberry

from crm_graph.domain.contacts import erasure
from crm_graph.graphql.engine.bindings import graphql_type
from crm_graph.graphql.execution.mutation import Info, doing, idempotency_key, optional, perform, replayed


@strawberry.input(description="A person to erase: by contactId, also of a deleted contact, or by an address.")
class EraseContactInput:
    contact_id: uuid.UUID | None = optional("Any contact of the person, be it deleted or merged.")
    email: str | None = optional("In any spelling; where no contact has it, it is suppressed all the same.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="An address whose person may be known again.")
class LiftSuppressionInput:
    email: str = strawberry.field(description="In any spelling.")
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class EraseContactPayload:
    """What is left of the person."""

    erased_contact_id: uuid.UUID | None = strawberry.field(description="Null when there was no contact.")
    replayed: bool = replayed()


@graphql_type()
class LiftSuppressionPayload:
    """What became of the address."""

    lifted: bool = strawberry.field(description="False when the address was not suppressed.")
    replayed: bool = replayed()


@graphql_type()
class ErasureMutations:
    """The part of Mutation that is about persons who were erased."""

    @strawberry.mutation(
        description="For admins: erase a person (GDPR, KVKK) from contacts, timelines, stored events and deal texts; "
        "there is no way back. Deals, amounts, stages and counts stay. Events about its addresses are ignored from "
        "then on, and upsertContact is CONFLICT. To be erased already is success."
    )
    async def erase_contact(self, info: Info, input: EraseContactInput) -> EraseContactPayload:
        """See erasure.erase."""
        return await perform(info, input, doing(erasure.erase, "erased_contact_id"))

    @strawberry.mutation(
        description="For admins: let a person who was erased be known again, on its own wish. What was erased stays so."
    )
    async def lift_suppression(self, info: Info, input: LiftSuppressionInput) -> LiftSuppressionPayload:
        """See erasure.lift_suppression."""
        return await perform(info, input, doing(erasure.lift_suppression, "lifted"))
