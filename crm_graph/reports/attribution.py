"""Replies, meetings and won deals, and the campaign e-mail that each is credited to."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Subquery,
    Text,
    cast,
    func,
    literal_column,
    null,
    select,
    union_all,
)

from crm_graph.models import Activity, ActivityType, AnySelect, Contact, DealStatus, Expression, ReplyStatus
from crm_graph.reports.deals import closings
from crm_graph.reports.scope import Read, Scope, is_one_of

RESULTS = ("replies", "interested", "meetings", "won")


def replies(read: Read, since: ColumnElement[datetime]) -> AnySelect:
    """The number of contacts whose latest reply is not older than `since`, by its meaning."""
    contacts = read(Contact, "reply_status", "reply_status_at")
    return (
        select(contacts.c.reply_status.label("status"))
        .add_columns(func.count().label("contacts"))
        .where(contacts.c.reply_status.is_not(None), contacts.c.reply_status_at >= since)
        .group_by(contacts.c.reply_status)
    )


def replied(scope: Scope) -> AnySelect:
    """The contacts who wrote in the period, with the time of their latest e-mail, except those out of office."""
    entries = _entries(scope)
    wrote = _contacts(entries, func.max, is_one_of(entries.c.type, ActivityType.EMAIL_IN))
    contacts = scope.read(Contact, "id", "owner_id", "reply_status")
    is_away = is_one_of(contacts.c.reply_status, ReplyStatus.OUT_OF_OFFICE)
    return (
        select(contacts.c.id, contacts.c.owner_id, wrote.c.at)
        .join_from(wrote, contacts, contacts.c.id == wrote.c.contact_id)
        .where(is_away.is_not(True))
    )


def met(scope: Scope) -> AnySelect:
    """The contacts who arranged a meeting in the period, with the time of the first."""
    entries = _entries(scope)
    arranged = _contacts(entries, func.min, is_one_of(entries.c.type, ActivityType.MEETING), entries.c.arranges)
    contacts = scope.read(Contact, "id", "owner_id")
    return select(contacts.c.id, contacts.c.owner_id, arranged.c.at).join_from(
        arranged, contacts, contacts.c.id == arranged.c.contact_id
    )


def _entries(scope: Scope) -> Subquery:
    entries = scope.read(Activity, "type", "arranges", "contact_id", "occurred_at")
    return select(entries).where(scope.within(entries.c.occurred_at)).subquery()


def _contacts(
    entries: Subquery, pick: Callable[[Expression], Expression], *conditions: ColumnElement[bool]
) -> Subquery:
    """The contacts of these entries, with the time that `pick` (min or max) takes of each."""
    at = pick(entries.c.occurred_at).label("at")
    return select(entries.c.contact_id, at).where(*conditions).group_by(entries.c.contact_id).subquery()


def attribution(scope: Scope) -> AnySelect:
    """A row for each campaign, step, variant and mailbox that results of the period are credited to."""
    result = _results(scope)
    touch = _touch(scope, result)
    campaign_id = func.coalesce(touch.c.campaign_id, result.c.campaign_id)
    keys = (campaign_id, touch.c.campaign_step, touch.c.campaign_variant, touch.c.mailbox)
    names = ("campaign_id", "step", "variant", "mailbox")
    return (
        select(*(key.label(name) for key, name in zip(keys, names, strict=True)))
        .add_columns(func.max(touch.c.campaign_name).label("campaign_name"))
        .add_columns(*(func.count().filter(result.c.kind == _kind(kind)).label(kind) for kind in RESULTS))
        .select_from(result.outerjoin(touch, literal_column("true")))
        .group_by(*keys)
    )


def _results(scope: Scope) -> Subquery:
    """The results: of which contact, when, and of which campaign if the deal names one."""
    replies, meetings = replied(scope).subquery(), met(scope).subquery()
    contacts = scope.read(Contact, "id", "reply_status", "reply_status_at")
    interested = select(contacts.c.id, contacts.c.reply_status_at).where(
        is_one_of(contacts.c.reply_status, ReplyStatus.INTERESTED), scope.within(contacts.c.reply_status_at)
    )
    no_campaign = cast(null(), Text)
    return union_all(
        select(replies.c.id.label("contact_id"), replies.c.at, no_campaign.label("campaign_id")).add_columns(
            _kind("replies").label("kind")
        ),
        select(meetings.c.id, meetings.c.at, no_campaign, _kind("meetings")),
        interested.add_columns(no_campaign, _kind("interested")),
        _won(scope),
    ).subquery()


def _won(scope: Scope) -> AnySelect:
    deals = closings(scope)
    contacts = scope.read(Contact, "id")
    return (
        select(contacts.c.id, deals.c.closed_at, deals.c.campaign_id, _kind("won"))
        .select_from(deals.outerjoin(contacts, contacts.c.id == deals.c.contact_id))
        .where(is_one_of(deals.c.status, DealStatus.WON))
    )


def _touch(scope: Scope, result: Subquery) -> FromClause:
    """The latest campaign e-mail before a result, to or from the contact; of the deal's campaign if it names one."""
    columns = ("campaign_id", "campaign_name", "campaign_step", "campaign_variant", "mailbox")
    entries = scope.read(Activity, "id", "type", "contact_id", "occurred_at", *columns)
    return (
        select(*(entries.c[name] for name in columns))
        .where(entries.c.contact_id == result.c.contact_id, entries.c.occurred_at <= result.c.at)
        .where(
            entries.c.campaign_id.is_not(None), is_one_of(entries.c.type, ActivityType.EMAIL_IN, ActivityType.EMAIL_OUT)
        )
        .where(result.c.campaign_id.is_(None) | (entries.c.campaign_id == result.c.campaign_id))
        .order_by(entries.c.occurred_at.desc(), entries.c.id.desc())
        .limit(literal_column("1"))
    ).lateral()


def _kind(name: str) -> ColumnElement[str]:
    return literal_column(f"'{name}'", Text())
