"""What can be done with two contacts that are one person."""

from __future__ import annotations

import uuid

import strawberry

from crm_graph.domain.contacts import merge
from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import Info, doing, expected_version, idempotency_key, perform, replayed
from crm_graph.graphql.schema.types import Contact


@strawberry.input(description="Two contacts that are one person.")
class MergeContactsInput:
    survivor_id: uuid.UUID = strawberry.field(description="The contact that stays; its own values win.")
    loser_id: uuid.UUID = strawberry.field(description="The contact that goes into it; it can't be restored.")
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class MergeContactsPayload:
    """The contact that both are now."""

    contact: Contact = payload_row()
    replayed: bool = replayed()


@graphql_type()
class MergingMutations:
    """The part of Mutation that is about two contacts that are one."""

    @strawberry.mutation(
        description="Make one contact of two: the survivor gets the loser's deals, timeline, verdicts and addresses, "
        "its values where it has none of its own, and is closed to outreach when either was. There is no way back."
    )
    async def merge_contacts(self, info: Info, input: MergeContactsInput) -> MergeContactsPayload:
        """See merging.merge."""
        return await perform(info, input, doing(merge.merge, "contact", of="survivor_id"))
