"""Bearer tokens: whatever is wrong with one, the answer is the same 401 and nothing is written (RFC 8725)."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph import auth
from crm_graph.app import create_app
from crm_graph.auth import Authenticator, issue_token, utc_now
from crm_graph.db import Database
from crm_graph.errors import SetupError, Unauthenticated
from crm_graph.models import Owner, Role
from crm_graph.settings import Settings
from tests.builders import add_owner, bearer
from tests.conftest import JWT_SECRET
from tests.graphql.asking import ask, everything, reason, refusal

ME = "{ me { id role } }"
CREATE = {"query": 'mutation { createDeal(input: {title: "forged"}) { deal { id } } }'}
ADA = "ada@seller.com"
PUBLIC_PEM = b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9
q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==
-----END PUBLIC KEY-----
"""


def encoded(part: object) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(
    claims: dict[str, Any] | None = None,
    header: dict[str, Any] | None = None,
    *,
    without: tuple[str, ...] = (),
    key: bytes = JWT_SECRET.encode(),
) -> str:
    """A token made by hand: a valid one but for what is given."""
    now = int(time.time())
    all_claims = {"sub": ADA, "iat": now, "exp": now + 300} | (claims or {})
    all_claims = {name: value for name, value in all_claims.items() if name not in without}
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT'} | (header or {}))}.{encoded(all_claims)}"
    return f"{signed}.{encoded(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def unsigned(alg: str) -> str:
    """A token that says it needs no signature."""
    head, claims, _ = token(header={"alg": alg}).split(".")
    return f"{head}.{claims}."


def in_s(seconds: int) -> int:
    return int(time.time()) + seconds


def tampered() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{encoded({'sub': 'root@seller.com', 'exp': in_s(300)})}.{signature}"


FORGERIES = {
    "alg none": lambda: unsigned("none"),
    "alg None": lambda: unsigned("None"),
    "alg nOnE": lambda: unsigned("nOnE"),
    "alg missing": lambda: unsigned(""),
    "empty signature": lambda: token().rpartition(".")[0] + ".",
    "no signature": lambda: token().rpartition(".")[0],
    "another key": lambda: token(key=b"some-other-secret-of-more-than-32-bytes"),
    "empty key": lambda: token(key=b""),
    "a public key as secret": lambda: token(key=PUBLIC_PEM),
    "RS256 header": lambda: token(header={"alg": "RS256"}),
    "HS512 header": lambda: token(header={"alg": "HS512"}),
    "tampered claims": tampered,
    "key in the header": lambda: token(header={"jwk": {"kty": "oct", "k": encoded(b"x" * 32)}}, key=b"x" * 32),
    "key by URL": lambda: token(header={"jku": "http://127.0.0.1:9/keys", "x5u": "http://127.0.0.1:9/"}, key=b"x" * 32),
    "kid path": lambda: token(header={"kid": "../../../dev/null"}, key=b""),
    "kid SQL": lambda: token(header={"kid": "' UNION SELECT 'x'--"}, key=b"x"),
    "kid number": lambda: token(header={"kid": 5}),
    "crit unknown": lambda: token(header={"crit": ["urn:example:policy"], "urn:example:policy": "strict"}),
    "crit b64": lambda: token(header={"crit": ["b64"], "b64": False}),
    "expired": lambda: token({"exp": in_s(-60)}),
    "exp missing": lambda: token(without=("exp",)),
    "exp null": lambda: token({"exp": None}),
    "exp text": lambda: token({"exp": "9999999999"}),
    "exp 1e30": lambda: token({"exp": 1e30}),
    "exp true": lambda: token({"exp": True}),
    "exp infinite": lambda: token({"exp": float("inf")}),
    "not yet valid": lambda: token({"nbf": in_s(60)}),
    "nbf text": lambda: token({"nbf": "0"}),
    "issued in the future": lambda: token({"iat": in_s(3_600)}),
    "aud that nobody set": lambda: token({"aud": "another-api"}),
    "sub missing": lambda: token(without=("sub",)),
    "sub empty": lambda: token({"sub": ""}),
    "sub number": lambda: token({"sub": 1}),
    "sub list": lambda: token({"sub": [ADA]}),
    "sub NUL": lambda: token({"sub": f"{ADA}\x00"}),
    "sub half a pair": lambda: token({"sub": "\ud800@seller.com"}),
    "sub unknown id": lambda: token({"sub": str(uuid.uuid4())}),
    "sub unknown e-mail": lambda: token({"sub": "nobody@seller.com"}),
    "sub long": lambda: token({"sub": "a" * 5_000 + "@seller.com"}),
    "sub wildcard": lambda: token({"sub": "%@seller.com"}),
    "claims a list": lambda: f"{encoded({'alg': 'HS256'})}.{encoded([1])}.{encoded(b'x')}",
    "deep header": lambda: f"{encoded(b'[' * 3_000)}.{encoded({})}.x",
    "100 kB": lambda: token({"x": "a" * 100_000}),
    "not a token": lambda: "lorem",
    "nothing": lambda: "",
    "dots": lambda: "..",
    "umlauts": lambda: "ü.ü.ü",
}
each_forgery = pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)


async def attempt(
    client: httpx.AsyncClient, *headers: tuple[str, str | bytes], path: str = "/graphql"
) -> httpx.Response:
    return await client.post(path, json=CREATE, headers=[(name, value) for name, value in headers])  # type: ignore[arg-type]


@each_forgery
async def test_a_forged_token_is_401_and_writes_nothing(
    forge: Any, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await add_owner(sql, ADA)
    before = await everything(sql)
    without = await attempt(client)

    answer = await attempt(client, ("Authorization", b"Bearer " + forge().encode()))

    assert answer.status_code == without.status_code == 401
    assert answer.content == without.content
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["errors"][0]["message"] == "[UNAUTHENTICATED] a valid bearer token is required"
    assert await everything(sql) == before


async def test_the_same_token_unforged_is_accepted(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await add_owner(sql, ADA)

    answer = await attempt(client, ("Authorization", f"Bearer {token()}"))

    assert "errors" not in answer.json()


@pytest.mark.parametrize(
    "value", ["{}", "Token {}", "Basic {}", "Bearer", "Bearer  ", "Bearer {},", "Bearer {} {}", '"Bearer {}"']
)
async def test_only_the_bearer_scheme_is_read(value: str, client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await add_owner(sql, ADA)
    before = await everything(sql)

    answer = await attempt(client, ("Authorization", value.replace("{}", token())))

    assert answer.status_code == 401
    assert await everything(sql) == before


async def test_two_authorization_headers_are_refused(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await add_owner(sql, ADA)
    before = await everything(sql)
    valid = ("Authorization", f"Bearer {token()}")

    answer = await attempt(client, valid, valid)

    assert answer.status_code == 401
    assert await everything(sql) == before


async def test_a_token_in_the_address_is_refused_and_not_logged(
    client: httpx.AsyncClient, sql: AsyncConnection, caplog: pytest.LogCaptureFixture
) -> None:
    await add_owner(sql, ADA)
    before = await everything(sql)
    secret = token()

    with caplog.at_level("DEBUG", "crm_graph"):
        alone = await attempt(client, path=f"/graphql?access_token={secret}")
        beside = await attempt(client, ("Authorization", f"Bearer {secret}"), path=f"/graphql?access_token={secret}")

    for answer in (alone, beside):
        assert answer.status_code == 401
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert secret not in answer.text
    assert secret not in "".join(str(vars(record)) for record in caplog.records if record.name.startswith("crm_graph"))
    assert await everything(sql) == before


async def test_sub_is_the_owners_id_or_address_in_any_spelling(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    ada = await add_owner(sql, ADA)

    for subject in (ada, str(ada).upper(), ADA, "Ada@SELLER.com", "  ada@seller.com ", "ada@seller.com."):
        assert await ask(client, subject, ME) == {"me": {"id": str(ada), "role": "SALES"}}


async def test_the_role_is_the_databases_whatever_the_token_says(
    client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await add_owner(sql, ADA)
    claiming = token({"role": "admin", "scopes": ["*"], "owner_id": str(uuid.uuid4())})

    answer = await client.post(
        "/graphql", json={"query": "{ webhooksLog { totalCount } }"}, headers={"Authorization": f"Bearer {claiming}"}
    )

    assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_deactivated_owner_is_refused_once_the_cache_is_old(
    client: httpx.AsyncClient, sql: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert auth.CACHE_SECONDS <= 5
    monkeypatch.setattr(auth, "CACHE_SECONDS", 0.1)
    ada = await add_owner(sql, ADA)
    await ask(client, ADA, ME)

    await sql.execute(update(Owner).where(Owner.id == ada).values(active=False))  # type: ignore[arg-type]
    await asyncio.sleep(0.11)

    assert (await attempt(client, *bearer(ADA).items())).status_code == 401
    assert (await attempt(client, *bearer(ada).items())).status_code == 401


async def test_a_new_role_holds_once_the_cache_is_old(
    client: httpx.AsyncClient, sql: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "CACHE_SECONDS", 0.1)
    ada = await add_owner(sql, ADA, role=Role.ADMIN)
    await ask(client, ADA, "{ webhooksLog { totalCount } }")

    await sql.execute(update(Owner).where(Owner.id == ada).values(role=Role.READONLY))  # type: ignore[arg-type]
    await asyncio.sleep(0.11)

    error = await refusal(client, ADA, CREATE["query"])
    assert reason(error)[0] == "FORBIDDEN"


async def test_the_cache_of_known_owners_stays_small(
    database: Database, clean: None, sql: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "CACHE_SIZE", 2)
    authenticator = Authenticator(database, JWT_SECRET.encode())
    for name in "abcde":
        await add_owner(sql, f"{name}@seller.com")
        await authenticator.principal([bearer(f"{name}@seller.com")["Authorization"]])

    assert len(authenticator._known) <= 2


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://issuer"},
        {"aud": "crm"},
        {"iss": "https://issuer", "aud": "other"},
        {"iss": "https://issuer", "aud": ["crm"]},
        {"iss": "https://issuer", "aud": ["crm", "other"]},
        {"iss": "https://issuer", "aud": ""},
        {"iss": "https://other", "aud": "crm"},
        {"iss": ["https://issuer"], "aud": "crm"},
        {"iss": "https://issuer/", "aud": "crm"},
        {"iss": None, "aud": None},
    ],
    ids=str,
)
async def test_issuer_and_audience_must_be_the_configured_ones(
    claims: dict[str, Any], database: Database, clean: None, sql: AsyncConnection
) -> None:
    await add_owner(sql, ADA)
    strict = Authenticator(database, JWT_SECRET.encode(), issuer="https://issuer", audience="crm")

    with pytest.raises(Unauthenticated):
        await strict.principal([f"Bearer {token(claims)}"])

    right = issue_token(
        JWT_SECRET.encode(), ADA, timedelta(minutes=1), utc_now(), issuer="https://issuer", audience="crm"
    )
    assert (await strict.principal([f"Bearer {right}"])).role is Role.SALES


async def test_a_clock_half_a_minute_off_is_forgiven(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await add_owner(sql, ADA)
    early = token({"nbf": in_s(20), "iat": in_s(20), "exp": in_s(300)})
    late = token({"exp": in_s(-20)})

    for accepted in (early, late):
        assert (await attempt(client, ("Authorization", f"Bearer {accepted}"))).status_code == 200


@pytest.mark.parametrize("secret", [None, "", "short", "x" * 31], ids=["missing", "empty", "short", "31 bytes"])
async def test_without_a_safe_secret_the_application_does_not_start(
    secret: str | None, settings: Settings, database: Database
) -> None:
    unsafe = settings.model_copy(update={"jwt_secret": secret if secret is None else SecretStr(secret)})

    with pytest.raises(SetupError, match=r"^JWT_SECRET is [^\n]+ at least 32 bytes[^\n]+$"):
        create_app(unsafe, database)


async def test_a_secret_of_32_bytes_is_enough(settings: Settings, database: Database) -> None:
    safe = settings.model_copy(update={"jwt_secret": SecretStr("x" * 32)})

    assert isinstance(create_app(safe, database), FastAPI)
