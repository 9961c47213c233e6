"""Companies as a client of the API writes them, and what is stored of them."""

from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.api import Json, ask, reason, refusal
from tests.support.factories import ADA

SHOWN = """company { id name domain location size industry website linkedinUrl enrichment
    activities { nodes { type content meta createdBy { email } } } } replayed"""
UPSERT = f"mutation ($in: UpsertCompanyInput!) {{ upsertCompany(input: $in) {{ created {SHOWN} }} }}"
UPDATE = f"mutation ($in: UpdateCompanyInput!) {{ updateCompany(input: $in) {{ {SHOWN} }} }}"
DETAILS = {"location": "İstanbul", "size": "11-50", "industry": "Finance", "website": "https://x.example",
           "linkedinUrl": "https://linkedin.example/x"}  # fmt: skip


async def upsert(client: httpx.AsyncClient, who: str = ADA, **given: Any) -> tuple[Json, bool]:
    answer = (await ask(client, who, UPSERT, **{"in": given}))["upsertCompany"]
    return answer["company"], answer["created"]


async def update(client: httpx.AsyncClient, company: Any, who: str = ADA, **given: Any) -> Json:
    answer = await ask(client, who, UPDATE, **{"in": {"companyId": str(company), **given}})
    return dict(answer["updateCompany"]["company"])


async def refused(client: httpx.AsyncClient, mutation: str, who: str = ADA, **given: Any) -> Any:
    return reason(await refusal(client, who, mutation, **{"in": given}))


async def stored(sql: AsyncConnection, company: Any) -> Any:
    query = text("SELECT * FROM companies WHERE id = CAST(:id AS uuid)")
    return (await sql.execute(query, {"id": str(company)})).one()


async def entries(sql: AsyncConnection, company: Any) -> list[Any]:
    """The entries on a company's timeline, oldest first."""
    query = "SELECT * FROM activities WHERE company_id = CAST(:id AS uuid) ORDER BY occurred_at"
    return list(await sql.execute(text(query), {"id": str(company)}))


async def count(sql: AsyncConnection) -> Any:
    return await sql.scalar(text("SELECT count(*) FROM companies"))
