"""Who answered, met and bought, and which e-mail of which campaign is to be credited for it."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    Text,
    cast,
    func,
    literal_column,
    null,
    select,
    union_all,
)

from crm_graph.models import Activity, ActivityType, Contact, DealStatus, ReplyStatus
from crm_graph.reports.deals import closings
from crm_graph.reports.scope import Read, Scope, is_one

OUTCOMES = ("replies", "interested", "meetings", "won")


def replies(read: Read, since: ColumnElement[Any]) -> Select[Any]:
    """How many contacts' last reply that counts came since then, by what it means."""
    contacts = read(Contact, "reply_status", "reply_status_at")
    return (
        select(contacts.c.reply_status.label("status"))
        .add_columns(func.count().label("contacts"))
        .where(contacts.c.reply_status.is_not(None), contacts.c.reply_status_at >= since)
        .group_by(contacts.c.reply_status)
    )


def answered(scope: Scope) -> Select[Any]:
    """The contacts that wrote in the period, and when last; one that is only known to be out of office did not."""
    entries = _entries(scope)
    wrote = _contacts(entries, func.max, is_one(entries.c.type, ActivityType.EMAIL_IN))
    contacts = scope.read(Contact, "id", "owner_id", "reply_status")
    is_away = is_one(contacts.c.reply_status, ReplyStatus.OUT_OF_OFFICE)
    return (
        select(contacts.c.id, contacts.c.owner_id, wrote.c.at)
        .join_from(wrote, contacts, contacts.c.id == wrote.c.contact_id)
        .where(is_away.is_not(True))
    )


def met(scope: Scope) -> Select[Any]:
    """The contacts that arranged a meeting in the period, and when first."""
    entries = _entries(scope)
    arranged = _contacts(entries, func.min, is_one(entries.c.type, ActivityType.MEETING), entries.c.arranges)
    contacts = scope.read(Contact, "id", "owner_id")
    return select(contacts.c.id, contacts.c.owner_id, arranged.c.at).join_from(
        arranged, contacts, contacts.c.id == arranged.c.contact_id
    )


def _entries(scope: Scope) -> Subquery:
    entries = scope.read(Activity, "type", "arranges", "contact_id", "occurred_at")
    return select(entries).where(scope.within(entries.c.occurred_at)).subquery()


def _contacts(entries: Subquery, which: Any, *are: ColumnElement[bool]) -> Subquery:
    """The contacts of these entries, and when the first or last was."""
    at = which(entries.c.occurred_at).label("at")
    return select(entries.c.contact_id, at).where(*are).group_by(entries.c.contact_id).subquery()


def attribution(scope: Scope) -> Select[Any]:
    """A row for each campaign, step, variant and mailbox that something of the period is credited to."""
    outcome = _outcomes(scope)
    touch = _touch(scope, outcome)
    campaign_id = func.coalesce(touch.c.campaign_id, outcome.c.campaign_id)
    keys = (campaign_id, touch.c.campaign_step, touch.c.campaign_variant, touch.c.mailbox)
    names = ("campaign_id", "step", "variant", "mailbox")
    return (
        select(*(key.label(name) for key, name in zip(keys, names, strict=True)))
        .add_columns(func.max(touch.c.campaign_name).label("campaign_name"))
        .add_columns(*(func.count().filter(outcome.c.kind == _kind(kind)).label(kind) for kind in OUTCOMES))
        .select_from(outcome.outerjoin(touch, literal_column("true")))
        .group_by(*keys)
    )


def _outcomes(scope: Scope) -> Subquery:
    """What happened: with whom and when, and for which campaign, where a deal names one."""
    wrote, booked = answered(scope).subquery(), met(scope).subquery()
    contacts = scope.read(Contact, "id", "reply_status", "reply_status_at")
    interested = select(contacts.c.id, contacts.c.reply_status_at).where(
        is_one(contacts.c.reply_status, ReplyStatus.INTERESTED), scope.within(contacts.c.reply_status_at)
    )
    nothing = cast(null(), Text)
    return union_all(
        select(
            wrote.c.id.label("contact_id"), wrote.c.at, nothing.label("campaign_id"), _kind("replies").label("kind")
        ),
        select(booked.c.id, booked.c.at, nothing, _kind("meetings")),
        interested.add_columns(nothing, _kind("interested")),
        _won(scope),
    ).subquery()


def _won(scope: Scope) -> Select[Any]:
    deals = closings(scope)
    contacts = scope.read(Contact, "id")
    return (
        select(contacts.c.id, deals.c.closed_at, deals.c.campaign_id, _kind("won"))
        .select_from(deals.outerjoin(contacts, contacts.c.id == deals.c.contact_id))
        .where(is_one(deals.c.status, DealStatus.WON))
    )


def _touch(scope: Scope, outcome: Subquery) -> FromClause:
    """The last e-mail of a campaign before it, to or from the contact: of the deal's campaign, if it names one."""
    columns = ("campaign_id", "campaign_name", "campaign_step", "campaign_variant", "mailbox")
    entries = scope.read(Activity, "id", "type", "contact_id", "occurred_at", *columns)
    return (
        select(*(entries.c[name] for name in columns))
        .where(entries.c.contact_id == outcome.c.contact_id, entries.c.occurred_at <= outcome.c.at)
        .where(
            entries.c.campaign_id.is_not(None), is_one(entries.c.type, ActivityType.EMAIL_IN, ActivityType.EMAIL_OUT)
        )
        .where(outcome.c.campaign_id.is_(None) | (entries.c.campaign_id == outcome.c.campaign_id))
        .order_by(entries.c.occurred_at.desc(), entries.c.id.desc())
        .limit(literal_column("1"))
    ).lateral()


def _kind(name: str) -> ColumnElement[Any]:
    return literal_column(f"'{name}'", Text())
