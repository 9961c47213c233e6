"""The JSON Schemas of events (2020-12), one for all types and one for each type. GET /events/schema serves them."""

from functools import cache
from typing import Any, TypeAlias

import orjson
from fastapi import APIRouter
from fastapi.responses import Response

from crm_graph.delivery.payloads import ANY_EVENT
from crm_graph.errors import NotFound
from crm_graph.models import EventType

Schema: TypeAlias = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = "#/$defs/"


@cache
def document() -> Schema:
    """The schema of all events. Its `discriminator` maps a type to one of `oneOf`, as in OpenAPI."""
    schema: Schema = ANY_EVENT.json_schema(mode="serialization")
    schema["$defs"] = {name: _tidy(part) for name, part in schema["$defs"].items()}
    head = {"$schema": DIALECT, "title": "Events of crm-graph", "description": "The body of a delivery."}
    return head | schema


@cache
def document_of(type: EventType) -> Schema:
    """The schema of the events of one type."""
    whole = document()
    name = whole["discriminator"]["mapping"][type].removeprefix(REFERENCE)
    parts = whole["$defs"]
    used = set[str]()
    new = {name}
    while new:
        used |= new
        new = {one for part in new for one in _references(parts[part])} - used
    definitions = {one: part for one, part in parts.items() if one in used and one != name}
    return {"$schema": DIALECT, **parts[name], "$defs": definitions}


def create_router() -> APIRouter:
    """The endpoints. They are public: they contain no customer data."""
    router = APIRouter(prefix="/events/schema")

    @router.get("")
    async def all_types() -> Response:
        """The schema of all events."""
        return _response(document())

    @router.get("/{type}")
    async def one_type(type: str) -> Response:
        """The schema of the events of one type."""
        if type not in set(EventType):
            raise NotFound(f"there is no event type {type[:100]!r}: GET /events/schema lists all types")
        return _response(document_of(EventType(type)))

    return router


def _response(schema: Schema) -> Response:
    headers = {"Cache-Control": "public, max-age=3600"}
    return Response(orjson.dumps(schema), media_type="application/schema+json", headers=headers)


def _references(part: object) -> set[str]:
    """The names of the definitions that a part of a schema refers to."""
    if isinstance(part, list):
        return {name for one in part for name in _references(one)}
    if not isinstance(part, dict):
        return set()
    reference = part.get("$ref")
    own = {reference.removeprefix(REFERENCE)} if isinstance(reference, str) else set[str]()
    return own | {name for one in part.values() for name in _references(one)}


def _tidy(part: object) -> object:
    """Remove titles that only repeat a field's name, and put descriptions on one line."""
    if isinstance(part, list):
        return [_tidy(one) for one in part]
    if not isinstance(part, dict):
        return part
    tidied = {
        key: " ".join(value.split()) if key == "description" else _tidy(value)
        for key, value in part.items()
        if key != "properties"
    }
    if "properties" in part:
        tidied["properties"] = {name: _tidy(_untitled(one)) for name, one in part["properties"].items()}
    return tidied


def _untitled(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "title"}
