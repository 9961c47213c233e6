"""What can be done with endpoints for webhooks and with what is delivered to them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from crm_graph.delivery import endpoints, replay
from crm_graph.egress import client
from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import (
    Info,
    Write,
    doing,
    expected_version,
    idempotency_key,
    optional,
    perform,
    replayed,
)
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.webhooks import WebhookDelivery, WebhookEndpoint

URL_DOC = (
    "https, at most 2048 characters, without a user or a fragment. Addresses that are not public are refused, unless "
    "OUTBOUND_ALLOWED_NETWORKS names them."
)
TOLD_DOC = "Shown this once; it signs what is sent. Null when a call is repeated"


@strawberry.input(description="An endpoint to make.")
class CreateWebhookEndpointInput:
    url: str = strawberry.field(description=URL_DOC)
    event_types: list[enums.EventType] | None = optional("What to send. Default: everything.")
    headers: JSON | None = optional(
        "An object of names and texts that go with each delivery, such as a token that the receiver asks for; at most "
        "20. Values are never shown."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to an endpoint.")
class UpdateWebhookEndpointInput:
    endpoint_id: uuid.UUID
    url: str | None = optional(f"{URL_DOC} Can't be cleared. CONFLICT when another endpoint of the owner has it.")
    event_types: list[enums.EventType] | None = optional("All of them; null: everything.")
    headers: JSON | None = optional("An object; its names are set, null removes one, the others stay (RFC 7396).")
    active: bool | None = optional(
        "False: nothing is queued for it any more. True: it is again, and what waits is sent now; replayDeliveries "
        "brings what it missed."
    )
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="An endpoint to delete.")
class DeleteWebhookEndpointInput:
    endpoint_id: uuid.UUID
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="An endpoint that gets a new secret.")
class RotateWebhookSecretInput:
    endpoint_id: uuid.UUID
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="An endpoint to try.")
class TestWebhookEndpointInput:
    endpoint_id: uuid.UUID
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A delivery to send again.")
class ReplayDeliveryInput:
    delivery_id: uuid.UUID
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="An endpoint, and from when on its events are sent again.")
class ReplayDeliveriesInput:
    endpoint_id: uuid.UUID
    since: datetime = strawberry.field(description="Events that were told at this time or later.")
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class CreateWebhookEndpointPayload:
    """The endpoint that has the URL now."""

    endpoint: WebhookEndpoint = payload_row()
    secret: str | None = strawberry.field(description=f"{TOLD_DOC}, and of an endpoint that was there.")
    created: bool = strawberry.field(description="Whether it is new.")
    replayed: bool = replayed()


@graphql_type()
class UpdateWebhookEndpointPayload:
    """The changed endpoint."""

    endpoint: WebhookEndpoint = payload_row()
    replayed: bool = replayed()


@graphql_type()
class DeleteWebhookEndpointPayload:
    """The id of the endpoint that is gone."""

    deleted_endpoint_id: uuid.UUID = strawberry.field()
    replayed: bool = replayed()


@graphql_type()
class RotateWebhookSecretPayload:
    """The endpoint with its new secret."""

    endpoint: WebhookEndpoint = payload_row()
    secret: str | None = strawberry.field(description=f"{TOLD_DOC}.")
    replayed: bool = replayed()


@graphql_type()
class TestWebhookEndpointPayload:
    """The endpoint, and the test on its way to it."""

    endpoint: WebhookEndpoint = payload_row()
    delivery: WebhookDelivery = payload_row()
    replayed: bool = replayed()


@graphql_type()
class ReplayDeliveryPayload:
    """The delivery, pending."""

    delivery: WebhookDelivery = payload_row()
    replayed: bool = replayed()


@graphql_type()
class ReplayDeliveriesPayload:
    """The endpoint, and what was queued for it."""

    endpoint: WebhookEndpoint = payload_row()
    queued_count: int = strawberry.field(description="Deliveries that are pending now and were not before.")
    next_since: datetime | None = strawberry.field(
        description="There is more: call again with this as `since`. Null when that was all."
    )
    replayed: bool = replayed()


@graphql_type()
class EndpointMutations:
    """The part of Mutation that is about webhooks which leave."""

    @strawberry.mutation(
        description="Have events sent to a URL of yours: those about your own contacts and deals, for an admin all. An "
        "endpoint that you have under this URL is returned as it is; rotateWebhookSecret gives it a new secret. "
        "CONFLICT for more than 100."
    )
    async def create_webhook_endpoint(
        self, info: Info, input: CreateWebhookEndpointInput
    ) -> CreateWebhookEndpointPayload:
        """See endpoints.create."""
        url = await _checked_url(info, input.url)

        async def act(write: Write) -> dict[str, Any]:
            made = await endpoints.create(write.work, **write.given | {"url": url})
            return {"endpoint": made.endpoint_id, "secret": made.secret, "created": made.secret is not None}

        return await perform(info, input, act, told_once=("secret",))

    @strawberry.mutation(
        description="Change an endpoint, or disable or enable it. Another URL, or to be enabled, ends the wait after "
        "failures."
    )
    async def update_webhook_endpoint(
        self, info: Info, input: UpdateWebhookEndpointInput
    ) -> UpdateWebhookEndpointPayload:
        """See endpoints.edit."""
        url = {"url": await _checked_url(info, input.url)} if isinstance(input.url, str) else {}

        async def act(write: Write) -> dict[str, Any]:
            asked = write.given | url
            return {"endpoint": await endpoints.edit(write.work, **asked)}

        return await perform(info, input, act)

    @strawberry.mutation(description="Remove an endpoint with its deliveries. The events stay.")
    async def delete_webhook_endpoint(
        self, info: Info, input: DeleteWebhookEndpointInput
    ) -> DeleteWebhookEndpointPayload:
        """See endpoints.delete."""
        return await perform(info, input, doing(endpoints.delete, "deleted_endpoint_id", of="endpoint_id"))

    @strawberry.mutation(
        description="Give an endpoint a new secret. The present one signs beside it for 24 hours, so that receivers "
        "can change over; one from before that no more."
    )
    async def rotate_webhook_secret(self, info: Info, input: RotateWebhookSecretInput) -> RotateWebhookSecretPayload:
        """See endpoints.rotate."""

        async def act(write: Write) -> dict[str, Any]:
            secret = await endpoints.rotate(write.work, **write.given)
            return {"endpoint": write.given["endpoint_id"], "secret": secret}

        return await perform(info, input, act, told_once=("secret",))

    @strawberry.mutation(
        description="Send an event `test` to an endpoint, whatever it is subscribed to. webhookDeliveries says what "
        "came of it. CONFLICT for a disabled one."
    )
    async def test_webhook_endpoint(self, info: Info, input: TestWebhookEndpointInput) -> TestWebhookEndpointPayload:
        """See endpoints.send_test."""

        async def act(write: Write) -> dict[str, Any]:
            delivery = await endpoints.send_test(write.work, **write.given)
            return {"endpoint": write.given["endpoint_id"], "delivery": delivery}

        return await perform(info, input, act)

    @strawberry.mutation(
        description="Send what was delivered, failed or cancelled again, now; what is PENDING stays as it is. CONFLICT "
        "for a disabled endpoint, and when a person that the event tells of was erased."
    )
    async def replay_delivery(self, info: Info, input: ReplayDeliveryInput) -> ReplayDeliveryPayload:
        """See deliveries.replay."""
        return await perform(info, input, doing(replay.replay, "delivery", of="delivery_id"))

    @strawberry.mutation(
        description="Send every event from `since` on that an endpoint is subscribed to: again, or for the first time "
        "where it was told while the endpoint was disabled. 10,000 in one call (and all that were told in the same "
        "moment as the last one); nextSince goes on. No tests, and nothing about people who were erased. CONFLICT for "
        "a disabled endpoint."
    )
    async def replay_deliveries(self, info: Info, input: ReplayDeliveriesInput) -> ReplayDeliveriesPayload:
        """See deliveries.replay_since."""

        async def act(write: Write) -> dict[str, Any]:
            found = await replay.replay_since(write.work, **write.given)
            more = found.next_since and found.next_since.isoformat()
            return {"endpoint": write.given["endpoint_id"], "queued_count": found.queued, "next_since": more}

        return await perform(info, input, act)


async def _checked_url(info: Info, url: str) -> str:
    """See outbound.check_url: outside the transaction, since it looks names up."""
    info.context.principal.must_write()
    return await client.check_url(url, info.context.settings.networks())
