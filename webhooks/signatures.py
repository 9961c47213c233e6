"""Who sent a request: the ways to sign one, and the rule when several are used at once.

**Every credential that the endpoint knows and the request carries must be right**; one at least must be there. So a
wrong signature is refused whatever else is in the request, and headers of other schemes don't matter.
"""

import re
from collections.abc import Callable, Sequence
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.requests import Request

from crm_graph.errors import SecretNotConfigured, SignatureInvalid, SignatureMissing
from crm_graph.web import signatures
from webhooks.provider import Delivery, Secrets

# True and False: the signature is right or wrong. None: the request carries none of this kind.
Scheme = Callable[[Delivery, Secrets], bool | None]

PROXY_HEADERS = ("forwarded", "via", "x-real-ip")
_LOCAL_HOST = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)


def verify(delivery: Delivery, secrets: Secrets, *, schemes: Sequence[Scheme]) -> None:
    """Raises SignatureMissing, SignatureInvalid, or SecretNotConfigured when there is nothing to verify with."""
    results = [result for scheme in schemes if (result := scheme(delivery, secrets)) is not None]
    if not results and delivery.may_be_unsigned:
        return
    if not secrets.hmac and not secrets.tokens:
        raise SecretNotConfigured
    if not results:
        raise SignatureMissing
    if not all(results):
        raise SignatureInvalid


def ours(delivery: Delivery, secrets: Secrets) -> bool | None:
    """X-Signature: hex HMAC-SHA256 of the body, with or without `sha256=`."""
    return _hex(delivery, secrets, "x-signature")


def calcom(delivery: Delivery, secrets: Secrets) -> bool | None:
    """X-Cal-Signature-256: the same; Cal.com sends `no-secret-provided` when none is set, which matches nothing."""
    return _hex(delivery, secrets, "x-cal-signature-256")


def bearer(delivery: Delivery, secrets: Secrets) -> bool | None:
    """Authorization: Bearer with a static token, the only thing Instantly can send."""
    values = delivery.headers.getlist("authorization")
    parts = [value.partition(" ") for value in values]
    tokens = [token.strip() for scheme, _, token in parts if scheme.lower() == "bearer"]
    if not tokens:
        return None
    return len(values) == 1 and signatures.verify_token(secrets.tokens, tokens[0].encode("latin-1", "replace"))


def standard_webhooks(delivery: Delivery, secrets: Secrets) -> bool | None:
    """webhook-id, webhook-timestamp, webhook-signature. The id alone is an idempotency key, not a signature."""
    if "webhook-signature" not in delivery.headers:
        return None
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    found = [delivery.headers.getlist(name) for name in names]
    if any(len(values) != 1 for values in found):
        return False
    [[message_id], [timestamp], [header]] = found
    return signatures.verify_standard_webhooks(
        secrets.hmac, delivery.body, message_id=message_id, timestamp=timestamp, header=header, now=delivery.now
    )


def is_local(request: Request) -> bool:
    """Whether a request comes from this machine, to this machine, through no proxy: what DEV_SIGNATURE_BYPASS needs."""
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


def _hex(delivery: Delivery, secrets: Secrets, name: str) -> bool | None:
    values = delivery.headers.getlist(name)
    if not values:
        return None
    return len(values) == 1 and signatures.verify_hex(secrets.hmac, delivery.body, values[0])
