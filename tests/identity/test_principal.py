"""The principal of a valid token: owner and role come from the database, not from the token."""

import asyncio
import uuid

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.errors import SetupError
from crm_graph.identity import authenticator as auth
from crm_graph.identity.authenticator import Authenticator
from crm_graph.identity.tokens import Tokens
from crm_graph.models import Owner, Role, table
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from tests.support.api import ask, bearer, reason, refusal, send
from tests.support.credentials import JWT_SECRET
from tests.support.factories import add_owner
from tests.support.tokens import ADA, token

ME = "{ me { id role } }"
CREATE = 'mutation { createDeal(input: {title: "forged"}) { deal { id } } }'


async def test_sub_is_the_owners_id_or_address_in_any_spelling(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    ada = await add_owner(sql, ADA)

    for subject in (ada, str(ada).upper(), ADA, "Ada@SELLER.com", "  ada@seller.com ", "ada@seller.com."):
        assert await ask(client, subject, ME) == {"me": {"id": str(ada), "role": "SALES"}}


async def test_the_role_comes_from_the_database_not_from_the_token(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await add_owner(sql, ADA)
    claiming = token({"role": "admin", "scopes": ["*"], "owner_id": str(uuid.uuid4())})

    answer = await client.post(
        "/graphql", json={"query": "{ webhooksLog { totalCount } }"}, headers={"Authorization": f"Bearer {claiming}"}
    )

    assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.usefixtures("short_cache")
async def test_a_deactivated_owner_is_refused_once_the_cache_is_old(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    ada = await add_owner(sql, ADA)
    await ask(client, ADA, ME)

    await sql.execute(update(Owner).where(table(Owner).c.id == ada).values(active=False))
    await asyncio.sleep(0.11)

    assert (await send(client, ADA, ME)).status_code == 401
    assert (await send(client, ada, ME)).status_code == 401


@pytest.mark.usefixtures("short_cache")
async def test_a_new_role_holds_once_the_cache_is_old(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    ada = await add_owner(sql, ADA, role=Role.ADMIN)
    await ask(client, ADA, "{ webhooksLog { totalCount } }")

    await sql.execute(update(Owner).where(table(Owner).c.id == ada).values(role=Role.READONLY))
    await asyncio.sleep(0.11)

    error = await refusal(client, ADA, CREATE)
    assert reason(error)[0] == "FORBIDDEN"


async def test_a_token_is_verified_once_while_the_cache_is_new(
    database: Database, sql: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_owner(sql, ADA)
    verified, authenticator = 0, Authenticator(database, Tokens(JWT_SECRET.encode()))
    verify = Tokens.verify

    def counted(tokens: Tokens, one: str) -> object:
        nonlocal verified
        verified += 1
        return verify(tokens, one)

    monkeypatch.setattr(Tokens, "verify", counted)
    header = [f"Bearer {token()}"]
    for _ in range(3):
        await authenticator.principal(header)
    assert verified == 1


async def test_the_cache_of_known_owners_stays_small(
    database: Database, clean: None, sql: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "CACHE_SIZE", 2)
    authenticator = Authenticator(database, Tokens(JWT_SECRET.encode()))
    for name in "abcde":
        await add_owner(sql, f"{name}@seller.com")
        await authenticator.principal([bearer(f"{name}@seller.com")["Authorization"]])

    assert len(authenticator._principals) <= 2
    assert len(authenticator._claims) <= 2


@pytest.mark.parametrize("secret", [None, "", "short", "x" * 31], ids=["missing", "empty", "short", "31 bytes"])
async def test_without_a_safe_secret_the_application_does_not_start(
    secret: str | None, settings: Settings, database: Database
) -> None:
    unsafe = settings.model_copy(update={"jwt_secret": secret if secret is None else SecretStr(secret)})

    with pytest.raises(SetupError, match=r"^JWT_SECRET is [^\n]+ at least 32 bytes[^\n]+$"):
        create_app(unsafe, database)


async def test_a_secret_of_32_bytes_is_enough(settings: Settings, database: Database) -> None:
    safe = settings.model_copy(update={"jwt_secret": SecretStr("k7Jq2mP9xT4vW8bN1cR5dF6gH3sL0zYa")})

    assert isinstance(create_app(safe, database), FastAPI)
