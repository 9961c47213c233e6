"""The JSON Schemas of events (2020-12): one document for all, and one for each type; GET /events/schema serves them."""

from functools import cache
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.responses import Response

from crm_graph.delivery.payloads import ANY_EVENT
from crm_graph.errors import NotFound
from crm_graph.models import EventType

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = "#/$defs/"


@cache
def document() -> dict[str, Any]:
    """The schema of every event; `discriminator` says which of its `oneOf` a type has, as in OpenAPI."""
    schema = ANY_EVENT.json_schema(mode="serialization")
    schema["$defs"] = {name: _tidy(part) for name, part in schema["$defs"].items()}
    head = {"$schema": DIALECT, "title": "Events of crm-graph", "description": "The body of a delivery."}
    return head | schema


@cache
def document_of(type: EventType) -> dict[str, Any]:
    """The schema of the events of one type."""
    whole = document()
    name = whole["discriminator"]["mapping"][type].removeprefix(REFERENCE)
    parts = whole["$defs"]
    used: set[str] = set()
    new = {name}
    while new:
        used |= new
        new = {one for part in new for one in _references(parts[part])} - used
    definitions = {one: part for one, part in parts.items() if one in used and one != name}
    return {"$schema": DIALECT, **parts[name], "$defs": definitions}


def create_router() -> APIRouter:
    """The endpoints, for everybody: they hold nothing of anybody."""
    router = APIRouter(prefix="/events/schema")

    @router.get("")
    async def all_types() -> Response:
        """The schema of every event."""
        return _answer(document())

    @router.get("/{type}")
    async def one_type(type: str) -> Response:
        """The schema of the events of one type."""
        if type not in set(EventType):
            raise NotFound(f"there is no event type {type[:100]!r}: GET /events/schema has them all")
        return _answer(document_of(EventType(type)))

    return router


def _answer(schema: dict[str, Any]) -> Response:
    headers = {"Cache-Control": "public, max-age=3600"}
    return Response(orjson.dumps(schema), media_type="application/schema+json", headers=headers)


def _references(part: Any) -> set[str]:
    """The names of the definitions that a schema refers to."""
    if isinstance(part, list):
        return {name for one in part for name in _references(one)}
    if not isinstance(part, dict):
        return set()
    own = {part["$ref"].removeprefix(REFERENCE)} if isinstance(part.get("$ref"), str) else set()
    return own | {name for one in part.values() for name in _references(one)}


def _tidy(part: Any) -> Any:
    """Without the titles that only repeat the fields' names, and with descriptions in one line."""
    if isinstance(part, list):
        return [_tidy(one) for one in part]
    if not isinstance(part, dict):
        return part
    tidied = {key: _tidy(value) for key, value in part.items() if key != "properties"}
    if isinstance(tidied.get("description"), str):
        tidied["description"] = " ".join(tidied["description"].split())
    if "properties" in part:
        tidied["properties"] = {
            name: _tidy({key: value for key, value in one.items() if key != "title"})
            for name, one in part["properties"].items()
        }
    return tidied
