"""Rulings: what people and models say that a reply means, beside what the rules and providers made of it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import CTE, Boolean, bindparam, case, exists, false, func, literal, select, true, update

from crm_graph.database.statements import Statement, param
from crm_graph.domain.contacts import records as contacts
from crm_graph.domain.contacts import verdicts
from crm_graph.domain.contacts.verdicts import Verdict
from crm_graph.domain.deals import cascade
from crm_graph.domain.timeline import activities
from crm_graph.domain.unit_of_work import UnitOfWork
from crm_graph.errors import NotFound, ValidationFailed
from crm_graph.identity.access import visible
from crm_graph.identity.principal import Principal
from crm_graph.models import (
    Activity,
    ActivityType,
    Contact,
    Deal,
    DealStageHistory,
    DealStatus,
    ReplyStatus,
    ReplyStatusSource,
    ReplyVerdict,
    Role,
    table,
)
from crm_graph.values import check_text

DELETED = "Deal deleted: the reply that opened it was judged wrongly"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What came of a verdict: whether the contact's status is its status now, and the deal that was deleted with it."""

    applied: bool
    deleted_deal_id: uuid.UUID | None = None


async def set_status(
    work: UnitOfWork,
    *,
    contact_id: uuid.UUID,
    status: ReplyStatus,
    source: ReplyStatusSource = ReplyStatusSource.PERSON,
    summary: str | None = None,
    confidence: float | None = None,
    activity_id: uuid.UUID | None = None,
    delete_deal: bool = False,
    expected_version: int | None = None,
) -> Ruling:
    """Say what a reply means, by default the contact's latest one; it is kept, also where a stronger verdict holds.

    The same verdict again changes nothing. `delete_deal` deletes the deal that events opened because of the reply,
    unless more has happened with it since. Raises NotFound or ValidationFailed naming the field, or VersionConflict.
    """
    _check(summary, confidence)
    contact = await contacts.lock_visible(work, contact_id, expected_version)
    found = await _look(work, contact_id, activity_id, source, delete_deal=delete_deal)
    verdict = Verdict(status, source, _written_at(contact, found, work.now), summary, confidence)
    kept = verdicts.kept(contact_id, found.reply_id, verdict, work.principal.owner_id, work.now)
    is_known = found.known_id is not None and all(getattr(found, name) == kept[name] for name in verdicts.SAID)
    changes = (
        {}
        if is_known
        else verdicts.consequences(contact, _summed_up(verdict, contact, has_reply=found.reply_id is not None))
    )
    applied = "reply_status" in changes or (is_known and _is_its_status(contact, verdict))
    opened = found.opened_id if applied and status is not ReplyStatus.INTERESTED else None
    if is_known and opened is None:
        return Ruling(applied)
    entry = _told(work, contact, verdict, changes, applied=applied)
    values = entry | {
        "opened_id": opened,
        "reply_at": found.reply_at or contact.reply_status_at,
        "deal_meta": {"source": work.principal.source},
    }
    if not is_known:
        values |= kept | _set(contact, changes, work.now)
    deleted = await (_DELETE_DEAL if is_known else _JUDGE).one(work.transaction, now=work.now, **values)
    return Ruling(applied, deleted.id if deleted else None)


async def _look(
    work: UnitOfWork,
    contact_id: uuid.UUID,
    activity_id: uuid.UUID | None,
    source: ReplyStatusSource,
    *,
    delete_deal: bool,
) -> Any:
    """The reply that is judged, and what is known of it; raises NotFound."""
    parameters = {"contact_id": contact_id, "activity_id": activity_id, "source": source, "delete_deal": delete_deal}
    found = await _looking(work.principal.role).one(work.transaction, caller=work.principal.owner_id, **parameters)
    assert found is not None, "the look-up always has one row"
    if activity_id is not None and found.reply_id is None:
        raise NotFound("no e-mail of this contact has this id", field="activity_id")
    return found


def _check(summary: str | None, confidence: float | None) -> None:
    if summary is not None:
        check_text(summary, field="summary")
    if confidence is not None and not 0 <= confidence <= 1:
        raise ValidationFailed("confidence must be between 0 and 1", field="confidence")


def _written_at(contact: Any, found: Any, now: datetime) -> datetime:
    """When the contact wrote what is judged. What others say of the latest reply is said of the same reply."""
    if found.reply_id is None:  # whoever waited for the contact's lock speaks after whom they waited for
        return max(now, contact.reply_status_at or now)
    reply_at: datetime = found.reply_at
    return reply_at if reply_at < found.latest_at else max(reply_at, contact.reply_status_at or reply_at)


def _summed_up(verdict: Verdict, contact: Any, *, has_reply: bool) -> Verdict:
    """The verdict with the summary that is there, when it corrects what the same reply means without giving one."""
    is_same_reply = not has_reply or contact.reply_status_at == verdict.occurred_at
    gives_none = verdict.summary is None and is_same_reply
    return replace(verdict, summary=contact.reply_summary) if gives_none else verdict


def _is_its_status(contact: Any, verdict: Verdict) -> bool:
    return bool(contact.reply_status == verdict.status and contact.reply_status_source == verdict.source)


def _set(contact: Any, changes: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The parameters of `_changed`: whatever is left alone is set to what it is."""
    changed = bool(activities.differences(contact, changes))
    values = {name: changes.get(name, getattr(contact, name)) for name in Contact.FROM_VERDICTS}
    return values | {"version": contact.version + changed, "updated_at": now if changed else contact.updated_at}


def _told(
    work: UnitOfWork, contact: Any, verdict: Verdict, changes: Mapping[str, Any], *, applied: bool
) -> dict[str, Any]:
    stands = f"; {contact.reply_status}, as judged by {contact.reply_status_source}, stands"
    said = {"status": verdict.status, "source": verdict.source, "confidence": verdict.confidence}
    content = f"Reply judged by {verdict.source}: {verdict.status}" + ("" if applied else stands)
    changed = activities.old_and_new(contact, activities.differences(contact, changes))
    return activities.entry_params(
        work, content=content, contact_id=contact.id, meta={"verdict": said, "changes": changed}
    )


@cache
def _looking(role: Role) -> Statement:
    """The reply that is judged, the latest one, what its source has said of it, and the deal that it opened."""

    def make() -> Any:
        said, a, contact_id = table(ReplyVerdict).c, table(Activity).c, param(Contact, "id", "contact_id")
        wrote = select(a.id, a.occurred_at, a.deal_id)
        wrote = wrote.where(a.contact_id == contact_id, a.type == ActivityType.EMAIL_IN)
        # An absence notice is what is meant last: it says nothing.
        is_absence = select(func.bool_and(said.status == ReplyStatus.OUT_OF_OFFICE)).where(said.activity_id == a.id)
        order = func.coalesce(is_absence.scalar_subquery(), false()), a.occurred_at.desc(), a.id.desc()
        latest = wrote.order_by(*order).limit(1).cte("latest")
        meant = func.coalesce(param(Activity, "id", "activity_id"), select(latest.c.id).scalar_subquery())
        reply = wrote.where(a.id == meant).cte("reply")
        theirs = said.contact_id == contact_id, said.source == param(ReplyVerdict, "source")
        is_it = said.activity_id.is_not_distinct_from(select(reply.c.id).scalar_subquery())
        known = select(said.id, *(said[name] for name in verdicts.SAID)).where(*theirs, is_it).subquery("known")
        opened = _opened(Principal(None, role), reply)
        rows: Any = select(literal(1).label("one")).subquery("nothing")
        for more in (latest, reply, known, opened):
            rows = rows.outerjoin(more, true())
        columns: list[Any] = [reply.c.id.label("reply_id"), reply.c.occurred_at.label("reply_at")]
        columns += [latest.c.occurred_at.label("latest_at"), opened.c.id.label("opened_id")]
        columns += [known.c.id.label("known_id"), *(known.c[name] for name in verdicts.SAID)]
        return select(*columns).select_from(rows)

    return Statement(make)


def _opened(principal: Principal, reply: CTE) -> CTE:
    """The open deal that the reply is about, locked, when a deal is to be deleted; without a reply (a provider labels
    contacts that have written nothing), the newest one of the contact."""
    deals, wanted = table(Deal), bindparam("_delete_deal", type_=Boolean, required=True)
    is_open = deals.c.status == DealStatus.OPEN, visible(Deal, principal)
    theirs = select(deals.c.id).where(deals.c.contact_id == param(Contact, "id", "contact_id"), *is_open)
    newest = theirs.order_by(deals.c.created_at.desc(), deals.c.id.desc()).limit(1).scalar_subquery()
    meant = case((exists(select(reply.c.id)), select(reply.c.deal_id).scalar_subquery()), else_=newest)
    is_it = deals.c.id == meant
    return select(deals.c.id).where(wanted, is_it, *is_open).with_for_update(key_share=True).cte("opened")


def _judged() -> Any:
    people = table(Contact)
    values = {name: param(Contact, name) for name in (*Contact.FROM_VERDICTS, "version", "updated_at")}
    changed = update(people).where(people.c.id == param(Contact, "id", "contact_id")).values(values)
    return _deal_deleted().add_cte(
        verdicts.keeping().cte("kept"), changed.cte("changed"), activities.insert_entry().cte("told")
    )


def _deal_deleted() -> Any:
    """Delete the deal that the reply opened, and nothing has happened with since: no person and no booking."""
    deals, moves, entries = table(Deal), table(DealStageHistory).c, table(Activity).c
    of_deal = moves.deal_id == deals.c.id
    by_event = moves.from_stage_id.is_(None), moves.moved_by.is_(None)
    by_it = exists(select(1).where(of_deal, *by_event, moves.moved_at == param(Activity, "occurred_at", "reply_at")))
    moved = exists(select(1).where(of_deal, moves.from_stage_id.is_not(None)))
    touched = exists(select(1).where(entries.deal_id == deals.c.id, entries.created_by.is_not(None)))
    is_it = deals.c.id == param(Deal, "id", "opened_id")
    untouched = select(deals.c.id).where(is_it, by_it, ~moved, ~touched).cte("untouched")
    deleted = cascade.update_deals(untouched, deleted_at=param(Deal, "deleted_at", "now"))
    gone = deleted.returning(deals.c.id).cte("gone")
    return select(gone.c.id).add_cte(cascade.insert_deal_entries(gone, DELETED).cte("told_deal"))


_JUDGE = Statement(_judged)
_DELETE_DEAL = Statement(_deal_deleted)
