"""Replays deliveries: queues events again for an endpoint, and events that it never got."""

import uuid
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Uuid, and_, any_, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from crm_graph.delivery import endpoints
from crm_graph.delivery.endpoints import LockedEndpoint
from crm_graph.delivery.notifications import notification, notify_senders
from crm_graph.delivery.queue import PENDING
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import Conflict, NotFound
from crm_graph.identity.access import visible
from crm_graph.models import AnySelect, DeliveryStatus, Event, EventType, Role, WebhookDelivery, table

EVENTS_MAX = 10_000  # in one call of replay_since
_DELIVERIES, _EVENTS = table(WebhookDelivery), table(Event)


class Replayed(NamedTuple):
    """How many deliveries became pending, and the `since` of the next call when there are more."""

    queued: int
    next_since: datetime | None


async def replay(work: UnitOfWork, *, delivery_id: uuid.UUID) -> uuid.UUID:
    """Queue a settled delivery again: due now, with all its attempts ahead. A pending one stays unchanged.

    Raises NotFound; Conflict while nothing is sent to the endpoint, when the endpoint's owner may not see the event,
    and when the person whom the event is about was erased.
    """
    work.principal.must_write()
    c = _DELIVERIES.c
    is_it = (c.id == delivery_id, visible(WebhookDelivery, work.principal))
    endpoint_id = await work.transaction.scalar(select(c.endpoint_id).where(*is_it))
    if endpoint_id is None:
        raise NotFound("delivery not found", field="delivery_id")
    endpoint = await endpoints.lock_visible(work, endpoint_id)
    endpoints.check_enabled(endpoint)
    query = select(_is_erased().label("is_erased"), _may_get(endpoint).label("may_get"), c.status)
    query = query.join_from(_DELIVERIES, _EVENTS, _EVENTS.c.id == c.event_id).where(c.id == delivery_id)
    delivery = (await work.transaction.execute(query.with_for_update(of=_DELIVERIES))).one_or_none()
    if delivery is None:
        raise NotFound("delivery not found", field="delivery_id")
    if delivery.is_erased:
        raise Conflict("the person whom the event is about was erased", field="delivery_id")
    if not delivery.may_get:
        raise Conflict("the endpoint's owner may no longer see the event", field="delivery_id")
    if delivery.status is not DeliveryStatus.PENDING:
        await work.transaction.execute(update(_DELIVERIES).where(c.id == delivery_id).values(_as_queued()))
        await notify_senders(work.transaction)
    return delivery_id


async def replay_since(work: UnitOfWork, *, endpoint_id: uuid.UUID, since: datetime) -> Replayed:
    """Queue for an endpoint every event since `since` that it subscribes to and its owner may see.

    Settled deliveries are queued again; events that it missed while it was disabled are queued for the first time.
    Pending deliveries stay unchanged; tests and events about erased persons are left out. One call takes EVENTS_MAX
    events, and all events of the same transaction as the last one: `next_since` continues. Raises NotFound, and
    Conflict while nothing is sent to the endpoint.
    """
    endpoint = await endpoints.lock_visible(work, endpoint_id)
    endpoints.check_enabled(endpoint)
    result = (await work.transaction.execute(_queue_events(endpoint, since))).one()
    has_more = result.examined >= EVENTS_MAX
    return Replayed(result.queued, result.last + timedelta(microseconds=1) if has_more else None)


def _queue_events(endpoint: LockedEndpoint, since: datetime) -> AnySelect:
    """Queue the events, notify the senders if there are any, and count."""
    events, c = _events_to_queue(endpoint, since).cte("events_to_queue"), _DELIVERIES.c
    row = {
        "id": func.gen_random_uuid(),
        "endpoint_id": literal(endpoint.id, Uuid),
        "event_id": events.c.id,
        "position": events.c.position,
        "order_key": events.c.order_key,
        "due_at": func.now(),
    }
    new = insert(_DELIVERIES).from_select([*row], select(*row.values()), include_defaults=False)
    upsert = new.on_conflict_do_update(
        index_elements=[c.endpoint_id, c.event_id], set_=_as_queued(), where=c.status != PENDING
    )
    queued = upsert.returning(c.id).cte("queued")
    return select(
        select(func.count()).select_from(queued).scalar_subquery().label("queued"),
        select(func.count()).select_from(events).scalar_subquery().label("examined"),
        select(func.max(events.c.created_at)).scalar_subquery().label("last"),
        select(notification()).where(exists(select(1).select_from(queued))).scalar_subquery().label("notified"),
    )


def _events_to_queue(endpoint: LockedEndpoint, since: datetime) -> AnySelect:
    e, d = _EVENTS.c, _DELIVERIES.alias().c
    # Looked up event by event in the unique index: an anti-join would read all pending deliveries for each event.
    status = select(d.status).where(d.endpoint_id == endpoint.id, d.event_id == e.id).scalar_subquery()
    types = e.type.in_([EventType(one) for one in endpoint.event_types]) if endpoint.event_types else literal(True)
    is_wanted = and_(
        types, e.type != EventType.TEST, _may_get(endpoint), ~_is_erased(), status.is_distinct_from(PENDING)
    )
    query = select(e.id, e.position, func.coalesce(e.deal_id, e.contact_id).label("order_key"), e.created_at)
    return query.where(e.created_at >= since, is_wanted).order_by(e.created_at).fetch(EVENTS_MAX, with_ties=True)


def _may_get(endpoint: LockedEndpoint) -> ColumnElement[bool]:
    """Whether the endpoint's owner may see an event."""
    if endpoint.role == Role.ADMIN:
        return literal(True)
    return or_(literal(endpoint.owner_id, Uuid) == any_(_EVENTS.c.owner_ids), _EVENTS.c.type == EventType.TEST)


def _is_erased() -> ColumnElement[bool]:
    """Whether an erasure has removed the content of an event."""
    payload = _EVENTS.c.payload
    return or_(payload["data"].is_(None), payload["erased"].is_not(None))


def _as_queued() -> dict[str, object]:
    """The columns of a delivery that was never attempted."""
    return {"status": PENDING, "attempts": 0, "due_at": func.now(), "leased_until": None, "settled_at": None}
