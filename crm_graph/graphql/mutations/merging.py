"""The mutation that merges two contacts that are one person."""

from __future__ import annotations

import uuid

import strawberry

from crm_graph.domain.contacts import merge
from crm_graph.graphql.engine.bindings import graphql_type
from crm_graph.graphql.execution.mutation import Info, Payload, perform_on
from crm_graph.graphql.mutations.fields import expected_version, idempotency_key, mutation, or_none, payload_type
from crm_graph.graphql.schema.types import Contact


@strawberry.input(description="Two contacts that are one person.")
class MergeContactsInput:
    survivor_id: uuid.UUID = strawberry.field(description="The contact that stays. Its own values win.")
    loser_id: uuid.UUID = strawberry.field(description="The contact that is merged into it. It can't be restored.")
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class MergingMutations:
    """The mutation that merges contacts."""

    @mutation(
        payload_type("MergeContactsPayload", "The contact that stays.", contact=Contact),
        "Merge two contacts. The survivor gets the loser's deals, timeline, verdicts and addresses, and its values "
        "where the survivor has none. It is closed to outreach if either contact was. This can't be undone.",
    )
    async def merge_contacts(self, info: Info, input: MergeContactsInput) -> Payload:
        """See merge.merge."""
        return await perform_on(
            info,
            input,
            lambda work: merge.merge(
                work,
                survivor_id=input.survivor_id,
                loser_id=input.loser_id,
                expected_version=or_none(input.expected_version),
            ),
            contact=input.survivor_id,
        )
