"""Verifies who sent a request: the ways to sign it, and the rule for several at once.

**Every credential that the request carries and the endpoint knows must be right**, and there must be at least one. So
a wrong signature is refused whatever else the request carries, and headers of other schemes don't matter.
"""

import re
from collections.abc import Callable, Sequence
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.requests import Request

from crm_graph.errors import SecretNotConfigured, SignatureInvalid, SignatureMissing
from crm_graph.web import signatures
from crm_graph.web.requests import header_values
from webhooks.provider import Secrets, SignedRequest

# What is wrong with the credential: RIGHT, or a message. None when the request carries no credential of this kind.
Scheme = Callable[[SignedRequest, Secrets], str | None]
RIGHT = ""
MISMATCH = SignatureInvalid.__doc__ or ""
OTHER_BEARER = "the bearer token in the Authorization header is not a configured one; compare it with the setting"
# Judged before the signature, so that it says nothing about the secret.
STALE = "webhook-timestamp is not a time (Unix seconds) within 5 minutes of this server's clock; sign the request again"

PROXY_HEADERS = ("forwarded", "via", "x-real-ip")
_LOCAL_HOST = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)


def verify(request: SignedRequest, secrets: Secrets, *, schemes: Sequence[Scheme]) -> None:
    """Verify a request. Raises SignatureMissing, SignatureInvalid, or SecretNotConfigured when no secret is set."""
    results = [result for scheme in schemes if (result := scheme(request, secrets)) is not None]
    if not results and request.may_be_unsigned:
        return
    if not secrets.hmac and not secrets.tokens:
        raise SecretNotConfigured
    if not results:
        raise SignatureMissing
    for problem in results:
        if problem != RIGHT:
            raise SignatureInvalid(problem)


def x_signature(request: SignedRequest, secrets: Secrets) -> str | None:
    """X-Signature: hex HMAC-SHA256 of the body, with or without `sha256=`."""
    return _hex(request, secrets, "x-signature")


def x_cal_signature_256(request: SignedRequest, secrets: Secrets) -> str | None:
    """X-Cal-Signature-256: the same. Without a secret Cal.com sends `no-secret-provided`, which matches nothing."""
    return _hex(request, secrets, "x-cal-signature-256")


def bearer_token(request: SignedRequest, secrets: Secrets) -> str | None:
    """Authorization: Bearer with a static token, the only credential that Instantly can send."""
    values = header_values(request.headers, "authorization")
    parts = [value.partition(" ") for value in values]
    tokens = [token.lstrip(" ") for scheme, _, token in parts if scheme.lower() == "bearer"]
    if not tokens:
        return None
    is_right = len(values) == 1 and signatures.verify_token(secrets.tokens, tokens[0].encode("latin-1", "replace"))
    return RIGHT if is_right else OTHER_BEARER


def standard_webhooks(request: SignedRequest, secrets: Secrets) -> str | None:
    """Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature. The id alone is an idempotency key."""
    if "webhook-signature" not in request.headers:
        return None
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    found = [header_values(request.headers, name) for name in names]
    if any(len(values) != 1 for values in found):
        return MISMATCH
    [[message_id], [timestamp], [header]] = found
    if not signatures.is_recent(timestamp, request.now):
        return STALE
    is_right = signatures.verify_standard_webhooks(
        secrets.hmac, request.body, message_id=message_id, timestamp=timestamp, header=header
    )
    return RIGHT if is_right else MISMATCH


def sign_hex(body: bytes, secrets: Secrets, *, header: str) -> dict[str, str]:
    """The header with the hex HMAC-SHA256 of a body. Raises SecretNotConfigured."""
    if not secrets.hmac:
        raise SecretNotConfigured
    return {header: signatures.hex_signature(secrets.hmac[0], body)}


def is_local(request: Request) -> bool:
    """Whether a request comes from this machine, to this machine, not through a proxy (for DEV_SIGNATURE_BYPASS)."""
    hosts = request.headers.getlist("host")
    is_local_name = len(hosts) == 1 and _LOCAL_HOST.fullmatch(hosts[0]) is not None
    return is_local_name and _is_loopback(request) and not _is_forwarded(request.headers)


def _is_loopback(request: Request) -> bool:
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _is_forwarded(headers: Headers) -> bool:
    return any(name in PROXY_HEADERS or name.startswith("x-forwarded") for name in headers)


def _hex(request: SignedRequest, secrets: Secrets, name: str) -> str | None:
    values = header_values(request.headers, name)
    if not values:
        return None
    is_right = len(values) == 1 and signatures.verify_hex(secrets.hmac, request.body, values[0])
    return RIGHT if is_right else MISMATCH
