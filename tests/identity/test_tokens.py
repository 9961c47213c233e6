"""Bearer tokens: every invalid one gets the same 401, and nothing is written (RFC 8725)."""

import hashlib
import string
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.errors import Unauthenticated
from crm_graph.identity.authenticator import Authenticator
from crm_graph.identity.tokens import EXP_MAX, Tokens, read_bearer
from crm_graph.models import Role
from crm_graph.values import utc_now
from tests.support.credentials import JWT_SECRET
from tests.support.database import unchanged
from tests.support.factories import add_owner
from tests.support.tokens import ADA, encoded, token

LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"  # base64url, RFC 4648
ME = "{ me { id role } }"
CREATE = {"query": 'mutation { createDeal(input: {title: "forged"}) { deal { id } } }'}
PUBLIC_PEM = b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9
q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==
-----END PUBLIC KEY-----
"""


def unsigned(alg: str) -> str:
    """A token that declares that it is unsigned."""
    head, claims, _ = token(header={"alg": alg}).split(".")
    return f"{head}.{claims}."


def in_s(seconds: int) -> int:
    return int(time.time()) + seconds


def tampered() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{encoded({'sub': 'root@seller.com', 'exp': in_s(300)})}.{signature}"


def respelled(bearer: str) -> str:
    """The same token with one of the two unused bits in the last character of its signature set."""
    return bearer[:-1] + LETTERS[LETTERS.index(bearer[-1]) | 1]


def standard_base64() -> str:
    """A token whose signature is written with + and / instead of - and _."""
    signatures = (token({"n": n}) for n in range(1_000))
    found = next(one for one in signatures if "-" in one.rpartition(".")[2] and one.rpartition(".")[2][-1] not in "-_")
    signed, _, signature = found.rpartition(".")
    return f"{signed}.{signature.replace('-', '+').replace('_', '/')}"


FORGERIES: dict[str, Callable[[], str]] = {
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
    "crit that the library knows": lambda: token(header={"crit": ["b64"], "b64": True}),
    "crit b64": lambda: token(header={"crit": ["b64"], "b64": False}),
    "expired under another key": lambda: token({"exp": in_s(-60)}, key=b"x" * 32),
    "exp missing": lambda: token(without=("exp",)),
    "exp null": lambda: token({"exp": None}),
    "exp text": lambda: token({"exp": "9999999999"}),
    "exp 1e30": lambda: token({"exp": 1e30}),
    "exp of 400 digits": lambda: token({"exp": int("9" * 400)}),
    "exp infinite": lambda: token({"exp": float("inf")}),
    "exp no number": lambda: token({"exp": float("nan")}),
    "exp fraction": lambda: token({"exp": in_s(300) + 0.5}),
    "exp half a second": lambda: token({"exp": in_s(300) + 0.5}),
    "exp after the year 9999": lambda: token({"exp": EXP_MAX + 1}),
    "exp list": lambda: token({"exp": [in_s(300)]}),
    "not yet valid": lambda: token({"nbf": in_s(60)}),
    "nbf text": lambda: token({"nbf": "0"}),
    "nbf null": lambda: token({"nbf": None}),
    "nbf infinite": lambda: token({"nbf": float("inf")}),
    "nbf no number": lambda: token({"nbf": float("nan")}),
    "nbf of 400 digits": lambda: token({"nbf": 10**400}),
    "nbf after the year 9999": lambda: token({"nbf": EXP_MAX + 1}),
    "nbf fraction": lambda: token({"nbf": in_s(-60) + 0.5}),
    "issued in the future": lambda: token({"iat": in_s(3_600)}),
    "iat of 400 digits": lambda: token({"iat": 10**400}),
    "iat infinite": lambda: token({"iat": float("inf")}),
    "iat no number": lambda: token({"iat": float("nan")}),
    "iat text": lambda: token({"iat": "0"}),
    "unused bits of the signature": lambda: respelled(token()),
    "padded signature": lambda: token() + "=",
    "signature with a space": lambda: token()[:-5] + " " + token()[-5:],
    "signature with a dollar": lambda: token() + "$",
    "signature with standard base64": standard_base64,
    "a fourth part": lambda: token() + "." + token().rpartition(".")[2],
    "aud without JWT_AUDIENCE": lambda: token({"aud": "another-api"}),
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


async def attempt(
    client: httpx.AsyncClient, *headers: tuple[str, str | bytes], path: str = "/graphql"
) -> httpx.Response:
    return await client.post(path, json=CREATE, headers=[(name, value) for name, value in headers])  # type: ignore[arg-type]


async def test_a_forged_token_is_401_and_writes_nothing(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await add_owner(sql, ADA)
    async with unchanged(sql):
        without = await attempt(client)
        answers = {
            name: await attempt(client, ("Authorization", b"Bearer " + forge().encode()))
            for name, forge in FORGERIES.items()
        }

    assert without.status_code == 401
    assert without.headers["www-authenticate"] == "Bearer"
    assert without.json()["errors"][0]["message"] == "[UNAUTHENTICATED] a valid bearer token is required"
    for name, answer in answers.items():
        assert (answer.status_code, answer.content) == (401, without.content), name


@pytest.mark.parametrize("exp", [in_s(-60), 0, -1, -(10**400), True], ids=["a minute ago", "0", "-1", "huge", "true"])
async def test_the_holder_of_an_expired_token_learns_that_it_has_expired(
    exp: object, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    await add_owner(sql, ADA)

    async with unchanged(sql):
        answer = await attempt(client, ("Authorization", f"Bearer {token({'exp': exp})}"))

    assert answer.status_code == 401
    assert answer.json()["errors"][0]["message"] == "[UNAUTHENTICATED] the token has expired; get a new one"


async def test_the_same_token_unforged_is_accepted(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await add_owner(sql, ADA)

    answer = await attempt(client, ("Authorization", f"Bearer {token()}"))

    assert "errors" not in answer.json()


async def test_a_longer_key_does_not_open_other_algorithms(
    database: Database, clean: None, sql: AsyncConnection
) -> None:
    await add_owner(sql, ADA)
    key = b"k" * 64
    authenticator = Authenticator(database, Tokens(key))

    for alg, digest in (("HS384", hashlib.sha384), ("HS512", hashlib.sha512)):
        with pytest.raises(Unauthenticated):
            await authenticator.principal([f"Bearer {token(header={'alg': alg}, key=key, digest=digest)}"])
    assert (await authenticator.principal([f"Bearer {token(key=key)}"])).role is Role.SALES


async def test_only_one_header_of_the_bearer_scheme_is_read(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await add_owner(sql, ADA)
    valid = f"Bearer {token()}"
    others = [scheme.replace("{}", token()) for scheme in ("{}", "Token {}", "Basic {}", "Bearer {},", '"Bearer {}"')]

    async with unchanged(sql):
        for values in ([valid, valid], [valid, "Bearer x"], *([other] for other in [*others, "Bearer", f"{valid} x"])):
            answer = await attempt(client, *(("Authorization", value) for value in values))
            assert answer.status_code == 401, values


@pytest.mark.parametrize(
    "value", ["{}\n", "{}\r\n", "{} ", "{}\t", "{}\x0b", "{}\xa0", " {}", "{}\x00", "{}=", "{}\n{}"]
)
def test_no_character_may_surround_the_token(value: str) -> None:
    """What an HTTP parser lets through, and what a WebSocket's connection_init may contain."""
    valid = token()
    assert read_bearer([f"bEARER  {valid}"]) == valid
    with pytest.raises(Unauthenticated):
        read_bearer([value.replace("{}", f"Bearer {valid}")])


async def test_a_token_in_the_url_is_refused_and_not_logged(
    client: httpx.AsyncClient, sql: AsyncConnection, caplog: pytest.LogCaptureFixture
) -> None:
    await add_owner(sql, ADA)
    secret = token()

    async with unchanged(sql):
        caplog.set_level("DEBUG", "crm_graph")
        alone = await attempt(client, path=f"/graphql?access_token={secret}")
        beside = await attempt(client, ("Authorization", f"Bearer {secret}"), path=f"/graphql?access_token={secret}")

    for answer in (alone, beside):
        assert answer.status_code == 401
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert secret not in answer.text
    assert secret not in "".join(str(vars(record)) for record in caplog.records if record.name.startswith("crm_graph"))


async def test_issuer_and_audience_must_be_the_configured_ones(
    database: Database, clean: None, sql: AsyncConnection
) -> None:
    await add_owner(sql, ADA)
    tokens = Tokens(JWT_SECRET.encode(), issuer="https://issuer", audience="crm")
    strict = Authenticator(database, tokens)
    wrong: list[dict[str, Any]] = [
        {"iss": "https://issuer"}, {"aud": "crm"}, {"iss": None, "aud": None}, {"iss": "https://other", "aud": "crm"},
        {"iss": ["https://issuer"], "aud": "crm"}, {"iss": "https://issuer/", "aud": "crm"},
        *({"iss": "https://issuer", "aud": aud} for aud in ("other", "", ["crm"], ["crm", "other"], {"crm": 1})),
    ]  # fmt: skip

    for claims in wrong:
        with pytest.raises(Unauthenticated):
            await strict.principal([f"Bearer {token(claims)}"])

    right = tokens.issue(ADA, timedelta(minutes=1), utc_now())
    assert (await strict.principal([f"Bearer {right}"])).role is Role.SALES


async def test_a_clock_half_a_minute_off_is_tolerated(client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    await add_owner(sql, ADA)
    early = token({"nbf": in_s(20), "iat": in_s(20), "exp": in_s(300)})
    late = token({"exp": in_s(-20)})

    for accepted in (early, late):
        assert (await attempt(client, ("Authorization", f"Bearer {accepted}"))).status_code == 200
