"""What an admin can do with stored events."""

from __future__ import annotations

import uuid

import strawberry

from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import Info, read_back
from crm_graph.graphql.schema.webhooks import Webhook
from webhooks import inbox


@strawberry.input(description="An event to apply again.")
class ReplayWebhookInput:
    webhook_id: uuid.UUID


@graphql_type()
class ReplayWebhookPayload:
    """The event after the replay; its status says what became of it."""

    webhook: Webhook = payload_row()
    applied: bool = strawberry.field(description="False when it had been applied before, or still can't be.")


@graphql_type()
class WebhookMutations:
    """The part of Mutation that is about stored events."""

    @strawberry.mutation(
        description="For admins: apply a stored event again. One that was applied before stays as it is."
    )
    async def replay_webhook(self, info: Info, input: ReplayWebhookInput) -> ReplayWebhookPayload:
        """See inbox.replay; it has its own transaction, so that a failure is kept with the event."""
        ctx = info.context
        ctx.principal.must_be_admin()
        result = await inbox.replay(ctx.database, ctx.settings, input.webhook_id, ctx.now)
        applied = result.status is inbox.ResultStatus.APPLIED
        async with ctx.database.transaction() as transaction:
            return await read_back(info, transaction, {"webhook": result.webhook_id, "applied": applied})
