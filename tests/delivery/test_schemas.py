"""The schemas of events, as the authors of workflows get them."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from crm_graph.delivery import schemas
from crm_graph.models import EventType
from crm_graph.web import signatures
from tests.support.events import validate
from tests.support.paths import PROJECT

GUIDE, EXAMPLES = ((PROJECT / "docs" / name).read_text(encoding="utf-8") for name in ("events.md", "event-examples.md"))


async def test_anybody_gets_the_schema_of_all_events(client: httpx.AsyncClient) -> None:
    answer = await client.get("/events/schema")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/schema+json"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.json() == schemas.document()
    Draft202012Validator.check_schema(answer.json())


@pytest.mark.parametrize("type_", EventType)
async def test_every_type_has_a_schema_of_its_own(type_: EventType, client: httpx.AsyncClient) -> None:
    schema = (await client.get(f"/events/schema/{type_}")).json()

    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["type"]["const"] == type_
    assert schema["description"]
    assert {"id", "type", "occurred_at", "source", "idempotency_key", "data"} <= set(schema["required"])
    assert "additionalProperties" not in schema  # fields may be added


def test_no_type_is_missing() -> None:
    assert set(schemas.document()["discriminator"]["mapping"]) == set(EventType)


async def test_a_type_that_does_not_exist_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.get("/events/schema/deal_lost")

    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"
    assert "deal_lost" in answer.json()["message"]


def test_every_type_has_an_example_in_the_documentation() -> None:
    examples = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", EXAMPLES, re.DOTALL | re.MULTILINE)]

    assert {example["type"] for example in examples} == set(EventType)
    for type_ in EventType:
        assert f"(event-examples.md#{type_})" in GUIDE
    for example in examples:
        validate(example)


def test_the_documented_code_verifies_our_deliveries() -> None:
    [code] = re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    defined: dict[str, Any] = {}
    exec(code, defined)
    secret, now = signatures.new_webhook_secret(), datetime.now(UTC)
    headers = signatures.delivery_headers([signatures.new_webhook_secret(), secret], "an-id", b"{}", now)

    assert defined["is_ours"](secret, headers, b"{}")
    assert not defined["is_ours"](secret, headers, b"{ }")
    assert not defined["is_ours"](signatures.new_webhook_secret(), headers, b"{}")
    late = signatures.delivery_headers([secret], "an-id", b"{}", now - timedelta(minutes=6))
    assert not defined["is_ours"](secret, late, b"{}")
