"""Signed webhooks of the providers, from their fixtures."""

import hashlib
import hmac
import json
from typing import Any

import httpx

from tests.support.credentials import CALCOM_SECRET, INSTANTLY_SECRET, INSTANTLY_TOKEN
from tests.support.paths import PROJECT

FIXTURES = PROJECT / "webhooks"


def fixture(provider: str, name: str) -> bytes:
    """A provider's payload, byte for byte."""
    return (FIXTURES / provider / "fixtures" / f"{name}.json").read_bytes()


def signature(secret: str, body: bytes) -> str:
    """Hex HMAC-SHA256, as a provider computes it (on purpose not by crm_graph.web.signatures)."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed(provider: str, body: bytes) -> dict[str, str]:
    """The headers with which that provider itself authenticates."""
    if provider == "calcom":
        return {"X-Cal-Signature-256": signature(CALCOM_SECRET, body)}
    return {"Authorization": f"Bearer {INSTANTLY_TOKEN}"}


def relayed(provider: str, body: bytes) -> dict[str, str]:
    """The header with which an n8n relay or a first-party caller signs."""
    secret = CALCOM_SECRET if provider == "calcom" else INSTANTLY_SECRET
    return {"X-Signature": f"sha256={signature(secret, body)}"}


ENDPOINTS = {"instantly": "/crm/webhooks/instantly/reply", "calcom": "/crm/webhooks/calcom/booking"}


async def post(
    client: httpx.AsyncClient, provider: str, body: bytes | dict[str, Any], **headers: str
) -> httpx.Response:
    """Post an event as its provider would; further headers win."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post(ENDPOINTS[provider], content=raw, headers=signed(provider, raw) | headers)
