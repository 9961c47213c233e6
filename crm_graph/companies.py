"""Companies: shared by the whole team, identified by domain, else by name."""

import uuid

from sqlalchemy import nulls_first, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from crm_graph.errors import NotFound
from crm_graph.models import Company
from crm_graph.values import name_key


async def find_or_create(session: AsyncSession, *, name: str | None, domain: str | None) -> uuid.UUID | None:
    """The company with this domain (normal form), or without one the company of this name; None without either.

    A company that was only known by its domain takes the first name that comes along.
    """
    key = name_key(name or "") or name_key(domain or "")  # a name of emoji alone has no normal form
    if not key:
        return None
    new = insert(Company).values(id=uuid.uuid4(), name=name or domain, name_key=key, domain=domain)
    if domain is not None:
        known = col(Company.domain) == domain
    else:
        known = col(Company.name_key) == key
        found = await session.scalar(_oldest.where(known))
        if found is not None:
            return found
    # DO NOTHING and then a look: of two first events of one company, the second waits here and finds the first's.
    created: uuid.UUID | None = await session.scalar(new.on_conflict_do_nothing().returning(col(Company.id)))
    if created is not None:
        return created
    if name and domain:
        unnamed = update(Company).where(known, col(Company.name) == domain).values(name=name, name_key=key)
        await session.execute(unnamed)
    return await session.scalar(_oldest.where(known))


_oldest = select(col(Company.id)).order_by(nulls_first(col(Company.domain)), col(Company.created_at)).limit(1)


async def check_exists(session: AsyncSession, company_id: uuid.UUID, *, field: str) -> None:
    """Raises NotFound naming `field`."""
    if await session.get(Company, company_id) is None:
        raise NotFound("company not found", field=field)
