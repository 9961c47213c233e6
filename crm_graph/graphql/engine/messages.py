"""Requests and answers as they travel, whichever way: by POST, over a socket, as a stream of events.

n8n shows nothing but `errors[].message`, and takes a failure without `errors` for success; so the code leads every
message.
"""

import logging
import re
from typing import Any

from graphql import ExecutionResult, GraphQLError

from crm_graph.errors import BadRequest, CrmError, QueryTooComplex
from crm_graph.graphql.engine.error_format import describe_error
from crm_graph.graphql.engine.library_internals import invalid_variable, is_parser_limit, is_validation_limit

log = logging.getLogger(__name__)

MESSAGE_MAX = 500  # names and values of any length are quoted in them
_IN_DOCUMENT = re.compile(r"(\w+)\s*:\s*$")


def checked(asked: Any) -> dict[str, Any]:
    """The parameters of a GraphQL request (GraphQL over HTTP, "request parameters"); raises BadRequest."""
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


def body_of(result: ExecutionResult, request_id: str) -> tuple[dict[str, Any], list[CrmError]]:
    """The answer, and what went wrong."""
    if not result.errors:
        return {"data": result.data}, []
    was_run = result.data is not None or any(error.path for error in result.errors)
    body: dict[str, Any] = {"data": result.data} if was_run else {}  # GraphQL, 7.1: no data before execution
    failures = [failure_of(error, request_id) for error in result.errors]
    body["errors"] = [rendered(failure, error) for failure, error in zip(failures, result.errors, strict=True)]
    return body, failures


def failure_of(error: GraphQLError, request_id: str) -> CrmError:
    """What went wrong, in our own terms; the cause of an internal error goes to the log only."""
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, CrmError):
        return cause
    if is_parser_limit(error):
        return QueryTooComplex(error.message)
    if is_validation_limit(error):
        return QueryTooComplex("the document has too many errors to list them")
    if cause is None or isinstance(cause, GraphQLError):
        return BadRequest(error.message)
    if isinstance(cause, ValueError | RecursionError) and not error.path:  # reading the document, not running it
        return BadRequest("a number in the document is too long, or the document is nested too deeply")
    details = {"request_id": request_id, "path": ".".join(map(str, error.path or ()))}
    log.error("resolver failed", exc_info=cause, extra={"details": details})
    return internal(request_id)


def internal(request_id: str) -> CrmError:
    """What is told of a failure of our own."""
    return CrmError(f"internal error; the log has the cause under request id {request_id}")


def rendered(failure: CrmError, error: GraphQLError | None = None) -> dict[str, Any]:
    """An entry of `errors`."""
    message, field = describe_error(failure, _misshapen(error))
    # A message may quote what was sent, and half a surrogate pair can't be sent back.
    shown = f"[{failure.code}] {message}"[:MESSAGE_MAX].encode("utf-8", "backslashreplace").decode()
    made: dict[str, Any] = {"message": shown}
    if error is not None and error.locations:
        made["locations"] = [location.formatted for location in error.locations]
    if error is not None and error.path:
        made["path"] = error.path
    named = {"field": field} if field else {}
    return made | {"extensions": {"code": failure.code, **named, **failure.details}}


def _misshapen(error: GraphQLError | None) -> str | None:
    """The input field whose value no scalar reads: graphql-core names it in the message, or by its place alone."""
    if error is None or error.path:
        return None
    if named := invalid_variable(error):
        return named
    places = list(error.positions or ())
    before = error.source.body[: places[0]] if error.source and places else ""
    in_document = _IN_DOCUMENT.search(before[-100:])
    return in_document[1] if in_document and isinstance(error.original_error, CrmError) else None
