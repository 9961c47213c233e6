"""Endpoints: the URLs to which owners have their events sent, each with the secret that signs its deliveries."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import CTE, Executable, func, select, update
from sqlalchemy import delete as delete_from
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database.engine import Transaction
from crm_graph.database.statements import IdRow, Query, param
from crm_graph.delivery import disabled_reasons, internal_targets, queue
from crm_graph.delivery.notifications import notify_senders
from crm_graph.domain import references
from crm_graph.domain.locking import RowLock
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.egress.client import CheckedUrl
from crm_graph.egress.headers import check_headers
from crm_graph.errors import Conflict, ValidationFailed
from crm_graph.models import AnySelect, EventType, Owner, Role, WebhookDelivery, WebhookEndpoint, table
from crm_graph.web import signatures

ENDPOINTS_MAX, ADMIN_ENDPOINTS_MAX = 20, 100  # of one owner: one transaction queues a delivery for each
OLD_SECRET_SIGNS_FOR = timedelta(hours=24)
_ENDPOINTS, _DELIVERIES, _OWNERS = table(WebhookEndpoint), table(WebhookDelivery), table(Owner)
_NOT_FAILING = {"failures": 0, "failing_since": None, "retry_at": None}
_ENABLED = {"disabled_at": None, "disabled_reason": None, **_NOT_FAILING}


class Created(NamedTuple):
    """The endpoint that has the URL; its secret only when it is new."""

    endpoint_id: uuid.UUID
    secret: str | None


class LockedEndpoint(NamedTuple):
    """An endpoint under a lock; `active` and `role` are its owner's."""

    id: uuid.UUID
    owner_id: uuid.UUID
    url: str
    event_types: list[str]
    headers: dict[str, str]
    secret: str
    failures: int
    disabled_at: datetime | None
    disabled_reason: str | None
    version: int
    active: bool
    role: str


class _OwnerRole(NamedTuple):
    role: str


class _Known(NamedTuple):
    id: uuid.UUID
    url: str


async def create(
    work: UnitOfWork,
    *,
    url: CheckedUrl,
    owner_id: uuid.UUID | None = None,
    event_types: Sequence[EventType] | None = None,
    headers: object = None,
) -> Created:
    """Create an endpoint of the caller, or of `owner_id`. One that the owner has under this URL stays unchanged.

    `url` is from client.check_url, which resolves names and so must not run in a transaction. Without `event_types` it
    gets all events. Raises ValidationFailed, Forbidden, NotFound for the owner, and Conflict when the owner has
    ENDPOINTS_MAX endpoints, or an admin ADMIN_ENDPOINTS_MAX.
    """
    work.principal.must_write()
    owner = owner_id or work.principal.owner_id
    await references.check(work, {"owner_id": owner})
    id_, secret = uuid.uuid4(), signatures.new_webhook_secret()
    row: dict[str, object] = {"id": id_, "owner_id": owner, "secret": secret}
    row |= {"created_at": work.now, "updated_at": work.now}
    row |= {"event_types": _types(event_types), "headers": _merged({}, headers)}
    role = await _lock_owner(work.transaction, owner)
    row["url"] = internal_targets.check(url, role)
    known = {row.url: row.id for row in await _OF_OWNER.rows(work.transaction, owner_id=owner)}
    if url.url in known:
        return Created(known[url.url], None)
    limit = ADMIN_ENDPOINTS_MAX if role is Role.ADMIN else ENDPOINTS_MAX
    if len(known) >= limit:
        message = (
            f"there are already {len(known)} endpoints, and this owner may have {limit}: delete an unused one first"
        )
        raise Conflict(message, field="url")
    await work.transaction.execute(insert(_ENDPOINTS).values(row))
    return Created(id_, secret)


async def edit(
    work: UnitOfWork,
    *,
    endpoint_id: uuid.UUID,
    changes: Mapping[str, Any],
    active: bool | None = None,
    expected_version: int | None = None,
) -> uuid.UUID:
    """Change the `url` (see `create`), `event_types` or `headers` of an endpoint, or disable or enable it.

    Each header that is given is set, or removed by None; None for `headers` removes all, None for `event_types` means
    all types. A new URL, or enabling, ends an outage: waiting deliveries become due. Raises NotFound, VersionConflict,
    ValidationFailed and Conflict.
    """
    endpoint = await lock_visible(work, endpoint_id, expected_version)
    values = await _changed_values(work.transaction, endpoint, changes)
    if active is True and (endpoint.disabled_at is not None or endpoint.failures):
        values |= _ENABLED
    if active is False and endpoint.disabled_at is None:
        values |= {"disabled_at": work.now, "disabled_reason": disabled_reasons.BY_OWNER}
    if values:
        await _update(work, endpoint_id, values)
    if "failures" in values:
        await queue.make_due(work.transaction, endpoint_id)
        await notify_senders(work.transaction)
    return endpoint_id


async def _changed_values(
    transaction: Transaction, endpoint: LockedEndpoint, changes: Mapping[str, Any]
) -> dict[str, object]:
    """The columns that get other values."""
    values: dict[str, object] = {}
    if "url" in changes:
        values["url"] = await _free_url(transaction, endpoint, changes["url"])
    if "event_types" in changes:
        values["event_types"] = _types(changes["event_types"])
    if "headers" in changes:
        values["headers"] = _merged(endpoint.headers, changes["headers"])
    values = {name: value for name, value in values.items() if value != getattr(endpoint, name)}
    return values | (_NOT_FAILING if "url" in values else {})


async def delete(work: UnitOfWork, *, endpoint_id: uuid.UUID, expected_version: int | None = None) -> uuid.UUID:
    """Delete an endpoint with its deliveries; the events stay. Raises NotFound or VersionConflict."""
    await lock_visible(work, endpoint_id, expected_version)
    await work.transaction.execute(delete_from(_ENDPOINTS).where(_ENDPOINTS.c.id == endpoint_id))
    return endpoint_id


async def rotate(work: UnitOfWork, *, endpoint_id: uuid.UUID, expected_version: int | None = None) -> str:
    """Give an endpoint a new secret and return it. For 24 hours the present secret signs too; an older one stops.

    Raises NotFound or VersionConflict.
    """
    endpoint = await lock_visible(work, endpoint_id, expected_version)
    secret = signatures.new_webhook_secret()
    old = {"previous_secret": endpoint.secret, "previous_secret_until": work.now + OLD_SECRET_SIGNS_FOR}
    await _update(work, endpoint_id, {"secret": secret, **old})
    return secret


async def send_test(work: UnitOfWork, *, endpoint_id: uuid.UUID) -> uuid.UUID:
    """Queue one `test` event for an endpoint; return the delivery's id. Raises NotFound, and as `check_enabled`."""
    check_enabled(await lock_visible(work, endpoint_id))
    event_id = await work.transaction.scalar(select(func.crm_test_endpoint(endpoint_id, work.now)))
    delivery = await _DELIVERY_OF_EVENT.one(work.transaction, endpoint_id=endpoint_id, event_id=event_id)
    assert delivery is not None, "crm_test_endpoint queues it"
    return delivery.id


async def lock_visible(work: UnitOfWork, endpoint_id: uuid.UUID, expected_version: int | None = None) -> LockedEndpoint:
    """Lock an endpoint that the caller may change. Raises Forbidden, NotFound or VersionConflict."""
    return await _LOCK.one(work, endpoint_id, expected_version)


def check_enabled(endpoint: LockedEndpoint) -> None:
    """Raises Conflict for an endpoint to which nothing is sent: it is disabled, or its owner is inactive."""
    if endpoint.disabled_at is not None:
        message = f"the endpoint is disabled ({endpoint.disabled_reason}): enable it first"
        raise Conflict(message, field="endpoint_id")
    if not endpoint.active:
        raise Conflict("the endpoint's owner is inactive, so nothing is sent to it", field="endpoint_id")


async def _lock_owner(transaction: Transaction, owner_id: uuid.UUID | None) -> Role:
    """Serialise changes of one owner's URLs: the second writer waits, and then sees the first one's endpoint.

    Returns the owner's role.
    """
    owner = await _LOCK_OWNER.one(transaction, id=owner_id)
    assert owner is not None, "it was checked, or an endpoint refers to it"
    return Role(owner.role)


async def _update(work: UnitOfWork, endpoint_id: uuid.UUID, values: Mapping[str, object]) -> None:
    row = {**values, "version": _ENDPOINTS.c.version + 1, "updated_at": work.now}
    await work.transaction.execute(update(_ENDPOINTS).where(_ENDPOINTS.c.id == endpoint_id).values(row))


async def _free_url(transaction: Transaction, endpoint: LockedEndpoint, checked: CheckedUrl | None) -> str:
    if checked is None:
        raise ValidationFailed("url can't be cleared", field="url")
    url = internal_targets.check(checked, await _lock_owner(transaction, endpoint.owner_id))
    others = await _OF_OWNER.rows(transaction, owner_id=endpoint.owner_id)
    if any(other.url == url and other.id != endpoint.id for other in others):
        raise Conflict("another endpoint of this owner has this url", field="url")
    return url


def _types(event_types: Sequence[EventType] | None) -> list[str]:
    return sorted({EventType(one).value for one in event_types or ()})


def _merged(stored: Mapping[str, str], headers: object) -> dict[str, str]:
    """The headers after a change. Raises ValidationFailed, whose message shows no value."""
    if headers is None:
        return {}
    if not isinstance(headers, Mapping) or not all(isinstance(value, str | None) for value in headers.values()):
        raise ValidationFailed("headers must be an object of names and texts", field="headers")
    removed = {name.lower() for name, value in headers.items() if value is None}
    added = check_headers({name: value for name, value in headers.items() if value is not None})
    return check_headers({k: v for k, v in stored.items() if k not in removed} | added)


def _with_owner(locked: CTE) -> AnySelect:
    of_owner = ("active", "role")
    columns = [(_OWNERS if name in of_owner else locked).c[name] for name in LockedEndpoint._fields]
    return select(*columns).join_from(locked, _OWNERS, _OWNERS.c.id == locked.c.owner_id)


def _of_owner() -> Executable:
    c = _ENDPOINTS.c
    return select(c.id, c.url).where(c.owner_id == param(WebhookEndpoint, "owner_id"))


def _delivery_of_event() -> Executable:
    c = _DELIVERIES.c
    is_it = (c.endpoint_id == param(WebhookDelivery, "endpoint_id"), c.event_id == param(WebhookDelivery, "event_id"))
    return select(c.id).where(*is_it)


_LOCK = RowLock(LockedEndpoint, WebhookEndpoint, "endpoint", read=_with_owner)
_LOCK_OWNER = Query(
    _OwnerRole, lambda: select(_OWNERS.c.role).where(_OWNERS.c.id == param(Owner, "id")).with_for_update(key_share=True)
)
_OF_OWNER = Query(_Known, _of_owner)
_DELIVERY_OF_EVENT = Query(IdRow, _delivery_of_event)
