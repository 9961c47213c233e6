"""Mutations of the members of deals."""

from __future__ import annotations

import uuid

import strawberry

from crm_graph.domain.deals import members
from crm_graph.graphql.engine.bindings import graphql_type
from crm_graph.graphql.execution.mutation import Info, Payload, perform_on
from crm_graph.graphql.mutations.fields import expected_version, idempotency_key, mutation, or_none, payload_type
from crm_graph.graphql.schema.types import Deal


@strawberry.input(description="A deal and an owner who is to work on it too.")
class AddDealMemberInput:
    deal_id: uuid.UUID
    owner_id: uuid.UUID = strawberry.field(description="An owner who is active and not READONLY.")
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A deal and the member to remove.")
class RemoveDealMemberInput:
    deal_id: uuid.UUID
    owner_id: uuid.UUID
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class DealMemberMutations:
    """Mutations of the members of deals."""

    @mutation(
        payload_type("AddDealMemberPayload", "The deal with its members.", deal=Deal),
        "For the deal's owner and admins: make another owner a member, who then works on the deal and gets its events. "
        "Succeeds without a change for one who is a member already.",
    )
    async def add_deal_member(self, info: Info, input: AddDealMemberInput) -> Payload:
        """See members.add."""
        return await perform_on(
            info,
            input,
            lambda work: members.add(
                work,
                deal_id=input.deal_id,
                owner_id=input.owner_id,
                expected_version=or_none(input.expected_version),
            ),
            deal=input.deal_id,
        )

    @mutation(
        payload_type("RemoveDealMemberPayload", "The deal without the member.", deal=Deal | None),
        "Remove a member from a deal. Its owner and admins remove anybody, a member can leave; `deal` is then null. "
        "Succeeds without a change for an owner who is no member.",
    )
    async def remove_deal_member(self, info: Info, input: RemoveDealMemberInput) -> Payload:
        """See members.remove."""
        return await perform_on(
            info,
            input,
            lambda work: members.remove(
                work,
                deal_id=input.deal_id,
                owner_id=input.owner_id,
                expected_version=or_none(input.expected_version),
            ),
            deal=input.deal_id,
        )
