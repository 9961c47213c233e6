"""Companies: shared by the whole team, identified by domain, else by name."""

import uuid
from typing import Any

from sqlalchemy import exists, nulls_first, select, union_all, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm_graph.errors import Conflict
from crm_graph.models import Company, table
from crm_graph.prepared import Prepared, given
from crm_graph.values import name_key

ATTEMPTS = 3  # to find what somebody else makes at the same moment


async def find_or_create(session: AsyncSession, *, name: str | None, domain: str | None) -> uuid.UUID | None:
    """The company with this domain (normal form), or without one the company of this name; None without either.

    A company that was only known by its domain takes the first name that comes along.
    """
    key = name_key(name or "") or name_key(domain or "")  # a name of emoji alone has no normal form
    if not key:
        return None
    statement = _BY_NAME if domain is None else _BY_DOMAIN
    values = {"name": name or domain, "name_key": key, "domain": domain, "said": name or None}
    for _ in range(ATTEMPTS):
        # Of two first events of one company, the second waits for the first's insert, and finds its row next time.
        found = await statement.one(session, id=uuid.uuid4(), **values)
        if found is not None:
            id_: uuid.UUID = found.id
            return id_
    raise Conflict("this company is being created by somebody else at this moment; retry", field="company_name")


def _found_or_created(*, by_domain: bool) -> Any:
    companies, c = table(Company), table(Company).c
    is_it = c.domain == given(Company, "domain") if by_domain else c.name_key == given(Company, "name_key")
    known = select(c.id).where(is_it).order_by(nulls_first(c.domain), c.created_at).limit(1).cte("known")
    row = {name: given(Company, name) for name in ("id", "name", "name_key", "domain")}
    new = select(*row.values()).where(~exists(select(known.c.id)))
    insertion = insert(companies).from_select(list(row), new, include_defaults=False)
    made = insertion.on_conflict_do_nothing().returning(c.id).cte("made")
    found = select(union_all(select(known.c.id), select(made.c.id)).subquery("found").c.id)
    if not by_domain:
        return found
    said = given(Company, "name", "said")
    named = update(companies).where(is_it, c.name == c.domain, said.is_not(None))
    return found.add_cte(named.values(name=said, name_key=given(Company, "name_key")).cte("named"))


_BY_DOMAIN = Prepared(lambda: _found_or_created(by_domain=True))
_BY_NAME = Prepared(lambda: _found_or_created(by_domain=False))
