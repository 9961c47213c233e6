"""Mutations that erase people, and let them be stored again."""

from __future__ import annotations

import uuid

import strawberry

from crm_graph.domain.contacts import erasure
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.graphql.engine.bindings import graphql_type
from crm_graph.graphql.execution.mutation import Info, Payload, Result, perform
from crm_graph.graphql.mutations.fields import idempotency_key, mutation, optional, or_none, replayed


@strawberry.input(description="A person to erase: give either contactId or email.")
class EraseContactInput:
    contact_id: uuid.UUID | None = optional("Any contact of the person, including a deleted or merged one.")
    email: str | None = optional("In any spelling. It is suppressed even if no contact has it.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="An address that may be stored again.")
class LiftSuppressionInput:
    email: str = strawberry.field(description="In any spelling.")
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class EraseContactPayload:
    """The contact that was erased."""

    erased_contact_id: uuid.UUID | None = strawberry.field(description="Null when there was no contact.")
    not_searched: list[str] = strawberry.field(
        description="Tables whose older rows were not searched for the person's addresses in texts about others; only "
        "the newest 100,000 rows of each table are."
    )
    replayed: bool = replayed()


@graphql_type()
class LiftSuppressionPayload:
    """Whether the suppression was lifted."""

    lifted: bool = strawberry.field(description="False when the address was not suppressed.")
    replayed: bool = replayed()


@graphql_type()
class ErasureMutations:
    """Mutations that erase people."""

    @mutation(
        EraseContactPayload,
        "For admins: erase a person (GDPR, KVKK) from contacts, timelines, stored events and the texts of deals. This "
        "can't be undone. Deals, amounts, stages and counts stay. From then on, events about the person's addresses "
        "are ignored, and upsertContact returns CONFLICT for them. Succeeds without a change when the person is "
        "already erased.",
    )
    async def erase_contact(self, info: Info, input: EraseContactInput) -> Payload:
        """See erasure.erase."""

        async def act(work: UnitOfWork) -> Result:
            erased = await erasure.erase(work, contact_id=or_none(input.contact_id), email=or_none(input.email))
            return {"erased_contact_id": erased.contact_id, "not_searched": erased.not_searched}

        return await perform(info, input, act)

    @mutation(
        LiftSuppressionPayload,
        "For admins: allow an erased person to be stored again, at their own request. What was erased stays erased.",
    )
    async def lift_suppression(self, info: Info, input: LiftSuppressionInput) -> Payload:
        """See erasure.lift_suppression."""

        async def act(work: UnitOfWork) -> Result:
            return {"lifted": await erasure.lift_suppression(work, email=input.email)}

        return await perform(info, input, act)
