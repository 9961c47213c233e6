"""POST /graphql: authentication first, then the request, then the answer; every failure has an `errors` body.

n8n shows nothing but `errors[].message`, and takes a failure without `errors` for success; so the code leads every
message, on every status.
"""

import logging
from time import perf_counter
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from graphql import ExecutionResult

from crm_graph.database.engine import Database
from crm_graph.errors import (
    BadRequest,
    CrmError,
    PayloadTooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)
from crm_graph.graphql.engine.documents import Documents, InvalidDocument
from crm_graph.graphql.engine.library_internals import graphiql_page, graphql_schema
from crm_graph.graphql.engine.messages import body_of, checked, internal, rendered
from crm_graph.graphql.execution.context import Context
from crm_graph.graphql.execution.reads import Reads
from crm_graph.graphql.transport.schema import build_schema
from crm_graph.graphql.transport.sse import EventStream
from crm_graph.graphql.transport.subscriptions import Limits, Live
from crm_graph.graphql.transport.websocket import Sockets
from crm_graph.identity.authenticator import Authenticator
from crm_graph.settings import Settings
from crm_graph.telemetry.metrics import OK, Metrics
from crm_graph.values import utc_now
from crm_graph.web.json import parse_json
from crm_graph.web.requests import RETRY_AFTER_SECONDS, authorization, log_refusal, read_body

log = logging.getLogger(__name__)

JSON_MEDIA = "application/json"
EVENT_MEDIA = "text/event-stream"
GRAPHQL_MEDIA = "application/graphql-response+json"  # GraphQL over HTTP: its 4xx and 5xx are the API's own
UNKNOWN = "unknown"  # the kind of an operation in a document that could not be read


def create_router(
    settings: Settings, database: Database, authenticator: Authenticator, metrics: Metrics, limits: Limits
) -> APIRouter:
    """The endpoint: queries, mutations and, as streams of events, subscriptions by POST; subscriptions over sockets."""
    is_development = settings.crm_env == "development"
    schema = graphql_schema(build_schema())
    documents, reads = Documents(schema, is_development=is_development), Reads(database)
    live = Live(database, authenticator, documents, reads, limits, is_development=is_development)
    sockets = Sockets(live, settings.allowed_origins)
    router = APIRouter()

    async def graphql(request: Request) -> Response:
        """Run one operation as the bearer's owner, and count it."""
        started, state = perf_counter(), request.state
        state.kind, state.outcome = UNKNOWN, OK
        response = await run(request)
        metrics.graphql(state.kind, state.outcome, perf_counter() - started)
        return response

    async def run(request: Request) -> Response:
        media = _media(request)
        try:
            principal = await authenticator.principal(authorization(request))
            asked = _parse(request, await read_body(request))
            variables, now = asked.get("variables") or {}, utc_now()
            operation = documents.operation(asked["query"], asked.get("operationName"), variables)
            request.state.kind = operation.node.operation.value
            if operation.is_subscription:
                return await subscribe(request, asked)
            if operation.is_query:
                body = await reads.answer(operation, principal, now, variables)
                if body is not None:
                    return Response(body, media_type=media)
            key = request.headers.get("idempotency-key")
            context = Context(database, reads, settings, principal, now, operation, key)
            return _answer(
                await operation.run(variables, is_development=is_development, context=context), request, media
            )
        except InvalidDocument as error:
            return _answer(ExecutionResult(None, error.errors), request, media)
        except CrmError as error:
            return _refusal(error, request, media)
        except Exception as error:
            log.error("request failed", exc_info=error, extra={"details": {"request_id": request.state.request_id}})
            return _refusal(internal(request.state.request_id), request, media)

    async def subscribe(request: Request, asked: dict[str, Any]) -> Response:
        """What a subscription tells, as server-sent events."""
        if EVENT_MEDIA not in request.headers.get("accept", "").lower():
            raise BadRequest(f"send a subscription with Accept: {EVENT_MEDIA}, or over a WebSocket at this address")
        return await EventStream.open(live, asked, authorization(request), request.state.request_id)

    async def graphiql(request: Request) -> Response:
        """GraphiQL, in development only: queries run by POST."""
        if is_development and request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(graphiql_page())
        refusal = BadRequest("queries are sent by POST, as JSON")
        return _refusal(refusal, request, _media(request), status=405, headers={"Allow": "POST"})

    # Starlette's own routes: FastAPI would resolve dependencies that there are none of, on every request.
    router.add_route("/graphql", graphql, methods=["POST"])
    router.add_websocket_route("/graphql", sockets.serve)
    router.add_route("/graphql", graphiql, methods=["GET", "PUT", "PATCH", "DELETE"])
    return router


def _media(request: Request) -> str:
    """The media type of the answer: what is accepted most, JSON where that leaves a choice."""
    accepted = dict(map(_weighed, request.headers.get("accept", "").lower().split(",")))
    wants = accepted.get(GRAPHQL_MEDIA, 0.0)
    return GRAPHQL_MEDIA if wants > 0 and wants >= accepted.get(JSON_MEDIA, 0.0) else JSON_MEDIA


def _weighed(accepted: str) -> tuple[str, float]:
    name, *parameters = (part.strip() for part in accepted.split(";"))
    try:
        return name, next((float(part[2:]) for part in parameters if part.startswith("q=")), 1.0)
    except ValueError:
        return name, 0.0


def _parse(request: Request, body: bytes) -> dict[str, Any]:
    """The parameters of a GraphQL request (GraphQL over HTTP, "request parameters"); raises BadRequest."""
    name, *parameters = (part.strip() for part in request.headers.get("content-type", "").lower().split(";"))
    if name != JSON_MEDIA or any(part.startswith("charset=") and part[8:].strip('"') != "utf-8" for part in parameters):
        raise UnsupportedMedia(f"send the request as Content-Type: {JSON_MEDIA}, in UTF-8")
    return checked(parse_json(body))


def _answer(result: ExecutionResult, request: Request, media: str) -> Response:
    body, failures = body_of(result, request.state.request_id)
    if not failures:
        return Response(orjson.dumps(body), media_type=media)
    request.state.outcome = failures[0].code
    nothing_done = not any(value is not None for value in (result.data or {}).values())
    status = max((failure.status for failure in failures if failure.status >= 500), default=200)
    if "data" not in body and status == 200 and media == GRAPHQL_MEDIA:
        status = 400
    return _response(body, status if nothing_done else 200, media)


def _refusal(
    error: CrmError, request: Request, media: str, *, status: int | None = None, headers: dict[str, str] | None = None
) -> Response:
    log_refusal(request, error)
    request.state.outcome = error.code
    return _response({"errors": [rendered(error)]}, status or error.status, media, headers)


def _response(body: dict[str, Any], status: int, media: str, headers: dict[str, str] | None = None) -> Response:
    sent = dict(headers or {})
    if status == Unavailable.status:
        sent["Retry-After"] = RETRY_AFTER_SECONDS
    if status == Unauthenticated.status:
        sent["WWW-Authenticate"] = "Bearer"
    if status == PayloadTooLarge.status:
        sent["Connection"] = "close"  # else the rest of the body would be read, to be thrown away
    return Response(orjson.dumps(body), status, sent, media)
