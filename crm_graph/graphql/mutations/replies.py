"""What can be said of replies."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from enum import Enum
from typing import Any

import strawberry

from crm_graph.domain.contacts import reply_status
from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import (
    Info,
    Write,
    expected_version,
    idempotency_key,
    optional,
    perform,
    replayed,
)
from crm_graph.graphql.schema import enums
from crm_graph.graphql.schema.types import Contact
from crm_graph.models import ReplyStatusSource


@strawberry.enum(description="Who judges a reply over the API; providers and the rules do it when an event arrives.")
class Judge(Enum):
    PERSON = ReplyStatusSource.PERSON
    MODEL = ReplyStatusSource.MODEL


@strawberry.input(description="What a reply of a contact means.")
class SetReplyStatusInput:
    contact_id: uuid.UUID
    status: enums.ReplyStatus
    summary: str | None = optional("The reply in one line of at most 500 characters. Default: the one that is there.")
    confidence: float | None = optional("From 0 to 1. A model's below 0.6 is marked needsReview. Default: certain.")
    source: Judge = strawberry.field(
        default=Judge.PERSON, description="Whose verdict it is. A person's needs no review."
    )
    activity_id: uuid.UUID | None = optional(
        "The e-mail from the contact (EMAIL_IN) that is judged. Default: the latest one that is no absence notice."
    )
    delete_deal: bool = strawberry.field(
        default=False,
        description="Delete the deal that this reply opened by mistake: when the status is not INTERESTED, the verdict "
        "applies, and nobody has touched the deal and no event has moved it since.",
    )
    expected_version: int | None = expected_version()
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class SetReplyStatusPayload:
    """The contact, and what came of the verdict."""

    contact: Contact = payload_row()
    applied: bool = strawberry.field(
        description="Whether the contact's status is this verdict's now. False when a stronger source holds (a person "
        "before a provider, a model and the rules) or a newer reply; the verdict is kept all the same."
    )
    deleted_deal_id: uuid.UUID | None = strawberry.field(description="Null when no deal was to be deleted.")
    replayed: bool = replayed()


@graphql_type()
class ReplyMutations:
    """The part of Mutation that is about replies."""

    @strawberry.mutation(
        description="Say what a reply means. The same verdict again changes nothing; another one of the same source on "
        "the same reply takes its place. UNSUBSCRIBED also closes the contact to outreach."
    )
    async def set_reply_status(self, info: Info, input: SetReplyStatusInput) -> SetReplyStatusPayload:
        """See rulings.set_status."""

        async def act(write: Write) -> dict[str, Any]:
            given = write.given | {"source": input.source.value}
            ruling = await reply_status.set_status(write.work, **given)
            return {"contact": input.contact_id, **asdict(ruling)}

        return await perform(info, input, act)
