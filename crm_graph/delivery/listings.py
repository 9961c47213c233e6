"""Lists of endpoints and deliveries for operators, who see every owner's."""

import uuid
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Executable, Integer, bindparam, func, select

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import Query, param
from crm_graph.delivery.queue import PENDING
from crm_graph.models import DeliveryStatus, Event, Owner, WebhookDelivery, WebhookEndpoint, table

_ENDPOINTS, _DELIVERIES, _OWNERS = table(WebhookEndpoint), table(WebhookDelivery), table(Owner)


class ListedEndpoint(NamedTuple):
    """An endpoint with its owner's `email`, and how many deliveries are `pending`."""

    id: uuid.UUID
    email: str
    url: str
    event_types: list[str]
    headers: dict[str, str]
    failures: int
    disabled_at: datetime | None
    disabled_reason: str | None
    pending: int


class ListedDelivery(NamedTuple):
    """A delivery with the event's `type`, the endpoint's `url` and its owner's `email`."""

    id: uuid.UUID
    created_at: datetime
    type: str
    status: str
    attempts: int
    url: str
    email: str


async def list_endpoints(transaction: Transaction, email: str | None = None) -> list[ListedEndpoint]:
    """All endpoints, or one owner's, by owner and URL."""
    return await _LIST_ENDPOINTS.rows(transaction, email=email)


async def list_deliveries(
    transaction: Transaction, email: str | None, status: DeliveryStatus | None, limit: int
) -> list[ListedDelivery]:
    """The newest deliveries, all or one owner's, in any state or in `status`."""
    return await _LIST_DELIVERIES.rows(transaction, email=email, status=status, limit=limit)


def _is_of_owner() -> ColumnElement[bool]:
    return _OWNERS.c.email == func.coalesce(param(Owner, "email"), _OWNERS.c.email)


def _list_endpoints() -> Executable:
    c = _ENDPOINTS.c
    count = select(func.count()).where(_DELIVERIES.c.endpoint_id == c.id, _DELIVERIES.c.status == PENDING)
    own = {"email": _OWNERS.c.email, "pending": count.scalar_subquery().label("pending")}
    columns = [own[name] if name in own else c[name] for name in ListedEndpoint._fields]
    query = select(*columns).join_from(_ENDPOINTS, _OWNERS, _OWNERS.c.id == c.owner_id)
    return query.where(_is_of_owner()).order_by(_OWNERS.c.email, c.url)


def _list_deliveries() -> Executable:
    c, events, status = _DELIVERIES.c, table(Event), param(WebhookDelivery, "status")
    others = {"type": events.c.type, "url": _ENDPOINTS.c.url, "email": _OWNERS.c.email}
    columns = [others[name] if name in others else c[name] for name in ListedDelivery._fields]
    query = select(*columns).join_from(_DELIVERIES, events, events.c.id == c.event_id)
    query = query.join(_ENDPOINTS, _ENDPOINTS.c.id == c.endpoint_id)
    query = query.join(_OWNERS, _OWNERS.c.id == _ENDPOINTS.c.owner_id)
    query = query.where(_is_of_owner(), c.status == func.coalesce(status, c.status))
    limit = bindparam("_limit", type_=Integer, required=True)
    return query.order_by(c.created_at.desc(), c.id.desc()).limit(limit)


_LIST_ENDPOINTS = Query(ListedEndpoint, _list_endpoints)
_LIST_DELIVERIES = Query(ListedDelivery, _list_deliveries)
