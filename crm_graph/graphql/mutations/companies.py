"""What can be done with companies."""

from __future__ import annotations

import uuid
from typing import Any

import strawberry
from strawberry.scalars import JSON

from crm_graph.domain.companies import records as companies
from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import Info, Write, doing, idempotency_key, optional, perform, replayed
from crm_graph.graphql.schema.types import Company


@strawberry.input(description="Fields of a company; each text has at most 500 characters.")
class _CompanyFields:
    location: str | None = optional()
    size: str | None = optional("In words or numbers of your own, such as `11-50`.")
    industry: str | None = optional()
    website: str | None = optional()
    linkedin_url: str | None = optional()
    enrichment: JSON | None = optional(
        "An object that is merged into what is known (RFC 7396): its keys are set, at any level, and null removes one. "
        "Up to 200 keys, 50 levels, 100,000 characters."
    )


@strawberry.input(description="A company to create, or to change when its domain, or without one its name, is known.")
class UpsertCompanyInput(_CompanyFields):
    name: str | None = optional("Needed without a domain. Case, accents and punctuation don't tell companies apart.")
    domain: str | None = optional("Such as `acme.com`; a free-mail host is nobody's.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a company.")
class UpdateCompanyInput(_CompanyFields):
    company_id: uuid.UUID
    name: str | None = optional("Can't be cleared.")
    domain: str | None = optional("Such as `acme.com`; CONFLICT when it is another company's.")
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class UpsertCompanyPayload:
    """The company that has the domain, or the name, now."""

    company: Company = payload_row()
    created: bool = strawberry.field(description="Whether it is new.")
    replayed: bool = replayed()


@graphql_type()
class UpdateCompanyPayload:
    """The changed company."""

    company: Company = payload_row()
    replayed: bool = replayed()


@graphql_type()
class CompanyMutations:
    """The part of Mutation that is about companies."""

    @strawberry.mutation(
        description="Create a company, or change the one that has this domain; without a domain, the one of this name. "
        "One that is known by its name alone takes the domain that comes with the name."
    )
    async def upsert_company(self, info: Info, input: UpsertCompanyInput) -> UpsertCompanyPayload:
        """See companies.upsert."""

        async def act(write: Write) -> dict[str, Any]:
            company, created = await companies.upsert(write.work, **write.given)
            return {"company": company, "created": created}

        return await perform(info, input, act)

    @strawberry.mutation(
        description="Change fields of a company; an entry on its timeline keeps the old and new values."
    )
    async def update_company(self, info: Info, input: UpdateCompanyInput) -> UpdateCompanyPayload:
        """See companies.edit."""
        return await perform(info, input, doing(companies.edit, "company", of="company_id"))
