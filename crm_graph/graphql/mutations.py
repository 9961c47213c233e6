"""What can be changed. Each mutation field is one transaction: the verb, the payload read back, commit."""

from __future__ import annotations

import uuid
from typing import Any, TypeAlias, TypeVar, cast

import strawberry
from graphql.execution.collect_fields import FieldDetails
from sqlalchemy.ext.asyncio import AsyncSession

from crm_graph import contacts, deals
from crm_graph.graphql.bind import bound, payload_row
from crm_graph.graphql.context import Context
from crm_graph.graphql.inputs import (
    CreateDealInput,
    MoveDealStageInput,
    ReplayWebhookInput,
    UpdateContactInput,
    UpdateDealInput,
    UpsertContactInput,
)
from crm_graph.graphql.plans import Request
from crm_graph.graphql.types import Contact, Deal, Webhook
from webhooks import inbox

Info: TypeAlias = strawberry.Info[Context, None]
Payload = TypeVar("Payload")


@bound()
class CreateDealPayload:
    """The new deal."""

    deal: Deal = payload_row()


@bound()
class UpdateDealPayload:
    """The changed deal."""

    deal: Deal = payload_row()


@bound()
class MoveDealStagePayload:
    """The deal in its new stage."""

    deal: Deal = payload_row()


@bound()
class UpsertContactPayload:
    """The contact that has the address now."""

    contact: Contact = payload_row()
    created: bool = strawberry.field(description="Whether it is new.")


@bound()
class UpdateContactPayload:
    """The changed contact."""

    contact: Contact = payload_row()


@bound()
class ReplayWebhookPayload:
    """The event after the replay; its status says what became of it."""

    webhook: Webhook = payload_row()
    applied: bool = strawberry.field(description="False when it had been applied before, or still can't be.")


@bound()
class Mutation:
    """Writes. Each field is one transaction; what it refuses, it leaves unchanged. At most 10 in one operation."""

    @strawberry.mutation(description="Create a deal. NOT_FOUND, VALIDATION or FORBIDDEN name the field.")
    async def create_deal(self, info: Info, input: CreateDealInput) -> CreateDealPayload:
        """See deals.create."""
        ctx = info.context
        async with ctx.database.transaction() as session:
            deal = await deals.create(
                session,
                ctx.principal,
                now=ctx.now,
                default_currency=ctx.settings.default_currency,
                values=_given(input),
            )
            return await payload(info, session, CreateDealPayload, deal=deal.id)

    @strawberry.mutation(description="Change fields of a deal; an entry on its timeline keeps the old and new values.")
    async def update_deal(self, info: Info, input: UpdateDealInput) -> UpdateDealPayload:
        """See deals.update."""
        ctx = info.context
        changes = _given(input)
        async with ctx.database.transaction() as session:
            deal = await deals.update(
                session, ctx.principal, deal_id=changes.pop("deal_id"), now=ctx.now, changes=changes
            )
            return await payload(info, session, UpdateDealPayload, deal=deal.id)

    @strawberry.mutation(
        description="Move a deal to another stage of its pipeline; moving it to where it is changes nothing."
    )
    async def move_deal_stage(self, info: Info, input: MoveDealStageInput) -> MoveDealStagePayload:
        """See deals.move_stage."""
        ctx = info.context
        async with ctx.database.transaction() as session:
            deal = await deals.move_stage(session, ctx.principal, now=ctx.now, **_given(input))
            return await payload(info, session, MoveDealStagePayload, deal=deal.id)

    @strawberry.mutation(
        description="Create a contact, or change the one that has this address. CONFLICT when it is a colleague's."
    )
    async def upsert_contact(self, info: Info, input: UpsertContactInput) -> UpsertContactPayload:
        """See contacts.upsert."""
        ctx = info.context
        values = _given(input)
        async with ctx.database.transaction() as session:
            contact, created = await contacts.upsert(
                session, ctx.principal, email=values.pop("email"), now=ctx.now, values=values
            )
            return await payload(info, session, UpsertContactPayload, contact=contact.id, created=created)

    @strawberry.mutation(
        description="Change fields of a contact; an entry on its timeline keeps the old and new values."
    )
    async def update_contact(self, info: Info, input: UpdateContactInput) -> UpdateContactPayload:
        """See contacts.update."""
        ctx = info.context
        changes = _given(input)
        async with ctx.database.transaction() as session:
            contact = await contacts.update(
                session, ctx.principal, contact_id=changes.pop("contact_id"), now=ctx.now, changes=changes
            )
            return await payload(info, session, UpdateContactPayload, contact=contact.id)

    @strawberry.mutation(
        description="For admins: apply a stored event again. One that was applied before stays as it is."
    )
    async def replay_webhook(self, info: Info, input: ReplayWebhookInput) -> ReplayWebhookPayload:
        """See inbox.replay; it has its own transaction, so that a failure is kept with the event."""
        ctx = info.context
        ctx.principal.must_be_admin()
        outcome = await inbox.replay(ctx.database, ctx.settings, input.webhook_id, ctx.now)
        async with ctx.database.transaction() as session:
            applied = outcome.result is inbox.Result.APPLIED
            return await payload(info, session, ReplayWebhookPayload, webhook=outcome.webhook_id, applied=applied)


async def payload(info: Info, session: AsyncSession, _type: type[Payload], **values: uuid.UUID | bool) -> Payload:
    """The payload's tree, read in the mutation's own transaction through the same compiler as queries.

    `values` gives the id of each field that is a row, and the other fields' values.
    """
    raw, ctx = info._raw_info, info.context
    ids = {name: value for name, value in values.items() if isinstance(value, uuid.UUID)}
    request = Request(ctx.principal, ctx.now, raw.variable_values, ids)
    fields = [FieldDetails(node, None) for node in raw.field_nodes]
    tree, plain = await ctx.reads.payload(session, ctx.operation, request, str(raw.path.key), fields)
    return cast(Payload, tree | {key: values[name] for key, name in plain.items()})


def _given(input: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(input).items() if value is not strawberry.UNSET}
