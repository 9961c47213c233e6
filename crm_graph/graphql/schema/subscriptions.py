"""What can be heard of while it happens."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import strawberry
from graphql import GraphQLField

from crm_graph.graphql.engine.bindings import column, graphql_type, payload_row
from crm_graph.graphql.engine.library_internals import metadata
from crm_graph.graphql.schema.types import Activity, Contact, Deal

KIND = "kind"
_REFETCH = "Whether you may have missed changes and have to read anew what you show; then the other fields are null."
_REFETCH_FIRST = f"{_REFETCH} Always so in the first message: from then on, nothing is missed without saying so."


@graphql_type()
class DealChange:
    """A deal that was made, changed, moved or deleted, whoever did it."""

    deal_id: uuid.UUID | None = column()
    deal: Deal | None = payload_row(
        doc="As it is now; null when it is not there for you any more: deleted, or given away."
    )
    refetch: bool = column(doc=_REFETCH_FIRST)


@graphql_type()
class ContactChange:
    """A contact that was made, changed or deleted, whoever did it."""

    contact_id: uuid.UUID | None = column()
    contact: Contact | None = payload_row(
        doc="As it is now; null when it is not there for you any more: deleted, merged, erased, or given away."
    )
    refetch: bool = column(doc=_REFETCH_FIRST)


@graphql_type()
class LoggedActivity:
    """An entry that a timeline has got, or a task."""

    activity_id: uuid.UUID | None = column()
    activity: Activity | None = payload_row(doc="As it is now.")
    refetch: bool = column(doc=_REFETCH_FIRST)


def _of_pipeline(
    pipeline_id: Annotated[
        uuid.UUID | None, strawberry.argument(description="Deals of this pipeline only. Default: of all.")
    ] = strawberry.UNSET,
) -> None:
    """The argument of `dealChanged`."""


def _of_all() -> None:
    """No arguments."""


def _changes(kind: str, doc: str, args: Any = _of_all) -> Any:
    """Changes of rows of a kind; the payload has the row under the kind's name, and its id."""
    doc = f"{doc} Over a WebSocket (graphql-transport-ws) or, with Accept: text/event-stream, as server-sent events."
    return strawberry.field(resolver=args, description=doc, metadata={KIND: kind})


@strawberry.type(description="What is told while it happens. You hear of what you may see, or could see before.")
class Subscription:
    deal_changed: DealChange = _changes("deal", "Deals, their places in the column included.", _of_pipeline)
    contact_changed: ContactChange = _changes("contact", "Contacts.")
    activity_logged: LoggedActivity = _changes("activity", "New entries of timelines, and new tasks.")


def kind_of(field: GraphQLField) -> str:
    """Of which kind of rows a field of Subscription tells."""
    kind: str = metadata(field)[KIND]
    return kind
