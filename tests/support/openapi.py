"""The REST endpoints as an OpenAPI document, for programs that request from it; payloads are like the fixtures."""

import json
from collections import defaultdict
from typing import Any

from crm_graph.models.enums import EventType
from tests.support.webhooks import ENDPOINTS, FIXTURES

Schema = dict[str, Any]

_NAMES: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_ERROR = {
    "type": "object",
    "required": ["error", "message"],
    "properties": {"error": {"type": "string"}, "message": {"type": "string"}},
}
_RESULT = {
    "type": "object",
    "required": ["status", "webhook_id", "contact_id", "deal_id"],
    "properties": {"status": {"enum": ["ok", "ignored", "duplicate", "stored", "quarantined"]}},
}
_STATUS = {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}}


def document() -> Schema:
    """Every REST endpoint, with the statuses and bodies that it may answer with."""
    webhooks = {path: {"post": _webhook(provider)} for provider, path in ENDPOINTS.items()}
    bom = {"name": "bom", "in": "query", "schema": {"enum": ["0", "1"]}}
    export = {"parameters": [bom], "responses": _text("text/csv", 200) | _json(_ERROR, 400)}
    of_type = {"name": "type", "in": "path", "required": True, "schema": {"enum": [str(one) for one in EventType]}}
    paths = {
        "/export/contacts.csv": {"get": export},
        "/export/deals.csv": {"get": export},
        "/events/schema": {"get": {"responses": _json({"type": "object"}, 200, media="application/schema+json")}},
        "/events/schema/{type}": {
            "get": {
                "parameters": [of_type],
                "responses": _json({"type": "object"}, 200, media="application/schema+json") | _json(_ERROR, 404),
            }
        },
        "/metrics": {"get": {"responses": _text("text/plain", 200)}},
        "/healthz": {"get": {"responses": _json(_STATUS, 200)}},
        "/readyz": {"get": {"responses": _json(_STATUS, 200)}},
    }
    return {"openapi": "3.1.0", "info": {"title": "crm-graph", "version": "1"}, "paths": webhooks | paths}


def _webhook(provider: str) -> Schema:
    key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "pattern": "^[!-~]{1,300}$"}}
    payloads = [json.loads(file.read_bytes()) for file in _payloads(provider)]
    body = {"required": True, "content": {"application/json": {"schema": like(payloads), "examples": _named(payloads)}}}
    return {
        "parameters": [key],
        "requestBody": body,
        "responses": _json(_RESULT, 200, 202, 409) | _json(_ERROR, 400, 422),
    }


def _payloads(provider: str) -> list[Any]:
    return [file for file in sorted((FIXTURES / provider / "fixtures").glob("*.json")) if "expected" not in file.name]


def _named(payloads: list[Any]) -> Schema:
    return {str(number): {"value": payload} for number, payload in enumerate(payloads)}


def like(values: list[Any]) -> Schema:
    """A schema of what is like those values: the same keys, of the same types; short texts are one of those seen."""
    objects = [value for value in values if isinstance(value, dict)]
    if objects and len(objects) == len(values):
        found = defaultdict(list)
        for value in objects:
            for name, part in value.items():
                found[name].append(part)
        return {"type": "object", "properties": {name: like(parts) for name, parts in found.items()}}
    lists = [value for value in values if isinstance(value, list)]
    if lists and len(lists) == len(values):
        items = [item for one in lists for item in one]
        return {"type": "array", "items": like(items) if items else {}}
    types = {_NAMES[type(value)] for value in values if type(value) in _NAMES}
    seen = sorted({value for value in values if isinstance(value, str)})
    free: Schema = {"type": sorted(types)} if types else {}
    return {"anyOf": [{"enum": seen}, free]} if seen else free


def _json(schema: Schema, *statuses: int, media: str = "application/json") -> Schema:
    return {str(status): {"description": "", "content": {media: {"schema": schema}}} for status in statuses}


def _text(media: str, status: int) -> Schema:
    return {str(status): {"description": "", "content": {media: {"schema": {"type": "string"}}}}}
