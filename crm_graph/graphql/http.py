"""POST /graphql: authentication first, then the request, then the answer; every failure has an `errors` body.

n8n shows nothing but `errors[].message`, and takes a failure without `errors` for success; so the code leads every
message, on every status.
"""

import logging
import re
from collections.abc import Awaitable
from time import perf_counter
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from graphql import ExecutionResult, GraphQLError, GraphQLSyntaxError, execute
from strawberry.http.ides import get_graphql_ide_html

from crm_graph.auth import Authenticator, utc_now
from crm_graph.db import Database
from crm_graph.errors import (
    BadRequest,
    CrmError,
    PayloadTooLarge,
    QueryTooComplex,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)
from crm_graph.graphql.context import Context
from crm_graph.graphql.failures import told
from crm_graph.graphql.operations import Documents, InvalidDocument
from crm_graph.graphql.reads import Reads
from crm_graph.graphql.schema import build_schema
from crm_graph.http import RETRY_AFTER_SECONDS, authorization, log_refusal, parse_json, read_body
from crm_graph.metrics import OK, Metrics
from crm_graph.settings import Settings

log = logging.getLogger(__name__)

JSON_MEDIA = "application/json"
GRAPHQL_MEDIA = "application/graphql-response+json"  # GraphQL over HTTP: its 4xx and 5xx are the API's own
UNKNOWN = "unknown"  # the kind of an operation in a document that could not be read
MESSAGE_MAX = 500  # names and values of any length are quoted in them
_IN_VARIABLE = re.compile(r"Variable '\$(\w+)' has invalid value(?: at \.([\w.[\]]+))?")
_IN_DOCUMENT = re.compile(r"(\w+)\s*:\s*$")


def create_router(settings: Settings, database: Database, authenticator: Authenticator, metrics: Metrics) -> APIRouter:
    """The endpoint."""
    is_open = settings.crm_env == "development"
    schema = build_schema()
    documents, reads = Documents(schema._schema, is_open=is_open), Reads(database)
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
            if operation.is_query:
                body = await reads.answer(operation, principal, now, variables)
                if body is not None:
                    return Response(body, media_type=media)
            key = request.headers.get("idempotency-key")
            context = Context(database, reads, settings, principal, now, operation, key)
            return _answer(await _execute(context, variables, is_open=is_open), request, media)
        except InvalidDocument as error:
            return _answer(ExecutionResult(None, error.errors), request, media)
        except CrmError as error:
            return _refusal(error, request, media)
        except Exception as error:
            log.error("request failed", exc_info=error, extra={"details": {"request_id": request.state.request_id}})
            return _refusal(_internal(request), request, media)

    async def graphiql(request: Request) -> Response:
        """GraphiQL, in development only: queries run by POST."""
        if is_open and request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(get_graphql_ide_html("graphiql"))
        refusal = BadRequest("queries are sent by POST, as JSON")
        return _refusal(refusal, request, _media(request), status=405, headers={"Allow": "POST"})

    # Starlette's own routes: FastAPI would resolve dependencies that there are none of, on every request.
    router.add_route("/graphql", graphql, methods=["POST"])
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
    asked = parse_json(body)
    if not isinstance(asked, dict):
        raise BadRequest('the request body must be one JSON object with a text "query"')
    if not isinstance(asked.get("query"), str) or not asked["query"].strip():
        raise BadRequest('"query" must be the text of a GraphQL document', field="query")
    for name, kind, words in (
        ("variables", dict, "an object"),
        ("operationName", str, "a text"),
        ("extensions", dict, "an object"),
    ):
        if not isinstance(asked.get(name), kind | None):
            raise BadRequest(f'"{name}" must be {words}', field=name)
    return asked


async def _execute(context: Context, variables: dict[str, Any], *, is_open: bool) -> ExecutionResult:
    """Run the operation through graphql-core: mutations, introspection, and whatever has an error to tell."""
    operation = context.operation
    result = execute(
        operation.schema,
        operation.document,
        context_value=context,
        variable_values=variables,
        operation_name=operation.node.name.value if operation.node.name else None,
        hide_suggestions=not is_open,
    )
    return await result if isinstance(result, Awaitable) else result


def _answer(result: ExecutionResult, request: Request, media: str) -> Response:
    if not result.errors:
        return Response(orjson.dumps({"data": result.data}), media_type=media)
    was_run = result.data is not None or any(error.path for error in result.errors)
    body: dict[str, Any] = {"data": result.data} if was_run else {}  # GraphQL, 7.1: no data before execution
    failures = [_failure(error, request) for error in result.errors]
    request.state.outcome = failures[0].code
    body["errors"] = [_rendered(failure, error) for failure, error in zip(failures, result.errors, strict=True)]
    nothing_done = not any(value is not None for value in (result.data or {}).values())
    status = max((failure.status for failure in failures if failure.status >= 500), default=200)
    if not was_run and status == 200 and media == GRAPHQL_MEDIA:
        status = 400
    return _response(body, status if nothing_done else 200, media)


def _failure(error: GraphQLError, request: Request) -> CrmError:
    """What went wrong, in our own terms; the cause of an internal error goes to the log only."""
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, CrmError):
        return cause
    if isinstance(error, GraphQLSyntaxError) and error.message.endswith("Parsing aborted."):  # a limit of the parser
        return QueryTooComplex(error.message)
    if error.message.startswith("Too many validation errors"):
        return QueryTooComplex("the document has too many errors to list them")
    if cause is None or isinstance(cause, GraphQLError):
        return BadRequest(error.message)
    if isinstance(cause, ValueError | RecursionError) and not error.path:  # reading the document, not running it
        return BadRequest("a number in the document is too long, or the document is nested too deeply")
    details = {"request_id": request.state.request_id, "path": ".".join(map(str, error.path or ()))}
    log.error("resolver failed", exc_info=cause, extra={"details": details})
    return _internal(request)


def _internal(request: Request) -> CrmError:
    return CrmError(f"internal error; the log has the cause under request id {request.state.request_id}")


def _rendered(failure: CrmError, error: GraphQLError | None = None) -> dict[str, Any]:
    message, field = told(failure, _misshapen(error))
    # A message may quote what was sent, and half a surrogate pair can't be sent back.
    shown = f"[{failure.code}] {message}"[:MESSAGE_MAX].encode("utf-8", "backslashreplace").decode()
    rendered: dict[str, Any] = {"message": shown}
    if error is not None and error.locations:
        rendered["locations"] = [location.formatted for location in error.locations]
    if error is not None and error.path:
        rendered["path"] = error.path
    named = {"field": field} if field else {}
    return rendered | {"extensions": {"code": failure.code, **named, **failure.details}}


def _misshapen(error: GraphQLError | None) -> str | None:
    """The input field whose value no scalar reads: graphql-core names it in the message, or by its place alone."""
    if error is None or error.path:
        return None
    if named := _IN_VARIABLE.match(error.message):
        return named[2] or named[1]
    places = list(error.positions or ())
    before = error.source.body[: places[0]] if error.source and places else ""
    in_document = _IN_DOCUMENT.search(before[-100:])
    return in_document[1] if in_document and isinstance(error.original_error, CrmError) else None


def _refusal(
    error: CrmError, request: Request, media: str, *, status: int | None = None, headers: dict[str, str] | None = None
) -> Response:
    log_refusal(request, error)
    request.state.outcome = error.code
    return _response({"errors": [_rendered(error)]}, status or error.status, media, headers)


def _response(body: dict[str, Any], status: int, media: str, headers: dict[str, str] | None = None) -> Response:
    sent = dict(headers or {})
    if status == Unavailable.status:
        sent["Retry-After"] = RETRY_AFTER_SECONDS
    if status == Unauthenticated.status:
        sent["WWW-Authenticate"] = "Bearer"
    if status == PayloadTooLarge.status:
        sent["Connection"] = "close"  # else the rest of the body would be read, to be thrown away
    return Response(orjson.dumps(body), status, sent, media)
