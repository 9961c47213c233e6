"""`crm-graph token`: issuing, listing and revoking."""

import base64
import json
import uuid
from typing import Any

import pytest

from tests.support.commands import Commands

pytestmark = pytest.mark.slow

SECRET = "a-secret-for-the-tests-of-commands"
NO_ID = "tokens without an id (issued before ids, or made elsewhere) are not in this list; JWT_NOT_BEFORE refuses them"


@pytest.fixture
def team(team: dict[str, str]) -> dict[str, str]:
    return team | {"JWT_SECRET": SECRET}


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return found


def test_token_prints_a_token_and_nothing_else(crm: Commands, team: dict[str, str], rows: Any) -> None:
    environment = team | {"JWT_ISSUER": "crm", "JWT_AUDIENCE": "board"}
    (line,) = crm("token", "--owner", "MAX@seller.com", "--ttl", "30m", **environment).lines()
    claims = claims_of(line)
    assert rows(f"SELECT name FROM owners WHERE id = '{claims['sub']}'") == [("Max",)]
    assert (claims["exp"] - claims["iat"], claims["iss"], claims["aud"]) == (1800, "crm", "board")


@pytest.mark.parametrize(
    ("arguments", "secret", "problem"),
    [
        ("--owner ada@seller.com", "", "JWT_SECRET is not set"),
        ("--owner ada@seller.com", "short", "JWT_SECRET is too short"),
        ("--owner ada@seller.com --ttl 1", SECRET, "--ttl '1' is not a duration"),
        ("--owner ada@seller.com --ttl 0h", SECRET, "--ttl '0h' is not a duration"),
        ("--owner ada@seller.com --ttl 999999999d", SECRET, "--ttl"),
        ("--owner ada@seller.com --ttl 401d", SECRET, "a token is valid for at most 400 days"),
        ("--owner ada@seller.com list", SECRET, "write the options after the command: crm-graph token list"),
        ("revoke", SECRET, "give either one ID, or --owner"),
        ("revoke 0b0e7a3c-58f1-4c50-8d5b-000000000000", SECRET, "no token 0b0e7a3c-58f1-4c50-8d5b-000000000000 was"),
        ("revoke 0b0e7a3c-58f1-4c50-8d5b-000000000000 --owner ada@seller.com", SECRET, "give either one ID, or"),
        ("revoke --owner nobody@seller.com", SECRET, "there is no owner nobody@seller.com"),
        ("--owner nobody@seller.com", SECRET, "there is no owner nobody@seller.com"),
    ],
)
def test_no_token(crm: Commands, team: dict[str, str], arguments: str, secret: str, problem: str) -> None:
    assert problem in crm("token", *arguments.split(), **team | {"JWT_SECRET": secret}).problem()


def test_no_token_for_an_inactive_owner(crm: Commands, team: dict[str, str]) -> None:
    crm("owner", "update", "--email", "max@seller.com", "--inactive", **team).lines()
    line = crm("token", "--owner", "max@seller.com", **team).problem()
    assert line.endswith("are refused: crm-graph owner update --email max@seller.com --active")


def test_no_token_of_nobody(crm: Commands, team: dict[str, str]) -> None:
    assert "--owner" in crm("token", **team).problem(code=2)


def test_a_token_is_listed_until_it_expires_and_can_be_revoked(crm: Commands, team: dict[str, str], rows: Any) -> None:
    nothing = crm("token", "list", **team)
    (n8n,) = crm("token", "--owner", "ada@seller.com", "--ttl", "400d", "--description", "n8n", **team).lines()
    (own,) = crm("token", "--owner", "max@seller.com", **team).lines()
    ids = [str(uuid.UUID(claims_of(token)["jti"])) for token in (n8n, own)]

    assert (nothing.out, nothing.remarks()) == ("", ["none", NO_ID])
    listed = crm("token", "list", **team)
    assert [line.split("\t")[:2] for line in listed.out.splitlines()] == [
        [ids[1], "max@seller.com"], [ids[0], "ada@seller.com"],
    ]  # fmt: skip
    assert listed.remarks() == [NO_ID]

    assert crm("token", "revoke", ids[0], **team).lines() == []
    (line,) = crm("token", "list", "--owner", "ada@seller.com", **team).out.splitlines()
    assert line.split("\t")[4].startswith("revoked 20")
    assert line.split("\t")[5] == "n8n"

    revoked = crm("token", "revoke", "--owner", "max@seller.com", **team)
    assert revoked.out == "revoked: 1\n"
    assert revoked.remarks() == ["tokens without an id stay valid until they expire; JWT_NOT_BEFORE refuses them"]
    assert rows("SELECT count(*) FROM access_tokens WHERE revoked_at IS NULL") == [(0,)]
