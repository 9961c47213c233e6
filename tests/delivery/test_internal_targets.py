"""Endpoints in the networks that the operator allows: only admins may have them, at save and at each delivery."""

import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import Row, select, update
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_graph.database.engine import Database
from crm_graph.delivery import endpoints
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.egress.client import CheckedUrl
from crm_graph.errors import ValidationFailed
from crm_graph.identity.principal import Principal
from crm_graph.models import Owner, Role, WebhookAttempt, table
from crm_graph.server.worker import working
from crm_graph.settings import Settings
from tests.support.api import ask, refusal
from tests.support.database import unchanged
from tests.support.deliveries import create, settled, subscribe, until
from tests.support.factories import ADA, ROOT, World
from tests.support.http_receiver import Receiver

INSIDE = "http://127.0.0.1:5678/hook"
CREATE = """mutation ($in: CreateWebhookEndpointInput!) {
    createWebhookEndpoint(input: $in) { endpoint { id url } } }"""
UPDATE = """mutation ($in: UpdateWebhookEndpointInput!) {
    updateWebhookEndpoint(input: $in) { endpoint { url } } }"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"outbound_allowed_networks": ("127.0.0.0/8:*",)})


async def test_an_admin_creates_an_endpoint_inside_and_a_salesperson_does_not(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection
) -> None:
    async with unchanged(sql):
        error = await refusal(client, ADA, CREATE, **{"in": {"url": INSIDE}})
    assert "for endpoints of admins" in error["message"]
    assert error["extensions"]["field"] == "url"
    made = await ask(client, ROOT, CREATE, **{"in": {"url": INSIDE}})
    assert made["createWebhookEndpoint"]["endpoint"]["url"] == INSIDE


async def test_an_admin_moves_no_salespersons_endpoint_inside(
    client: httpx.AsyncClient, world: World, sql: AsyncConnection, database: Database
) -> None:
    endpoint = str(await subscribe(sql, world.ada.owner, "https://1.1.1.1/hook"))
    async with unchanged(sql):
        error = await refusal(client, ROOT, UPDATE, **{"in": {"endpointId": endpoint, "url": INSIDE}})
        operator = Principal(None, Role.ADMIN, "crm-graph")
        async with database.transaction() as transaction:
            work = UnitOfWork(transaction, operator, datetime.now(UTC))
            with pytest.raises(ValidationFailed, match="for endpoints of admins"):
                await endpoints.create(work, url=CheckedUrl(INSIDE, is_internal=True), owner_id=world.ada.owner)
    assert "for endpoints of admins" in error["message"]


@pytest.mark.slow
async def test_an_owner_who_is_no_longer_admin_reaches_nothing_inside(
    client: httpx.AsyncClient,
    sql: AsyncConnection,
    boss: uuid.UUID,
    receiver: Receiver,
    settings: Settings,
    database: Database,
    admin_url: URL,
) -> None:
    await subscribe(sql, boss, receiver.url(), event_types=["deal_created"])
    async with working(settings, database, admin_url.update_query_dict({"options": "-c role=app_user"})):
        await create(client, boss, "While admin")
        await settled(sql, 1)
        await sql.execute(update(table(Owner)).values(role=Role.SALES).where(table(Owner).c.id == boss))
        await create(client, boss, "Afterwards")

        attempts = table(WebhookAttempt)
        query = select(attempts.c.status_code, attempts.c.error, attempts.c.is_internal).order_by("attempted_at")

        async def both() -> list[Row[Any, Any, Any]]:
            tried = list(await sql.execute(query))
            return tried if len(tried) == 2 else []

        tried = await until(both)
    assert tried[0] == (200, None, True)
    assert tried[1].status_code is None
    assert "for endpoints of admins" in tried[1].error
    assert len(receiver.requests) == 1
