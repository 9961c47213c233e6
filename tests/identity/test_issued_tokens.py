"""Tokens with an id: each can be revoked, and so can all that were issued before a time."""

import asyncio
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.errors import NotFound, Unauthenticated, ValidationFailed
from crm_graph.identity import issued_tokens
from crm_graph.identity.authenticator import Authenticator
from crm_graph.identity.tokens import Tokens
from crm_graph.models import AccessToken, Role
from crm_graph.values import utc_now
from tests.support.credentials import JWT_SECRET
from tests.support.database import recorded, rows, unchanged
from tests.support.factories import add_owner
from tests.support.tokens import ADA, token

TOKENS = Tokens(JWT_SECRET.encode())
HOUR = timedelta(hours=1)
BOB = "bob@seller.com"
REVOKED = "the token was revoked; get a new one"

Issue = Callable[..., Any]


@pytest.fixture
def issue(database: Database, clean: None) -> Issue:
    """Issues a token for an owner's id."""

    async def issue(owner: uuid.UUID, ttl: timedelta = HOUR, **more: Any) -> str:
        async with database.transaction() as transaction:
            now = more.pop("now", utc_now())
            return await issued_tokens.issue(transaction, more.pop("tokens", TOKENS), owner, ttl, now, **more)

    return issue


async def revoke(database: Database, token_id: uuid.UUID, now: datetime | None = None) -> None:
    async with database.transaction() as transaction:
        await issued_tokens.revoke(transaction, token_id, now or utc_now())


async def who(authenticator: Authenticator, bearer: str) -> str:
    """The role of a token's owner, or why it is refused."""
    try:
        return (await authenticator.principal([f"Bearer {bearer}"])).role
    except Unauthenticated as error:
        return error.message


async def test_a_revoked_token_is_refused_and_the_owners_others_are_not(
    client: httpx.AsyncClient, database: Database, sql: AsyncConnection, issue: Issue, short_cache: None
) -> None:
    ada = await add_owner(sql, ADA)
    first, second = await issue(ada), await issue(ada, description="n8n")

    async def me(bearer: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {bearer}"}
        return await client.post("/graphql", json={"query": "{ me { id } }"}, headers=headers)

    [row] = [row for row in await rows(sql, AccessToken) if row.description is None]

    before = await me(first)
    await revoke(database, row.id)
    await asyncio.sleep(0.11)
    after = await me(first)
    other = await me(second)

    assert (before.status_code, after.status_code, other.status_code) == (200, 401, 200)
    assert after.json()["errors"][0]["message"] == f"[UNAUTHENTICATED] {REVOKED}"


async def test_only_the_id_of_a_token_is_stored(sql: AsyncConnection, issue: Issue) -> None:
    ada, now = await add_owner(sql, ADA), datetime(2026, 1, 5, 9, tzinfo=UTC)

    bearer = await issue(ada, description="  the\tnightly\x00 export ", now=now)

    [row] = await rows(sql, AccessToken)
    assert (row.owner_id, row.description, row.revoked_at) == (ada, "the nightly export", None)
    assert (row.issued_at, row.expires_at) == (now, now + HOUR)
    assert bearer.split(".")[2] not in str(row)


async def test_a_token_costs_one_statement_while_the_cache_is_young(
    database: Database, sql: AsyncConnection, issue: Issue
) -> None:
    ada = await add_owner(sql, ADA)
    authenticator, bearer = Authenticator(database, TOKENS), await issue(ada)

    with recorded() as statements:
        for _ in range(3):
            await who(authenticator, bearer)

    assert len(statements) == 1


async def test_the_cache_never_lends_one_token_the_answer_of_another(
    database: Database, sql: AsyncConnection, issue: Issue
) -> None:
    ada, authenticator = await add_owner(sql, ADA), Authenticator(database, TOKENS)
    revoked, valid = await issue(ada), await issue(ada)
    ids = {row.issued_at: row.id for row in await rows(sql, AccessToken)}

    await revoke(database, ids[min(ids)])

    assert [await who(authenticator, one) for one in (valid, revoked, valid)] == [Role.SALES, REVOKED, Role.SALES]


async def test_a_token_that_was_not_issued_here_is_valid_until_it_expires(
    database: Database, clean: None, sql: AsyncConnection
) -> None:
    await add_owner(sql, ADA)
    authenticator = Authenticator(database, TOKENS)
    elsewhere: list[dict[str, Any]] = [{}, {"jti": str(uuid.uuid4())}, {"jti": "n8n-1"}, {"jti": ""}]

    for claims in elsewhere:
        assert await who(authenticator, token(claims)) == Role.SALES, claims
    for jti in (5, None, ["x"], {"id": "x"}):
        assert await who(authenticator, token({"jti": jti})) == Unauthenticated.__doc__, jti


async def test_revoking_all_tokens_of_an_owner_leaves_a_colleagues(
    database: Database, sql: AsyncConnection, issue: Issue
) -> None:
    ada, bob = await add_owner(sql, ADA), await add_owner(sql, BOB)
    of_ada, of_bob = [await issue(ada) for _ in range(2)], await issue(bob)
    await issue(ada, now=utc_now() - 2 * HOUR)
    authenticator = Authenticator(database, TOKENS)

    async with database.transaction() as transaction:
        assert await issued_tokens.revoke_all(transaction, ada, utc_now()) == 2, "the expired one needs no revocation"
        assert await issued_tokens.revoke_all(transaction, ada, utc_now()) == 0

    assert [await who(authenticator, one) for one in (*of_ada, of_bob)] == [REVOKED, REVOKED, Role.SALES]


async def test_revoking_twice_keeps_the_first_time(database: Database, sql: AsyncConnection, issue: Issue) -> None:
    await issue(await add_owner(sql, ADA))
    [row] = await rows(sql, AccessToken)
    first = utc_now()

    await revoke(database, row.id, first)
    await revoke(database, row.id, first + HOUR)

    [row] = await rows(sql, AccessToken)
    assert row.revoked_at == first


async def test_an_unknown_id_is_not_found(database: Database, sql: AsyncConnection, issue: Issue) -> None:
    await issue(await add_owner(sql, ADA))
    unknown = uuid.uuid4()

    async with unchanged(sql):
        with pytest.raises(NotFound, match=f"no token {unknown} was issued here"):
            await revoke(database, unknown)


async def test_the_list_has_what_has_not_expired_newest_first(
    database: Database, sql: AsyncConnection, issue: Issue
) -> None:
    ada, bob, now = await add_owner(sql, ADA), await add_owner(sql, BOB), utc_now()
    await issue(ada, description="expired", now=now - 2 * HOUR)
    await issue(ada, description="old", now=now - HOUR / 2)
    await issue(bob, description="new", now=now)

    async with database.transaction() as transaction:
        listed = await issued_tokens.list_unexpired(transaction, now)
        of_ada = await issued_tokens.list_unexpired(transaction, now, owner_id=ada)

    assert [(one.email, one.description) for one in listed] == [(BOB, "new"), (ADA, "old")]
    assert [one.description for one in of_ada] == ["old"]


async def test_tokens_that_expired_long_ago_are_forgotten_when_one_is_issued(
    sql: AsyncConnection, issue: Issue
) -> None:
    ada, now = await add_owner(sql, ADA), utc_now()
    await issue(ada, description="long ago", now=now - 32 * 24 * HOUR)
    await issue(ada, description="last week", now=now - 7 * 24 * HOUR)

    await issue(ada, description="today")

    assert {row.description for row in await rows(sql, AccessToken)} == {"last week", "today"}


async def test_a_token_is_valid_for_at_most_400_days(sql: AsyncConnection, issue: Issue) -> None:
    ada = await add_owner(sql, ADA)
    await issue(ada, timedelta(days=400))

    async with unchanged(sql):
        with pytest.raises(ValidationFailed, match="at most 400 days"):
            await issue(ada, timedelta(days=400, seconds=1))


async def test_tokens_from_before_jwt_not_before_are_refused(
    database: Database, clean: None, sql: AsyncConnection
) -> None:
    await add_owner(sql, ADA)
    now = int(time.time())
    limit = datetime.fromtimestamp(now - 60, UTC)
    strict = Authenticator(database, Tokens(JWT_SECRET.encode(), not_before=limit))

    assert await who(strict, token({"iat": now - 60})) == Role.SALES
    assert await who(strict, token({"iat": now - 61, "jti": str(uuid.uuid4())})) == REVOKED
    for claims in ({"iat": -(10**400)}, {"iat": 0}, {"iat": -1}):
        assert await who(strict, token(claims)) == REVOKED, claims
    for iat in (1.5, "0", None, True):
        assert await who(strict, token({"iat": iat})) == Unauthenticated.__doc__, iat
    assert await who(strict, token(without=("iat",))) == Unauthenticated.__doc__
    assert await who(Authenticator(database, TOKENS), token(without=("iat",))) == Role.SALES


async def test_no_token_is_issued_that_jwt_not_before_would_refuse(sql: AsyncConnection, issue: Issue) -> None:
    ada, soon = await add_owner(sql, ADA), utc_now() + HOUR / 2

    async with unchanged(sql):
        with pytest.raises(ValidationFailed, match="JWT_NOT_BEFORE is in the future"):
            await issue(ada, tokens=Tokens(JWT_SECRET.encode(), not_before=soon))
