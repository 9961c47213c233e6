"""Signs and verifies raw bytes with HMAC. Pure functions; the clock is passed in."""

import base64
import binascii
import hashlib
import hmac
import string
from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import choice

STANDARD_WEBHOOKS_TOLERANCE = timedelta(minutes=5)  # Standard Webhooks 1.0.0, "verifying webhook authenticity"
NEW_SECRET_LETTERS = 40  # of 62: 238 bits


def hex_signature(secret: bytes, body: bytes) -> str:
    """Lower-case hex HMAC-SHA256 of the exact body: the value of X-Signature and X-Cal-Signature-256."""
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def verify_hex(secrets: Sequence[bytes], body: bytes, header: str) -> bool:
    """Whether `header` is the hex HMAC of `body` under one of `secrets`; case and a `sha256=` prefix don't matter."""
    signature = header.strip().lower().removeprefix("sha256=").encode()
    return any(hmac.compare_digest(hex_signature(secret, body).encode(), signature) for secret in secrets)


def verify_token(tokens: Sequence[bytes], token: bytes) -> bool:
    """Whether `token` is one of `tokens`, compared in constant time."""
    return any(hmac.compare_digest(valid, token) for valid in tokens)


def standard_webhooks_key(secret: bytes) -> bytes:
    """The HMAC key of a Standard Webhooks secret: base64 after `whsec_`, else the secret's own bytes.

    A secret that starts with `whsec_` without valid base64 is also used as its own bytes: an exception here would turn
    a typo into an error on every request instead of a signature that doesn't match.
    """
    if secret.startswith(b"whsec_"):
        try:
            # `or`: the key of a bare "whsec_" would be empty, and anyone can sign with that.
            return base64.b64decode(secret.removeprefix(b"whsec_"), validate=True) or secret
        except binascii.Error:
            return secret
    return secret


def standard_webhooks_signature(secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """`v1,` + base64 HMAC-SHA256 of `id.timestamp.body` (Standard Webhooks 1.0.0)."""
    message = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(standard_webhooks_key(secret), message, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def verify_standard_webhooks(
    secrets: Sequence[bytes], body: bytes, *, message_id: str, timestamp: str, header: str, now: datetime
) -> bool:
    """Whether one of the space-separated signatures in `header` is valid, and `timestamp` (Unix seconds) recent."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(now.timestamp() - int(timestamp)) > STANDARD_WEBHOOKS_TOLERANCE.total_seconds():
        return False
    received = [part.encode("utf-8", "replace") for part in header.split(" ")[:10]]
    valid = [standard_webhooks_signature(secret, message_id, timestamp, body).encode() for secret in secrets]
    return any(hmac.compare_digest(one, other) for one in valid for other in received)


def new_webhook_secret() -> str:
    """A new `whsec_` secret. Its base64 decodes to ASCII text, since some verifiers accept only text keys."""
    letters = string.ascii_letters + string.digits
    key = "".join(choice(letters) for _ in range(NEW_SECRET_LETTERS))
    return "whsec_" + base64.b64encode(key.encode()).decode()


def delivery_headers(secrets: Sequence[str], message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers that sign `body`: Standard Webhooks with one signature per secret, and a plain hex HMAC.

    The key of the hex HMAC is the first secret exactly as it was shown, including `whsec_`. During a rotation,
    X-Signature-Previous is the hex HMAC under the previous secret.
    """
    timestamp = str(int(now.timestamp()))
    signatures = (standard_webhooks_signature(secret.encode(), message_id, timestamp, body) for secret in secrets)
    plain = [f"sha256={hex_signature(secret.encode(), body)}" for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
        **dict(zip(("x-signature", "x-signature-previous"), plain, strict=False)),
    }
