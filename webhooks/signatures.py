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
from webhooks.provider import Secrets, SignedRequest

# Whether the signature is right; None when the request carries no signature of this kind.
Scheme = Callable[[SignedRequest, Secrets], bool | None]

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
    if not all(results):
        raise SignatureInvalid


def x_signature(request: SignedRequest, secrets: Secrets) -> bool | None:
    """X-Signature: hex HMAC-SHA256 of the body, with or without `sha256=`."""
    return _hex(request, secrets, "x-signature")


def x_cal_signature_256(request: SignedRequest, secrets: Secrets) -> bool | None:
    """X-Cal-Signature-256: the same. Without a secret Cal.com sends `no-secret-provided`, which matches nothing."""
    return _hex(request, secrets, "x-cal-signature-256")


def bearer_token(request: SignedRequest, secrets: Secrets) -> bool | None:
    """Authorization: Bearer with a static token, the only credential that Instantly can send."""
    values = request.headers.getlist("authorization")
    parts = [value.partition(" ") for value in values]
    tokens = [token.strip() for scheme, _, token in parts if scheme.lower() == "bearer"]
    if not tokens:
        return None
    return len(values) == 1 and signatures.verify_token(secrets.tokens, tokens[0].encode("latin-1", "replace"))


def standard_webhooks(request: SignedRequest, secrets: Secrets) -> bool | None:
    """Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature. The id alone is an idempotency key."""
    if "webhook-signature" not in request.headers:
        return None
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    found = [request.headers.getlist(name) for name in names]
    if any(len(values) != 1 for values in found):
        return False
    [[message_id], [timestamp], [header]] = found
    return signatures.verify_standard_webhooks(
        secrets.hmac, request.body, message_id=message_id, timestamp=timestamp, header=header, now=request.now
    )


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


def _hex(request: SignedRequest, secrets: Secrets, name: str) -> bool | None:
    values = request.headers.getlist(name)
    if not values:
        return None
    return len(values) == 1 and signatures.verify_hex(secrets.hmac, request.body, values[0])
