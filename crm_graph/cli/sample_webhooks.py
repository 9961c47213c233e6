"""Sample webhooks, posted as their provider does: for `crm-graph send` and the demo."""

from pathlib import Path
from typing import Any

import httpx

import webhooks
from crm_graph.errors import SecretNotConfigured, SetupError
from crm_graph.settings import Settings
from webhooks.registry import PROVIDERS


def fixture(provider: str, name: str | None) -> bytes:
    """A provider's sample payload. Raises SetupError with the names that exist."""
    folder = _folder(provider)
    names = sorted(path.stem for path in folder.glob("*.json") if not path.name.endswith(".expected.json"))
    if name not in names:
        problem = f"{provider} has no sample {name!r}" if name else f"name a sample of {provider}, or give --file"
        raise SetupError(f"{problem}; there are: {', '.join(names)}")
    return (folder / f"{name}.json").read_bytes()


def _folder(provider: str) -> Path:
    if provider not in PROVIDERS:
        raise SetupError(f"unknown provider {provider!r}; there are: {', '.join(PROVIDERS)}")
    return Path(webhooks.__file__).parent / provider / "fixtures"


def _signed_headers(settings: Settings, provider: str, body: bytes) -> dict[str, str]:
    try:
        return PROVIDERS[provider].sign(body, PROVIDERS[provider].secrets(settings))
    except SecretNotConfigured:
        raise SetupError(f"HMAC_SHARED_SECRET_{provider.upper()} is not set, so nothing can be signed") from None


def signed_request(settings: Settings, provider: str, body: bytes, url: str | None = None) -> httpx.Request:
    """The signed request to `url`, or to the server that these settings describe. Raises SetupError."""
    _folder(provider)
    base = (url or base_url(settings)).rstrip("/")
    target = (base if "://" in base else f"http://{base}") + endpoint(provider)
    signed = _signed_headers(settings, provider, body) | {"Content-Type": "application/json"}
    try:
        return httpx.Request("POST", target, content=body, headers=signed)
    except httpx.InvalidURL as error:
        raise SetupError(f"{base} is not a URL: {error}") from None


def post(request: httpx.Request) -> httpx.Response:
    """Send a request; raises SetupError when there is no answer."""
    try:
        with httpx.Client(timeout=30) as client:
            return client.send(request)
    except httpx.HTTPError as error:
        raise SetupError(f"no answer from {request.url}: {error}; is the server running? (crm-graph serve)") from None


def summary(answer: httpx.Response) -> dict[str, Any]:
    """The HTTP status and the answer's body, for one line of JSON."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    return {"http": answer.status_code} | (body if isinstance(body, dict) else {"body": answer.text[:200]})


def endpoint(provider: str) -> str:
    """The path that a provider posts to."""
    return f"/crm/webhooks/{provider}/{PROVIDERS[provider].endpoint}"


def base_url(settings: Settings) -> str:
    """The URL of the server that these settings describe."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared, not bound
    return settings.public_url or f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
