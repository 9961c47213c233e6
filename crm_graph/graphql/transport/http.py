"""/graphql: authentication first, then the request, then the response. Every failure has a body with `errors`.

See engine/messages.py for what n8n makes of them.
"""

import logging
from collections.abc import Mapping
from time import perf_counter

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from graphql import ExecutionResult, GraphQLSchema

from crm_graph.database.engine import Database
from crm_graph.errors import (
    BadRequest,
    CrmError,
    PayloadTooLarge,
    Unauthenticated,
    UnsupportedMedia,
)
from crm_graph.graphql.engine.documents import Documents, InvalidDocument, Operation
from crm_graph.graphql.engine.messages import (
    ResponseBody,
    error_entry,
    internal_error,
    parse_request,
    response_body,
)
from crm_graph.graphql.execution.compiling import Compiling
from crm_graph.graphql.execution.context import Context
from crm_graph.graphql.execution.reads import Reads
from crm_graph.graphql.transport import graphiql
from crm_graph.graphql.transport.sse import EventStream, as_events
from crm_graph.graphql.transport.subscriptions import Limits, Subscriptions
from crm_graph.graphql.transport.websocket import WebSocketEndpoint
from crm_graph.identity.authenticator import Authenticator
from crm_graph.identity.principal import Principal
from crm_graph.settings import Settings
from crm_graph.telemetry.metrics import OK, Metrics
from crm_graph.values import utc_now
from crm_graph.web.fair_queue import FairQueue
from crm_graph.web.json import parse_json
from crm_graph.web.pacing import mark_known
from crm_graph.web.requests import authorization, log_refusal, read_body

log = logging.getLogger(__name__)

JSON_MEDIA = "application/json"
EVENT_MEDIA = "text/event-stream"
URL_MAX = 8_192  # bytes of the query string of a GET
GRAPHQL_MEDIA = "application/graphql-response+json"  # GraphQL over HTTP: clients that accept it expect 4xx and 5xx
UNKNOWN = "unknown"  # the kind of operation in an invalid document


def create_router(
    schema: GraphQLSchema,
    settings: Settings,
    database: Database,
    authenticator: Authenticator,
    metrics: Metrics,
    shares: FairQueue,
    limits: Limits,
) -> APIRouter:
    """The endpoint: queries, mutations and (as event streams) subscriptions by POST; subscriptions over WebSockets.

    `shares` has the slots in which owners' operations run.
    """
    is_development = settings.crm_env == "development"
    reads = Reads(database, Documents(schema, is_development=is_development), Compiling())
    subscriptions = Subscriptions(database, authenticator, reads, shares, limits, is_development=is_development)
    endpoint = _Endpoint(settings, database, authenticator, metrics, reads, shares, subscriptions)
    router = APIRouter()
    # Starlette's own routes: FastAPI would look for dependencies on every request, and there are none.
    router.add_route("/graphql", endpoint.post, methods=["POST"])
    router.add_route("/graphql", endpoint.get, methods=["GET"])
    router.add_websocket_route("/graphql", WebSocketEndpoint(subscriptions, settings.allowed_origins).serve)
    router.add_route("/graphql", endpoint.other_method, methods=["PUT", "PATCH", "DELETE"])
    if is_development:
        router.routes.append(graphiql.asset_route())
    return router


class _Endpoint:
    def __init__(
        self,
        settings: Settings,
        database: Database,
        authenticator: Authenticator,
        metrics: Metrics,
        reads: Reads,
        shares: FairQueue,
        subscriptions: Subscriptions,
    ) -> None:
        self._settings, self._database, self._authenticator, self._metrics = settings, database, authenticator, metrics
        self._reads, self._shares, self._subscriptions = reads, shares, subscriptions
        self._is_development = settings.crm_env == "development"

    async def post(self, request: Request) -> Response:
        """Execute one operation as the owner of the bearer token, and count it."""
        started, state, media = perf_counter(), request.state, _media(request)
        state.kind, state.outcome = UNKNOWN, OK
        try:
            response = await self._execute(request, media)
        except InvalidDocument as error:
            response = _answer(ExecutionResult(None, error.errors), request, media)
        except CrmError as error:
            response = _refusal(error, request, media)
        except Exception as error:
            log.error("request failed", exc_info=error, extra={"details": {"request_id": state.request_id}})
            response = _refusal(internal_error(state.request_id), request, media)
        self._metrics.graphql(state.kind, state.outcome, perf_counter() - started)
        return response

    async def get(self, request: Request) -> Response:
        """Execute a query in the URL, as `post` does; GraphiQL for a browser, in development only."""
        if request.method == "HEAD":  # Starlette's routes for GET take it, too
            return await self.other_method(request)
        if self._is_development and "text/html" in request.headers.get("accept", "") and not request.url.query:
            return graphiql.page()
        response = await self.post(request)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def other_method(self, request: Request) -> Response:
        """Refuse a method that runs nothing."""
        refusal = BadRequest("send operations by POST, as JSON")
        return _refusal(refusal, request, _media(request), status=405, headers={"Allow": "GET, POST"})

    async def _execute(self, request: Request, media: str) -> Response:
        principal = await self._authenticator.principal(authorization(request))
        mark_known(request)
        is_get = request.method == "GET"
        sent = b"" if is_get else await read_body(request)  # outside the slot: a slow client occupies none
        async with self._shares.slot(principal.owner_id):
            body = _parse_url(request) if is_get else _parse_body(request, sent)
            parameters = parse_request(body)
            operation = await self._reads.operation(principal, parameters)
            request.state.kind = operation.node.operation.value
            if is_get and not operation.is_query:
                refusal = BadRequest(f"send a {request.state.kind} by POST; GET is for queries")
                return _refusal(refusal, request, media, status=405, headers={"Allow": "POST"})
            if not operation.is_subscription:
                response = await self._run(request, media, principal, operation, parameters.variables)
                return as_events(response) if _prefers_events(request) else response
        return await self._subscribe(request, body)

    async def _run(
        self, request: Request, media: str, principal: Principal, operation: Operation, variables: Mapping[str, object]
    ) -> Response:
        """The result of a query or mutation."""
        now = utc_now()
        if operation.is_query:
            answer = await self._reads.answer(operation, principal, now, variables)
            if answer is not None:
                return Response(answer, media_type=media)
        key = request.headers.get("idempotency-key")
        context = Context(self._database, self._reads, self._settings, principal, now, operation, key)
        result = await operation.execute(variables, is_development=self._is_development, context=context)
        return _answer(result, request, media)

    async def _subscribe(self, request: Request, body: object) -> Response:
        """The results of a subscription as server-sent events."""
        if EVENT_MEDIA not in request.headers.get("accept", "").lower():
            raise BadRequest(f"send a subscription with Accept: {EVENT_MEDIA}, or over a WebSocket at this URL")
        return await EventStream.open(self._subscriptions, body, authorization(request), request.state.request_id)


def _media(request: Request) -> str:
    """The media type of the response: the one that the client prefers, JSON if it has no preference."""
    accepted = _accepted(request)
    wants = accepted.get(GRAPHQL_MEDIA, 0.0)
    return GRAPHQL_MEDIA if wants > 0 and wants >= accepted.get(JSON_MEDIA, 0.0) else JSON_MEDIA


def _prefers_events(request: Request) -> bool:
    """Whether the client wants a query's result as an event (graphql-sse, distinct connections mode)."""
    accepted = _accepted(request)
    wants = accepted.get(EVENT_MEDIA, 0.0)
    return wants > max(accepted.get(GRAPHQL_MEDIA, 0.0), accepted.get(JSON_MEDIA, 0.0))


def _accepted(request: Request) -> dict[str, float]:
    return dict(map(_quality, request.headers.get("accept", "").lower().split(",")))


def _quality(accepted: str) -> tuple[str, float]:
    name, *parameters = (part.strip() for part in accepted.split(";"))
    try:
        return name, next((float(part[2:]) for part in parameters if part.startswith("q=")), 1.0)
    except ValueError:
        return name, 0.0


def _parse_body(request: Request, body: bytes) -> object:
    """The JSON body; raises UnsupportedMedia for another media type or encoding, BadRequest for invalid JSON."""
    name, *parameters = (part.strip() for part in request.headers.get("content-type", "").lower().split(";"))
    if name != JSON_MEDIA or any(part.startswith("charset=") and part[8:].strip('"') != "utf-8" for part in parameters):
        raise UnsupportedMedia(f"send the request with Content-Type: {JSON_MEDIA}, encoded as UTF-8")
    return parse_json(body)


def _parse_url(request: Request) -> object:
    """The parameters of a GET, as the body of a POST would have them; raises BadRequest."""
    if len(request.url.query) > URL_MAX:
        raise BadRequest(f"the URL's query string is longer than {URL_MAX:,} bytes: send the query by POST")
    sent = request.query_params
    if "query" not in sent:
        raise BadRequest("the URL has no ?query=; send operations by POST, as JSON", field="query")
    documents = {name: _parse_parameter(name, sent[name]) for name in ("variables", "extensions") if sent.get(name)}
    return {"query": sent["query"], "operationName": sent.get("operationName"), **documents}


def _parse_parameter(name: str, text: str) -> object:
    try:
        return parse_json(text.encode())
    except BadRequest as error:
        reason = error.message.removeprefix("the request body is not JSON: ")
        raise BadRequest(f"{name} is not JSON: {reason}", field=name) from None


def _answer(result: ExecutionResult, request: Request, media: str) -> Response:
    body, errors = response_body(result, request.state.request_id)
    if not errors:
        return Response(orjson.dumps(body), media_type=media)
    request.state.outcome = errors[0].code
    has_no_data = not any(value is not None for value in (result.data or {}).values())
    status = max((error.status for error in errors if error.status >= 500 or error.retry_after), default=200)
    if "data" not in body and status == 200 and media == GRAPHQL_MEDIA:
        status = 400
    if not has_no_data:
        return _response(body, 200, media)
    return _response(body, status, media, _retry_after(*errors))


def _refusal(
    error: CrmError, request: Request, media: str, *, status: int | None = None, headers: dict[str, str] | None = None
) -> Response:
    log_refusal(request, error)
    request.state.outcome = error.code
    sent = _retry_after(error) | (headers or {})
    return _response({"errors": [error_entry(error)]}, status or error.status, media, sent)


def _retry_after(*errors: CrmError) -> dict[str, str]:
    """The header that says when to send the request again."""
    seconds = max((error.retry_after or 0 for error in errors), default=0)
    return {"Retry-After": str(seconds)} if seconds else {}


def _response(body: ResponseBody, status: int, media: str, headers: dict[str, str] | None = None) -> Response:
    sent = dict(headers or {})
    if status == Unauthenticated.status:
        sent["WWW-Authenticate"] = "Bearer"
    if status == PayloadTooLarge.status:
        sent["Connection"] = "close"  # else the server reads the rest of the body only to drop it
    return Response(orjson.dumps(body), status, sent, media)
