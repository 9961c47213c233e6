"""Requests and responses as they travel, whether by POST, over a WebSocket or as a stream of events.

n8n shows only `errors[].message`, and takes a failure without `errors` for success, so each message starts with the
error's code.
"""

import logging
import re
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from graphql import ExecutionResult, GraphQLError

from crm_graph.errors import BadRequest, CrmError, QueryTooComplex
from crm_graph.graphql.engine.documents import UNREADABLE
from crm_graph.graphql.engine.error_format import describe_error
from crm_graph.graphql.engine.library_internals import invalid_variable, is_parser_limit, is_validation_limit

log = logging.getLogger(__name__)

ResponseBody: TypeAlias = dict[str, object]

MESSAGE_MAX = 500  # characters; messages quote names and values of any length
_ARGUMENT_NAME = re.compile(r"(?<!\w)(\w++)\s*+:\s*+$")


class RequestParameters(NamedTuple):
    """A GraphQL request (GraphQL over HTTP, "Request Parameters")."""

    query: str
    operation_name: str | None
    variables: Mapping[str, object]


def parse_request(body: object) -> RequestParameters:
    """The parameters in the JSON body of a request; raises BadRequest."""
    if not isinstance(body, dict):
        raise BadRequest('the request body must be one JSON object with a string "query"')
    if not isinstance(body.get("query"), str) or not body["query"].strip():
        raise BadRequest('"query" must be a GraphQL document, as a string', field="query")
    for name, kind, description in (
        ("variables", dict, "an object"),
        ("operationName", str, "a string"),
        ("extensions", dict, "an object"),
    ):
        if not isinstance(body.get(name), kind | None):
            raise BadRequest(f'"{name}" must be {description}', field=name)
    return RequestParameters(body["query"], body.get("operationName") or None, body.get("variables") or {})


def response_body(result: ExecutionResult, request_id: str) -> tuple[ResponseBody, list[CrmError]]:
    """The body of the response, and the errors in it."""
    if not result.errors:
        return {"data": result.data}, []
    was_executed = result.data is not None or any(error.path for error in result.errors)
    body: ResponseBody = {"data": result.data} if was_executed else {}  # GraphQL, 7.1: no data before execution
    errors = [crm_error(error, request_id) for error in result.errors]
    body["errors"] = [error_entry(error, source) for error, source in zip(errors, result.errors, strict=True)]
    return body, errors


def crm_error(error: GraphQLError, request_id: str) -> CrmError:
    """The error as one of ours. The cause of an internal error goes to the log only."""
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, CrmError):
        return cause
    if is_parser_limit(error):
        return QueryTooComplex(error.message)
    if is_validation_limit(error):
        return QueryTooComplex("the document has too many errors to list")
    if cause is None or isinstance(cause, GraphQLError):
        return BadRequest(error.message)
    if isinstance(cause, ValueError | RecursionError) and not error.path:  # while reading the document
        return BadRequest(UNREADABLE)
    details = {"request_id": request_id, "path": ".".join(map(str, error.path or ()))}
    log.error("resolver failed", exc_info=cause, extra={"details": details})
    return internal_error(request_id)


def internal_error(request_id: str) -> CrmError:
    """What a client sees of a failure of our own."""
    return CrmError(f"internal error; the log has the cause under request id {request_id}")


def error_entry(error: CrmError, source: GraphQLError | None = None) -> ResponseBody:
    """An entry of `errors`; `source` has the locations and the path."""
    message, field = describe_error(error, _invalid_field(source))
    # A message may quote the input, and half a surrogate pair can't be sent back.
    text = f"[{error.code}] {message}"[:MESSAGE_MAX].encode("utf-8", "backslashreplace").decode()
    entry: ResponseBody = {"message": text}
    if source is not None and source.locations:
        entry["locations"] = [location.formatted for location in source.locations]
    if source is not None and source.path:
        entry["path"] = source.path
    named = {"field": field} if field else {}
    return entry | {"extensions": {"code": error.code, **named, **error.details}}


def _invalid_field(error: GraphQLError | None) -> str | None:
    """The input field whose value a scalar rejects: graphql-core names it in the message, or only has its position."""
    if error is None or error.path:
        return None
    if named := invalid_variable(error):
        return named
    positions = list(error.positions or ())
    before = error.source.body[: positions[0]] if error.source and positions else ""
    in_document = _ARGUMENT_NAME.search(before[-100:])
    return in_document[1] if in_document and isinstance(error.original_error, CrmError) else None
