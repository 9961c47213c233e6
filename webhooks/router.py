"""POST /crm/webhooks/{provider}/{endpoint}: raw body -> verify -> JSON object -> inbox -> the answer for the result."""

import logging
from time import perf_counter

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from crm_graph.database.engine import Database
from crm_graph.errors import ApplyFailed, BadRequest, CrmError, KeyReused
from crm_graph.settings import Settings
from crm_graph.telemetry.metrics import Metrics
from crm_graph.values import utc_now
from crm_graph.web.json import parse_json
from crm_graph.web.pacing import mark_known
from crm_graph.web.requests import read_body
from webhooks import inbox, signatures
from webhooks.inbox import EventResult, ResultStatus
from webhooks.provider import Payload, Provider, SignedRequest
from webhooks.registry import PROVIDERS

log = logging.getLogger(__name__)

KEY_HEADERS = ("idempotency-key", "webhook-id")
KEY_MAX = 255


def create_router(settings: Settings, database: Database, metrics: Metrics) -> APIRouter:
    """The ingest endpoints. Warns about each provider without a secret: everything that it sends is refused."""
    router = APIRouter()
    for provider in PROVIDERS.values():
        secrets = provider.secrets(settings)
        if not secrets.hmac and not secrets.tokens:
            log.warning("no secret is set for %s: its webhooks get 503", provider.name)
        _add_endpoint(router, settings, database, provider, metrics)
    return router


def _add_endpoint(
    router: APIRouter, settings: Settings, database: Database, provider: Provider, metrics: Metrics
) -> None:
    secrets = provider.secrets(settings)

    async def receive(request: Request) -> tuple[EventResult, str | None]:
        now = utc_now()
        body = await read_body(request)
        may_be_unsigned = settings.dev_signature_bypass and signatures.is_local(request)
        provider.verify(SignedRequest(body, request.headers, now, may_be_unsigned), secrets)
        mark_known(request)
        identity = provider.identify(_json_object(body), body)
        key = _header_key(request) or _checked(identity.key, "idempotency_key in the body")
        return await inbox.receive(database, settings, provider, identity, body, key=key, now=now), key

    async def endpoint(request: Request) -> Response:
        started, status = perf_counter(), CrmError.code
        try:
            result, key = await receive(request)
            status = result.status.value
        except CrmError as error:
            status = error.code
            raise
        finally:
            metrics.ingest(provider.name, status, perf_counter() - started)
        return _answer(result, caller_gave_key=key is not None)

    path = f"/crm/webhooks/{provider.name}/{provider.endpoint}"
    # Starlette's own route: FastAPI would resolve dependencies on every request, and there are none.
    router.add_route(path, endpoint, methods=["POST"], name=f"receive_{provider.name}")


def _json_object(body: bytes) -> Payload:
    """Parse a body. Raises BadRequest when it is not a JSON object, or has a key twice."""
    payload = parse_json(body)
    if not isinstance(payload, dict):
        raise BadRequest("the request body must be a JSON object")
    return payload


def _header_key(request: Request) -> str | None:
    """The caller's idempotency key: Idempotency-Key, else webhook-id."""
    for name in KEY_HEADERS:
        values = set(request.headers.getlist(name))
        if len(values) > 1:
            raise BadRequest(f"the header {name} has two values; send one value")
        if key := _checked("".join(values).strip(), f"the header {name}"):
            return key
    return None


def _checked(key: str | None, place: str) -> str | None:
    """The key, or None for an empty one. Raises BadRequest that names `place`."""
    if key and (len(key) > KEY_MAX or not key.isprintable()):
        raise BadRequest(f"{place} must be at most {KEY_MAX} printable characters")
    return key or None


def _answer(result: EventResult, *, caller_gave_key: bool) -> Response:
    """The answer for a result. Raises ApplyFailed and KeyReused.

    A caller that gave a key gets 409 for a duplicate and 5xx for a failure. A provider without keys would drop the
    event or disable the webhook, so it gets 2xx for everything that is stored.
    """
    where = f"webhook {result.webhook_id}: {result.reason}"
    if result.status is ResultStatus.KEY_REUSED:
        raise KeyReused(f"{KeyReused.__doc__} ({where})")
    if result.status is ResultStatus.FAILED and caller_gave_key:
        raise ApplyFailed(f"{ApplyFailed.__doc__} ({where})")
    is_stored_only = result.status is ResultStatus.FAILED
    status_code = 202 if is_stored_only else 200
    if result.status is ResultStatus.DUPLICATE and caller_gave_key:
        status_code = 409
    body = {
        "status": "stored" if is_stored_only else result.status.value,
        "webhook_id": str(result.webhook_id),
        "contact_id": str(result.contact_id) if result.contact_id else None,
        "deal_id": str(result.deal_id) if result.deal_id else None,
    }
    return JSONResponse(body | ({"reason": result.reason} if result.reason else {}), status_code)
