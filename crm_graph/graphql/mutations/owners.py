"""Mutations of the team's members, for admins."""

from __future__ import annotations

import uuid

import strawberry

from crm_graph.domain.team import offboarding, owners
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import Info, Payload, Result, given_fields, perform, perform_on
from crm_graph.graphql.mutations.fields import idempotency_key, mutation, optional, or_none, payload_type, replayed
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import Owner


@strawberry.input(description="A new member of the team.")
class CreateOwnerInput:
    name: str = strawberry.field(description="1 to 500 characters in one line.")
    email: str = strawberry.field(
        description="In any spelling. It can't be changed later. CONFLICT if an owner has it."
    )
    role: enums.Role | None = optional("Default: SALES.")
    mailboxes: list[str] | None = optional(
        "The addresses that they send from, at most 200: replies to them go to this owner. CONFLICT if a colleague has "
        "one."
    )
    timezone: str | None = optional("An IANA time zone, such as `Europe/Istanbul`.")
    booking_url: str | None = optional("An http or https URL where a meeting with them can be booked.")
    is_default: bool | None = optional("Whether they receive the contacts that match no other owner. Default: false.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a member of the team.")
class UpdateOwnerInput:
    owner_id: uuid.UUID
    name: str | None = optional("1 to 500 characters in one line. Can't be cleared.")
    role: enums.Role | None = optional(
        "Takes effect within 3 seconds. Can't be cleared. CONFLICT if this would leave no active admin."
    )
    mailboxes: list[str] | None = optional(
        "The whole list, at most 200: mailboxes that are not in it are freed. CONFLICT if a colleague has one."
    )
    timezone: str | None = optional("An IANA time zone, such as `Europe/Istanbul`.")
    booking_url: str | None = optional("An http or https URL where a meeting with them can be booked.")
    is_default: bool | None = optional(
        "True: they receive the contacts that match no other owner, in place of the present default owner. False: "
        "nobody does."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A member of the team who leaves, and who takes over.")
class DeactivateOwnerInput:
    owner_id: uuid.UUID
    hand_over_to: uuid.UUID | None = optional(
        "An active owner who is not READONLY. Default: the unassigned pool, which also frees the mailboxes."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A member of the team who comes back.")
class ActivateOwnerInput:
    owner_id: uuid.UUID
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class DeactivateOwnerPayload:
    """The owner, inactive, and how much was handed over."""

    owner: Owner = payload_row()
    contact_count: int = strawberry.field(description="Includes deleted contacts.")
    deal_count: int = strawberry.field(description="Open and closed deals, including deleted ones.")
    task_count: int = strawberry.field(
        description="Open tasks. Those about rows that the new owner can't see are unassigned now."
    )
    replayed: bool = replayed()


@graphql_type()
class OwnerMutations:
    """Mutations of the team's members."""

    @mutation(
        payload_type("CreateOwnerPayload", "The new owner.", owner=Owner), "For admins: add a member of the team."
    )
    async def create_owner(self, info: Info, input: CreateOwnerInput) -> Payload:
        """See owners.create."""

        async def act(work: UnitOfWork) -> Result:
            owner_id = await owners.create(
                work,
                name=input.name,
                email=input.email,
                role=or_none(input.role),
                mailboxes=or_none(input.mailboxes),
                timezone=or_none(input.timezone),
                booking_url=or_none(input.booking_url),
                is_default=or_none(input.is_default),
            )
            return {"owner": owner_id}

        return await perform(info, input, act)

    @mutation(
        payload_type("UpdateOwnerPayload", "The changed owner.", owner=Owner),
        "For admins: change a member of the team.",
    )
    async def update_owner(self, info: Info, input: UpdateOwnerInput) -> Payload:
        """See owners.edit."""
        return await perform_on(
            info,
            input,
            lambda work: owners.edit(work, owner_id=input.owner_id, changes=given_fields(input, "owner_id")),
            owner=input.owner_id,
        )

    @mutation(
        DeactivateOwnerPayload,
        "For admins: refuse an owner's tokens and hand over their contacts, deals, open tasks and mailboxes, each with "
        "an entry on its timeline. Tokens are refused within 3 seconds; a second call hands over what the owner wrote "
        "until then, as it does for any inactive owner. CONFLICT for the last active admin, and for more than 20,000 "
        "rows, which only the command line hands over.",
    )
    async def deactivate_owner(self, info: Info, input: DeactivateOwnerInput) -> Payload:
        """See offboarding.deactivate."""

        async def act(work: UnitOfWork) -> Result:
            had = await offboarding.deactivate(
                work,
                owner_id=input.owner_id,
                hand_over_to=or_none(input.hand_over_to),
                at_most=offboarding.AT_ONCE,
            )
            return {
                "owner": input.owner_id,
                "contact_count": had.contacts,
                "deal_count": had.deals,
                "task_count": had.tasks,
            }

        return await perform(info, input, act)

    @mutation(
        payload_type("ActivateOwnerPayload", "The owner, active.", owner=Owner),
        "For admins: accept an owner's tokens again. What was handed over stays where it is.",
    )
    async def activate_owner(self, info: Info, input: ActivateOwnerInput) -> Payload:
        """See owners.activate."""
        return await perform_on(
            info, input, lambda work: owners.activate(work, owner_id=input.owner_id), owner=input.owner_id
        )
