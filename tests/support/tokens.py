"""Bearer tokens made by hand, so that they can be wrong in ways in which PyJWT makes none."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from tests.support.credentials import JWT_SECRET

ADA = "ada@seller.com"


def encoded(part: object) -> str:
    """A part of a token: base64url of the bytes, or of the JSON."""
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(
    claims: dict[str, Any] | None = None,
    header: dict[str, Any] | None = None,
    *,
    without: tuple[str, ...] = (),
    key: bytes = JWT_SECRET.encode(),
    digest: Any = hashlib.sha256,
) -> str:
    """A token made by hand: a valid one but for what is given."""
    now = int(time.time())
    all_claims = {"sub": ADA, "iat": now, "exp": now + 300} | (claims or {})
    all_claims = {name: value for name, value in all_claims.items() if name not in without}
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT'} | (header or {}))}.{encoded(all_claims)}"
    return f"{signed}.{encoded(hmac.new(key, signed.encode(), digest).digest())}"
