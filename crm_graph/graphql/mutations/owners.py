"""What admins can do with the members of the team."""

from __future__ import annotations

import uuid
from typing import Any

import strawberry

from crm_graph.domain.team import offboarding, owners
from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import Info, Write, doing, idempotency_key, optional, perform, replayed
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import Owner


@strawberry.input(description="A new member of the team.")
class CreateOwnerInput:
    name: str = strawberry.field(description="1 to 500 characters in one line.")
    email: str = strawberry.field(description="In any spelling; it stays what it is. CONFLICT when an owner has it.")
    role: enums.Role | None = optional("Default: SALES.")
    mailboxes: list[str] | None = optional(
        "The addresses that they send from, at most 200: replies to them are theirs. CONFLICT for a colleague's."
    )
    timezone: str | None = optional("An IANA name, such as `Europe/Istanbul`.")
    booking_url: str | None = optional("Where to book a meeting with them: https or http.")
    is_default: bool | None = optional("Whether contacts that nobody else can be found for go here. Default: false.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a member of the team.")
class UpdateOwnerInput:
    owner_id: uuid.UUID
    name: str | None = optional("1 to 500 characters in one line; can't be cleared.")
    role: enums.Role | None = optional(
        "Holds within 3 seconds; can't be cleared. CONFLICT for another role of the last active admin."
    )
    mailboxes: list[str] | None = optional(
        "All of them, at most 200; the others are freed. CONFLICT for a colleague's."
    )
    timezone: str | None = optional("An IANA name, such as `Europe/Istanbul`.")
    booking_url: str | None = optional("Where to book a meeting with them: https or http.")
    is_default: bool | None = optional(
        "True: contacts that nobody else can be found for go here instead of to whom they went. False: to nobody."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A member of the team who leaves, and who takes over.")
class DeactivateOwnerInput:
    owner_id: uuid.UUID
    hand_over_to: uuid.UUID | None = optional(
        "An active owner who is not READONLY. Default: the unassigned pool; mailboxes are freed then."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A member of the team who comes back.")
class ActivateOwnerInput:
    owner_id: uuid.UUID
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class CreateOwnerPayload:
    """The new owner."""

    owner: Owner = payload_row()
    replayed: bool = replayed()


@graphql_type()
class UpdateOwnerPayload:
    """The changed owner."""

    owner: Owner = payload_row()
    replayed: bool = replayed()


@graphql_type()
class DeactivateOwnerPayload:
    """The owner, inactive, and how much was handed over."""

    owner: Owner = payload_row()
    contact_count: int = strawberry.field(description="Deleted contacts included.")
    deal_count: int = strawberry.field(description="Open and closed deals, deleted ones included.")
    task_count: int = strawberry.field(
        description="Tasks that were not completed; those about what the new owner doesn't see are nobody's now."
    )
    replayed: bool = replayed()


@graphql_type()
class ActivateOwnerPayload:
    """The owner, active."""

    owner: Owner = payload_row()
    replayed: bool = replayed()


@graphql_type()
class OwnerMutations:
    """The part of Mutation that is about the team."""

    @strawberry.mutation(description="For admins: add a member of the team.")
    async def create_owner(self, info: Info, input: CreateOwnerInput) -> CreateOwnerPayload:
        """See owners.create."""
        return await perform(info, input, doing(owners.create, "owner"))

    @strawberry.mutation(description="For admins: change a member of the team.")
    async def update_owner(self, info: Info, input: UpdateOwnerInput) -> UpdateOwnerPayload:
        """See owners.edit."""
        return await perform(info, input, doing(owners.edit, "owner", of="owner_id"))

    @strawberry.mutation(
        description="For admins: refuse an owner's tokens, within 3 seconds (what they write until then is handed over "
        "by a second call), and hand over their contacts, deals, open "
        "tasks and mailboxes, each with an entry on its timeline. What an inactive owner still has is handed over just "
        "the same. CONFLICT for the last active admin, and for more than 20,000 of all these, which the command line "
        "hands over."
    )
    async def deactivate_owner(self, info: Info, input: DeactivateOwnerInput) -> DeactivateOwnerPayload:
        """See handover.deactivate."""

        async def act(write: Write) -> dict[str, Any]:
            how = {"at_most": offboarding.AT_ONCE, **write.given}
            had = await offboarding.deactivate(write.work, **how)
            counts = {"contact_count": had.contacts, "deal_count": had.deals, "task_count": had.tasks}
            return {"owner": write.given["owner_id"], **counts}

        return await perform(info, input, act)

    @strawberry.mutation(
        description="For admins: accept an owner's tokens again. What was handed over stays where it is."
    )
    async def activate_owner(self, info: Info, input: ActivateOwnerInput) -> ActivateOwnerPayload:
        """See owners.activate."""
        return await perform(info, input, doing(owners.activate, "owner", of="owner_id"))
