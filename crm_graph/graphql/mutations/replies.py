"""Mutations that say what replies mean."""

from __future__ import annotations

import uuid
from enum import Enum

import strawberry

from crm_graph.domain.contacts import reply_status
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import Info, Payload, Result, perform
from crm_graph.graphql.mutations.fields import (
    expected_version,
    idempotency_key,
    mutation,
    optional,
    or_none,
    replayed,
)
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import Contact
from crm_graph.models import ReplyStatusSource


@strawberry.enum(
    description="Who decides what a reply means over the API. Providers and the rules decide when an event arrives."
)
class Judge(Enum):
    PERSON = ReplyStatusSource.PERSON
    MODEL = ReplyStatusSource.MODEL


@strawberry.input(description="What a reply of a contact means.")
class SetReplyStatusInput:
    contact_id: uuid.UUID
    status: enums.ReplyStatus
    summary: str | None = optional("The reply in one line of at most 500 characters. Default: the present summary.")
    confidence: float | None = optional("0 to 1. A model's verdict below 0.6 is marked needsReview. Default: certain.")
    source: Judge = strawberry.field(
        default=Judge.PERSON, description="Whose verdict it is. A person's verdict needs no review."
    )
    activity_id: uuid.UUID | None = optional(
        "The e-mail from the contact (EMAIL_IN) that the verdict is about. Default: the latest one, excluding "
        "out-of-office replies."
    )
    delete_deal: bool = strawberry.field(
        default=False,
        description="Whether to delete the deal that this reply opened by mistake. It is deleted if the status is not "
        "INTERESTED, the verdict applies, nobody has changed the deal and no event has moved it since.",
    )
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class SetReplyStatusPayload:
    """The contact, and the effect of the verdict."""

    contact: Contact = payload_row()
    applied: bool = strawberry.field(
        description="Whether the contact now has this status. False when a stronger source (in order: a person, a "
        "provider, a model, the rules) or a newer reply decides it. The verdict is stored either way."
    )
    deleted_deal_id: uuid.UUID | None = strawberry.field(description="Null when no deal was deleted.")
    replayed: bool = replayed()


@graphql_type()
class ReplyMutations:
    """Mutations of replies."""

    @mutation(
        SetReplyStatusPayload,
        "Record what a reply means. The same verdict again changes nothing; another verdict of the same source on the "
        "same reply replaces it. UNSUBSCRIBED also closes the contact to outreach.",
    )
    async def set_reply_status(self, info: Info, input: SetReplyStatusInput) -> Payload:
        """See reply_status.set_status."""

        async def act(work: UnitOfWork) -> Result:
            ruling = await reply_status.set_status(
                work,
                contact_id=input.contact_id,
                status=input.status,
                source=input.source.value,
                summary=or_none(input.summary),
                confidence=or_none(input.confidence),
                activity_id=or_none(input.activity_id),
                delete_deal=input.delete_deal,
                expected_version=or_none(input.expected_version),
            )
            return {
                "contact": input.contact_id,
                "applied": ruling.applied,
                "deleted_deal_id": ruling.deleted_deal_id,
            }

        return await perform(info, input, act)
