"""Deliveries: sending events again, when the database's clock says, and letting a copy of a database send."""

import uuid
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    Uuid,
    and_,
    any_,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from crm_graph.database import channels
from crm_graph.database.engine import Transaction
from crm_graph.delivery import endpoints
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound
from crm_graph.identity.access import visible
from crm_graph.models import (
    DeliveryStatus,
    Deployment,
    Event,
    EventType,
    Owner,
    Role,
    WebhookDelivery,
    WebhookEndpoint,
    table,
)

AT_ONCE = 10_000  # events in one call of replay_since
_DELIVERIES, _EVENTS, _ENDPOINTS = table(WebhookDelivery), table(Event), table(WebhookEndpoint)
_DEPLOYMENT = table(Deployment)
_PENDING: ColumnElement[Any] = literal_column(f"'{DeliveryStatus.PENDING}'")


class Replayed(NamedTuple):
    """How many deliveries are pending that were not, and where the next call goes on when there is more."""

    queued: int
    next_since: datetime | None


async def replay(work: UnitOfWork, *, delivery_id: uuid.UUID) -> uuid.UUID:
    """Make a settled delivery pending again, due now and with all its attempts before it; a pending one stays as it is.

    Raises NotFound; and Conflict while nothing is sent to the endpoint, or when its owner may not get the event, or
    when the person that the event tells of was erased.
    """
    work.principal.must_write()
    c = _DELIVERIES.c
    whose = select(c.endpoint_id).where(c.id == delivery_id, visible(WebhookDelivery, work.principal))
    endpoint_id = (await work.transaction.execute(whose)).scalar_one_or_none()
    if endpoint_id is None:
        raise NotFound("delivery not found", field="delivery_id")
    endpoint = await endpoints.lock_visible(work, endpoint_id)
    endpoints.check_on(endpoint)
    told = select(_is_erased().label("is_erased"), _is_for(endpoint).label("is_for"), c.status)
    told = told.join_from(_DELIVERIES, _EVENTS, _EVENTS.c.id == c.event_id).where(c.id == delivery_id)
    delivery = (await work.transaction.execute(told.with_for_update(of=_DELIVERIES))).one_or_none()
    if delivery is None:
        raise NotFound("delivery not found", field="delivery_id")
    if delivery.is_erased:
        raise Conflict("the person that the event tells of was erased", field="delivery_id")
    if not delivery.is_for:
        raise Conflict("the event is not the endpoint's owner's to see any more", field="delivery_id")
    if delivery.status is not DeliveryStatus.PENDING:
        await work.transaction.execute(update(_DELIVERIES).where(c.id == delivery_id).values(_fresh()))
        await endpoints.wake(work.transaction)
    return delivery_id


async def replay_since(work: UnitOfWork, *, endpoint_id: uuid.UUID, since: datetime) -> Replayed:
    """Queue for an endpoint every event from `since` on that it is subscribed to and its owner may get: those that were
    settled again, and those that it never got because it was disabled. What is pending stays as it is.

    At most AT_ONCE, and all of one transaction together: `next_since` of the result goes on with the others. Neither
    tests nor events about people who were erased. Raises NotFound, and Conflict while nothing is sent to the endpoint.
    """
    endpoint = await endpoints.lock_visible(work, endpoint_id)
    endpoints.check_on(endpoint)
    found = (await work.transaction.execute(_replayed(endpoint, since))).one()
    more = found.last + timedelta(microseconds=1) if found.looked_at >= AT_ONCE else None
    return Replayed(found.queued, more)


def _replayed(endpoint: Any, since: datetime) -> Select[Any]:
    """Queue the events, tell whoever sends, and count."""
    wanted, c = _wanted(endpoint, since).cte("wanted"), _DELIVERIES.c
    row = {
        "id": func.gen_random_uuid(),
        "endpoint_id": literal(endpoint.id, Uuid),
        "event_id": wanted.c.id,
        "position": wanted.c.position,
        "order_key": wanted.c.order_key,
        "due_at": func.now(),
    }
    queued = insert(_DELIVERIES).from_select([*row], select(*row.values()), include_defaults=False)
    is_settled = c.status != _PENDING
    queued = queued.on_conflict_do_update(index_elements=[c.endpoint_id, c.event_id], set_=_fresh(), where=is_settled)
    made = queued.returning(c.id).cte("made")
    count = select(func.count()).select_from(made).scalar_subquery()
    told = select(func.pg_notify(channels.DELIVERIES, "")).where(exists(select(1).select_from(made))).scalar_subquery()
    return select(
        count.label("queued"),
        select(func.count()).select_from(wanted).scalar_subquery().label("looked_at"),
        select(func.max(wanted.c.created_at)).scalar_subquery().label("last"),
        told.label("told"),
    )


def _wanted(endpoint: Any, since: datetime) -> Select[Any]:
    e, d = _EVENTS.c, _DELIVERIES.alias().c
    # Of one event at a time, by the unique index: an anti-join goes through all that is pending for each event.
    status = select(d.status).where(d.endpoint_id == endpoint.id, d.event_id == e.id).scalar_subquery()
    types = e.type.in_([EventType(one) for one in endpoint.event_types]) if endpoint.event_types else literal(True)
    meant = and_(types, e.type != EventType.TEST, _is_for(endpoint), ~_is_erased(), status.is_distinct_from(_PENDING))
    found = select(e.id, e.position, func.coalesce(e.deal_id, e.contact_id).label("order_key"), e.created_at)
    return found.where(e.created_at >= since, meant).order_by(e.created_at).fetch(AT_ONCE, with_ties=True)


def _is_for(endpoint: Any) -> ColumnElement[bool]:
    """Whether the endpoint's owner may get an event."""
    if endpoint.role is Role.ADMIN:
        return literal(True)
    return or_(literal(endpoint.owner_id, Uuid) == any_(_EVENTS.c.owner_ids), _EVENTS.c.type == EventType.TEST)


def _is_erased() -> ColumnElement[bool]:
    """Whether an erasure has taken from an event what it told."""
    payload = _EVENTS.c.payload
    return or_(payload["data"].is_(None), payload["erased"].is_not(None))


def _fresh() -> dict[str, Any]:
    """What a delivery that was never tried has in its columns."""
    return {"status": _PENDING, "attempts": 0, "due_at": func.now(), "leased_until": None, "settled_at": None}


async def pause(transaction: Transaction) -> Any | None:
    """The row that says why deliveries are paused, with `paused_at` and `paused_reason`; None while they are not."""
    query = select(_DEPLOYMENT).where(_DEPLOYMENT.c.paused_at.is_not(None))
    return (await transaction.execute(query)).one_or_none()


async def resume(work: UnitOfWork, public_url: str | None) -> None:
    """Let this database send as the one under `public_url`, from now on. Raises Forbidden for anyone but an admin."""
    work.principal.must_be_admin()
    values = {"public_url": public_url, "paused_at": None, "paused_reason": None}
    new = insert(_DEPLOYMENT).values(id=True, **values)
    await work.transaction.execute(new.on_conflict_do_update(index_elements=[_DEPLOYMENT.c.id], set_=values))
    await endpoints.wake(work.transaction)


async def recent(transaction: Transaction, email: str | None, status: DeliveryStatus | None, count: int) -> list[Any]:
    """The newest deliveries, of one owner's endpoints or of all, with the event's `type` and the endpoint's `url`."""
    owners, c = table(Owner), _DELIVERIES.c
    query = select(_DELIVERIES, _EVENTS.c.type, _ENDPOINTS.c.url, owners.c.email).join_from(_DELIVERIES, _EVENTS)
    query = query.join(_ENDPOINTS, _ENDPOINTS.c.id == c.endpoint_id).join(owners, owners.c.id == _ENDPOINTS.c.owner_id)
    conditions = [owners.c.email == email] * (email is not None) + [c.status == status] * (status is not None)
    return list(
        await transaction.execute(query.where(*conditions).order_by(c.created_at.desc(), c.id.desc()).limit(count))
    )
