"""Endpoints: created once per URL, changed only by their owners and admins; their secrets are shown once."""

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.delivery import endpoints
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.egress.client import CheckedUrl
from crm_graph.errors import Conflict, NotFound
from crm_graph.identity.principal import Principal
from crm_graph.models import Role, WebhookEndpoint
from tests.support.api import ask, reason, refusal, send
from tests.support.database import everything, rows, unchanged
from tests.support.endpoints import SECRET, add_delivery, add_endpoint, add_event, deliveries_of, endpoint_of
from tests.support.factories import ADA, BOB, ROOT, World

URL = "https://1.1.1.1/hook"
CREATE = """mutation ($in: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $in) {
    secret created endpoint { id url eventTypes headerNames active owner { email } } } }"""
UPDATE = """mutation ($in: UpdateWebhookEndpointInput!) { updateWebhookEndpoint(input: $in) { endpoint {
    url eventTypes headerNames active disabledReason failures failingSince retryAt version } } }"""
ROTATE = "mutation ($in: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $in) { secret endpoint { version } } }"
DELETE = "mutation ($in: DeleteWebhookEndpointInput!) { deleteWebhookEndpoint(input: $in) { deletedEndpointId } }"
TEST = """mutation ($in: TestWebhookEndpointInput!) { testWebhookEndpoint(input: $in) {
    endpoint { pendingCount } delivery { id status event { type payload } } pausedReason } }"""
FAR_OFF = datetime(2099, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def create(client: httpx.AsyncClient, who: str, **given: Any) -> Any:
    """The result of createWebhookEndpoint."""
    return (await ask(client, who, CREATE, **{"in": {"url": URL} | given}))["createWebhookEndpoint"]


async def update(client: httpx.AsyncClient, who: str, endpoint: Any, **given: Any) -> Any:
    """The endpoint as updateWebhookEndpoint shows it."""
    answer = await ask(client, who, UPDATE, **{"in": {"endpointId": str(endpoint)} | given})
    return answer["updateWebhookEndpoint"]["endpoint"]


async def test_a_new_endpoint_is_stored_as_it_was_asked_for(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    asked = {"eventTypes": ["DEAL_CREATED", "REPLY_RECEIVED", "DEAL_CREATED"], "headers": {"X-CRM-Secret": "s3cret"}}
    made = await create(client, ADA, **asked)

    assert made["created"] is True
    assert made["secret"].startswith("whsec_")
    [stored] = await rows(sql, WebhookEndpoint)
    assert stored.secret == made["secret"]
    assert (stored.owner_id, stored.url, stored.headers) == (world.ada.owner, URL, {"x-crm-secret": "s3cret"})
    assert stored.event_types == ["deal_created", "reply_received"]
    shown = made["endpoint"]
    assert shown.pop("id") == str(stored.id)
    assert shown == {
        "url": URL,
        "eventTypes": ["DEAL_CREATED", "REPLY_RECEIVED"],
        "headerNames": ["x-crm-secret"],
        "active": True,
        "owner": {"email": ADA},
    }


async def test_the_same_url_again_is_the_same_endpoint_without_its_secret(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    first = await create(client, ADA, eventTypes=["DEAL_CREATED"])

    async with unchanged(sql):
        again = await create(client, ADA, url=" HTTPS://1.1.1.1:443/hook", eventTypes=["TEST"], headers={"A": "b"})

    assert again == first | {"secret": None, "created": False}
    bobs = await create(client, BOB)
    assert bobs["created"] is True
    assert bobs["endpoint"]["id"] != first["endpoint"]["id"]


async def test_two_creations_at_once_make_one_endpoint(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    made = await asyncio.gather(*(create(client, ADA) for _ in range(10)))

    [stored] = await rows(sql, WebhookEndpoint)
    assert {one["endpoint"]["id"] for one in made} == {str(stored.id)}
    assert [one["secret"] for one in made if one["created"]] == [stored.secret]
    assert [one["secret"] for one in made if not one["created"]] == [None] * 9


async def test_a_secret_is_in_its_own_column_and_nowhere_else(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, caplog: pytest.LogCaptureFixture
) -> None:
    key = {"idempotencyKey": "once"}
    made = await create(client, ADA, headers={"Authorization": "Bearer hidden"}, **key)
    endpoint = made["endpoint"]["id"]
    rotated = (await ask(client, ADA, ROTATE, **{"in": {"endpointId": endpoint} | key}))["rotateWebhookSecret"]
    again = await create(client, ADA, headers={"Authorization": "Bearer hidden"}, **key)
    rotated_again = (await ask(client, ADA, ROTATE, **{"in": {"endpointId": endpoint} | key}))["rotateWebhookSecret"]

    assert (again["secret"], rotated_again["secret"]) == (None, None)
    assert again["created"] is True
    tables = await everything(sql)
    [stored] = tables.pop("webhook_endpoints")
    for secret in (made["secret"], rotated["secret"], "hidden"):
        assert secret in repr(stored)
        assert secret not in repr(tables)
        assert secret not in caplog.text
        everywhere = "{ webhookEndpoints { nodes { id url headerNames } } webhookDeliveries { totalCount } }"
        assert secret not in json.dumps(await ask(client, ADA, everywhere))
    for name in ("secret", "previousSecret", "headers"):
        answer = (await send(client, ROOT, f"{{ webhookEndpoints {{ nodes {{ {name} }} }} }}")).json()
        assert "Cannot query field" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"url": "http://127.0.0.1/x"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "https://me:secret@1.1.1.1/"}, "url"),
        ({"url": "ftp://1.1.1.1/"}, "url"),
        ({"headers": ["X"]}, "headers"),
        ({"headers": {"X": 1}}, "headers"),
        ({"headers": {"webhook-id": "1"}}, "headers"),
        ({"headers": {"X": "a\r\nB: c"}}, "headers"),
    ],
)
async def test_a_url_that_may_not_be_called_is_refused(
    given: Any, field: str, client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner)

    async with unchanged(sql):
        error = await refusal(client, ADA, CREATE, **{"in": {"url": URL} | given})
        assert reason(error) == ("VALIDATION", field)
        error = await refusal(client, ADA, UPDATE, **{"in": {"endpointId": str(endpoint)} | given})
        assert reason(error) == ("VALIDATION", field)


async def test_absent_fields_stay_and_null_clears(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    columns: Any = {"event_types": ["deal_created"], "headers": {"x-a": "1", "x-b": "2"}}
    endpoint = await add_endpoint(sql, world.ada.owner, **columns)

    changed = await update(client, ADA, endpoint, headers={"X-A": None, "x-c": "3"})
    assert changed["headerNames"] == ["x-b", "x-c"]
    assert (changed["eventTypes"], changed["version"]) == (["DEAL_CREATED"], 2)
    assert (await endpoint_of(sql, endpoint)).headers == {"x-b": "2", "x-c": "3"}

    changed = await update(client, ADA, endpoint, url=f"{URL}?a=b", eventTypes=None, headers=None)
    assert (changed["url"], changed["eventTypes"], changed["headerNames"]) == (f"{URL}?a=b", [], [])

    async with unchanged(sql):
        await update(client, ADA, endpoint, url=f"{URL}?a=b", eventTypes=[], active=True)


async def test_disabled_and_enabled_again(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    failing: Any = {"failures": 3, "failing_since": NOW, "retry_at": NOW}
    endpoint = await add_endpoint(sql, world.ada.owner, **failing)
    count = await sql.scalar(text("SELECT count(*) FROM events"))

    off = await update(client, ADA, endpoint, active=False)
    assert (off["active"], off["disabledReason"], off["failures"]) == (False, "by its owner", 3)
    assert await sql.scalar(text("SELECT count(*) FROM events")) == count  # its owner knows

    on = await update(client, ADA, endpoint, active=True)
    assert on["active"] is True
    assert (on["disabledReason"], on["failures"], on["failingSince"], on["retryAt"]) == (None, 0, None, None)


async def test_another_url_ends_an_outage(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner, failures=3, failing_since=NOW, retry_at=NOW)

    delivery = await add_delivery(sql, endpoint, await add_event(sql, world.ada.owner), "pending", due_at=FAR_OFF)

    assert (await update(client, ADA, endpoint, url=URL))["failures"] == 0

    [stored] = await deliveries_of(sql, endpoint)
    assert stored.id == delivery
    assert stored.due_at < FAR_OFF  # what waits is due now


async def test_a_url_that_another_endpoint_has_is_a_conflict(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    await add_endpoint(sql, world.ada.owner, URL)
    endpoint = await add_endpoint(sql, world.ada.owner)

    async with unchanged(sql):
        error = await refusal(client, ADA, UPDATE, **{"in": {"endpointId": str(endpoint), "url": URL}})
    assert reason(error) == ("CONFLICT", "url")


async def test_a_stale_edit_is_refused(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner, version=3)

    async with unchanged(sql):
        for document in (UPDATE, ROTATE, DELETE):
            error = await refusal(client, ADA, document, **{"in": {"endpointId": str(endpoint), "expectedVersion": 2}})
            assert reason(error) == ("VERSION_CONFLICT", "expectedVersion")


async def test_after_a_rotation_the_old_secret_signs_for_24_hours(
    database: Database, world: World, sql: AsyncConnection
) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner)
    async with database.transaction() as session:
        me = Principal(world.ada.owner, Role.SALES)
        secret = await endpoints.rotate(UnitOfWork(session, me, NOW), endpoint_id=endpoint)

    stored = await endpoint_of(sql, endpoint)
    assert (stored.secret, stored.previous_secret) == (secret, SECRET)
    assert stored.previous_secret_until == NOW + timedelta(hours=24)
    assert secret != SECRET


async def test_deleted_with_its_deliveries_but_not_the_events(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner)
    event = await add_event(sql, world.ada.owner)
    await add_delivery(sql, endpoint, event)

    await ask(client, ADA, DELETE, **{"in": {"endpointId": str(endpoint)}})

    assert await rows(sql, WebhookEndpoint) == []
    assert await deliveries_of(sql, endpoint) == []
    assert await sql.scalar(text("SELECT count(*) FROM events WHERE id = :id"), {"id": event}) == 1


async def test_a_test_is_queued_for_that_endpoint_alone(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner, event_types=["deal_created"])
    other = await add_endpoint(sql, world.ada.owner, URL)

    answer = (await ask(client, ADA, TEST, **{"in": {"endpointId": str(endpoint)}}))["testWebhookEndpoint"]

    [stored] = await deliveries_of(sql, endpoint)
    assert (answer["delivery"]["id"], answer["delivery"]["status"]) == (str(stored.id), "PENDING")
    assert answer["delivery"]["event"]["type"] == "TEST"
    assert answer["delivery"]["event"]["payload"]["endpoint_id"] == str(endpoint)
    assert answer["endpoint"]["pendingCount"] == 1
    assert answer["pausedReason"] is None
    assert await deliveries_of(sql, other) == []


async def test_a_disabled_endpoint_is_not_tested(client: httpx.AsyncClient, world: World, sql: AsyncConnection) -> None:
    endpoint = await add_endpoint(sql, world.ada.owner, disabled_at=NOW, disabled_reason="410")

    async with unchanged(sql):
        error = await refusal(client, ADA, TEST, **{"in": {"endpointId": str(endpoint)}})
    assert reason(error) == ("CONFLICT", "endpointId")


async def test_an_operator_creates_one_for_an_owner(database: Database, world: World, sql: AsyncConnection) -> None:
    operator = Principal(None, Role.ADMIN, "crm-graph")
    async with database.transaction() as session:
        made = await endpoints.create(UnitOfWork(session, operator, NOW), url=CheckedUrl(URL), owner_id=world.bob.owner)
    assert (await endpoint_of(sql, made.endpoint_id)).owner_id == world.bob.owner

    await sql.execute(text("UPDATE owners SET active = false WHERE id = :id"), {"id": world.bob.owner})
    with pytest.raises(NotFound):
        async with database.transaction() as session:
            await endpoints.create(UnitOfWork(session, operator, NOW), url=CheckedUrl(URL), owner_id=world.bob.owner)
    endpoint = made.endpoint_id
    with pytest.raises(Conflict):
        async with database.transaction() as session:
            await endpoints.send_test(UnitOfWork(session, operator, NOW), endpoint_id=endpoint)


async def test_an_unknown_id_is_not_found_for_admins(client: httpx.AsyncClient, world: World) -> None:
    for document in (UPDATE, ROTATE, DELETE, TEST):
        error = await refusal(client, ROOT, document, **{"in": {"endpointId": str(uuid.uuid4())}})
        assert reason(error) == ("NOT_FOUND", "endpointId")
