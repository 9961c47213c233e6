"""The tokens that were issued here: their ids are stored, so that each of them can be revoked."""

import uuid
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, insert, select, update

from crm_graph.database.engine import Transaction
from crm_graph.errors import NotFound
from crm_graph.identity.tokens import LEEWAY, Tokens
from crm_graph.models import AccessToken, AnySelect, Owner, table
from crm_graph.values import clean_line

KEPT_AFTER_EXPIRY = timedelta(days=30)
DESCRIPTION_MAX = 200
_TOKENS, _OWNERS = table(AccessToken), table(Owner)


class IssuedToken(NamedTuple):
    """A token that has not expired; `email` is its owner's."""

    id: uuid.UUID
    email: str
    description: str | None
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


async def issue(
    transaction: Transaction,
    tokens: Tokens,
    owner_id: uuid.UUID,
    ttl: timedelta,
    now: datetime,
    *,
    description: str | None = None,
) -> str:
    """Issue a token for an owner and store its id. Tokens that expired a month ago are forgotten.

    Raises ValidationFailed as `Tokens.issue`.
    """
    id_ = uuid.uuid4()
    token = tokens.issue(str(owner_id), ttl, now, token_id=id_)
    row = {"id": id_, "owner_id": owner_id, "description": clean_line(description, DESCRIPTION_MAX)}
    await transaction.execute(insert(_TOKENS).values(row | {"issued_at": now, "expires_at": now + ttl}))
    await transaction.execute(delete(_TOKENS).where(_TOKENS.c.expires_at < now - KEPT_AFTER_EXPIRY))
    return token


async def list_unexpired(
    transaction: Transaction, now: datetime, *, owner_id: uuid.UUID | None = None
) -> list[IssuedToken]:
    """The tokens that have not expired, revoked ones too, newest first; with `owner_id` those of this owner."""
    columns = (_TOKENS.c.id, _OWNERS.c.email, *(_TOKENS.c[name] for name in IssuedToken._fields[2:]))
    joined = _TOKENS.join(_OWNERS, _OWNERS.c.id == _TOKENS.c.owner_id)
    query: AnySelect = select(*columns).select_from(joined).where(_TOKENS.c.expires_at > now - LEEWAY)
    query = query if owner_id is None else query.where(_TOKENS.c.owner_id == owner_id)
    rows = await transaction.execute(query.order_by(_TOKENS.c.issued_at.desc(), _TOKENS.c.id))
    return [IssuedToken._make(row) for row in rows]


async def revoke(transaction: Transaction, token_id: uuid.UUID, now: datetime) -> None:
    """Refuse a token from now on. Already revoked: succeeds and keeps the first time. Raises NotFound."""
    revoked_at = func.coalesce(_TOKENS.c.revoked_at, now)
    change = update(_TOKENS).where(_TOKENS.c.id == token_id).values(revoked_at=revoked_at)
    if await transaction.scalar(change.returning(_TOKENS.c.id)) is None:
        raise NotFound(f"no token {token_id} was issued here: see `crm-graph token list`", field="id")


async def revoke_all(transaction: Transaction, owner_id: uuid.UUID, now: datetime) -> int:
    """Refuse every token of an owner that was issued here; returns how many were valid until now."""
    is_valid = _TOKENS.c.revoked_at.is_(None) & (_TOKENS.c.expires_at > now - LEEWAY)
    change = update(_TOKENS).where(_TOKENS.c.owner_id == owner_id, is_valid).values(revoked_at=now)
    return len(list(await transaction.execute(change.returning(_TOKENS.c.id))))
