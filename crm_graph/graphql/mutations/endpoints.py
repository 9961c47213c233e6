"""Mutations of the endpoints of outgoing webhooks, and of deliveries to them."""

from __future__ import annotations

import uuid
from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from crm_graph.delivery import endpoints, internal_targets, pause, replay
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.egress import client
from crm_graph.egress.client import CheckedUrl
from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import Info, Payload, Result, given_fields, perform, perform_on
from crm_graph.graphql.mutations.fields import (
    expected_version,
    idempotency_key,
    mutation,
    optional,
    or_none,
    payload_type,
    replayed,
)
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.webhooks import WebhookDelivery, WebhookEndpoint

URL_DOC = (
    "An https URL of at most 2048 characters, without user info or a fragment. Non-public addresses are refused, "
    "unless OUTBOUND_ALLOWED_NETWORKS includes them and the endpoint is an admin's."
)
SHOWN_ONCE_DOC = "Signs deliveries. Shown only this once: null in the result of a repeated call"


@strawberry.input(description="An endpoint to create.")
class CreateWebhookEndpointInput:
    url: str = strawberry.field(description=URL_DOC)
    event_types: list[enums.EventType] | None = optional("The types of events to send. Default: all.")
    headers: JSON | None = optional(
        "HTTP headers to send with each delivery, such as a token that the receiver asks for: an object of names and "
        "texts, at most 20. Values are never shown."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to an endpoint.")
class UpdateWebhookEndpointInput:
    endpoint_id: uuid.UUID
    url: str | None = optional(f"{URL_DOC} Can't be cleared. CONFLICT if another endpoint of the owner has it.")
    event_types: list[enums.EventType] | None = optional("The whole list. Null: all types.")
    headers: JSON | None = optional(
        "An object that is merged (RFC 7396): its headers are set, null removes a header, others stay."
    )
    active: bool | None = optional(
        "False: no more deliveries are queued for it. True: deliveries are queued again, and waiting ones are sent "
        "now; replayDeliveries sends what it missed."
    )
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="An endpoint to delete.")
class DeleteWebhookEndpointInput:
    endpoint_id: uuid.UUID
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="An endpoint to give a new secret.")
class RotateWebhookSecretInput:
    endpoint_id: uuid.UUID
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="An endpoint to test.")
class TestWebhookEndpointInput:
    endpoint_id: uuid.UUID
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A delivery to send again.")
class ReplayDeliveryInput:
    delivery_id: uuid.UUID
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="An endpoint, and the time since when its events are sent again.")
class ReplayDeliveriesInput:
    endpoint_id: uuid.UUID
    since: datetime = strawberry.field(description="Includes events that were emitted at this time or later.")
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class CreateWebhookEndpointPayload:
    """The endpoint that has the URL."""

    endpoint: WebhookEndpoint = payload_row()
    secret: str | None = strawberry.field(description=f"{SHOWN_ONCE_DOC} and for an endpoint that existed before.")
    created: bool = strawberry.field(description="Whether the endpoint is new.")
    replayed: bool = replayed()


@graphql_type()
class RotateWebhookSecretPayload:
    """The endpoint with its new secret."""

    endpoint: WebhookEndpoint = payload_row()
    secret: str | None = strawberry.field(description=f"{SHOWN_ONCE_DOC}.")
    replayed: bool = replayed()


@graphql_type()
class ReplayDeliveriesPayload:
    """The endpoint, and what was queued for it."""

    endpoint: WebhookEndpoint = payload_row()
    queued_count: int = strawberry.field(description="Deliveries that are pending now and were not before.")
    next_since: datetime | None = strawberry.field(
        description="If there are more events: the `since` of the next call. Null when there are none."
    )
    replayed: bool = replayed()


@graphql_type()
class EndpointMutations:
    """Mutations of the endpoints of outgoing webhooks and of deliveries to them."""

    @mutation(
        CreateWebhookEndpointPayload,
        "Create an endpoint: events about your contacts and deals (for an admin: all events) are sent to its URL. If "
        "you already have an endpoint with this URL, it is returned unchanged; rotateWebhookSecret gives it a new "
        "secret. CONFLICT for more than 20 endpoints, or 100 of an admin.",
    )
    async def create_webhook_endpoint(self, info: Info, input: CreateWebhookEndpointInput) -> Payload:
        """See endpoints.create."""
        url = await _checked_url(info, input.url)

        async def act(work: UnitOfWork) -> Result:
            endpoint = await endpoints.create(
                work, url=url, event_types=or_none(input.event_types), headers=or_none(input.headers)
            )
            return {
                "endpoint": endpoint.endpoint_id,
                "secret": endpoint.secret,
                "created": endpoint.secret is not None,
            }

        return await perform(info, input, act, shown_once=("secret",))

    @mutation(
        payload_type("UpdateWebhookEndpointPayload", "The changed endpoint.", endpoint=WebhookEndpoint),
        "Change, disable or enable an endpoint. Enabling it or changing its URL also ends the wait after failures.",
    )
    async def update_webhook_endpoint(self, info: Info, input: UpdateWebhookEndpointInput) -> Payload:
        """See endpoints.edit."""
        changes = given_fields(input, "endpoint_id", "expected_version", "active")
        if isinstance(input.url, str):
            changes["url"] = await _checked_url(info, input.url)
        return await perform_on(
            info,
            input,
            lambda work: endpoints.edit(
                work,
                endpoint_id=input.endpoint_id,
                changes=changes,
                active=or_none(input.active),
                expected_version=or_none(input.expected_version),
            ),
            endpoint=input.endpoint_id,
        )

    @mutation(
        payload_type("DeleteWebhookEndpointPayload", "The id of the deleted endpoint.", deleted_endpoint_id=uuid.UUID),
        "Delete an endpoint and its deliveries. The events stay.",
    )
    async def delete_webhook_endpoint(self, info: Info, input: DeleteWebhookEndpointInput) -> Payload:
        """See endpoints.delete."""
        return await perform_on(
            info,
            input,
            lambda work: endpoints.delete(
                work, endpoint_id=input.endpoint_id, expected_version=or_none(input.expected_version)
            ),
            deleted_endpoint_id=input.endpoint_id,
        )

    @mutation(
        RotateWebhookSecretPayload,
        "Give an endpoint a new secret. For 24 hours, deliveries are signed with both the new and the present secret, "
        "so that receivers can switch. An older secret stops signing at once.",
    )
    async def rotate_webhook_secret(self, info: Info, input: RotateWebhookSecretInput) -> Payload:
        """See endpoints.rotate."""

        async def act(work: UnitOfWork) -> Result:
            secret = await endpoints.rotate(
                work, endpoint_id=input.endpoint_id, expected_version=or_none(input.expected_version)
            )
            return {"endpoint": input.endpoint_id, "secret": secret}

        return await perform(info, input, act, shown_once=("secret",))

    @mutation(
        payload_type(
            "TestWebhookEndpointPayload",
            "The endpoint, and the delivery of the test.",
            endpoint=WebhookEndpoint,
            delivery=WebhookDelivery,
            paused_reason=str | None,
        ),
        "Send a `test` event to an endpoint, whatever event types it is subscribed to. webhookDeliveries shows the "
        "outcome. CONFLICT if the endpoint is disabled. pausedReason says why deliveries are paused, so that the test "
        "waits; it is null while they are not.",
    )
    async def test_webhook_endpoint(self, info: Info, input: TestWebhookEndpointInput) -> Payload:
        """See endpoints.send_test."""

        async def act(work: UnitOfWork) -> Result:
            delivery_id = await endpoints.send_test(work, endpoint_id=input.endpoint_id)
            paused = await pause.find_reason(work.transaction)
            return {"endpoint": input.endpoint_id, "delivery": delivery_id, "paused_reason": paused}

        return await perform(info, input, act)

    @mutation(
        payload_type("ReplayDeliveryPayload", "The delivery, pending.", delivery=WebhookDelivery),
        "Send a delivered or failed delivery again, now. A PENDING one stays as it is. CONFLICT if the "
        "endpoint is disabled, or if the event is about a person who was erased.",
    )
    async def replay_delivery(self, info: Info, input: ReplayDeliveryInput) -> Payload:
        """See replay.replay."""
        return await perform_on(
            info,
            input,
            lambda work: replay.replay(work, delivery_id=input.delivery_id),
            delivery=input.delivery_id,
        )

    @mutation(
        ReplayDeliveriesPayload,
        "Send an endpoint every event since a time that it is subscribed to: again, or for the first time if the "
        "endpoint was disabled then. Excludes tests and events about people who were erased. One call queues 10,000 "
        "events, plus those of the same moment as the last one; nextSince continues. CONFLICT if the endpoint is "
        "disabled.",
    )
    async def replay_deliveries(self, info: Info, input: ReplayDeliveriesInput) -> Payload:
        """See replay.replay_since."""

        async def act(work: UnitOfWork) -> Result:
            replayed = await replay.replay_since(work, endpoint_id=input.endpoint_id, since=input.since)
            next_since = replayed.next_since and replayed.next_since.isoformat()
            return {"endpoint": input.endpoint_id, "queued_count": replayed.queued, "next_since": next_since}

        return await perform(info, input, act)


async def _checked_url(info: Info, url: str) -> CheckedUrl:
    """See client.check_url. It runs outside the transaction because it resolves host names."""
    principal = info.context.principal
    principal.must_write()
    reachable = internal_targets.reachable(info.context.settings.networks(), principal.role)
    return await client.check_url(url, reachable, principal.owner_id)
