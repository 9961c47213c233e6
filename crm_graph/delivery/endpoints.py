"""Endpoints: the URLs that owners want events sent to, with the secrets that sign what goes there."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete as delete_from
from sqlalchemy import func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database import channels
from crm_graph.database.engine import Transaction
from crm_graph.domain import references
from crm_graph.domain.locking import check_version
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.egress import client
from crm_graph.errors import Conflict, NotFound, ValidationFailed
from crm_graph.identity.access import visible
from crm_graph.models import EventType, Owner, WebhookDelivery, WebhookEndpoint, table
from crm_graph.web import signatures

ENDPOINTS_MAX = 100  # of one owner
OLD_SECRET_SIGNS_FOR = timedelta(hours=24)
BY_ITS_OWNER = "by its owner"  # the one reason of which nobody has to be told
_ENDPOINTS, _DELIVERIES, _OWNERS = table(WebhookEndpoint), table(WebhookDelivery), table(Owner)
_NOT_FAILING = {"failures": 0, "failing_since": None, "retry_at": None}
_ENABLED = {"disabled_at": None, "disabled_reason": None, **_NOT_FAILING}


class Created(NamedTuple):
    """The endpoint that has the URL; its secret only when it is new."""

    endpoint_id: uuid.UUID
    secret: str | None


async def create(
    work: UnitOfWork,
    *,
    url: str,
    owner_id: uuid.UUID | None = None,
    event_types: Sequence[EventType] | None = None,
    headers: Mapping[str, Any] | None = None,
) -> Created:
    """Make an endpoint of the caller, or of `owner_id`; one that the owner has under this URL stays as it is.

    `url` must have passed outbound.check_url, which looks names up and therefore has no place in a transaction. Without
    `event_types` it gets all. Raises ValidationFailed, Forbidden, NotFound for the owner, and Conflict when the owner
    has ENDPOINTS_MAX.
    """
    work.principal.must_write()
    holder = owner_id or work.principal.owner_id
    await references.check(work, {"owner_id": holder})
    id_, secret = uuid.uuid4(), signatures.new_webhook_secret()
    row: dict[str, Any] = {"id": id_, "owner_id": holder, "url": url, "secret": secret}
    row |= {"created_at": work.now, "updated_at": work.now}
    row |= {"event_types": _types(event_types), "headers": _merged({}, headers)}
    # Who comes second with the same URL waits here, and then sees the first one's endpoint.
    await work.transaction.execute(select(_OWNERS.c.id).where(_OWNERS.c.id == holder).with_for_update(key_share=True))
    own = select(_ENDPOINTS.c.id, _ENDPOINTS.c.url).where(_ENDPOINTS.c.owner_id == holder)
    found = {known.url: known.id for known in await work.transaction.execute(own)}
    if url in found:
        return Created(found[url], None)
    if len(found) >= ENDPOINTS_MAX:
        raise Conflict(f"there are {ENDPOINTS_MAX} endpoints already; delete one that is not used", field="url")
    await work.transaction.execute(insert(_ENDPOINTS).values(row))
    return Created(id_, secret)


async def edit(
    work: UnitOfWork,
    *,
    endpoint_id: uuid.UUID,
    expected_version: int | None = None,
    active: bool | None = None,
    **changes: Any,
) -> uuid.UUID:
    """Change the `url` (see `create`), `event_types` or `headers` of an endpoint, or disable or enable it.

    Headers are set one by one, None removes one; None for all of them removes all, and None for the types means all
    types. Another URL, or to be enabled, ends an outage: what waits is due now. Raises NotFound, VersionConflict,
    ValidationFailed and Conflict.
    """
    endpoint = await lock_visible(work, endpoint_id, expected_version)
    values = await _changed(work.transaction, endpoint, changes)
    if active is True and (endpoint.disabled_at is not None or endpoint.failures):
        values |= _ENABLED
    if active is False and endpoint.disabled_at is None:
        values |= {"disabled_at": work.now, "disabled_reason": BY_ITS_OWNER}
    if values:
        await _write(work.transaction, endpoint_id, work.now, values)
    if "failures" in values:
        await _flush(work.transaction, endpoint_id)
    return endpoint_id


async def _changed(transaction: Transaction, endpoint: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that get other values."""
    asked: dict[str, Any] = {}
    if "url" in changes:
        asked["url"] = await _free_url(transaction, endpoint, changes["url"])
    if "event_types" in changes:
        asked["event_types"] = _types(changes["event_types"])
    if "headers" in changes:
        asked["headers"] = _merged(endpoint.headers, changes["headers"])
    values = {name: value for name, value in asked.items() if value != getattr(endpoint, name)}
    return values | (_NOT_FAILING if "url" in values else {})


async def delete(work: UnitOfWork, *, endpoint_id: uuid.UUID, expected_version: int | None = None) -> uuid.UUID:
    """Remove an endpoint and its deliveries; the events stay. Raises NotFound or VersionConflict."""
    await lock_visible(work, endpoint_id, expected_version)
    await work.transaction.execute(delete_from(_ENDPOINTS).where(_ENDPOINTS.c.id == endpoint_id))
    return endpoint_id


async def rotate(work: UnitOfWork, *, endpoint_id: uuid.UUID, expected_version: int | None = None) -> str:
    """Give an endpoint a new secret and return it; the present one signs beside it for 24 hours, an older one no more.

    Raises NotFound or VersionConflict.
    """
    endpoint = await lock_visible(work, endpoint_id, expected_version)
    secret = signatures.new_webhook_secret()
    old = {"previous_secret": endpoint.secret, "previous_secret_until": work.now + OLD_SECRET_SIGNS_FOR}
    await _write(work.transaction, endpoint_id, work.now, {"secret": secret, **old})
    return secret


async def send_test(work: UnitOfWork, *, endpoint_id: uuid.UUID) -> uuid.UUID:
    """Queue one event `test` for an endpoint; returns the delivery's id. Raises NotFound, Conflict as `check_on`."""
    check_on(await lock_visible(work, endpoint_id))
    event_id = (await work.transaction.execute(select(func.crm_test_endpoint(endpoint_id, work.now)))).scalar_one()
    queued = select(_DELIVERIES.c.id).where(
        _DELIVERIES.c.endpoint_id == endpoint_id, _DELIVERIES.c.event_id == event_id
    )
    found: uuid.UUID = (await work.transaction.execute(queued)).scalar_one()
    return found


async def lock_visible(work: UnitOfWork, endpoint_id: uuid.UUID, expected_version: int | None = None) -> Any:
    """An endpoint that the caller may change, locked, with its owner's `active` and `role`.

    Raises Forbidden, NotFound or VersionConflict.
    """
    work.principal.must_write()
    beside = _ENDPOINTS.join(_OWNERS, _OWNERS.c.id == _ENDPOINTS.c.owner_id)
    query = select(_ENDPOINTS, _OWNERS.c.active, _OWNERS.c.role).select_from(beside)
    query = query.where(_ENDPOINTS.c.id == endpoint_id, visible(WebhookEndpoint, work.principal))
    locked = query.with_for_update(key_share=True, of=_ENDPOINTS)
    endpoint = (await work.transaction.execute(locked)).one_or_none()
    if endpoint is None:
        raise NotFound("endpoint not found", field="endpoint_id")
    check_version(endpoint, expected_version)
    return endpoint


def check_on(endpoint: Any) -> None:
    """Raises Conflict for an endpoint that gets nothing: a disabled one, or an inactive owner's."""
    if endpoint.disabled_at is not None:
        message = f"the endpoint is disabled ({endpoint.disabled_reason}): enable it first"
        raise Conflict(message, field="endpoint_id")
    if not endpoint.active:
        raise Conflict("the endpoint's owner is inactive, so nothing is sent to it", field="endpoint_id")


async def everyone(transaction: Transaction, email: str | None = None) -> list[Any]:
    """All endpoints, or one owner's, with the owner's `email` and how many deliveries are `pending`."""
    pending = select(func.count()).where(
        _DELIVERIES.c.endpoint_id == _ENDPOINTS.c.id, _DELIVERIES.c.status == "pending"
    )
    query = select(_ENDPOINTS, _OWNERS.c.email, pending.scalar_subquery().label("pending"))
    query = query.join(_OWNERS, _OWNERS.c.id == _ENDPOINTS.c.owner_id).order_by(_OWNERS.c.email, _ENDPOINTS.c.url)
    return list(await transaction.execute(query.where(_OWNERS.c.email == email) if email else query))


async def wake(transaction: Transaction) -> None:
    """Tell whoever sends that there is something to send, once this is committed."""
    await transaction.execute(select(func.pg_notify(channels.DELIVERIES, "")))


async def _flush(transaction: Transaction, endpoint_id: uuid.UUID) -> None:
    c = _DELIVERIES.c
    waits = update(_DELIVERIES).where(c.endpoint_id == endpoint_id, c.status == "pending", c.due_at > func.now())
    await transaction.execute(waits.values(due_at=func.now()))
    await wake(transaction)


async def _write(transaction: Transaction, endpoint_id: uuid.UUID, now: datetime, values: Mapping[str, Any]) -> None:
    counted = {"version": _ENDPOINTS.c.version + 1, "updated_at": now}
    await transaction.execute(update(_ENDPOINTS).where(_ENDPOINTS.c.id == endpoint_id).values(**values, **counted))


async def _free_url(transaction: Transaction, endpoint: Any, url: str | None) -> str:
    if url is None:
        raise ValidationFailed("url can't be cleared", field="url")
    c = _ENDPOINTS.c
    others = select(literal(1)).where(c.owner_id == endpoint.owner_id, c.url == url, c.id != endpoint.id)
    await transaction.execute(
        select(_OWNERS.c.id).where(_OWNERS.c.id == endpoint.owner_id).with_for_update(key_share=True)
    )
    if (await transaction.execute(others)).one_or_none() is not None:
        raise Conflict("another endpoint of this owner has this url", field="url")
    return url


def _types(event_types: Sequence[EventType] | None) -> list[str]:
    return sorted({EventType(one).value for one in event_types or ()})


def _merged(stored: Mapping[str, str], headers: Any) -> dict[str, str]:
    """The headers after a change; raises ValidationFailed, whose message shows no value."""
    if headers is None:
        return {}
    if not isinstance(headers, Mapping) or not all(isinstance(value, str | None) for value in headers.values()):
        raise ValidationFailed("headers must be an object of names and texts", field="headers")
    removed = {name.lower() for name, value in headers.items() if value is None}
    added = client.check_headers({name: value for name, value in headers.items() if value is not None})
    return client.check_headers({k: v for k, v in stored.items() if k not in removed} | added)
