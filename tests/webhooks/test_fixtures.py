"""Every sample payload, posted as its provider does, stores what its .expected.json says."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support import stored
from tests.support.webhooks import ENDPOINTS, FIXTURES, post, relayed, signed
from webhooks.registry import PROVIDERS

PAYLOADS = sorted(
    path for name in PROVIDERS for path in (FIXTURES / name / "fixtures").glob("*.json") if ".expected" not in path.name
)
each_payload = pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")


def provider_of(path: Path) -> str:
    """The provider that a fixture belongs to."""
    return path.parts[-3]


def read(path: Path) -> bytes:
    """The bytes of a fixture or of its expectation."""
    return path.read_bytes()


def assert_contains(actual: Any, expected: Any, where: str = "") -> None:
    """Objects may have more keys than expected; lists must have the same length."""
    if isinstance(expected, dict):
        assert isinstance(actual, dict), where
        for key, value in expected.items():
            assert key in actual, f"{where}.{key} is missing"
            assert_contains(actual[key], value, f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(actual) == len(expected), f"{where}: {actual}"
        for i, (one, other) in enumerate(zip(actual, expected, strict=True)):
            assert_contains(one, other, f"{where}[{i}]")
    else:
        assert actual == expected, where


@each_payload
async def test_stores_what_is_expected_and_only_once(
    path: Path, client: httpx.AsyncClient, sql: AsyncConnection
) -> None:
    body, expected = read(path), json.loads(read(path.with_name(f"{path.stem}.expected.json")))

    answer = await post(client, provider_of(path), body)

    assert answer.status_code == 200
    assert_contains(answer.json(), expected["answer"], "answer")
    after = await stored.everything(sql)
    [webhook] = after["webhooks"]
    assert_contains(webhook, expected["webhook"], "webhook")
    for kind in ("contacts", "activities", "deals"):
        assert_contains(after[kind], expected[kind], kind)

    again = await post(client, provider_of(path), body)

    assert again.json()["status"] == "duplicate"
    assert again.status_code == (409 if webhook["idempotency_key"] else 200)
    assert await stored.everything(sql) == after


@each_payload
async def test_a_tampered_body_stores_nothing(path: Path, client: httpx.AsyncClient, sql: AsyncConnection) -> None:
    body = read(path)
    tampered = body.replace(b"a", b"b", 1)
    endpoint = ENDPOINTS[provider_of(path)]

    # Instantly signs nothing: its bearer says who sent the body, and only a relay's signature what it was.
    headers = relayed(provider_of(path), body) if provider_of(path) == "instantly" else signed("calcom", body)
    answer = await client.post(endpoint, content=tampered, headers=headers)

    assert answer.status_code == 401
    assert answer.json()["error"] == "signature_invalid"
    assert await stored.counts(sql) == (0, 0, 0, 0)


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_declared_event_has_a_fixture(name: str) -> None:
    provider = PROVIDERS[name]
    bodies = [path.read_bytes() for path in PAYLOADS if provider_of(path) == name]
    covered = {provider.identify(json.loads(body), body).type for body in bodies}

    assert set(provider.translators) <= covered
