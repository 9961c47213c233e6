"""Everything that is stored, as one text, so that a test can look for what must not be there."""

import json

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.models import Owner


async def dump(sql: AsyncConnection) -> str:
    """Every row of every table as PostgreSQL writes it, in lower case, and the bytes of bodies as what they say."""
    found = []
    for stored in Owner.metadata.sorted_tables:
        found += list(await sql.scalars(text(f"SELECT {stored.name}::text FROM {stored.name}")))
    bodies = await sql.scalars(text("SELECT body FROM webhooks_log"))
    said = [bytes(body).decode() for body in bodies]
    found += [json.dumps(json.loads(body), ensure_ascii=False) for body in said if body] + said
    return "\n".join(found).lower()
