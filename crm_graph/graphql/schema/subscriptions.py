"""The subscriptions and their payloads."""

from __future__ import annotations

import uuid
from typing import Annotated

import strawberry
from graphql import GraphQLField

from crm_graph.graphql.engine.bindings import Attribute, FieldArguments, column, graphql_type, payload_row
from crm_graph.graphql.engine.library_internals import metadata
from crm_graph.graphql.schema.types import Activity, Contact, Deal

KIND = "kind"
_REFETCH = (
    "True if you may have missed changes: read again what you show. The other fields are then null. The first message "
    "always has true; from then on, nothing is missed without another one."
)


@graphql_type()
class DealChange:
    """A deal that was created, changed, moved or deleted, by anyone."""

    deal_id: uuid.UUID | None = column()
    deal: Deal | None = payload_row(doc="The deal as it is now; null if it was deleted or you may not see it any more.")
    refetch: bool = column(doc=_REFETCH)


@graphql_type()
class ContactChange:
    """A contact that was created, changed, merged, deleted or erased, by anyone."""

    contact_id: uuid.UUID | None = column()
    contact: Contact | None = payload_row(
        doc="The contact as it is now; null if it was deleted, merged or erased, or you may not see it any more."
    )
    refetch: bool = column(doc=_REFETCH)


@graphql_type()
class LoggedActivity:
    """A new timeline entry or task."""

    activity_id: uuid.UUID | None = column()
    activity: Activity | None = payload_row(doc="The activity as it is now.")
    refetch: bool = column(doc=_REFETCH)


def _pipeline_args(
    pipeline_id: Annotated[
        uuid.UUID | None, strawberry.argument(description="Only deals of this pipeline. Default: all pipelines.")
    ] = strawberry.UNSET,
) -> None:
    """The argument of `dealChanged`."""


def _no_args() -> None:
    """No arguments."""


def _changes(kind: str, doc: str, args: FieldArguments = _no_args) -> Attribute:
    """The changes of rows of a kind. The payload has the row under the kind's name, and its id."""
    doc = f"{doc} Over a WebSocket (graphql-transport-ws), or as server-sent events with `Accept: text/event-stream`."
    return strawberry.field(resolver=args, description=doc, metadata={KIND: kind})


@strawberry.type(
    description="Changes as they happen. You receive those of rows that you may see, or could see until the change."
)
class Subscription:
    deal_changed: DealChange = _changes("deal", "Changes of deals, including moves within a column.", _pipeline_args)
    contact_changed: ContactChange = _changes("contact", "Changes of contacts.")
    activity_logged: LoggedActivity = _changes("activity", "New timeline entries and new tasks.")


def kind_of(field: GraphQLField) -> str:
    """The kind of rows that a field of Subscription reports."""
    kind: str = metadata(field)[KIND]
    return kind
