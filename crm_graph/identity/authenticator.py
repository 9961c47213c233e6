"""Authenticator: turns a request's Authorization headers into the Principal of its bearer token."""

import uuid
from time import monotonic
from typing import TypeAlias

from cachetools import TLRUCache, TTLCache
from sqlalchemy import ColumnElement, exists, select
from sqlmodel import col

from crm_graph.database.engine import Database
from crm_graph.errors import Unauthenticated, ValidationFailed
from crm_graph.identity.principal import Principal
from crm_graph.identity.tokens import Claims, Tokens, read_bearer
from crm_graph.models import AccessToken, Owner
from crm_graph.values import normal_email

CACHE_SECONDS = 3.0  # a changed role, a deactivated owner or a revoked token takes effect within this time
CACHE_SIZE = 1_000
_Key: TypeAlias = tuple[str, uuid.UUID | None]  # a token's subject and id


class Authenticator:
    """Finds the Principal of a bearer token.

    Raises Unauthenticated. Only the holder of a token that we signed learns that it has expired or was revoked; for
    every other reason the message is the same.
    """

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database, self._tokens = database, tokens
        self._claims: TLRUCache[str, Claims] = TLRUCache(CACHE_SIZE, ttu=_claims_expire, timer=monotonic)
        self._principals: TLRUCache[_Key, Principal] = TLRUCache(CACHE_SIZE, ttu=_principal_expires, timer=monotonic)
        self._refusals: TTLCache[_Key, str] = TTLCache(CACHE_SIZE, CACHE_SECONDS, timer=monotonic)

    async def principal(self, authorization: list[str]) -> Principal:
        """The caller of a request with these Authorization headers; raises Unauthenticated."""
        token = read_bearer(authorization)
        claims = self._claims.get(token)
        if claims is None:
            claims = self._tokens.verify(token)
            self._claims[token] = claims
        key = (claims.subject, claims.token_id)
        principal = self._principals.get(key)
        if principal is None:
            principal = await self._look_up_once(key)
            self._principals[key] = principal
        return principal

    def seconds_left(self, authorization: list[str]) -> float:
        """How many seconds the token stays valid; raises Unauthenticated."""
        return self._tokens.verify(read_bearer(authorization)).seconds_left

    async def _look_up_once(self, key: _Key) -> Principal:
        """Look up a principal; a refusal is kept, so that its repetition doesn't reach the database."""
        if (refusal := self._refusals.get(key)) is not None:
            raise Unauthenticated(refusal)
        try:
            return await self._look_up(*key)
        except Unauthenticated as error:
            self._refusals[key] = error.message
            raise

    async def _look_up(self, subject: str, token_id: uuid.UUID | None) -> Principal:
        is_revoked = exists().where(col(AccessToken.id) == token_id, col(AccessToken.revoked_at).is_not(None))
        columns = (col(Owner.id), col(Owner.role), is_revoked.label("is_revoked"))
        query = select(*columns).where(_has_subject(subject), col(Owner.active))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise Unauthenticated
        if row.is_revoked:
            raise Unauthenticated("the token was revoked; get a new one")
        return Principal(owner_id=row.id, role=row.role)


def _claims_expire(_token: str, claims: Claims, now: float) -> float:
    return now + min(CACHE_SECONDS, claims.seconds_left)


def _principal_expires(_key: _Key, _principal: Principal, now: float) -> float:
    return now + CACHE_SECONDS


def _has_subject(subject: str) -> ColumnElement[bool]:
    """A predicate on owners: the one that a token's subject names, by id or e-mail."""
    try:
        return col(Owner.id) == uuid.UUID(subject)
    except ValueError:
        pass
    try:
        return col(Owner.email) == normal_email(subject)
    except ValidationFailed:
        raise Unauthenticated from None
