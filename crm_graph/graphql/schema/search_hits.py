"""The hits of `search`: the rows that match a text, of each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeAlias

import strawberry
from sqlalchemy import ColumnElement, Float, Text, Uuid, literal_column, null, select
from sqlmodel import SQLModel

from crm_graph import models
from crm_graph.graphql.engine.bindings import First, Source, column, graphql_type, to_one
from crm_graph.graphql.engine.field_site import FieldSite
from crm_graph.graphql.schema import search
from crm_graph.graphql.schema.filters import check_search_text
from crm_graph.graphql.schema.types import Company, Contact, Deal
from crm_graph.models.columns import AnySelect, Relation

HITS_MAX = 1_000  # of each kind
Condition: TypeAlias = Callable[[type[SQLModel], Relation, ColumnElement[str]], ColumnElement[bool]]
Rank: TypeAlias = Callable[[type[SQLModel], Relation, ColumnElement[str]], ColumnElement[float]]


@graphql_type()
class SearchHit:
    """One result of a search: a deal, a contact or a company. The other two fields are null."""

    score: float = column(
        doc="How well the name matches: 1 or more if it contains the whole words or starts with the text, or if the "
        "contact was found by another address or the telephone number; else less."
    )
    deal: Deal | None = to_one("deal_id")
    contact: Contact | None = to_one("contact_id")
    company: Company | None = to_one("company_id")


def search_args(
    text: Annotated[str, strawberry.argument(description="Each word must be the beginning of a word in the result.")],
    first: First = 20,
) -> None:
    """The arguments of `search`."""


def hits(kind: str, model: type[SQLModel]) -> Source:
    """The rows of one kind that have all words of the text."""
    return _found(kind, model, search.matches, search.rank)


def people_by_address_or_phone() -> Source:
    """The contacts whose further address or telephone number is searched for: what was meant, so the score is 1."""
    one: ColumnElement[float] = literal_column("1.0", Float)
    return _found("contact", models.Contact, lambda _, rows, text: search.leads_to(rows, text), lambda *_: one)


def _found(kind: str, model: type[SQLModel], condition: Condition, rank: Rank) -> Source:
    """The rows that meet a condition, up to a maximum: ranking takes time for each."""

    def query(site: FieldSite) -> AnySelect:
        text = site.value(lambda args: check_search_text(args["text"]), Text)
        id_, no_id = site.rows.c.id, null().cast(Uuid)
        ids = [(id_ if name == kind else no_id).label(f"{name}_id") for name in ("deal", "contact", "company")]
        score = rank(model, site.rows, text).label("score")
        return select(id_.label("id"), *ids, score).where(condition(model, site.rows, text)).limit(HITS_MAX)

    return Source(model, query)
