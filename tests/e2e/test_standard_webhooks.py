"""The reference library of Standard Webhooks, in both directions: it signs and we verify, we sign and it verifies."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from crm_graph.database.engine import Database
from crm_graph.server.app import create_app
from crm_graph.settings import Settings
from crm_graph.values import utc_now
from crm_graph.web.signatures import delivery_headers, new_webhook_secret
from tests.support.webhooks import ENDPOINTS, fixture

library = pytest.importorskip("standardwebhooks", reason="requirements-peers.lock is not installed")
BODY = fixture("calcom", "booking_created")
# Without the prefix the library decodes them all the same; the last one's base64 has no padding.
SECRETS = [
    new_webhook_secret(),
    new_webhook_secret().removeprefix("whsec_"),
    "4f1c8e0b7a6d5938271605f4e3d2c1b0a99f8e7d6c5b4a3928170605f4e3d2c1",
    "whsec_" + "TGV0dGVycyBhbmQgZGlnaXRzLCA0MCBvZiB0aGVtLiE",
]


def signed(secret: str, at: datetime) -> dict[str, str]:
    """The headers that a sender with the library makes."""
    signature = library.Webhook(secret).sign("msg_1", at, BODY.decode())
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


@pytest.fixture
def app_with(database: Database, settings: Settings, clean: None) -> Callable[[str], FastAPI]:
    return lambda secret: create_app(
        settings.model_copy(update={"hmac_shared_secret_calcom": (SecretStr(secret),)}), database
    )


@pytest.mark.parametrize("secret", SECRETS)
async def test_what_the_library_signs_is_accepted(app_with: Callable[[str], FastAPI], secret: str) -> None:
    transport = httpx.ASGITransport(app=app_with(secret))
    async with httpx.AsyncClient(transport=transport, base_url="http://crm.test") as client:
        for at, status in ((utc_now(), 200), (utc_now() - timedelta(minutes=6), 401)):
            answer = await client.post(ENDPOINTS["calcom"], content=BODY, headers=signed(secret, at))
            assert answer.status_code == status, answer.text


@pytest.mark.parametrize("count", [1, 2])
def test_what_we_sign_is_verified_by_the_library(count: int) -> None:
    secrets, body = [new_webhook_secret() for _ in range(count)], json.dumps({"name": "Öz İnşaat"}).encode()

    headers = delivery_headers(secrets, "evt_1", body, datetime.now(UTC))

    for secret in secrets:
        assert library.Webhook(secret).verify(body, headers) == {"name": "Öz İnşaat"}
    with pytest.raises(library.WebhookVerificationError):
        library.Webhook(new_webhook_secret()).verify(body, headers)
