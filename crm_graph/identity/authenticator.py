"""Who is calling, and what they may see: bearer token -> Principal, and THE owner rule."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, TypeVar

import jwt
from sqlalchemy import ColumnElement, Uuid, and_, bindparam, exists, false, or_, select, true
from sqlmodel import SQLModel, col

from crm_graph.database.engine import Database
from crm_graph.database.statements import CALLER
from crm_graph.errors import Forbidden, Unauthenticated, ValidationFailed
from crm_graph.models import (
    Activity,
    Contact,
    Deal,
    DealStageHistory,
    Event,
    Owner,
    Relation,
    ReplyVerdict,
    Role,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookLog,
    table,
)
from crm_graph.values import normal_email

ALGORITHM = "HS256"  # fixed here, never taken from a token's header (RFC 8725, 3.1)
LEEWAY = timedelta(seconds=30)
TOKEN_MAX = 8_192
CACHE_SECONDS = 3.0
CACHE_SIZE = 1_000
Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf something happens: an owner, or (without owner_id) a provider's event."""

    owner_id: uuid.UUID | None
    role: Role
    source: str = "graphql"

    def must_write(self) -> None:
        """Raises Forbidden for a role that only reads."""
        if self.role is Role.READONLY:
            raise Forbidden("the role readonly may not change anything")

    def must_be_admin(self) -> None:
        """Raises Forbidden for anyone but an admin."""
        if self.role is not Role.ADMIN:
            raise Forbidden("only an admin may do this")


def machine(source: str) -> Principal:
    """The principal of what a provider sends; it sees every row, and nothing it does counts as a person's choice."""
    return Principal(owner_id=None, role=Role.ADMIN, source=source)


def caller(principal: Principal) -> ColumnElement[Any]:
    """The principal's owner id as the parameter `caller`: statements that are kept get it anew for each caller."""
    return bindparam(CALLER, principal.owner_id, type_=Uuid)


def alternatives(
    model: type[SQLModel], principal: Principal, rows: Relation | None = None, *, erased: bool = False
) -> list[ColumnElement[bool]]:
    """The owner rule, as predicates on `rows` (the model's table, or an alias of it) of which a visible row meets one.

    Admin and readonly see everything; sales see their own rows and the unassigned pool, two predicates because an
    index can serve each of them in order, and not both at once. An activity is visible when its contact or its deal
    is, and to everybody when it is about a company alone; a stage move when its deal is, a verdict when its contact is.
    Companies, pipelines, stages and colleagues' names are shared. Deleted rows are nobody's. The webhook log is for
    admins. An endpoint for webhooks is its owner's, whatever the role, and an admin sees all of them; with it go its
    deliveries, their attempts and the events that were sent. With `erased`, a contact that was erased counts as there:
    for figures, which are all that is left of it.
    """
    c = (table(model) if rows is None else rows).c
    everything = principal.role is not Role.SALES
    if model in (Contact, Deal):
        is_there = c.deleted_at.is_(None)
        if model is Contact and erased:
            is_there = or_(is_there, and_(c.erased_at.is_not(None), c.merged_into_id.is_(None)))
        return _owned(c, principal, is_there)
    if model is WebhookLog:
        return [true() if principal.role is Role.ADMIN else false()]
    if model in _OF_ENDPOINTS:
        return [true() if principal.role is Role.ADMIN else _of_own_endpoint(model, c, principal)]
    if model is DealStageHistory and everything:
        return [~_is_deleted(Deal, c.deal_id)]  # there are few of them: whoever reads all moves looks for these alone
    if everything or model not in (Activity, DealStageHistory, ReplyVerdict):
        return [true()]
    if model is ReplyVerdict:
        return [_reachable(Contact, c.contact_id, principal, erased)]
    of_deal = _reachable(Deal, c.deal_id, principal, erased)
    if model is DealStageHistory:
        return [of_deal]
    of_company = and_(c.contact_id.is_(None), c.deal_id.is_(None))
    return [or_(of_company, of_deal, _reachable(Contact, c.contact_id, principal, erased))]


_OF_ENDPOINTS = (WebhookEndpoint, WebhookDelivery, WebhookAttempt, Event)


def _of_own_endpoint(model: type[SQLModel], c: Any, principal: Principal) -> ColumnElement[bool]:
    endpoints, deliveries = table(WebhookEndpoint).alias(), table(WebhookDelivery).alias()
    if model is WebhookEndpoint:
        return and_(c.owner_id == caller(principal))
    is_own = endpoints.c.owner_id == caller(principal)
    if model is WebhookDelivery:
        return exists(select(1).select_from(endpoints).where(endpoints.c.id == c.endpoint_id, is_own))
    delivered = deliveries.join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
    is_it = deliveries.c.event_id == c.id if model is Event else deliveries.c.id == c.delivery_id
    return exists(select(1).select_from(delivered).where(is_it, is_own))


def visible(
    model: type[SQLModel], principal: Principal, rows: Relation | None = None, *, erased: bool = False
) -> ColumnElement[bool]:
    """The owner rule as one predicate."""
    return or_(*alternatives(model, principal, rows, erased=erased))


def restorable(model: type[SQLModel], principal: Principal) -> ColumnElement[bool]:
    """The owner rule over deleted contacts or deals: those that the principal would see if they were not deleted."""
    c = table(model).c
    return or_(*_owned(c, principal, c.deleted_at.is_not(None)))


def may_hear(principal: Principal, owners: frozenset[uuid.UUID | None]) -> bool:
    """The owner rule for news of a contact or deal: whether the principal sees the row of one of these owners, of whom
    the last one may be its owner no longer; None is the pool.
    """
    return principal.role is not Role.SALES or not owners.isdisjoint((None, principal.owner_id))


def _owned(c: Any, principal: Principal, state: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    if principal.role is not Role.SALES:
        return [state]
    return [and_(c.owner_id == caller(principal), state), and_(c.owner_id.is_(None), state)]


def _reachable(
    parent: type[SQLModel], key: ColumnElement[Any], principal: Principal, erased: bool
) -> ColumnElement[bool]:
    rows = table(parent).alias()
    is_seen = visible(parent, principal, rows, erased=erased)
    return exists(select(1).select_from(rows).where(rows.c.id == key, is_seen))


def _is_deleted(parent: type[SQLModel], key: ColumnElement[Any]) -> ColumnElement[bool]:
    rows = table(parent).alias()
    return exists(select(1).select_from(rows).where(rows.c.id == key, rows.c.deleted_at.is_not(None)))


class Authenticator:
    """Turns Authorization headers into a Principal, or raises Unauthenticated; the same words for every reason."""

    def __init__(
        self, database: Database, key: bytes, *, issuer: str | None = None, audience: str | None = None
    ) -> None:
        self._database, self._key = database, key
        self._issuer, self._audience = issuer, audience
        self._verified: dict[str, tuple[float, str]] = {}
        self._known: dict[str, tuple[float, Principal]] = {}

    async def principal(self, authorization: list[str]) -> Principal:
        """The caller of a request with these Authorization headers; raises Unauthenticated."""
        token = _token(authorization)
        until, subject = self._verified.get(token, (0.0, ""))
        if until < monotonic():
            subject, seconds = self._verify(token.strip())
            _keep(self._verified, token, subject, min(CACHE_SECONDS, seconds))
        until, principal = self._known.get(subject, (0.0, None))
        if principal is None or until < monotonic():
            principal = await self._look_up(subject)
            _keep(self._known, subject, principal, CACHE_SECONDS)
        return principal

    def seconds_left(self, authorization: list[str]) -> float:
        """For how long their token stays valid; raises Unauthenticated."""
        return self._verify(_token(authorization).strip())[1]

    def _verify(self, token: str) -> tuple[str, float]:
        """The subject of a valid token, and for how many seconds the token stays valid."""
        required = ["exp", "sub"] + ["iss"] * bool(self._issuer) + ["aud"] * bool(self._audience)
        try:
            if "crit" in jwt.get_unverified_header(token):  # RFC 7515, 4.1.11: we understand no extension
                raise Unauthenticated
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                leeway=LEEWAY,
                issuer=self._issuer,
                audience=self._audience,
                options={"require": required, "strict_aud": True, "enforce_minimum_key_length": True},
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise Unauthenticated from None
        subject = claims["sub"]
        # PyJWT takes "9999999999" and 1e30 for times; RFC 7519 wants a number, and ours are whole seconds.
        times_are_whole = all(type(claims[name]) is int for name in ("exp", "nbf", "iat") if name in claims)
        if not times_are_whole or not isinstance(subject, str) or not 0 < len(subject) <= 320:
            raise Unauthenticated
        return subject, claims["exp"] + LEEWAY.total_seconds() - utc_now().timestamp()

    async def _look_up(self, subject: str) -> Principal:
        query = select(col(Owner.id), col(Owner.role)).where(_names(subject), col(Owner.active))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise Unauthenticated
        return Principal(owner_id=row.id, role=row.role)


def _token(authorization: list[str]) -> str:
    if len(authorization) != 1:
        raise Unauthenticated
    scheme, _, token = authorization[0].partition(" ")
    if scheme.lower() != "bearer" or not token.isascii() or len(token) > TOKEN_MAX:
        raise Unauthenticated
    return token


def _keep(cache: dict[str, tuple[float, Kept]], key: str, value: Kept, seconds: float) -> None:
    if len(cache) >= CACHE_SIZE:
        cache.clear()
    cache[key] = (monotonic() + seconds, value)


def _names(subject: str) -> ColumnElement[bool]:
    try:
        return col(Owner.id) == uuid.UUID(subject)
    except ValueError:
        pass
    try:
        return col(Owner.email) == normal_email(subject)
    except ValidationFailed:
        raise Unauthenticated from None


def issue_token(
    key: bytes, subject: str, ttl: timedelta, now: datetime, *, issuer: str | None = None, audience: str | None = None
) -> str:
    """A bearer token for an owner (`subject` is the id or e-mail), valid for `ttl` from `now`."""
    claims: dict[str, Any] = {"sub": subject, "iat": int(now.timestamp()), "exp": int((now + ttl).timestamp())}
    claims |= {"iss": issuer} if issuer else {}
    claims |= {"aud": audience} if audience else {}
    return jwt.encode(claims, key, algorithm=ALGORITHM)


def utc_now() -> datetime:
    """The clock that edges read once and pass down."""
    return datetime.now(UTC)
