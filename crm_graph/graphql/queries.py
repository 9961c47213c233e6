"""What can be read. Each root field is one SQL statement, whatever is selected below it."""

from __future__ import annotations

import uuid
from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement, and_, true

from crm_graph import contacts
from crm_graph.auth import caller
from crm_graph.graphql.bind import Order, Site, bound, one, page, rows
from crm_graph.graphql.types import Company, Connection, Contact, Deal, Owner, Pipeline, Webhook
from crm_graph.models.columns import EmailText
from crm_graph.values import normal_email


def _by_id(id: uuid.UUID) -> None:
    """The argument of every look-up."""


def _by_optional_id(
    id: Annotated[
        uuid.UUID | None, strawberry.argument(description="Without it, the default pipeline.")
    ] = strawberry.UNSET,
) -> None:
    """The argument of `pipeline`."""


def _by_email(email: Annotated[str, strawberry.argument(description="In any spelling.")]) -> None:
    """The argument of `contactByEmail`."""


def _has_id(site: Site) -> ColumnElement[bool]:
    return and_(site.rows.c.id == site.value(lambda args: args["id"], None))


def _is_pipeline(site: Site) -> ColumnElement[bool]:
    return and_(site.rows.c.is_default) if site.args.get("id") is None else _has_id(site)


def _has_email(site: Site) -> ColumnElement[bool]:
    return contacts.has_address(site.value(lambda args: normal_email(args["email"]), EmailText), site.rows)


def _is_caller(site: Site) -> ColumnElement[bool]:
    return and_(site.rows.c.id == caller(site.principal))


def _for_admins(site: Site) -> ColumnElement[bool]:
    site.principal.must_be_admin()
    return true()


@bound()
class Query:
    """Reads. What isn't yours to see looks like what doesn't exist: null, or absent from a list."""

    me: Owner = one(_is_caller, doc="Whose token this is.")
    pipelines: list[Pipeline] = rows(lambda _site: true(), Order(("name", "id")), doc="Every pipeline, by name.")
    pipeline: Pipeline | None = one(_is_pipeline, args=_by_optional_id)
    deal: Deal | None = one(_has_id, args=_by_id)
    deals: Connection[Deal] = page(doc="Newest first.")
    contact: Contact | None = one(_has_id, args=_by_id)
    contact_by_email: Contact | None = one(
        _has_email, args=_by_email, doc="Finds a contact by any of its addresses, in any spelling."
    )
    contacts: Connection[Contact] = page(doc="Newest first.")
    company: Company | None = one(_has_id, args=_by_id)
    webhooks_log: Connection[Webhook] = page(
        Order(("received_at", "id"), descending=True),
        where=_for_admins,
        doc="For admins: what providers sent, latest first.",
    )
