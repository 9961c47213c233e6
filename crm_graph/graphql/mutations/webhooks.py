"""Mutations of stored events, for admins."""

from __future__ import annotations

import uuid

import strawberry

from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import Info, Payload, payload_plan, read_payload
from crm_graph.graphql.mutations.fields import mutation
from crm_graph.graphql.schema.webhooks import Webhook
from webhooks import inbox


@strawberry.input(description="An event to apply again.")
class ReplayWebhookInput:
    webhook_id: uuid.UUID


@graphql_type()
class ReplayWebhookPayload:
    """The event after the replay. Its status says how the replay ended."""

    webhook: Webhook = payload_row()
    applied: bool = strawberry.field(description="False when it was applied before, or still can't be applied.")


@graphql_type()
class WebhookMutations:
    """Mutations of stored events."""

    @mutation(
        ReplayWebhookPayload,
        "For admins: apply a stored event again. Changes nothing when the event was applied before.",
    )
    async def replay_webhook(self, info: Info, input: ReplayWebhookInput) -> Payload:
        """See inbox.replay, which has its own transactions so that a failure is stored with the event."""
        ctx = info.context
        ctx.principal.must_be_admin()
        plan = await payload_plan(info)
        result = await inbox.replay(ctx.database, ctx.settings, input.webhook_id, ctx.now)
        applied = result.status is inbox.ResultStatus.APPLIED
        async with ctx.database.transaction() as transaction:
            return await read_payload(info, transaction, plan, {"webhook": result.webhook_id, "applied": applied})
