"""POST /crm/webhooks/{provider}/{event}: raw bytes -> verify -> JSON object -> inbox -> the answer for its result."""

import logging
from time import perf_counter

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from crm_graph.database.engine import Database
from crm_graph.errors import ApplyFailed, BadRequest, CrmError, KeyReused
from crm_graph.settings import Settings
from crm_graph.telemetry.metrics import Metrics
from crm_graph.values import utc_now
from crm_graph.web.requests import read_body
from webhooks import inbox, signatures
from webhooks.inbox import EventResult, ResultStatus
from webhooks.provider import Delivery, Provider
from webhooks.registry import PROVIDERS

log = logging.getLogger(__name__)

KEY_HEADERS = ("idempotency-key", "webhook-id")
KEY_MAX = 255


def create_router(settings: Settings, database: Database, metrics: Metrics) -> APIRouter:
    """The ingest endpoints; warns about each provider that has no secret, since everything it sends is refused."""
    router = APIRouter()
    for provider in PROVIDERS.values():
        secrets = provider.secrets(settings)
        if not secrets.hmac and not secrets.tokens:
            log.warning("no secret is set for %s: its webhooks are answered with 503", provider.name)
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
        provider.verify(Delivery(body, request.headers, now, may_be_unsigned), secrets)
        event = provider.read(inbox.read_event(body), body)
        key = _key(request) or _checked(event.key, "idempotency_key in the body")
        return await inbox.receive(database, settings, provider, event, body, key=key, now=now), key

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

    path = f"/crm/webhooks/{provider.name}/{provider.event}"
    # Starlette's own route: FastAPI would resolve dependencies that there are none of, on every request.
    router.add_route(path, endpoint, methods=["POST"], name=f"receive_{provider.name}")


def _key(request: Request) -> str | None:
    """The caller's own name for the event: Idempotency-Key, else webhook-id."""
    for name in KEY_HEADERS:
        values = set(request.headers.getlist(name))
        if len(values) > 1:
            raise BadRequest(f"the header {name} has two values; send one")
        if key := _checked("".join(values).strip(), f"the header {name}"):
            return key
    return None


def _checked(key: str | None, place: str) -> str | None:
    if key and (len(key) > KEY_MAX or not key.isprintable()):
        raise BadRequest(f"{place} must be at most {KEY_MAX} printable characters")
    return key or None


def _answer(result: EventResult, *, caller_gave_key: bool) -> Response:
    """What the sender hears: with a key 409 for a repetition and 5xx for a failure; a provider without keys would drop
    the event or disable the webhook, and hears 2xx for whatever is stored. Raises ApplyFailed and KeyReused.
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
