"""Mutations of companies."""

from __future__ import annotations

import uuid

import strawberry
from strawberry.scalars import JSON

from crm_graph.domain.companies import records as companies
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.graphql.engine.bindings import graphql_type, payload_row
from crm_graph.graphql.execution.mutation import Info, Payload, Result, given_fields, perform, perform_on
from crm_graph.graphql.mutations.fields import idempotency_key, mutation, optional, or_none, payload_type, replayed
from crm_graph.graphql.schema.types import Company


@strawberry.input(description="Fields of a company. Each text is at most 500 characters.")
class _CompanyFields:
    location: str | None = optional()
    size: str | None = optional("In your own terms, such as `11-50`.")
    industry: str | None = optional()
    website: str | None = optional()
    linkedin_url: str | None = optional()
    enrichment: JSON | None = optional(
        "An object that is merged into the stored one at every level (RFC 7396): its keys are set, null removes a key. "
        "At most 500 keys, 50 levels and 65,536 bytes of JSON, a key at most 200 characters."
    )


@strawberry.input(description="A company to create, or to change if one has its domain (without a domain: its name).")
class UpsertCompanyInput(_CompanyFields):
    name: str | None = optional(
        "Required without a domain. Names that differ only in case, accents or punctuation are the same."
    )
    domain: str | None = optional("Such as `acme.com`. A free-mail host is refused.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a company.")
class UpdateCompanyInput(_CompanyFields):
    company_id: uuid.UUID
    name: str | None = optional("Can't be cleared.")
    domain: str | None = optional("Such as `acme.com`. CONFLICT if another company has it.")
    idempotency_key: str | None = idempotency_key()


@graphql_type()
class UpsertCompanyPayload:
    """The company that has the domain or the name."""

    company: Company = payload_row()
    created: bool = strawberry.field(description="Whether the company is new.")
    replayed: bool = replayed()


@graphql_type()
class CompanyMutations:
    """Mutations of companies."""

    @mutation(
        UpsertCompanyPayload,
        "Create a company, or change the one that has this domain (without a domain: this name). A company that has "
        "only a name so far gets the domain that comes with it.",
    )
    async def upsert_company(self, info: Info, input: UpsertCompanyInput) -> Payload:
        """See companies.upsert."""

        async def act(work: UnitOfWork) -> Result:
            company_id, created = await companies.upsert(
                work,
                name=or_none(input.name),
                domain=or_none(input.domain),
                changes=given_fields(input, "name", "domain"),
            )
            return {"company": company_id, "created": created}

        return await perform(info, input, act)

    @mutation(
        payload_type("UpdateCompanyPayload", "The changed company.", company=Company),
        "Change fields of a company. An entry on its timeline keeps the old and new values.",
    )
    async def update_company(self, info: Info, input: UpdateCompanyInput) -> Payload:
        """See companies.edit."""
        return await perform_on(
            info,
            input,
            lambda work: companies.edit(work, company_id=input.company_id, changes=given_fields(input, "company_id")),
            company=input.company_id,
        )
