"""Signs and verifies raw bytes with HMAC. Pure functions; the clock is passed in."""

import base64
import binascii
import hashlib
import hmac
import re
import string
from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import choice

STANDARD_WEBHOOKS_TOLERANCE = timedelta(minutes=5)  # Standard Webhooks 1.0.0, "verifying webhook authenticity"
NEW_SECRET_LETTERS = 40  # of 62: 238 bits
PREFIX = b"whsec_"
_HEX = re.compile(r"(?:sha256=)?([0-9a-f]{64})", re.ASCII | re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


def hex_signature(secret: bytes, body: bytes) -> str:
    """Lower-case hex HMAC-SHA256 of the exact body: the value of X-Signature and X-Cal-Signature-256."""
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def verify_hex(secrets: Sequence[bytes], body: bytes, header: str) -> bool:
    """Whether `header` is the hex HMAC of `body` under one of `secrets`; case and a `sha256=` prefix don't matter.

    Anything else around the 64 digits makes it wrong.
    """
    found = _HEX.fullmatch(header)
    if found is None:
        return False
    signature = found[1].lower().encode()
    return any(hmac.compare_digest(hex_signature(secret, body).encode(), signature) for secret in secrets)


def verify_token(tokens: Sequence[bytes], token: bytes) -> bool:
    """Whether `token` is one of `tokens`, compared in constant time."""
    return any(hmac.compare_digest(valid, token) for valid in tokens)


def standard_webhooks_keys(secret: bytes) -> list[bytes]:
    """The HMAC keys that a Standard Webhooks secret can stand for.

    After `whsec_` it is base64, whose padding the libraries don't need. Without the prefix it is the secret's own
    bytes or, since the libraries decode those too, base64. A secret that is no base64 stands for its own bytes in any
    case: an exception would turn a typo into an error on every request instead of a signature that doesn't match.
    """
    encoded = secret.removeprefix(PREFIX)
    try:
        decoded = base64.b64decode(encoded + b"=" * (-len(encoded) % 4), validate=True)
    except binascii.Error:
        decoded = b""
    if not decoded:  # anyone can sign with the empty key of a bare "whsec_"
        return [secret]
    return [decoded] if secret.startswith(PREFIX) else [secret, decoded]


def standard_webhooks_signature(secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """`v1,` + base64 HMAC-SHA256 of `id.timestamp.body` (Standard Webhooks 1.0.0), with the first key of `secret`."""
    return _standard_signature(standard_webhooks_keys(secret)[0], message_id, timestamp, body)


def _standard_signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def is_recent(timestamp: str, now: datetime) -> bool:
    """Whether a `webhook-timestamp` (Unix seconds) is within the tolerance of Standard Webhooks."""
    if _SECONDS.fullmatch(timestamp) is None:
        return False
    return abs(now.timestamp() - int(timestamp)) <= STANDARD_WEBHOOKS_TOLERANCE.total_seconds()


def verify_standard_webhooks(
    secrets: Sequence[bytes], body: bytes, *, message_id: str, timestamp: str, header: str
) -> bool:
    """Whether one of the space-separated signatures in `header` is valid; `is_recent` judges the timestamp."""
    received = [part.encode("utf-8", "replace") for part in header.split(" ")[:10]]
    keys = [key for secret in secrets for key in standard_webhooks_keys(secret)]
    valid = [_standard_signature(key, message_id, timestamp, body).encode() for key in keys]
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
