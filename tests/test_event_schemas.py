"""The schemas of events, as a builder of workflows gets them."""

import httpx
import pytest
from jsonschema import Draft202012Validator

from crm_graph import event_schemas
from crm_graph.models import EventType


async def test_anybody_gets_the_schema_of_all_events(client: httpx.AsyncClient) -> None:
    answer = await client.get("/events/schema")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/schema+json"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.json() == event_schemas.document()
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
    assert set(event_schemas.document()["discriminator"]["mapping"]) == set(EventType)


async def test_a_type_that_does_not_exist_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.get("/events/schema/deal_lost")

    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"
    assert "deal_lost" in answer.json()["message"]
