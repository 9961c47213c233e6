"""The owner rule: which rows a principal may see, as SQL predicates. Nothing else decides it."""

import uuid

from sqlalchemy import ColumnElement, Uuid, and_, any_, bindparam, cast, exists, false, func, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import SQLModel

from crm_graph.database.statements import CALLER
from crm_graph.errors import Forbidden
from crm_graph.identity.principal import Principal
from crm_graph.models import (
    Activity,
    Contact,
    Deal,
    DealStageHistory,
    Event,
    Expression,
    Relation,
    ReplyVerdict,
    Role,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookLog,
    table,
)


def caller(principal: Principal) -> Expression:
    """The principal's owner id as the parameter `caller`: a compiled statement reads it for each caller."""
    return bindparam(CALLER, principal.owner_id, type_=Uuid)


def alternatives(
    model: type[SQLModel], principal: Principal, rows: Relation | None = None, *, erased: bool = False
) -> list[ColumnElement[bool]]:
    """The owner rule, as predicates on `rows` (the model's table, or an alias of it) of which a visible row meets one.

    Admin and readonly see everything; sales see their own rows, the unassigned pool, the deals that they are members of
    and the contacts of these: predicates that exclude each other, because an index can serve each of them in order, and
    not all at once. An activity is visible when its deal is or its contact is `owned`, and to everybody when it is
    about a company alone; a stage move when its deal is, a verdict when its contact is `owned`.
    Companies, pipelines, stages and colleagues' names are shared. Nobody sees deleted rows. The webhook log is for
    admins. An endpoint for webhooks is its owner's, whatever the role, and an admin sees all of them; with it go its
    deliveries, their attempts and the events that were sent. With `erased`, a contact that was erased counts as there:
    for figures, which are all that is left of it.
    """
    rows = table(model) if rows is None else rows
    c = rows.c
    sees_all = principal.role is not Role.SALES
    if model in (Contact, Deal):
        is_there = _is_there(model, rows, erased)
        own = _owned(rows, principal, is_there)
        return own if sees_all else [*own, _by_membership(model, rows, principal, is_there)]
    if model is WebhookLog:
        return [true() if principal.role is Role.ADMIN else false()]
    if model in _OF_ENDPOINTS:
        return [true() if principal.role is Role.ADMIN else _of_own_endpoint(model, rows, principal)]
    if model is DealStageHistory and sees_all:
        return [~_is_deleted(Deal, c.deal_id)]  # few: to read all moves, PostgreSQL looks only for these
    if sees_all or model not in (Activity, DealStageHistory, ReplyVerdict):
        return [true()]
    if model is ReplyVerdict:
        return [_of_owned_contact(c.contact_id, principal, erased)]
    of_deal = _of_visible_deal(c.deal_id, principal)
    if model is DealStageHistory:
        return [of_deal]
    of_company = and_(c.contact_id.is_(None), c.deal_id.is_(None))
    return [or_(of_company, of_deal, _of_owned_contact(c.contact_id, principal, erased))]


_OF_ENDPOINTS = (WebhookEndpoint, WebhookDelivery, WebhookAttempt, Event)


def _of_own_endpoint(model: type[SQLModel], rows: Relation, principal: Principal) -> ColumnElement[bool]:
    endpoints, deliveries = table(WebhookEndpoint).alias(), table(WebhookDelivery).alias()
    if model is WebhookEndpoint:
        return and_(rows.c.owner_id == caller(principal))
    is_own = endpoints.c.owner_id == caller(principal)
    if model is WebhookDelivery:
        return exists(select(1).select_from(endpoints).where(endpoints.c.id == rows.c.endpoint_id, is_own))
    delivered = deliveries.join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
    is_delivered = deliveries.c.event_id == rows.c.id if model is Event else deliveries.c.id == rows.c.delivery_id
    return exists(select(1).select_from(delivered).where(is_delivered, is_own))


def visible(
    model: type[SQLModel], principal: Principal, rows: Relation | None = None, *, erased: bool = False
) -> ColumnElement[bool]:
    """The owner rule as one predicate."""
    return or_(*alternatives(model, principal, rows, erased=erased))


def owned(
    model: type[SQLModel], principal: Principal, rows: Relation | None = None, *, erased: bool = False
) -> ColumnElement[bool]:
    """The owner rule without memberships: contacts that the caller may change, and deals that they may give away."""
    rows = table(model) if rows is None else rows
    return or_(*_owned(rows, principal, _is_there(model, rows, erased)))


def must_own(principal: Principal, owner_id: uuid.UUID | None, *, field: str) -> None:
    """Raises Forbidden for a deal that the caller sees as a member only: its owner, or an admin, may give it away."""
    if principal.role is Role.SALES and owner_id not in (None, principal.owner_id):
        raise Forbidden("only the deal's owner or an admin may do this; you are a member of the deal", field=field)


def restorable(model: type[SQLModel], principal: Principal) -> ColumnElement[bool]:
    """The owner rule for deleted contacts or deals: those that would be visible if they were not deleted."""
    rows = table(model)
    return or_(*_owned(rows, principal, rows.c.deleted_at.is_not(None)))


def may_see_change(principal: Principal, owners: frozenset[uuid.UUID | None]) -> bool:
    """The owner rule for a change of a contact or deal: whether the principal may see a row of one of its owners (and a
    deal's members) before and after the change. None is the unassigned pool.
    """
    return principal.role is not Role.SALES or not owners.isdisjoint((None, principal.owner_id))


def _is_there(model: type[SQLModel], rows: Relation, erased: bool) -> ColumnElement[bool]:
    """Whether a contact or deal is not deleted; with `erased`, erased contacts count as there."""
    c = rows.c
    if model is Contact and erased:
        return or_(c.deleted_at.is_(None), and_(c.erased_at.is_not(None), c.merged_into_id.is_(None)))
    return and_(c.deleted_at.is_(None))


def _owned(rows: Relation, principal: Principal, state: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    if principal.role is not Role.SALES:
        return [state]
    return [and_(rows.c.owner_id == caller(principal), state), and_(rows.c.owner_id.is_(None), state)]


def _by_membership(
    model: type[SQLModel], rows: Relation, principal: Principal, state: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether a colleague's deal has the caller as a member, or a colleague's contact is that of such a deal."""
    is_colleagues = and_(rows.c.owner_id != caller(principal), state)
    if model is Deal:
        # The second condition is for PostgreSQL to check again when the row has changed while its lock was waited for.
        has_caller: ColumnElement[bool] = caller(principal) == any_(rows.c.member_ids)
        return and_(_is_among(rows, func.crm_member_deals(caller(principal))), has_caller, is_colleagues)
    return and_(_is_among(rows, func.crm_member_contacts(caller(principal))), is_colleagues)


def _is_among(rows: Relation, ids: ColumnElement[object]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = rows.c.id == any_(cast(select(ids).scalar_subquery(), ARRAY(Uuid)))
    return found


def _of_visible_deal(key: Expression, principal: Principal) -> ColumnElement[bool]:
    rows = table(Deal).alias()
    return exists(select(1).select_from(rows).where(rows.c.id == key, visible(Deal, principal, rows)))


def _of_owned_contact(key: Expression, principal: Principal, erased: bool) -> ColumnElement[bool]:
    rows = table(Contact).alias()
    is_owned = owned(Contact, principal, rows, erased=erased)
    return exists(select(1).select_from(rows).where(rows.c.id == key, is_owned))


def _is_deleted(parent: type[SQLModel], key: Expression) -> ColumnElement[bool]:
    rows = table(parent).alias()
    return exists(select(1).select_from(rows).where(rows.c.id == key, rows.c.deleted_at.is_not(None)))
